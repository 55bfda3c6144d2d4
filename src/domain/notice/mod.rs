//! Notices: what people are told by mail and webhook of what they owe and what stands wrong, and to whom it goes.
//!
//! A notice leaves the site, so it holds codes, ids, names of links and days only: nothing that somebody typed, no name of
//! a delivery, no number of a case. Who gets one is configuration; what was planned and what was sent lies beside the
//! register, not in it.

mod address;
pub mod message;
pub mod text;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

pub use self::address::{Url, is_address, is_host};
use super::{
    accounts::Role, database::PasswordSource, expected::Every, national_id, time::Timestamp,
    words::words,
};

words! {
    /// How a connection for mail becomes a verified one; there is no third way.
    Security {
        /// From its first byte on (RFC 8314).
        Tls = "tls",
        /// By STARTTLS (RFC 3207), before anything else is said.
        Starttls = "starttls",
    }
    /// Which way a notice goes.
    Channel {
        /// By mail.
        Mail = "mail",
        /// To a webhook.
        Webhook = "webhook",
    }
    /// What a notice is.
    NoticeKind {
        /// What somebody owes, once a day or as `digest` says.
        Digest = "digest",
        /// Alarms that began to stand.
        Alarm = "alarm",
        /// One that shows that the way is open.
        Test = "test",
    }
    /// Why a notice was not sent.
    NoticeCode {
        /// Nobody answers there.
        Unreachable = "unreachable",
        /// It answers too late, or not at all.
        TimedOut = "timed-out",
        /// Its certificate is not vouched for, or bears another name.
        Certificate = "certificate",
        /// It offers no TLS.
        NoTls = "no-tls",
        /// It does not let the account in.
        LoginRefused = "login-refused",
        /// It refuses this notice for good.
        Refused = "refused",
        /// It refuses it for now.
        NotNow = "not-now",
        /// What it says is out of order.
        Protocol = "protocol",
        /// It says more than is listened to.
        Limit = "limit",
        /// Our password, token or certificates cannot be read.
        OwnFiles = "own-files",
        /// The courier has ended, or did not know this port at its start.
        NoCourier = "no-courier",
    }
}

impl NoticeCode {
    /// Whether it is about one notice, and the server is as good as before.
    #[must_use]
    pub const fn is_of_one(self) -> bool {
        matches!(self, Self::Refused | Self::NotNow)
    }

    /// Whether it goes away by itself; anything else is for a person to mend, and is tried now and then.
    #[must_use]
    pub const fn passes(self) -> bool {
        matches!(self, Self::Unreachable | Self::TimedOut | Self::NotNow | Self::Limit)
    }
}

/// The language of notices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tongue {
    /// Traditional Chinese, of Taiwan.
    #[default]
    Chinese,
    /// English.
    English,
}

impl Tongue {
    /// As it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Chinese => "zh-TW",
            Self::English => "en",
        }
    }

    /// Reads it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Chinese, Self::English].into_iter().find(|one| one.word() == text)
    }
}

/// A server that takes mail, and our account there; paths are absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Its name or address, which its certificate has to bear.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection becomes a verified one.
    pub security: Security,
    /// Our account and where its password is; nothing where the server asks for none.
    pub login: Option<(String, PasswordSource)>,
    /// Who the mail is from.
    pub from: String,
    /// The certificates that vouch for it, instead of the system's.
    pub ca: Option<PathBuf>,
}

/// A webhook, and the token that it knows us by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Where.
    pub url: Url,
    /// Where its bearer token is (RFC 6750).
    pub token: PasswordSource,
    /// The certificates that vouch for it, instead of the system's.
    pub ca: Option<PathBuf>,
}

/// `notices:` of agent.yaml.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The server for mail.
    pub mail: Option<Mail>,
    /// The webhook.
    pub webhook: Option<Webhook>,
    /// Addresses, by account or role.
    pub to: BTreeMap<String, String>,
    /// When digests are made.
    pub digest: Every,
    /// Whether alarms are told at once.
    pub alarms: bool,
    /// In which language.
    pub tongue: Tongue,
}

/// The certificates that the system trusts, where a server names no others.
pub const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

impl Wanted {
    /// Ports that have to be reached.
    pub fn ports(&self) -> impl Iterator<Item = u16> {
        let mail = self.mail.as_ref().map(|mail| mail.port);
        mail.into_iter().chain(self.webhook.as_ref().map(|hook| hook.url.port))
    }

    /// Files of certificates.
    pub fn roots(&self) -> impl Iterator<Item = &Path> {
        let mail = self.mail.as_ref().map(|mail| roots(mail.ca.as_deref()));
        mail.into_iter().chain(self.webhook.as_ref().map(|hook| roots(hook.ca.as_deref())))
    }

    /// Where secrets are.
    pub fn secrets(&self) -> impl Iterator<Item = &PasswordSource> {
        let mail = self.mail.as_ref().and_then(|mail| Some(&mail.login.as_ref()?.1));
        mail.into_iter().chain(self.webhook.as_ref().map(|hook| &hook.token))
    }
}

/// The file of certificates that counts.
#[must_use]
pub fn roots(ca: Option<&Path>) -> &Path {
    ca.unwrap_or(Path::new(SYSTEM_ROOTS))
}

/// Who is told: a name of `to:`, or the webhook.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reader {
    /// A person with this account.
    Account(String),
    /// Whoever reads the mail of this role.
    Role(Role),
    /// The webhook.
    Hook,
}

impl Reader {
    /// A name of `to:`.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Role::parse(name).map_or_else(|| Self::Account(name.to_owned()), Self::Role)
    }

    /// The name in `to:`; nothing for the webhook.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Account(name) => Some(name),
            Self::Role(role) => Some(role.word()),
            Self::Hook => None,
        }
    }
}

/// Something that somebody owes, or may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Item {
    /// What, as `status` and `duties` name it.
    pub code: String,
    /// The same, in a sentence.
    pub what: String,
    /// The clause that asks for it, where one does.
    pub clause: Option<String>,
    /// The link, where it is one's.
    pub link: Option<String>,
    /// What it is about, an id or a name of ours; nothing where it is neither.
    pub object: Option<String>,
    /// The roles that may do it.
    pub roles: Vec<Role>,
    /// The account that is to, where one is named.
    pub account: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Its last moment in time, where it has one.
    pub due: Option<Timestamp>,
    /// Calendar days to that; below 0 once it has passed.
    pub days: Option<i64>,
    /// The command that does it; nothing where it would hold more than may leave the site.
    pub command: Option<String>,
}

/// An alarm, as a notice tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Told {
    /// What is wrong, as `status` names it.
    pub code: String,
    /// The same, in a sentence.
    pub what: String,
    /// Which link, hold or folder.
    pub about: Option<String>,
    /// How many of its kind there are.
    pub count: u64,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Digest {
    /// Site.
    pub site: String,
    /// Time zone of its days.
    pub timezone: String,
    /// When it was made.
    pub at: Timestamp,
    /// What it is.
    pub kind: NoticeKind,
    /// What is owed, the most urgent first.
    pub items: Vec<Item>,
    /// How many there are, also where the list is cut.
    pub items_total: u64,
    /// Alarms that stand, or have begun to.
    pub alarms: Vec<Told>,
}

/// A text that may leave the site: an id, a name of ours, or words of a command. Anything else is left out.
#[must_use]
pub fn leaves(text: &str) -> Option<String> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b" -_.:/=".contains(&b);
    let plain = (1..=120).contains(&text.len()) && text.bytes().all(good);
    (plain && !national_id::found_in(text)).then(|| text.to_owned())
}

/// What is known of notices from one planning to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// How many plannings there were.
    pub number: u64,
    /// The last time at which a digest was to be made.
    pub slot: Option<Timestamp>,
    /// Alarms that stood at the last look, by code and what they are about.
    pub standing: BTreeSet<(String, String)>,
    /// The day on which each was told last.
    #[serde(with = "pairs")]
    pub told: BTreeMap<(String, String), NaiveDate>,
}

/// A map whose keys are pairs, which JSON has no names for.
mod pairs {
    use std::collections::BTreeMap;

    use chrono::NaiveDate;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    type Map = BTreeMap<(String, String), NaiveDate>;

    pub(super) fn serialize<S: Serializer>(map: &Map, to: S) -> Result<S::Ok, S::Error> {
        let rows: Vec<_> =
            map.iter().map(|((code, about), day)| (code, about, day.to_string())).collect();
        rows.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Map, D::Error> {
        let rows = Vec::<(String, String, String)>::deserialize(from)?;
        let day = |text: String| text.parse().map_err(D::Error::custom);
        rows.into_iter().map(|(code, about, text)| Ok(((code, about), day(text)?))).collect()
    }
}

/// A notice that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Who is told.
    pub to: Reader,
    /// What.
    pub digest: Digest,
}

/// What waits to be sent by one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsent {
    /// Which channel.
    pub channel: Channel,
    /// How many.
    pub count: u64,
    /// Since when the oldest waits.
    pub since: Timestamp,
    /// What kept it from being sent last, where that is known.
    pub code: Option<NoticeCode>,
}
