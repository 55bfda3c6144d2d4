//! Drafts of official letters: what the register knows is filled in, what it does not know stays blank. A draft says that it is
//! one (稿), has neither date nor number, and binds nobody before it is signed.
//!
//! The parts are those of the rule on official documents (公文程式條例; 主旨, 說明, and 擬辦 of a 簽); [`super::odt`] lays them out.

pub mod destruction;
pub mod intake;
pub mod people;

use chrono_tz::Tz;

use super::words;
use crate::{
    domain::{calendar, people::Post, policy::clauses, time::Timestamp},
    service::forms::{RegisterRow, Source, StaffLine},
};

/// Where a fact is missing.
pub(super) const BLANK: &str = "＿＿＿＿＿＿";

/// A day that nobody knows yet.
pub(super) const NO_DAY: &str = "中華民國　　　年　　月　　日";

/// What kind of document a draft is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterKind {
    /// 簽: within the agency, to who decides.
    Memorandum,
    /// 函: to another agency.
    Letter,
}

/// A draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// 機關.
    pub agency: String,
    /// 簽 or 函.
    pub kind: LetterKind,
    /// 受文者, of a 函.
    pub to: Option<String>,
    /// 附件.
    pub attached: Option<String>,
    /// 主旨.
    pub subject: String,
    /// 說明, point by point; lines of a point are parted by line feeds.
    pub explained: Vec<String>,
    /// 擬辦, point by point; none where there is nothing to decide.
    pub proposed: Vec<String>,
    /// 副本.
    pub copies: Vec<String>,
    /// 承辦人, of a 函; ink where nobody is appointed.
    pub handler: Option<String>,
    /// Who signs: the office, and who has it, title and name.
    pub seats: Vec<(&'static str, Vec<String>)>,
    /// The register that it comes from.
    pub foot: String,
    /// When its facts were put together, as RFC 3339: the date of the file.
    pub made_at: String,
}

impl Letter {
    /// What the file is called.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{}　{}（稿）", self.agency, self.kind.word())
    }

    /// An empty one, with who holds the posts of what it is about: the handler is the unit's, and where it has none whoever has
    /// custody.
    fn of(
        source: &Source,
        kind: LetterKind,
        (to, subject): (Option<String>, String),
        staff: &[StaffLine],
    ) -> Self {
        let held = |post| words::holders(staff, post);
        let handlers = [Post::Handler, Post::Custodian].map(held);
        let handlers = handlers.into_iter().find(|names| !names.is_empty()).unwrap_or_default();
        let office = match kind {
            LetterKind::Memorandum => "承辦人",
            LetterKind::Letter => "承辦單位",
        };
        let seats = vec![
            (office, handlers.clone()),
            ("會辦單位", Vec::new()),
            ("單位主管", held(Post::Supervisor)),
            ("決行", Vec::new()),
        ];
        Self {
            agency: source.agency.clone(),
            kind,
            to,
            attached: None,
            subject,
            explained: Vec::new(),
            proposed: Vec::new(),
            copies: Vec::new(),
            handler: Some(handlers.join("、")).filter(|names| !names.is_empty()),
            seats,
            foot: words::foot(source),
            made_at: source.made_at.to_string(),
        }
    }
}

impl LetterKind {
    /// The word of the rule.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Memorandum => "簽",
            Self::Letter => "函",
        }
    }
}

/// A fact, or a blank.
fn or_blank(text: Option<&str>) -> String {
    text.filter(|text| !text.trim().is_empty()).unwrap_or(BLANK).to_owned()
}

/// A day in full, or one that ink fills in.
fn day(at: Option<Timestamp>, zone: Tz) -> String {
    at.map_or_else(|| NO_DAY.to_owned(), |at| calendar::roc_full(at, zone))
}

/// A count of records, or a blank.
fn count(n: Option<u64>) -> String {
    n.map_or_else(|| BLANK.to_owned(), words::number)
}

/// The batch of a row as a letter names it: what it is, whose it is, and under which numbers it stands.
fn named(row: &RegisterRow, serials: &str) -> String {
    format!(
        "批次編號{}（系統編號{}，登記簿序號{serials}），資料表號{}「{}」，依據公文文號{}",
        row.number.as_deref().unwrap_or("（無編號）"),
        row.batch.map_or_else(|| BLANK.to_owned(), |batch| batch.to_string()),
        or_blank(Some(&row.table_no)),
        row.title,
        or_blank(Some(&row.basis_doc_no)),
    )
}

/// The serial numbers of rows, one after the other.
fn serials(rows: &[RegisterRow]) -> String {
    let all: Vec<String> = rows.iter().map(|row| row.serial.to_string()).collect();
    if all.is_empty() { BLANK.to_owned() } else { all.join("、") }
}

/// The clauses that a duty rests on, with the regulation and its words; a blank where none is known.
fn grounds(ids: &[&str]) -> String {
    let mut said: Vec<String> = Vec::new();
    for id in ids.iter().filter(|id| **id != "own") {
        let letters = id.split('-').next().unwrap_or_default();
        let law = clauses::LAWS.iter().find(|(known, _)| *known == letters);
        let law = law.map_or_else(|| BLANK.to_owned(), |(_, title)| format!("「{title}」"));
        let quote = clauses::of(id).first().map(|clause| format!("：{}", clause.quote));
        said.push(format!("{law}（條次{id}{}）", quote.unwrap_or_default()));
    }
    match said.is_empty() {
        true => format!("依據「{BLANK}」第＿＿點規定辦理。"),
        false => format!("依據{}辦理。", said.join("、")),
    }
}
