//! What people do about people, as plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{
    accounts::Act,
    digest::Digest,
    ids::AppointmentId,
    people::{AccountFault, Leaving, Post},
    time::Timestamp,
    view::{Appointment, Change, View},
};

/// Who is to be appointed to what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appointing {
    /// The post.
    pub post: Post,
    /// The link; every one where none is named.
    pub link: Option<String>,
    /// The account.
    pub name: String,
    /// Its first moment.
    pub from: Timestamp,
    /// Its last moment.
    pub until: Option<Timestamp>,
    /// Number of the document.
    pub doc_no: String,
    /// The appointment whose holder it stands in for.
    pub deputy_for: Option<AppointmentId>,
}

/// Who leaves: an appointment, or an account altogether.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leaver {
    /// An appointment.
    Appointment(AppointmentId),
    /// An account.
    Account(String),
}

impl Leaver {
    fn object(&self) -> String {
        match self {
            Self::Appointment(id) => id.to_string(),
            Self::Account(name) => name.clone(),
        }
    }

    /// Whether this is the change of it.
    #[must_use]
    pub fn is(&self, change: &Change) -> bool {
        match self {
            Self::Appointment(id) => change.appointment == Some(*id),
            Self::Account(name) => change.appointment.is_none() && change.name == *name,
        }
    }
}

/// Who is bound by an agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// An account.
    Account(String),
    /// A vendor: the unit of its accounts.
    Vendor(String),
}

/// An act about people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum PeopleAct {
    /// `appointment add`.
    Appoint {
        /// Who, to what.
        asked: Appointing,
    },
    /// `appointment confirm`.
    Confirm {
        /// The appointment.
        appointment: AppointmentId,
    },
    /// `appointment end`.
    Leave {
        /// Who.
        of: Leaver,
        /// The last moment of the last day.
        on: Timestamp,
        /// Why.
        reason: Leaving,
    },
    /// `appointment hand-over`.
    HandOver {
        /// The link.
        link: String,
        /// Who takes over.
        to: String,
        /// The last day of who leaves; that which is known, or this one.
        on: Option<Timestamp>,
    },
    /// `appointment told`.
    Told {
        /// Whose change.
        of: Leaver,
        /// The office.
        office: String,
        /// Number of the letter.
        letter: String,
        /// Its day.
        on: Timestamp,
    },
    /// `appointment training`.
    Train {
        /// The account.
        name: String,
        /// How long, in minutes.
        minutes: u32,
        /// The day.
        on: Timestamp,
        /// What about.
        subject: String,
        /// Number of the document.
        doc_no: String,
    },
    /// `appointment agreement`.
    Agree {
        /// Who is bound.
        party: Party,
        /// Number of the document.
        doc_no: String,
        /// Its first moment.
        from: Timestamp,
        /// Its last moment.
        until: Timestamp,
    },
    /// `account review`.
    Review {
        /// Accounts that stay.
        keep: Vec<String>,
        /// Accounts that rest, and why.
        suspend: BTreeMap<String, AccountFault>,
        /// Accounts that end, and why.
        revoke: BTreeMap<String, AccountFault>,
    },
    /// `account review --confirm`.
    ReviewConfirm,
    /// `account edit`.
    Edit {
        /// The account.
        name: String,
        /// 姓名, where it changes.
        display: Option<String>,
        /// 職稱, where it changes.
        title: Option<String>,
        /// 單位, where it changes.
        unit: Option<String>,
    },
    /// `account acknowledge`.
    Acknowledge {
        /// Number of the system user that signs with several people's keys.
        uid: u32,
        /// Why it does.
        reason: String,
    },
    /// `account acknowledge --confirm`.
    AcknowledgeConfirm {
        /// Number of the system user.
        uid: u32,
    },
}

impl PeopleAct {
    /// The words of the command line.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Appoint { .. } => "appointment add",
            Self::Confirm { .. } => "appointment confirm",
            Self::Leave { .. } => "appointment end",
            Self::HandOver { .. } => "appointment hand-over",
            Self::Told { .. } => "appointment told",
            Self::Train { .. } => "appointment training",
            Self::Agree { .. } => "appointment agreement",
            Self::Review { .. } => "account review",
            Self::ReviewConfirm => "account review --confirm",
            Self::Edit { .. } => "account edit",
            Self::Acknowledge { .. } => "account acknowledge",
            Self::AcknowledgeConfirm { .. } => "account acknowledge --confirm",
        }
    }

    /// Whether it decides on something.
    #[must_use]
    pub const fn decides(&self) -> bool {
        self.begins()
            || matches!(
                self,
                Self::Confirm { .. }
                    | Self::HandOver { .. }
                    | Self::ReviewConfirm
                    | Self::AcknowledgeConfirm { .. }
            )
    }

    /// Whether it decides on what no entry has begun.
    #[must_use]
    pub const fn begins(&self) -> bool {
        matches!(self, Self::Review { .. } | Self::Acknowledge { .. })
    }

    /// Which act it is, for the roles.
    #[must_use]
    pub const fn act(&self) -> Act {
        match self {
            Self::Appoint { .. } | Self::Told { .. } | Self::Train { .. } | Self::Agree { .. } => {
                Act::Appoint
            }
            Self::Confirm { .. } => Act::ConfirmAdministration,
            Self::Edit { .. } => Act::Administer,
            // Everybody may make known that he leaves; who takes custody over is named in the appointment.
            Self::Leave { .. } | Self::HandOver { .. } => Act::Look,
            Self::Review { .. } | Self::ReviewConfirm => Act::ReviewAccounts,
            Self::Acknowledge { .. } => Act::Anchor,
            Self::AcknowledgeConfirm { .. } => Act::ConfirmAnchor,
        }
    }

    /// What it is about.
    #[must_use]
    pub fn object(&self) -> String {
        match self {
            Self::Appoint { asked } => asked.name.clone(),
            Self::Confirm { appointment } => appointment.to_string(),
            Self::Leave { of, .. } | Self::Told { of, .. } => of.object(),
            Self::HandOver { link, .. } => link.clone(),
            Self::Train { name, .. }
            | Self::Edit { name, .. }
            | Self::Agree { party: Party::Account(name) | Party::Vendor(name), .. } => name.clone(),
            Self::Review { .. } | Self::ReviewConfirm => "accounts".to_owned(),
            Self::Acknowledge { uid, .. } | Self::AcknowledgeConfirm { uid } => uid.to_string(),
        }
    }

    /// What the person typed in words.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Appoint { asked } => &asked.doc_no,
            Self::Leave { reason, .. } => reason.word(),
            Self::HandOver { to, .. } => to,
            Self::Told { letter, .. } => letter,
            Self::Train { subject, .. } => subject,
            Self::Agree { doc_no, .. } => doc_no,
            Self::Edit { display, title, unit, .. } => {
                [display, title, unit].into_iter().flatten().next().map_or("", String::as_str)
            }
            Self::Acknowledge { reason, .. } => reason,
            Self::Confirm { .. }
            | Self::Review { .. }
            | Self::ReviewConfirm
            | Self::AcknowledgeConfirm { .. } => "",
        }
    }

    /// The hash of the entry that it decides on.
    #[must_use]
    pub fn decided_entry(&self, view: &View, now: Timestamp) -> Option<Digest> {
        match self {
            Self::Confirm { appointment } => {
                Some(view.as_amended(view.people.appointments.get(appointment)?.proposed))
            }
            Self::HandOver { link, to, .. } => {
                let (_, row) = successor(view, link, to, now)?;
                Some(row.confirmed.as_ref()?.1.digest)
            }
            Self::AcknowledgeConfirm { uid } => {
                Some(view.seats.get(*uid)?.proposal.as_ref()?.mark.digest)
            }
            Self::ReviewConfirm => Some(view.people.reviews.values().next_back()?.mark.digest),
            _ => None,
        }
    }
}

/// The appointment by which an account is to take a link's custody over: not one that was taken back, or is over.
pub(super) fn successor<'v>(
    view: &'v View,
    link: &str,
    to: &str,
    now: Timestamp,
) -> Option<(AppointmentId, &'v Appointment)> {
    let named = Some(link).filter(|link| *link != "all");
    let mut all = view.people.to(Post::Custodian, false, named);
    all.find(|(_, row)| {
        row.terms.name == to
            && row.succeeds.is_some()
            && row.taken.is_none()
            && row.confirmed.is_some()
            && row.ends().is_none_or(|end| end > now)
    })
}
