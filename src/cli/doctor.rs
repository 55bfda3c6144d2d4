//! `check` on the screen: each finding with why it matters and what mends it.
//!
//! Faults of configuration stand as `file:line:column: what`, as editors read them. It ends with 78 where there is a
//! fault and with 0 otherwise: warnings and remarks keep nothing from running.

use super::print;
use crate::{
    doctor::Severity,
    error::{Error, Exit},
    service::Result,
    wiring::{Examined, Placed},
};

/// Shows what was found.
pub(super) fn show(found: &Examined, json: bool) -> Result<()> {
    if json {
        print::json(found)?;
    } else {
        found.findings.iter().try_for_each(finding)?;
    }
    let (faults, warnings) = (found.count(Severity::Fault), found.count(Severity::Warning));
    match (faults, warnings) {
        (0, _) if json => Ok(()),
        (0, 0) => print::line("no fault found"),
        (0, 1) => print::line("no fault found, but a warning"),
        (0, many) => print::line(&format!("no fault found, but {many} warnings")),
        (faults, _) => Err(Error::new(Exit::Config, format!("{faults} problems found"))),
    }
}

fn finding(placed: &Placed) -> Result<()> {
    let found = &placed.finding;
    let fix = found.fix.as_deref().unwrap_or_default();
    if found.severity == Severity::Fault {
        let place = match (&placed.file, placed.line, placed.column) {
            (Some(file), Some(line), Some(column)) => format!("{file}:{line}:{column}: "),
            (Some(file), _, _) => format!("{file}: "),
            (None, _, _) => String::new(),
        };
        print::line(&format!("{place}{}", found.what))?;
        return if fix.is_empty() { Ok(()) } else { print::line(&format!("    hint: {fix}")) };
    }
    print::line(&format!("{}: {}", found.severity.word(), found.what))?;
    print::line(&format!("    {}", found.why))?;
    if fix.is_empty() { Ok(()) } else { print::line(&format!("    fix: {fix}")) }
}
