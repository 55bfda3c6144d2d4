//! Handing data on: to whom, under which rules, and what a package holds (TPH-5.6, 6.4, 6.5; TY-3.1.3, 4.2.1, 4.2.4;
//! NT-3.10, 4.1.1).
//!
//! Destinations are a list of files that two people agreed to. What a policy does not allow is refused with the clause
//! that forbids it; a policy without rules for this allows nothing.

use std::path::{Path, PathBuf};

use super::{
    policy::{CalendarRule, Rule},
    source::Destination,
    time::{Period, Timestamp},
    words::words,
};

words! {
    /// What a recipient is.
    RecipientKind {
        /// A health centre (衛生所).
        HealthCentre = "health-centre",
        /// A contractor or firm (委辦機構、廠商).
        Vendor = "vendor",
        /// Another agency or office (機關).
        Agency = "agency",
    }
    /// On whose premises the data will lie.
    Premises {
        /// The recipient's own, which is a public office.
        Own = "own",
        /// Those of the agency that hands them on: they leave no office.
        Agency = "agency",
        /// A vendor's.
        Vendor = "vendor",
    }
    /// Whether data may go to a vendor's premises.
    OffPremises {
        /// Never.
        Forbidden = "forbidden",
        /// Under an exception that a document allows.
        Exception = "exception",
    }
}

/// How a recipient's packages are sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sealing {
    /// To the recipient's own age key.
    Recipient(String),
    /// Under a fresh key for each package, which is left in this folder and goes by another channel.
    Separate(PathBuf),
}

/// `recipients/<name>.yaml`, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Name, the file's own.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// What it is.
    pub kind: RecipientKind,
    /// Where the data will lie.
    pub premises: Premises,
    /// The link that it takes them under.
    pub link: String,
    /// Where packages are put, absolute.
    pub outbox: PathBuf,
    /// How they are sealed.
    pub sealing: Sealing,
    /// The channels that it may be reached by.
    pub channels: Vec<String>,
    /// How long it may keep what it got after its use has ended, where that is less than the policy says.
    pub destroy_within: Option<Period>,
    /// The verifier key of its own Batchward's register, by which its certificates are checked.
    pub vkey: Option<String>,
    /// The server that packages are put to, where nobody carries them.
    pub push: Option<Box<Destination>>,
    /// Nothing goes there after this.
    pub until: Timestamp,
}

/// Rules of handing on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandoverRule {
    /// Who may get data; with none, nobody.
    pub recipients: Rule<Vec<RecipientKind>>,
    /// Whether the provider must have approved it, by a document.
    pub provider_doc: Rule<bool>,
    /// Whether data may go to a vendor's premises.
    pub off_premises: Rule<OffPremises>,
    /// The clause by which a vendor's account takes nothing out.
    pub vendor_export: String,
    /// The clause by which data and key go by two channels.
    pub key_apart: String,
    /// How long a recipient may keep what it got after its use has ended.
    pub retention: Rule<Period>,
}

/// What forbids a hand-over, with the clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forbidden<'a> {
    /// Such a recipient gets nothing.
    Kind(&'a str),
    /// Nothing goes to a vendor's premises.
    Premises(&'a str),
}

impl HandoverRule {
    /// What forbids that this recipient gets anything.
    #[must_use]
    pub fn forbids(&self, kind: RecipientKind, premises: Premises) -> Option<Forbidden<'_>> {
        if !self.recipients.value.contains(&kind) {
            return Some(Forbidden::Kind(&self.recipients.clause));
        }
        let off = premises == Premises::Vendor;
        (off && self.off_premises.value == OffPremises::Forbidden)
            .then_some(Forbidden::Premises(&self.off_premises.clause))
    }

    /// The clause by which a document has to allow that data leave the premises, where one has to.
    #[must_use]
    pub fn exception_for(&self, premises: Premises) -> Option<&str> {
        (premises == Premises::Vendor).then_some(self.off_premises.clause.as_str())
    }

    /// By when a recipient whose use ends at a time has to have destroyed what it got.
    #[must_use]
    pub fn destroy_by(
        &self,
        until: Timestamp,
        own: Option<Period>,
        calendar: CalendarRule,
        zone: chrono_tz::Tz,
    ) -> Timestamp {
        let end = |period| calendar.destroy_by(period, until, zone);
        let at_most = end(self.retention.value);
        own.map_or(at_most, |own| end(own).min(at_most))
    }
}

/// Whether one of two folders lies within the other, by their names.
#[must_use]
pub fn beside(one: &Path, other: &Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// Whether two channels are one, however they are written.
#[must_use]
pub fn same_channel(one: &str, other: &str) -> bool {
    let plain = |text: &str| {
        text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
    };
    plain(one) == plain(other)
}

/// The name of the data file in a package.
pub const DATA_NAME: &str = "data.csv.age";

/// A line of a delimited file (RFC 4180): what holds a comma, a quote or a line end is quoted.
pub fn delimited(line: &mut Vec<u8>, values: &[String]) {
    for (n, value) in values.iter().enumerate() {
        if n > 0 {
            line.push(b',');
        }
        if value.contains([',', '"', '\r', '\n']) {
            line.push(b'"');
            line.extend_from_slice(value.replace('"', "\"\"").as_bytes());
            line.push(b'"');
        } else {
            line.extend_from_slice(value.as_bytes());
        }
    }
    line.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn rule(kinds: &[RecipientKind], off: OffPremises) -> HandoverRule {
        let clause = |text: &str| text.to_owned();
        HandoverRule {
            recipients: Rule { value: kinds.to_vec(), clause: clause("TY-2.3") },
            provider_doc: Rule { value: true, clause: clause("TY-4.2.4") },
            off_premises: Rule { value: off, clause: clause("TY-4.2.1") },
            vendor_export: clause("TY-4.2.1"),
            key_apart: clause("TY-4.2.4"),
            retention: Rule { value: Period::parse("P1M").unwrap(), clause: clause("TY-3.1.3") },
        }
    }

    #[test]
    fn what_is_forbidden_is_forbidden_by_a_clause() {
        use RecipientKind::{HealthCentre, Vendor};
        let strict = rule(&[Vendor], OffPremises::Forbidden);
        assert_eq!(strict.forbids(HealthCentre, Premises::Own), Some(Forbidden::Kind("TY-2.3")));
        assert_eq!(strict.forbids(Vendor, Premises::Vendor), Some(Forbidden::Premises("TY-4.2.1")));
        assert_eq!(strict.forbids(Vendor, Premises::Agency), None);
        let other = rule(&[Vendor], OffPremises::Exception);
        assert_eq!(other.forbids(Vendor, Premises::Vendor), None);
        assert_eq!(other.exception_for(Premises::Vendor), Some("TY-4.2.1"));
        assert_eq!(other.exception_for(Premises::Agency), None);
        assert!(rule(&[], OffPremises::Exception).forbids(Vendor, Premises::Own).is_some());
    }

    #[test]
    fn the_earlier_of_two_periods_ends_what_a_recipient_keeps() {
        let rule = rule(&[], OffPremises::Forbidden);
        let zone = chrono_tz::Asia::Taipei;
        let until = Timestamp::parse("2027-03-31T23:59:59+08:00").unwrap();
        let by = |own: Option<&str>| {
            let own = own.map(|text| Period::parse(text).unwrap());
            rule.destroy_by(until, own, CalendarRule::default(), zone).date_in(zone).to_string()
        };
        assert_eq!(by(None), "2027-04-30");
        assert_eq!(by(Some("P10D")), "2027-04-10");
        assert_eq!(by(Some("P1Y")), "2027-04-30");
    }

    #[test]
    fn a_channel_is_the_same_however_it_is_written() {
        assert!(same_channel("Registered letter", "registered-letter"));
        assert!(same_channel("電話", "電話 "));
        assert!(!same_channel("courier", "registered-letter"));
        assert!(beside(Path::new("/a/b"), Path::new("/a/b/c")));
        assert!(!beside(Path::new("/a/b"), Path::new("/a/bc")));
    }

    #[test]
    fn a_line_is_quoted_where_it_must_be() {
        let mut line = Vec::new();
        let values = ["王小明", "a,b", "say \"so\"", "", "two\r\nlines"].map(str::to_owned);
        delimited(&mut line, &values);
        let text = String::from_utf8(line).unwrap();
        assert_eq!(text, "王小明,\"a,b\",\"say \"\"so\"\"\",,\"two\r\nlines\"\r\n");
    }
}
