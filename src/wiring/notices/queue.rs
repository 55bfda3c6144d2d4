//! Notices that wait: a file each, whose name says what is asked of it most.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{
    adapters::courier::{Courier, Untold},
    cli::speech,
    domain::{
        digest,
        notice::{
            Channel, Digest, Mail, Notice, NoticeKind, Reader, Tongue, Wanted,
            message::{self, Letter},
            text,
        },
        time::Timestamp,
    },
};

/// The name of a notice's file, in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stem {
    /// Since when its reader waits: of a digest, since the first that was not sent.
    pub(super) since: Timestamp,
    /// The planning that made it, and which of its notices it is.
    number: (u64, usize),
    pub(super) channel: Channel,
    kind: NoticeKind,
    /// The beginning of the digest of its reader's name: an address is not written into names of files.
    reader: String,
}

impl Stem {
    pub(super) fn of(notice: &Notice, number: u64, nth: usize, waits: &[Self]) -> Self {
        let channel = if notice.to == Reader::Hook { Channel::Webhook } else { Channel::Mail };
        let name = notice.to.name().unwrap_or_default();
        let reader: String =
            digest::Digest::of(name.as_bytes()).to_string().chars().take(16).collect();
        let mut stem = Self {
            since: notice.digest.at,
            number: (number, nth),
            channel,
            kind: notice.digest.kind,
            reader,
        };
        let older = waits.iter().filter(|older| stem.replaces(older)).map(|older| older.since);
        if let Some(since) = older.min() {
            stem.since = stem.since.min(since);
        }
        stem
    }

    /// Whether it takes the place of another: a digest says all that the one before it said and is still so.
    fn replaces(&self, older: &Self) -> bool {
        self.kind == NoticeKind::Digest
            && older.kind == self.kind
            && (self.channel, &self.reader) == (older.channel, &older.reader)
            && older.number < self.number
    }

    pub(super) fn is_alarm(&self) -> bool {
        self.kind == NoticeKind::Alarm
    }

    pub(super) fn name(&self) -> String {
        let (planning, nth) = self.number;
        let Self { since, channel, kind, reader, .. } = self;
        format!("{:013}.{planning:08}.{nth:04}.{channel}.{kind}.{reader}.json", since.millis())
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(".json")?.split('.');
        let stem = Self {
            since: Timestamp::from_millis(parts.next()?.parse().ok()?),
            number: (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?),
            channel: Channel::parse(parts.next()?)?,
            kind: NoticeKind::parse(parts.next()?)?,
            reader: parts.next()?.to_owned(),
        };
        (stem.name() == name).then_some(stem)
    }
}

/// What waits, the oldest first. What cannot be listed is told by the next act that needs it.
pub(super) fn waiting(folder: &Path) -> Vec<Stem> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut waits: Vec<Stem> = names.filter_map(|name| Stem::parse(&name)).collect();
    waits.sort_by_key(|stem| (stem.since, stem.number));
    waits
}

/// Names of what a notice takes the place of.
pub(super) fn replaced(folder: &Path, by: &Stem) -> Vec<String> {
    waiting(folder).iter().filter(|older| by.replaces(older)).map(Stem::name).collect()
}

/// A notice as it is sent. The address is looked up then: whoever is on the list no more gets nothing.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    /// What tells it from all others, also to whoever got it twice.
    id: String,
    at: Timestamp,
    /// The name in `to:`; nothing for the webhook.
    to: Option<String>,
    subject: String,
    text: String,
}

/// A notice as a webhook gets it.
#[derive(Serialize)]
struct Posted<'a> {
    format: &'static str,
    id: &'a str,
    #[serde(flatten)]
    digest: &'a Digest,
}

/// The name of that form.
const FORMAT: &str = "batchward/notice/1";

impl Kept {
    pub(super) fn of(notice: &Notice, stem: &Stem, site: &str, wanted: &Wanted) -> Self {
        let (planning, nth) = stem.number;
        let digest = &notice.digest;
        let id = format!("{}.{planning}.{nth}.{site}", digest.at.millis());
        Self::made(digest, id, notice.to.name(), wanted.tongue)
    }

    pub(super) fn made(digest: &Digest, id: String, to: Option<&str>, tongue: Tongue) -> Self {
        let (subject, text) = match to {
            Some(_) => {
                let say = |text: &str| said(tongue, text);
                (text::subject(digest, &say), text::text(digest, &say))
            }
            None => {
                let posted = Posted { format: FORMAT, id: &id, digest };
                (String::new(), serde_json::to_string(&posted).unwrap_or_default())
            }
        };
        Self { id, at: digest.at, to: to.map(str::to_owned), subject, text }
    }

    /// Sends it; nothing where nobody is to get it any more.
    pub(super) fn send(&self, wanted: &Wanted, courier: &Courier) -> Option<Result<(), Untold>> {
        match &self.to {
            None => Some(courier.post(wanted.webhook.as_ref()?, self.text.as_bytes())),
            Some(name) => {
                let (mail, to) = (wanted.mail.as_ref()?, wanted.to.get(name)?);
                Some(courier.mail(mail, to, &self.bytes(mail, to)))
            }
        }
    }

    fn bytes(&self, mail: &Mail, to: &str) -> Vec<u8> {
        let domain = mail.from.rsplit_once('@').map_or("batchward.invalid", |(_, domain)| domain);
        message::bytes(&Letter {
            id: &format!("{}@{domain}", self.id),
            at: self.at,
            from: &mail.from,
            to,
            subject: &self.subject,
            text: &self.text,
        })
    }
}

/// A mail is an edge as the screen is: what arises in English is said there in the language that is asked for.
fn said(tongue: Tongue, text: &str) -> String {
    match tongue {
        Tongue::Chinese => speech::chinese(text),
        Tongue::English => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn notice(kind: NoticeKind, to: Reader, millis: i64) -> Notice {
        let at = Timestamp::from_millis(millis);
        let digest = Digest {
            site: "here".to_owned(),
            timezone: "Asia/Taipei".to_owned(),
            at,
            kind,
            items: Vec::new(),
            items_total: 0,
            alarms: Vec::new(),
        };
        Notice { to, digest }
    }

    #[test]
    fn a_digest_takes_the_place_of_one_that_waits_and_waits_as_long() {
        let anna = || Reader::Account("anna".to_owned());
        let first = Stem::of(&notice(NoticeKind::Digest, anna(), 1_000), 1, 0, &[]);
        assert_eq!(Stem::parse(&first.name()), Some(first.clone()));
        let waits = [first.clone()];
        let next = Stem::of(&notice(NoticeKind::Digest, anna(), 9_000), 2, 0, &waits);
        assert!(next.replaces(&first) && !first.replaces(&next) && !next.replaces(&next));
        assert_eq!(next.since, first.since);
        for other in [
            notice(NoticeKind::Alarm, anna(), 9_000),
            notice(NoticeKind::Digest, Reader::Account("boris".to_owned()), 9_000),
            notice(NoticeKind::Digest, Reader::Hook, 9_000),
        ] {
            let other = Stem::of(&other, 2, 1, &waits);
            assert!(!other.replaces(&first));
            assert_eq!(other.since.millis(), 9_000);
        }
    }

    #[test]
    fn a_file_of_another_name_is_no_notice() {
        for name in ["plan.json", "trouble.json", "", "1.2.3.mail.digest.x.json", ".json"] {
            assert_eq!(Stem::parse(name), None, "{name}");
        }
    }
}
