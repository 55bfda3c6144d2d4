//! What holds of every list of duties, whatever parts it comes from.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, reason = "tests")]

mod years;

use super::*;
use crate::domain::duty::DutyCode;

fn duty(start: i64, due: i64, done: Option<i64>) -> Duty {
    let at = |days: i64| Timestamp::from_millis(days * 86_400_000);
    Duty {
        code: DutyCode::ReviewLink,
        clause: "TY-4.4".to_owned(),
        policy: None,
        link: None,
        object: "moca".to_owned(),
        roles: vec![Role::Custodian],
        account: None,
        start: at(start),
        due: at(due),
        done: done.map(at),
        command: "status".to_owned(),
        unannounced: false,
    }
}

#[test]
fn as_of_a_past_day_what_was_done_since_is_open_and_what_began_since_is_not_there() {
    let on = Timestamp::from_millis(10 * 86_400_000);
    let duties = vec![duty(1, 5, Some(12)), duty(1, 5, Some(4)), duty(11, 20, None)];
    let found = as_of(duties, on);
    let states: Vec<DutyState> = found.iter().map(|duty| duty.state(on)).collect();
    assert_eq!(states, [DutyState::Overdue, DutyState::Done]);
}

#[test]
fn the_page_names_every_duty_in_its_words() {
    let page = include_str!("../../../docs/duties.md");
    for code in DutyCode::ALL {
        let row = format!("| `{code}` | {} |", code.what());
        assert!(page.contains(&row), "{row}");
    }
}
