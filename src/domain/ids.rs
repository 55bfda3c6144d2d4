//! Identifiers: a letter for the kind of thing, and a number that counts up, so that ids sort and can be read out
//! on the telephone. They are given by the plan of the step that makes the thing, and never reused.

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What an id is of.
pub trait Kind {
    /// The letter before the dash.
    const LETTER: char;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $marker:ident, $alias:ident, $letter:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $marker;
        impl Kind for $marker { const LETTER: char = $letter; }
        $(#[$doc])*
        pub type $alias = Id<$marker>;
    )*};
}

kinds! {
    /// An order over keys of the access log.
    AccessOrder, AccessOrderId, 'a';
    /// An application of a link.
    Application, ApplicationId, 'n';
    /// An appointment to a post.
    Appointment, AppointmentId, 'p';
    /// An audit.
    Audited, AuditId, 'v';
    /// A batch.
    Batch, BatchId, 'b';
    /// A copy of governed data.
    Copied, CopyId, 'c';
    /// A delivery folder that was seen and is not a batch yet.
    Delivery, DeliveryId, 'd';
    /// A paper kept for inspection.
    Document, DocumentId, 'j';
    /// A finding.
    Found, FindingId, 'f';
    /// A grant.
    Grant, GrantId, 'g';
    /// A hand-over.
    HandedOver, HandoverId, 'l';
    /// A hold.
    Hold, HoldId, 'h';
    /// An incident.
    Happened, IncidentId, 'i';
    /// A key that came.
    Key, KeyId, 'k';
    /// A destruction order.
    Order, OrderId, 'o';
    /// A request for evidence.
    AskedFor, RequestId, 'q';
    /// A delivery that was fetched from a server.
    Remote, RemoteId, 'r';
    /// A sample of the access log.
    Sampled, SampleId, 'm';
    /// A report.
    Reported, ReportId, 'u';
    /// A standing approval.
    Standing, StandingId, 's';
    /// What is known of a delivery before it is a batch: its notices, and what a letter announced.
    Notified, NoticeId, 't';
}

/// An id such as `b-00000001`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<K>(u64, PhantomData<K>);

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Id<K> {}

impl<K> Id<K> {
    /// The id with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number, PhantomData)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:08}", K::LETTER, self.0)
    }
}

/// A text that is no id of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an id such as '{0}-00000001'")]
pub struct NoId(char);

impl<K: Kind> FromStr for Id<K> {
    type Err = NoId;

    fn from_str(text: &str) -> Result<Self, NoId> {
        text.strip_prefix(K::LETTER)
            .and_then(|rest| rest.strip_prefix('-'))
            .filter(|digits| digits.len() >= 8 && digits.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .map(Self::new)
            .ok_or(NoId(K::LETTER))
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
