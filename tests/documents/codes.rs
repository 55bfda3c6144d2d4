//! The operations page names every code, and no other: each of its tables that a comment `<!-- codes: NAME -->`
//! announces is compared with the program's own list of that name.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use batchward::{
    domain::{
        access::Operation,
        lifecycle::{BatchState, CopyState, GrantState, OrderState},
        reason::Reason,
    },
    service::status::{AlarmCode, TaskCode},
};

/// The program's lists, by the name that the page calls them.
pub(crate) fn lists(root: &Path) -> BTreeMap<&'static str, BTreeSet<String>> {
    let owned = |words: &mut dyn Iterator<Item = &'static str>| words.map(str::to_owned).collect();
    let sources = sources(root);
    BTreeMap::from([
        ("reasons", owned(&mut Reason::ALL.iter().map(|r| r.code()))),
        ("batch-states", owned(&mut BatchState::ALL.iter().map(|s| s.word()))),
        ("copy-states", owned(&mut CopyState::ALL.iter().map(|s| s.word()))),
        ("grant-states", owned(&mut GrantState::ALL.iter().map(|s| s.word()))),
        ("order-states", owned(&mut OrderState::ALL.iter().map(|s| s.word()))),
        ("alarms", owned(&mut AlarmCode::ALL.iter().map(|a| a.word()))),
        ("tasks", owned(&mut TaskCode::ALL.iter().map(|t| t.word()))),
        ("troubles", troubles(&sources)),
        ("keys", after(&sources, &["KeyWiped { code: \""])),
        ("voids", voids(&sources, "objection", &["OrderVoided { order, code: \""])),
        ("access-operations", owned(&mut Operation::ALL.iter().map(|o| o.word()))),
        ("access-voids", voids(&sources, "access_objection", &[])),
        ("exits", exits(&sources)),
    ])
}

/// The codes in the first cells of the tables that a page announces.
pub(crate) fn tables(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut name, mut begun) = (None::<String>, false);
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("<!-- codes: ") {
            name = Some(rest.trim_end_matches("-->").trim().to_owned());
            begun = false;
        } else if let Some(cells) = line.strip_prefix('|') {
            begun = true;
            let Some(name) = &name else { continue };
            let first = cells.split('|').next().unwrap_or_default();
            let codes = first.split('`').skip(1).step_by(2).map(str::to_owned);
            found.entry(name.clone()).or_default().extend(codes);
        } else if begun {
            name = None;
        }
    }
    found
}

/// Every source file that is not a test, from its first line to its unit tests.
fn sources(root: &Path) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![root.join("src")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
                let text = fs::read_to_string(path).unwrap();
                found.push(text.split("#[cfg(test)]").next().unwrap_or_default().to_owned());
            }
        }
    }
    assert!(found.len() > 50, "only {} sources", found.len());
    found
}

/// What a string literal says that comes right after one of these.
fn after(sources: &[String], starts: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for text in sources {
        // Where rustfmt has broken a line is no matter.
        let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for start in starts {
            for (at, _) in joined.match_indices(start) {
                let word = joined[at + start.len()..].split('"').next().unwrap_or_default();
                found.insert(word.to_owned());
            }
        }
    }
    found
}

/// Codes with which a step or a port stops: wherever one is made.
fn troubles(sources: &[String]) -> BTreeSet<String> {
    let starts = [
        "StepError::Stuck(\"",
        "StepError::Later(\"",
        "Stuck { code: \"",
        "Later { code: \"",
        "DISK_FULL: &str = \"",
    ];
    after(sources, &starts)
}

/// Why an approved order may not go on, and the end of one that nobody decided.
fn voids(sources: &[String], function: &str, starts: &[&str]) -> BTreeSet<String> {
    let objection = sources.iter().find_map(|text| {
        let (_, rest) = text.split_once(&format!("pub fn {function}("))?;
        rest.split("\n    }\n").next()
    });
    let body = vec![objection.expect("the engine says why an order may not go on").to_owned()];
    let mut found = after(sources, starts);
    found.extend(after(&body, &["Some(\""]));
    found
}

/// The exit codes: 0, and the numbers of `Exit`.
fn exits(sources: &[String]) -> BTreeSet<String> {
    let body = sources.iter().find_map(|text| {
        let (_, rest) = text.split_once("pub enum Exit {")?;
        rest.split('}').next()
    });
    let numbers = body.expect("exit codes").split('=').skip(1);
    let numbers = numbers.map(|rest| rest.split(',').next().unwrap_or_default().trim().to_owned());
    numbers.chain(["0".to_owned()]).collect()
}
