//! `links/*.yaml`, and the signer lists that they name.

use std::{collections::BTreeMap, path::Path};

use super::{
    agent::{Agent, lexical},
    layouts::named,
    node::{Fault, Faults, Node, Place, Reader},
};
use crate::domain::{
    layout::{FieldKind, Layout},
    link::{KeyMode, Link, LinkStatus},
    policy::Policy,
    signers::AllowedSigners,
    time::{Period, Timestamp},
};

/// Parses one link; its name must be the file's. Paths are relative to `dir`.
pub(super) fn parse(
    name: &str,
    node: &Node,
    agent: &Agent,
    dir: &Path,
    files: &mut BTreeMap<String, Vec<u8>>,
    faults: &Faults,
) -> Option<Link> {
    let mut reader = Reader::new(node, faults);
    named(&mut reader, "link", name);
    let title = words(&mut reader, "title");
    let provider = words(&mut reader, "provider");
    let signers = signers(&mut reader, agent, dir, files);
    // Paths mean the agent's own folders, also where this file is the snapshot in force.
    let beside = |reader: &mut Reader, name| {
        reader.text(name).map(|(text, _)| lexical(&agent.links.join(text)))
    };
    let inbox = beside(&mut reader, "inbox");
    let keybox = beside(&mut reader, "keybox");
    let policy = words(&mut reader, "policy");
    let layout = words(&mut reader, "layout");
    let table_no = words(&mut reader, "table_no");
    let items = reader.texts("items").map(texts);
    let purpose = words(&mut reader, "purpose");
    let basis_doc_no = words(&mut reader, "basis_doc_no");
    let approved_until = reader.parsed("approved_until", "a date such as '2027-12-31'", |t| {
        Timestamp::parse_end(t, agent.timezone)
    });
    let use_period = reader
        .parsed_or("use_period", None, "a period such as 'P1Y'", |t| Period::parse(t).map(Some));
    let units = reader.texts("units").map(texts);
    let status = reader.parsed("status", "active, suspended or terminated", |t| match t {
        "active" => Some(LinkStatus::Active),
        "suspended" => Some(LinkStatus::Suspended),
        "terminated" => Some(LinkStatus::Terminated),
        _ => None,
    });
    let key = reader.parsed_or("key", KeyMode::Separate, "separate or standing", |t| match t {
        "separate" => Some(KeyMode::Separate),
        "standing" => Some(KeyMode::Standing),
        _ => None,
    });
    let max_rejected =
        reader.parsed_or("max_rejected", 0, "a number of records", |t| t.parse().ok());
    if units.as_ref().is_some_and(Vec::is_empty) {
        faults.add(
            reader.place(),
            "'units' is empty: nobody could use the data",
            Some("name the business units"),
        );
    }
    reader.finish();
    Some(Link {
        name: name.to_owned(),
        title: title?,
        provider: provider?,
        signers: signers?,
        inbox: inbox?,
        keybox: keybox?,
        policy: policy?,
        layout: layout?,
        table_no: table_no?,
        items: items?,
        purpose: purpose?,
        basis_doc_no: basis_doc_no?,
        approved_until: approved_until?,
        use_period,
        units: units?,
        status: status?,
        key,
        max_rejected,
    })
}

fn words(reader: &mut Reader, name: &'static str) -> Option<String> {
    let (text, at) = reader.text(name)?;
    if crate::domain::national_id::found_in(&text) {
        let hint = "the register keeps this text for ever";
        reader.faults().add(
            at,
            format!("'{name}' holds something in the shape of an ID number"),
            Some(hint),
        );
    }
    Some(text)
}

fn texts(list: Vec<(String, Place)>) -> Vec<String> {
    list.into_iter().map(|(text, _)| text).collect()
}

fn signers(
    reader: &mut Reader,
    agent: &Agent,
    dir: &Path,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Option<AllowedSigners> {
    let (name, at) = reader.text("signers")?;
    let faults = reader.faults().clone();
    let path = lexical(&dir.join(&name));
    if path.parent() != Some(dir) {
        faults.add(at, format!("'signers' is '{name}': expected a file beside the link"), None);
        return None;
    }
    let mut found = Vec::new();
    let bytes = super::read_file(&path, &mut found);
    for fault in found {
        faults.add(at, format!("'{name}' {}", fault.what), fault.hint.as_deref());
    }
    let bytes = bytes?;
    let Ok(text) = std::str::from_utf8(&bytes) else {
        faults.add(at, format!("'{name}' is not UTF-8"), None);
        return None;
    };
    match AllowedSigners::parse(text, agent.timezone) {
        Ok(signers) => {
            files.insert(format!("links/{name}"), bytes);
            Some(signers)
        }
        Err(list) => {
            for fault in list {
                let place = format!("'{name}' line {} column {}", fault.line, fault.column);
                faults.add(at, format!("{place}: {}", fault.kind), None);
            }
            None
        }
    }
}

/// What links refer to.
pub(super) struct Known<'a> {
    pub(super) layouts: &'a BTreeMap<String, Layout>,
    pub(super) policies: &'a BTreeMap<String, Policy>,
    pub(super) agent: &'a Agent,
}

/// What one file alone cannot tell.
pub(super) fn cross(
    links: &BTreeMap<String, Link>,
    dir: &Path,
    known: &Known<'_>,
    faults: &mut Vec<Fault>,
) {
    for link in links.values() {
        let file = dir.join(format!("{}.yaml", link.name));
        let mut add = |what: String, hint: &str| faults.push(super::whole(&file, what, Some(hint)));
        match known.layouts.get(&link.layout) {
            None => add(
                format!("there is no layout '{}'", link.layout),
                "layouts lie in the folder 'layouts'",
            ),
            Some(layout) => items(link, layout, &mut add),
        }
        match known.policies.get(&link.policy) {
            None => add(
                format!("there is no policy '{}'", link.policy),
                "policies lie in the folder 'policies'",
            ),
            Some(policy) if link.key == KeyMode::Standing && !policy.standing_key.value => add(
                format!("'key: standing' is not allowed by the policy '{}'", link.policy),
                "'key: separate', or another policy",
            ),
            Some(_) => {}
        }
        if known.agent.state.starts_with(&link.inbox) || link.inbox.starts_with(&known.agent.state)
        {
            add(
                "the inbox and the state folder lie within each other".to_owned(),
                "move the inbox elsewhere",
            );
        }
        if link.keybox.starts_with(&known.agent.state)
            || known.agent.state.starts_with(&link.keybox)
        {
            add(
                "the keybox and the state folder lie within each other".to_owned(),
                "move the keybox elsewhere",
            );
        }
        for other in links.values() {
            let (inbox, keybox) = (&other.inbox, &link.keybox);
            if keybox.starts_with(inbox) || inbox.starts_with(keybox) {
                let what =
                    format!("the keybox lies inside, above or at the inbox of '{}'", other.name);
                add(
                    what,
                    "key and data must come by two channels: give the keybox a folder of its own",
                );
            }
            let same = |a: &Path, b: &Path| a.starts_with(b) || b.starts_with(a);
            if other.name < link.name && same(&other.inbox, &link.inbox) {
                add(
                    format!("the inbox is also that of '{}'", other.name),
                    "each link has an inbox of its own",
                );
            }
            if other.name < link.name && same(&other.keybox, &link.keybox) {
                add(
                    format!("the keybox is also that of '{}'", other.name),
                    "each link has a keybox of its own",
                );
            }
        }
    }
}

fn items(link: &Link, layout: &Layout, add: &mut impl FnMut(String, &str)) {
    for (n, item) in link.items.iter().enumerate() {
        match layout.field(item) {
            None => add(
                format!("the item '{item}' is no field of the layout '{}'", layout.name),
                "see its fields",
            ),
            Some(field) if matches!(field.kind, FieldKind::Change(_)) => {
                add(
                    format!("the item '{item}' is control data"),
                    "leave it out: it is kept whatever the items are",
                );
            }
            Some(_) if link.items.iter().take(n).any(|other| other == item) => {
                add(format!("the item '{item}' stands twice"), "keep one of them");
            }
            Some(_) => {}
        }
    }
    if link.items.is_empty() {
        add("'items' is empty: nothing would be stored".to_owned(), "name the approved columns");
    }
}
