//! The draft that tells the bureau of a change of staff (TY-3.3, NT-3.9).

use std::collections::BTreeSet;

use super::{Letter, LetterKind, day, or_blank};
use crate::{
    paper::words::{self, post},
    service::forms::{AppointmentLine, ChangeLine, PeoplePage, Roster, StaffLine},
};

/// Which change a letter is of: an appointment, or who leaves altogether.
#[derive(Clone, Debug)]
pub enum Changed<'a> {
    /// An appointment that begins, that ends, or both.
    Appointment(&'a AppointmentLine),
    /// Somebody leaves altogether.
    Leaver(&'a ChangeLine),
}

/// The draft.
#[must_use]
pub fn change(
    roster: &Roster,
    page: &PeoplePage,
    changed: &Changed<'_>,
    to: Option<String>,
    staff: &[StaffLine],
) -> Letter {
    let zone = words::zone(&roster.source);
    let subject = "本機關戶役政資訊連結作業人員異動1案，請查照。".to_owned();
    let mut letter = Letter::of(&roster.source, LetterKind::Letter, (to, subject), staff);
    let person = |account: &str| person(roster, account);
    letter.explained.push(super::grounds(&grounds(page, changed)));
    match changed {
        Changed::Appointment(line) => {
            let before = line.succeeds.and_then(|id| page.appointments.iter().find(|a| a.id == id));
            let change = page.changes.iter().find(|change| change.appointment == Some(line.id));
            letter.explained.push(format!(
                "異動職務：{}（{}）。",
                post(line.terms.post),
                line.terms
                    .link
                    .as_deref()
                    .map_or("各連結作業".to_owned(), |l| format!("連結作業{l}"))
            ));
            if let Some(before) = before {
                letter.explained.push(format!(
                    "原任：{}，任期至{}。",
                    person(&before.terms.name),
                    day(before.ends, zone)
                ));
            }
            let role = if line.terms.deputy_for.is_some() { "職務代理人" } else { "派任" };
            letter.explained.push(format!(
                "{role}：{}，自{}起，派任文號{}。",
                person(&line.terms.name),
                day(Some(line.terms.from), zone),
                or_blank(Some(&line.terms.doc_no))
            ));
            if let Some(change) = change {
                letter.explained.push(left(roster, change));
            }
        }
        Changed::Leaver(change) => letter.explained.push(left(roster, change)),
    }
    letter.explained.push("異動人員帳號及權限之設定、移轉及註銷，登載於登記簿。".to_owned());
    letter
}

/// The clauses by which the office is told: those of the link that it is about, or of every link.
fn grounds<'a>(page: &'a PeoplePage, changed: &Changed<'_>) -> Vec<&'a str> {
    let only = match changed {
        Changed::Appointment(line) => line.terms.link.as_ref(),
        Changed::Leaver(_) => None,
    };
    let told = page.told_by.iter().filter(|(link, _)| only.is_none_or(|only| only == *link));
    let clauses: BTreeSet<&str> = told.map(|(_, clause)| clause.as_str()).collect();
    clauses.into_iter().collect()
}

fn left(roster: &Roster, change: &ChangeLine) -> String {
    let zone = words::zone(&roster.source);
    format!(
        "離任：{}，最後任職日{}，事由：{}；權限終止時間：{}。",
        person(roster, &change.name),
        day(Some(change.on), zone),
        crate::paper::people::leaving(change.reason),
        change.ended.map_or_else(|| "屆日自動終止".to_owned(), |at| words::time(Some(at), zone)),
    )
}

/// Unit, title and name, as the roster has them.
fn person(roster: &Roster, account: &str) -> String {
    let row = roster.rows.iter().find(|row| row.name == account);
    let parts = row.map(|row| [row.unit.clone(), row.title.clone(), row.display.clone()]);
    let parts: Vec<String> = parts.into_iter().flatten().flatten().collect();
    match parts.is_empty() {
        true => format!("{account}（帳號）"),
        false => format!("{}（帳號{account}）", parts.join("　")),
    }
}
