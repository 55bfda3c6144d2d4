//! Where a link fetches its deliveries: a folder of a server that speaks SFTP, and what is done there afterwards.
//!
//! The server is the provider's or a gateway's, and what it answers is data: a name of it becomes a name of ours only
//! when it passes [`is_delivery_name`] or [`is_file_name`], and no path is ever made of anything else.

use std::path::PathBuf;

use chrono_tz::Tz;

use super::{
    ids::OrderId,
    judge::is_key_name,
    limits,
    time::{Period, Timestamp},
    words::words,
};

/// A server that speaks SFTP, and our account there; paths of this machine are absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Name or address of the server.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The account there.
    pub user: String,
    /// How the account is proven.
    pub login: Login,
    /// The file of host keys that are believed (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
    pub known_hosts: PathBuf,
    /// Bytes a second that a connection may take, where it is limited.
    pub bytes_per_second: Option<u64>,
}

/// `push:` of a recipient, parsed: where packages for it are put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The server.
    pub server: Endpoint,
    /// Remote folder, which gets a folder for each package.
    pub path: String,
    /// The channel, as requests name it: only what was approved to go by it is put there.
    pub channel: String,
}

/// `source:` of a link, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The server.
    pub server: Endpoint,
    /// Remote folder that holds delivery folders.
    pub path: String,
    /// How often it is looked into.
    pub every: Period,
    /// The hours in which it is looked into, where not all day.
    pub window: Option<Window>,
    /// What is done there with a delivery whose batch is verified and durable.
    pub release: Release,
    /// Whether that is done with one that a person rejected, too.
    pub release_rejected: bool,
    /// Remote folder for receipts.
    pub receipts: Option<String>,
    /// Remote folder for certificates of destruction.
    pub reports: Option<String>,
}

/// How the account is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// A private key in a file of mode 0600, without a passphrase.
    Key(PathBuf),
    /// An ssh-agent that listens at this socket: a key that never leaves its hardware.
    Agent(PathBuf),
    /// A password in a file of mode 0600.
    PasswordFile(PathBuf),
    /// A password that the service manager passes as a credential of this name.
    PasswordCredential(String),
}

/// Hours of the day, by the clock of the site; over midnight where the end is before the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Minutes after midnight, included.
    pub from: u16,
    /// Minutes after midnight, not included.
    pub to: u16,
}

/// What is done with the remote delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Release {
    /// Nothing: the provider removes it.
    Keep,
    /// Its files and its folder are removed.
    Delete,
    /// It is moved into this remote folder.
    Move(String),
    /// This is put behind its name.
    Rename(String),
}

words! {
    /// What keeps a source from being fetched from.
    SourceCode {
        /// Nobody answers there.
        Unreachable = "unreachable",
        /// It answers too late, or not at all.
        TimedOut = "timed-out",
        /// It goes on, but hardly.
        TooSlow = "too-slow",
        /// Its host key is not in the file of known hosts.
        HostKeyUnknown = "host-key-unknown",
        /// It has another host key than the file of known hosts says, or a revoked one.
        HostKeyChanged = "host-key-changed",
        /// It has none of the algorithms that are believed.
        NoAlgorithm = "no-algorithm",
        /// It does not let the account in.
        LoginRefused = "login-refused",
        /// What it says is not SFTP.
        Protocol = "protocol",
        /// A remote folder is not there.
        NoFolder = "no-folder",
        /// It refuses an operation.
        Denied = "denied",
        /// It says more than is listened to.
        Limit = "limit",
        /// What lies there changed while it was fetched.
        Changed = "changed",
        /// Something else has the name already.
        Taken = "taken",
        /// It was put there and renamed, and is not there any more: somebody may have taken it.
        TakenAway = "taken-away",
        /// Identity, password or known hosts cannot be read.
        OwnFiles = "own-files",
        /// The courier that talks to servers is not there, or may not reach this port: the agent must start again.
        NoCourier = "no-courier",
        /// There is no room for what is to be fetched.
        DiskFull = "disk-full",
        /// The inbox or the state cannot be written.
        Inbox = "inbox",
    }
    /// How a remote delivery ended.
    RemoteEnd {
        /// It was removed.
        Deleted = "deleted",
        /// It was moved into the folder that the link names.
        Moved = "moved",
        /// It has its new name.
        Renamed = "renamed",
        /// It was not there any more.
        Gone = "gone",
        /// Something else has its name by now, which is a delivery of its own.
        Changed = "changed",
    }
}

impl SourceCode {
    /// Whether only a person can mend it: it is told at once, and not after a while.
    #[must_use]
    pub const fn is_of_the_host_key(self) -> bool {
        matches!(self, Self::HostKeyUnknown | Self::HostKeyChanged)
    }
}

impl Release {
    /// The word of the act, as the register has it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Delete => "delete",
            Self::Move(_) => "move",
            Self::Rename(_) => "rename",
        }
    }
}

impl Window {
    /// Reads `22:00-06:00`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let (from, to) = (minutes(from)?, minutes(to)?);
        (from != to).then_some(Self { from, to })
    }

    /// Whether a time lies in it, by the clock of `zone`.
    #[must_use]
    pub fn holds(self, at: Timestamp, zone: Tz) -> bool {
        let Some(now) = minutes(&at.time_in(zone)[..5]) else { return false };
        if self.from < self.to {
            (self.from..self.to).contains(&now)
        } else {
            now >= self.from || now < self.to
        }
    }

    /// As it is written.
    #[must_use]
    pub fn text(self) -> String {
        let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        format!("{}-{}", clock(self.from), clock(self.to))
    }
}

fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let two = |part: &str, below: u16| {
        let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        let number: u16 = if digits { part.parse().ok()? } else { return None };
        (number < below).then_some(number)
    };
    Some(two(hours, 24)? * 60 + two(minutes, 60)?)
}

impl Endpoint {
    /// What shows the fingerprints that the server has now. Whether they are the right ones, its provider says by
    /// telephone.
    #[must_use]
    pub fn compare(&self) -> String {
        format!("ssh-keyscan -p {} {} | ssh-keygen -lf -", self.port, self.host)
    }
}

impl Source {
    /// The remote folder of a file of ours, by its name.
    #[must_use]
    pub fn folder_of(&self, name: &str) -> Option<&str> {
        if certified(name).is_some() { self.reports.as_deref() } else { self.receipts.as_deref() }
    }

    /// Whether it may be looked into at this time.
    #[must_use]
    pub fn is_open(&self, now: Timestamp, zone: Tz) -> bool {
        self.window.is_none_or(|window| window.holds(now, zone))
    }

    /// When it is looked into next, after it answered at `last` or failed for the `failures`-th time in a row then; never
    /// later than one `every` after it, so that a broken line costs no more than one look.
    #[must_use]
    pub fn next_look(&self, last: Timestamp, failures: u32, zone: Tz) -> Timestamp {
        let regular = self.every.after(last, zone);
        if failures == 0 {
            return regular;
        }
        let retry = last.plus_seconds(limits::SOURCE_RETRY_SECONDS << failures.min(10));
        regular.min(retry)
    }
}

/// The order whose certificate has this name.
#[must_use]
pub fn certified(name: &str) -> Option<OrderId> {
    name.strip_suffix(".json")?.parse().ok()
}

/// Whether a remote name can be that of a delivery folder: one plain component, shown and typed without harm.
#[must_use]
pub fn is_delivery_name(name: &[u8]) -> bool {
    is_plain(name) && !is_key_name(name)
}

/// Whether a remote name can be that of a file in a delivery. One that looks like a key is fetched: the delivery is
/// then quarantined for it.
#[must_use]
pub fn is_file_name(name: &[u8]) -> bool {
    is_plain(name)
}

fn is_plain(name: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(name) else { return false };
    let odd = |c: char| {
        c.is_control()
            || matches!(c, '/' | '\\' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
    };
    (1..=limits::REMOTE_NAME_BYTES_MAX).contains(&name.len())
        && !text.starts_with(['.', '-', '~', ' '])
        && !text.ends_with(' ')
        && !text.contains(odd)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_remote_name_is_a_name_of_ours_only_when_it_is_plain() {
        for good in ["MOCA-1151121-0007", "戶籍資料", "a b", "x.late", "residents.dat.age"] {
            assert!(is_delivery_name(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "/etc",
            ".x",
            "-x",
            "~x",
            "a\nb",
            "a\0b",
            " a",
            "a ",
            "a\\b",
            "a\u{202E}b",
        ] {
            assert!(!is_delivery_name(bad.as_bytes()), "{bad:?}");
            assert!(!is_file_name(bad.as_bytes()), "{bad:?}");
        }
        assert!(!is_delivery_name(b"\xFF\xFE"));
        assert!(!is_delivery_name("x".repeat(4096).as_bytes()));
        assert!(!is_delivery_name(b"b.key") && is_file_name(b"b.key"));
    }

    #[test]
    fn a_window_goes_over_midnight_and_is_of_the_sites_clock() {
        let zone = chrono_tz::Asia::Taipei;
        let night = Window::parse("22:00-06:00").unwrap();
        let at = |text: &str| Timestamp::parse(text).unwrap();
        for (text, open) in [
            ("2026-11-21T22:00:00+08:00", true),
            ("2026-11-21T23:59:59+08:00", true),
            ("2026-11-21T05:59:59+08:00", true),
            ("2026-11-21T06:00:00+08:00", false),
            ("2026-11-21T13:00:00+00:00", false),
            ("2026-11-21T14:00:00+00:00", true),
        ] {
            assert_eq!(night.holds(at(text), zone), open, "{text}");
        }
        let day = Window::parse("08:30-17:00").unwrap();
        assert!(day.holds(at("2026-11-21T08:30:00+08:00"), zone));
        assert!(!day.holds(at("2026-11-21T17:00:00+08:00"), zone));
        assert_eq!(night.text(), "22:00-06:00");
        for bad in ["", "22:00", "22-06", "24:00-01:00", "01:60-02:00", "1:00-2:00", "06:00-06:00"]
        {
            assert_eq!(Window::parse(bad), None, "{bad}");
        }
    }
}
