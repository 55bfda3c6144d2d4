//! Entries about people in posts. Wire forms, as `entry.rs` says. They name accounts, posts and documents, never a person.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Signed;
use crate::domain::{
    accounts::Role,
    digest::Digest,
    ids::AppointmentId,
    people::{AccountFault, Leaving, Post},
    time::Timestamp,
};

/// Another name, title or unit of an account is proposed; what is not there stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountEditProposed {
    /// The account.
    pub name: String,
    /// 姓名.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    /// 職稱.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// 單位.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A second person confirmed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountEditConfirmed {
    /// The account.
    pub name: String,
    /// The proposal's entry.
    pub proposal: u64,
    /// The signed decision.
    pub signed: Signed,
}

/// Who is appointed to what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AppointmentTerms {
    /// The post.
    pub post: Post,
    /// The link; every one where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The account.
    pub name: String,
    /// Its first moment.
    pub from: Timestamp,
    /// Its last moment, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Number of the document that appoints.
    pub doc_no: String,
    /// The appointment whose holder it stands in for (職務代理).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deputy_for: Option<AppointmentId>,
}

/// Somebody proposes an appointment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppointmentProposed {
    /// Its id.
    pub appointment: AppointmentId,
    /// Who, to what.
    pub terms: AppointmentTerms,
    /// The custodian's appointment that it follows: it is in force once custody has been handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeds: Option<AppointmentId>,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A second person agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppointmentConfirmed {
    /// The appointment.
    pub appointment: AppointmentId,
    /// The signed decision.
    pub signed: Signed,
}

/// Somebody leaves a post, or altogether; it may lie ahead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeavingRecorded {
    /// The account.
    pub name: String,
    /// The appointment that ends; without one the account itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appointment: Option<AppointmentId>,
    /// The last moment of the last day.
    pub on: Timestamp,
    /// Why.
    pub reason: Leaving,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// The last day is over: the agent took what rights went with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RightsEnded {
    /// The account.
    pub name: String,
    /// The entry that made it known.
    pub change: u64,
    /// The roles that are left; none ends the account.
    pub left: Vec<Role>,
}

/// The last day of an appointment is over, as it was given for: the agent took the role of the post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermEnded {
    /// The account.
    pub name: String,
    /// The appointment.
    pub appointment: AppointmentId,
    /// The roles that are left; none ends the account.
    pub left: Vec<Role>,
}

/// Custody went over to another custodian, in one act (NT-3.6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustodyHandedOver {
    /// The appointment of who takes over; the one that it follows ends.
    pub appointment: AppointmentId,
    /// The account that leaves it.
    pub from: String,
    /// The last day of who leaves it.
    pub on: Timestamp,
    /// Whether it comes after the day that the policy gives.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// Digest of the list that is handed over (移交清冊).
    pub list: Digest,
    /// The roles that are left to who leaves; none ends the account.
    pub left: Vec<Role>,
    /// The signed decision of who takes over.
    pub signed: Signed,
}

/// A change of post was told to an office.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeTold {
    /// The entry that made the change known.
    pub change: u64,
    /// The office.
    pub office: String,
    /// Number of the letter.
    pub letter: String,
    /// Its day.
    pub on: Timestamp,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// Somebody was trained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingRecorded {
    /// The account.
    pub name: String,
    /// How long, in minutes.
    pub minutes: u32,
    /// The day.
    pub on: Timestamp,
    /// What about.
    pub subject: String,
    /// Number of the document that proves it.
    pub doc_no: String,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// A confidentiality agreement (TPH-5.8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementRecorded {
    /// The account; without one the vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The vendor: the unit of its accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Number of the document.
    pub doc_no: String,
    /// Its first moment.
    pub from: Timestamp,
    /// Its last moment.
    pub until: Timestamp,
    /// The signed command.
    pub signed: Option<Signed>,
}

/// Every account was looked at; what is suspended and revoked is so with this entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountsReviewed {
    /// Accounts that stay.
    pub keep: Vec<String>,
    /// Accounts that rest, and why.
    pub suspend: BTreeMap<String, AccountFault>,
    /// Accounts that end, and why.
    pub revoke: BTreeMap<String, AccountFault>,
    /// The signed decision.
    pub signed: Signed,
}

/// A second person confirmed a review: nobody reviews his own account alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountsReviewConfirmed {
    /// The review's entry.
    pub review: u64,
    /// The signed decision.
    pub signed: Signed,
}

/// Somebody knows why one system user signs with several people's keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedUserAcknowledged {
    /// Number of the system user.
    pub uid: u32,
    /// The accounts that were used from it by then.
    pub accounts: Vec<String>,
    /// Why.
    pub reason: String,
    /// The signed decision.
    pub signed: Signed,
}

/// A second person knows it too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedUserConfirmed {
    /// Number of the system user.
    pub uid: u32,
    /// The acknowledgement's entry.
    pub proposal: u64,
    /// The signed decision.
    pub signed: Signed,
}

/// The agent suspended an account that nobody uses (NTP-6.4b).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountSuspended {
    /// The account.
    pub name: String,
    /// Its last act.
    pub since: Timestamp,
    /// The clause.
    pub clause: String,
}
