//! Copies of the state that others make: what is stated about them, and what points to some.

use super::{Finding, facts::Facts, remark, warning};

pub(super) fn judge(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    match &facts.backups.stated {
        None => {
            let what = "agent.yaml does not say which backups hold the state folder";
            let why = "a backup that nobody knows of undoes a destruction";
            let fix =
                "'backups: none' in agent.yaml, or a list of '{ name: …, place: …, keeps: P30D }'";
            found.push(warning("backups-unstated", what, why).fix(fix));
        }
        Some(list) => {
            for [name, place, keeps] in list {
                let what = format!("the backup '{name}' at '{place}' keeps the state for {keeps}");
                let why = "until then, what was destroyed here can be restored from there";
                let fix =
                    "leave 'keys' and the root key out of it, or keep it no longer than needed";
                found.push(remark("backup", what, why).fix(fix));
            }
        }
    }
    let none = matches!(&facts.backups.stated, Some(list) if list.is_empty());
    for (tool, file) in &facts.backups.tools {
        let what = format!("{tool} is set up on this machine: '{}'", file.display());
        let (why, fix) = (
            "if it takes the state folder along, a destruction here is undone there",
            "exclude the state folder in it, or name it under 'backups' in agent.yaml",
        );
        let of = if none { warning } else { remark };
        found.push(of("backup-tool", what, why).fix(fix));
    }
    found
}
