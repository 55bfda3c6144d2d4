//! `policies/forms/*.yaml`: what the printed register looks like, for the policy of the file's name or for all.
//!
//! The program has one of its own (`forms/register.yaml`); a site may lay others beside its policies. A form says where
//! things stand and what they are called, never what they are: the facts are a closed list.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    layouts::named,
    node::{Fault, Faults, Node, Value},
    reader::{Form, Reader, form, shown},
};
use crate::domain::forms::{DEFAULT, Fact, FormColumn, FormSheet, RegisterForm};

/// The folder, within that of the policies.
pub(super) const FOLDER: &str = "forms";

/// How the names of the files begin in a configuration.
pub(super) const FILES: &str = "policies/forms/";

/// The form that is shipped with the program.
const SHIPPED: &str = include_str!("../../forms/register.yaml");

const TITLE: Form<'_> = form("the title of the register", "戶役政資料傳輸與刪除紀錄表");
const YES: Form<'_> = form("true or false", "false");
const SHEET: Form<'_> = form("a sheet", "{ name: 登記表, columns: [ … ] }");
const SHEETS: Form<'_> = form("a list of sheets", "[{ name: 附表一, columns: [ … ] }]");
const NAME: Form<'_> = form("the name of the sheet", "登記表");
const COLUMNS: Form<'_> = form(
    "a list of columns, the serial number first",
    "[{ fact: serial, heading: 序號, share: 6 }]",
);
const HEADING: Form<'_> = form("what stands above the column", "序號");
const SHARE: Form<'_> = form("a share of the width from 1 to 1000", "10");
const SEATS: Form<'_> = form("a list of who signs off, at most ten", "[製表人, 業務單位主管]");

/// So many boxes to sign off in stand on a form at most, and so many sheets and columns.
const SEATS_MAX: usize = 10;
const SHEETS_MAX: usize = 10;
const COLUMNS_MAX: usize = 24;

/// The form that is shipped, by its name.
#[must_use]
pub(super) fn shipped() -> BTreeMap<String, RegisterForm> {
    let found = Faults::of(std::path::PathBuf::new());
    let form = Node::parse(SHIPPED, &found).and_then(|node| parse(DEFAULT, &node, &found));
    form.into_iter().map(|form| (form.name.clone(), form)).collect()
}

/// Reads the forms of a site over the one that is shipped; none where the folder is not there.
pub(super) fn read(
    (policies, names): (&Path, &BTreeSet<String>),
    own: u32,
    files: &mut BTreeMap<String, Vec<u8>>,
    faults: &mut Vec<Fault>,
) -> BTreeMap<String, RegisterForm> {
    let mut forms = shipped();
    let dir = policies.join(FOLDER);
    if !dir.is_dir() {
        return forms;
    }
    let kind = FILES.trim_end_matches('/');
    let read = super::read_folder((&dir, kind), own, files, faults, parse);
    for name in read.names.iter().filter(|name| *name != DEFAULT && !names.contains(*name)) {
        let what = format!("there is no policy '{}'", shown(name));
        let hint = format!("name the file as a policy, or '{DEFAULT}.yaml' for all of them");
        faults.push(super::whole(&dir.join(format!("{name}.yaml")), what, Some(&hint)));
    }
    forms.extend(read.parsed);
    forms
}

fn parse(name: &str, node: &Node, faults: &Faults) -> Option<RegisterForm> {
    let mut reader = Reader::new(node, faults)?;
    let at = reader.place();
    named(&mut reader, "form", name);
    let title = reader.text("title", TITLE);
    let official = reader.maybe("official", YES, yes);
    let main = reader.required("main", SHEET).and_then(|node| sheet(&reader, "main", &node));
    let annexes = annexes(&mut reader);
    let seats = reader.texts("seats", SEATS);
    if let Some(seats) = seats.as_ref().filter(|seats| seats.value.len() > SEATS_MAX) {
        reader.wrong(seats.at, "seats", "has too many", SEATS);
    }
    reader.finish();
    let form = RegisterForm {
        name: name.to_owned(),
        title: title?.value,
        official: official.is_some_and(|yes| yes.value),
        main: main?,
        annexes: annexes?,
        seats: seats?.value.into_iter().map(|seat| seat.value).collect(),
    };
    let missing: Vec<&str> = form.missing().into_iter().map(Fact::word).collect();
    if !missing.is_empty() {
        let what = format!("the main sheet lacks columns: {}", missing.join(", "));
        faults.add(
            at,
            what,
            Some("TPH-5.5 names ten columns; each has its place on the main sheet"),
        );
    }
    Some(form)
}

fn yes(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn annexes(reader: &mut Reader) -> Option<Vec<FormSheet>> {
    let Some(node) = reader.node("annexes") else { return Some(Vec::new()) };
    let Value::List(nodes) = &node.value else {
        reader.wrong(node.at, "annexes", "is no list of sheets", SHEETS);
        return None;
    };
    if nodes.len() > SHEETS_MAX {
        reader.wrong(node.at, "annexes", "has too many sheets", SHEETS);
        return None;
    }
    let sheets: Vec<FormSheet> =
        nodes.iter().filter_map(|node| sheet(reader, "annexes", node)).collect();
    (sheets.len() == nodes.len()).then_some(sheets)
}

fn sheet(reader: &Reader, what: &str, node: &Node) -> Option<FormSheet> {
    let mut inner = reader.inner(what, node)?;
    let name = inner.text("name", NAME);
    let listed = inner.required("columns", COLUMNS);
    let mut columns = Vec::new();
    let mut whole = true;
    if let Some(node) = &listed {
        match &node.value {
            Value::List(nodes) if !nodes.is_empty() && nodes.len() <= COLUMNS_MAX => {
                columns.extend(nodes.iter().filter_map(|node| column(&inner, node)));
                whole = columns.len() == nodes.len();
                let first =
                    columns.first().is_some_and(|one: &FormColumn| one.fact == Fact::Serial);
                if whole && !first {
                    inner.wrong(
                        node.at,
                        "columns",
                        "does not begin with the serial number",
                        COLUMNS,
                    );
                    whole = false;
                }
            }
            Value::Alias => whole = false,
            Value::List(_) | Value::Map(_) | Value::Scalar { .. } => {
                inner.wrong(node.at, "columns", "is no list of 1 to 24 columns", COLUMNS);
                whole = false;
            }
        }
        twice(&inner, node, &columns);
    }
    inner.finish();
    let _ = listed?;
    Some(FormSheet { name: name?.value, columns }).filter(|_| whole)
}

/// A fact stands once on a sheet.
fn twice(reader: &Reader, node: &Node, columns: &[FormColumn]) {
    let mut seen = BTreeSet::new();
    for column in columns {
        if !seen.insert(column.fact) {
            let what = format!("has '{}' twice", column.fact);
            reader.wrong(node.at, "columns", &what, COLUMNS);
        }
    }
}

fn column(reader: &Reader, node: &Node) -> Option<FormColumn> {
    let mut inner = reader.inner("columns", node)?;
    let known: Vec<&str> = Fact::ALL.iter().map(|fact| fact.word()).collect();
    let expected = format!("one of: {}", known.join(", "));
    let fact = inner.parsed("fact", form(&expected, "serial"), Fact::parse);
    let heading = inner.text("heading", HEADING);
    let share = inner.parsed("share", SHARE, |text| {
        text.parse().ok().filter(|share| (1..=1000).contains(share))
    });
    let centred = inner.maybe("centred", YES, yes);
    inner.finish();
    Some(FormColumn {
        heading: heading?.value,
        fact: fact?.value,
        share: share?.value,
        centred: centred.is_some_and(|yes| yes.value),
    })
}
