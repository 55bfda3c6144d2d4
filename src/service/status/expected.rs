//! Expected deliveries on the page: what is due, late or missing, and what of it is an alarm.
//!
//! A delivery that never came is an alarm until it comes, or until a later one of the same rule has come: the register keeps
//! that it was missing.

use serde::{Deserialize, Serialize};

use super::{AlarmCode, Given, alarms::Found};
use crate::{
    domain::{
        expected::slots::{Slot, SlotState},
        link::Link,
        time::Timestamp,
    },
    engine::expected::{Looked, look_at_open},
};

/// So far ahead a calendar is asked for.
const AHEAD_SECONDS: i64 = 14 * 86_400;

/// An expected delivery that has not come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExpectedDue {
    /// Link.
    pub link: String,
    /// When it was to come.
    pub due: Timestamp,
    /// The rule that expects it.
    pub every: String,
    /// `due`, `late` or `missing`.
    pub state: SlotState,
}

/// What has not come, the oldest first.
pub(super) fn lines(given: &Given<'_>) -> Vec<ExpectedDue> {
    let mut lines = Vec::new();
    for link in expecting(given) {
        let looked = looked(given, link);
        for slot in looked.slots.list.iter().filter(|slot| is_open(slot, &looked)) {
            let every = link.expect.get(slot.rule).map(|rule| rule.every.to_string());
            lines.push(ExpectedDue {
                link: link.name.clone(),
                due: slot.due,
                every: every.unwrap_or_default(),
                state: slot.state,
            });
        }
    }
    lines.sort_by(|a, b| (a.due, &a.link).cmp(&(b.due, &b.link)));
    lines
}

/// What of it must not go on unseen.
pub(super) fn alarms(given: &Given<'_>, found: &mut Found) {
    for link in expecting(given) {
        let about = Some(link.name.as_str());
        let looked = looked(given, link);
        if let Some(year) = looked.slots.missing {
            found.add(AlarmCode::CalendarMissing, about, None, Some(year.file()));
        }
        for slot in looked.slots.list.iter().filter(|slot| is_open(slot, &looked)) {
            match slot.state {
                SlotState::Late => {
                    found.add(AlarmCode::DeliveryLate, about, Some(slot.late), None);
                }
                SlotState::Missing => {
                    found.add(AlarmCode::DeliveryMissing, about, Some(slot.missing), None);
                }
                _ => {}
            }
        }
    }
}

fn expecting<'a>(given: &'a Given<'_>) -> impl Iterator<Item = &'a Link> {
    given.rules.links.values().filter(|link| !link.expect.is_empty())
}

fn looked(given: &Given<'_>, link: &Link) -> Looked {
    let until = given.now.plus_seconds(AHEAD_SECONDS);
    look_at_open(given.view, given.rules, link, given.now, until)
}

/// Whether it has not come, and none came that was expected after it by the same rule.
fn is_open(slot: &Slot, looked: &Looked) -> bool {
    let late = matches!(slot.state, SlotState::Due | SlotState::Late);
    let after =
        |other: &Slot| other.rule == slot.rule && other.due > slot.due && other.state.is_met();
    late || (slot.state == SlotState::Missing && !looked.slots.list.iter().any(after))
}
