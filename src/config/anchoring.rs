//! `anchoring:` of agent.yaml: which witnesses vouch for the register, and how often.
//!
//! Asking for it tightens and is in force at once; asking for less, or no longer, waits for a second person. Whether the
//! witnesses are known is not judged here: their keys are in the register.

use super::{
    agent::read_period,
    reader::{Form, Reader, form},
};
use crate::domain::{anchoring::Anchoring, time::Period};

const WITNESSES: Form<'_> =
    form("a list of names of witnesses, each once", "[audit-office, provider]");
const AT_LEAST: Form<'_> = form("a number from 1 to that of the witnesses", "1");
const AFTER: Form<'_> = form("a span of 's', 'm', 'h' or 'd', not zero", "24h");
const STOPS: Form<'_> = form("'true' or 'false'", "true");
const SELF: Form<'_> = form(
    "the fields 'witnesses', 'at_least' and 'overdue_after'",
    "{ witnesses: [audit-office], at_least: 1, overdue_after: 24h }",
);

/// Reads the field, where it is there.
pub(super) fn read(reader: &mut Reader) -> Option<Anchoring> {
    let node = reader.node("anchoring")?;
    let Some(mut inner) = reader.inner("anchoring", &node) else {
        reader.wrong(node.at, "anchoring", "has no fields", SELF);
        return None;
    };
    let witnesses = inner.texts("witnesses", WITNESSES);
    let names: Vec<String> = witnesses
        .as_ref()
        .map(|list| list.value.iter().map(|name| name.value.clone()).collect())
        .unwrap_or_default();
    if let Some(list) = &witnesses {
        let good = |name: &String| {
            !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
        };
        let twice = (1..names.len()).any(|n| names[..n].contains(&names[n]));
        if names.is_empty() || twice || !names.iter().all(good) {
            inner.wrong(list.at, "witnesses", "is not as it should be", WITNESSES);
        }
    }
    let at_least = inner.parsed("at_least", AT_LEAST, |t| {
        t.parse().ok().filter(|n| (1..=names.len().max(1)).contains(n))
    });
    let after =
        inner.parsed("overdue_after", AFTER, |t| Period::parse(t).filter(|p| *p != Period::ZERO));
    let stop = inner.maybe("stop_intake", STOPS, |t| t.parse().ok());
    inner.finish();
    Some(Anchoring {
        witnesses: names,
        at_least: at_least?.value,
        overdue_after: after?.value,
        stop_intake: stop.is_some_and(|stop| stop.value),
    })
}

/// The line of it among what was agreed to.
pub(super) fn agreed(anchoring: &Anchoring) -> String {
    let Period { months, days, seconds } = anchoring.overdue_after;
    let (least, stop) = (anchoring.at_least, anchoring.stop_intake);
    format!(
        "anchoring={least},{months} {days} {seconds},{stop},{}\n",
        anchoring.witnesses.join(",")
    )
}

/// Reads that line's value.
pub(super) fn read_agreed(text: &str) -> Option<Anchoring> {
    let mut fields = text.split(',');
    Some(Anchoring {
        at_least: fields.next()?.parse().ok()?,
        overdue_after: read_period(fields.next()?)?,
        stop_intake: fields.next()?.parse().ok()?,
        witnesses: fields.map(str::to_owned).collect(),
    })
}
