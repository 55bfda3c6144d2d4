//! What the printed forms are made of (附件一, REGULATIONS 2f): facts as the register tells them, before anything is laid
//! out. Names of deliveries come from the erasable store, and are missing once it has forgotten them.

mod announced;
mod destruction;
mod duties;
mod early;
mod evidence;
mod held;
mod history;
mod owed;
mod register;
mod signed_off;
mod slip;

use serde::{Deserialize, Serialize};

/// What was amended.
pub use super::amending::AmendedFact;
/// Who holds the posts of a link, for the boxes that are signed off.
pub use super::applications::StaffLine;
/// Reports of use, reconciliation and the self-assessment.
pub use super::auditing::{
    assessment::{Assessment, Item, PlanRow},
    counting::UseSheet,
    reconciling::Reconciliation,
};
/// The list of duties.
pub use super::duties::{DutyLine, Which};
/// The roster and the review of accounts.
pub use super::people::{
    AppointmentLine, ChangeLine, PeoplePage, ReviewLine, ReviewPage, Roster, RosterRow,
};
/// What must be destroyed by when, as letters name it.
pub use super::plan::PlanLine;
/// What waits, and what is to be done today.
pub use super::status::{Level, Task, TaskCode, TodayPage};
pub use announced::{AnnouncedFile, AnnouncedPage};
pub use destruction::{CopyRecord, DestructionRecord, OrderRow};
pub use duties::{AccessKey, DutyList, HeldKey, OpenBatch, OpenHold, OpenOrder};
pub use evidence::{EntryProof, ManifestBytes, MonthOfUse, UsePart};
pub use held::EndByPeople;
pub use history::{BatchHistory, HistoryLine};
pub use owed::OwedList;
pub use register::{
    After, ComparedRow, CopyEnd, RegisterFilter, RegisterPart, RegisterRow, RowState, Sheet,
};
pub use slip::{Slip, SlipCopy};

use super::{Result, Service};
use crate::{
    domain::{
        digest::Digest,
        entry::Body,
        person::{self, Person, Persona, StandsFor},
        time::Timestamp,
        view::Mark,
    },
    engine::ports::Log,
    error::{Error, Exit},
};

/// Where a form comes from, and what its reader checks it against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Source {
    /// The agency, as `agent.yaml` names it; else the site.
    pub agency: String,
    /// Origin of the register.
    pub origin: String,
    /// Time zone of the dates on paper.
    pub zone: String,
    /// When the facts were put together.
    pub made_at: Timestamp,
    /// Entries of the register at that time.
    pub size: u64,
    /// Root over them.
    pub root: Digest,
    /// Verifier key of the register.
    pub vkey: String,
    /// The signed checkpoint. On paper it is a checkpoint that is kept elsewhere.
    pub checkpoint: String,
}

/// Who signed something off: what stands where a seal (職章) would.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Seal {
    /// The account.
    pub account: String,
    /// 姓名, where the account has one.
    pub display: Option<String>,
    /// 職稱.
    pub title: Option<String>,
    /// 單位.
    pub unit: Option<String>,
    /// When.
    pub at: Timestamp,
    /// `SHA256:…` of the key that signed; none where no signature was asked for.
    pub key: Option<String>,
    /// The signed document that the decision was recorded from, where nothing was signed here.
    #[serde(default)]
    pub on_paper: Option<FromPaper>,
    /// For whom a deputy signed it off (職務代理).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deputy: Option<StandsFor>,
}

/// What a decision on paper rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FromPaper {
    /// Number of the document.
    pub doc_no: String,
    /// Its day.
    pub on: Timestamp,
    /// Who entered it.
    pub entered_by: String,
    /// Who confirmed it.
    pub confirmed_by: String,
    /// Name of who entered it; the account where it has none.
    #[serde(default)]
    pub entered_name: String,
    /// Name of who confirmed it.
    #[serde(default)]
    pub confirmed_name: String,
}

impl Service {
    /// Where a form of this moment comes from.
    pub(super) fn source(&self) -> Result<Source> {
        let site = self.engine.view.site.as_ref();
        let site = site.ok_or_else(|| Error::new(Exit::Config, "there is no site"))?;
        let size = self.engine.view.size;
        let journal = &self.engine.ports.journal;
        Ok(Source {
            agency: self.engine.rules.agency.clone().unwrap_or_else(|| site.name.clone()),
            origin: self.origin()?,
            zone: self.engine.rules.zone.to_string(),
            made_at: self.now(),
            size,
            root: journal.root_at(Log::Register, size)?,
            vkey: site.vkey.clone(),
            checkpoint: journal.note_at(Log::Register, size)?,
        })
    }

    /// Who made an entry, as the seal under it.
    pub(super) fn seal(&self, mark: Mark) -> Result<Seal> {
        let entry = self.engine.entry(mark.seq)?;
        // A decision on paper is its approver's; who typed and confirmed it stand beside, and no key of theirs.
        if let Body::DecisionConfirmed(confirmed) = &entry.body {
            let entered = self.engine.entry(confirmed.proposal)?;
            let Body::DecisionEntered(what) = entered.body else {
                return Err(Error::new(Exit::Failed, "a confirmed decision is nowhere entered"));
            };
            let view = &self.engine.view;
            let entered_name = view.person(&entered.by, confirmed.proposal).to_string();
            let confirmed_name = view.person(&entry.by, mark.seq).to_string();
            let on_paper = Some(FromPaper {
                doc_no: what.doc_no,
                on: what.on,
                entered_by: entered.by,
                confirmed_by: entry.by,
                entered_name,
                confirmed_name,
            });
            return Ok(Seal { on_paper, ..self.sealed(&what.approver, mark.at, None) });
        }
        let key = entry.body.signed().map(|signed| signed.key.clone());
        let person = self.engine.view.person(&entry.by, mark.seq);
        Ok(Seal::of(person, mark.at, key))
    }

    /// The seal of an account: who it was at that moment.
    pub(super) fn sealed(&self, account: &str, at: Timestamp, key: Option<String>) -> Seal {
        Seal::of(self.engine.view.person_at(account, at), at, key)
    }
}

impl Seal {
    /// The seal of somebody.
    #[must_use]
    pub fn of(person: Person, at: Timestamp, key: Option<String>) -> Self {
        let Person { account, was, deputy } = person;
        let Persona { display, title, unit } = was;
        Self { account, display, title, unit, at, key, on_paper: None, deputy }
    }

    /// The name, with 代 behind that of a deputy.
    #[must_use]
    pub fn name(&self) -> String {
        person::named(self.display.as_deref(), &self.account, self.deputy.is_some())
    }
}
