//! `backups:` of agent.yaml: what the administrator states about copies of the state folder that others make.
//!
//! A copy that nobody knows of undoes a destruction, and no program can find them all; so it is asked. Not stated is
//! told by `check` as that, never as none.

use super::{
    node::{Node, Value},
    reader::{Form, Reader, form},
};
use crate::domain::time::Period;

/// What is stated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Backups {
    /// Nothing.
    #[default]
    Unstated,
    /// That there are none: `backups: none`.
    None,
    /// These.
    Named(Vec<Backup>),
}

/// A backup that holds the state folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// What makes it.
    pub name: String,
    /// Where it lies.
    pub place: String,
    /// How long it is kept.
    pub keeps: Period,
}

const FORM: Form<'_> = form("'none', or a list of the backups that hold the state folder", "none");
const NAME: Form<'_> = form("what makes the backup", "nightly borg");
const PLACE: Form<'_> = form("where the backup lies", "nas2:/backup");
const KEEPS: Form<'_> = form("how long a copy is kept, a period of days or longer", "P30D");

/// Reads the field, where it is there.
pub(super) fn read(reader: &mut Reader) -> Backups {
    let Some(node) = reader.node("backups") else { return Backups::Unstated };
    match &node.value {
        Value::Scalar { text, .. } if text == "none" => Backups::None,
        Value::List(nodes) if !nodes.is_empty() => {
            Backups::Named(nodes.iter().filter_map(|node| backup(node, reader)).collect())
        }
        Value::Alias => Backups::Unstated,
        Value::Scalar { .. } | Value::List(_) | Value::Map(_) => {
            reader.wrong(node.at, "backups", "is neither", FORM);
            Backups::Unstated
        }
    }
}

fn backup(node: &Node, outer: &Reader) -> Option<Backup> {
    let mut reader = outer.inner("backups", node)?;
    let name = reader.text("name", NAME);
    let place = reader.text("place", PLACE);
    let keeps = reader.parsed("keeps", KEEPS, |t| {
        Period::parse(t).filter(|p| p.seconds == 0 && (p.days > 0 || p.months > 0))
    });
    reader.finish();
    Some(Backup { name: name?.value, place: place?.value, keeps: keeps?.value })
}
