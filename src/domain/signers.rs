//! Who may sign manifests: OpenSSH's `allowed_signers` form (ssh-keygen(1), ALLOWED SIGNERS).
//!
//! A file is read whole or not at all, and every fault of it is told at once. Certificate authorities are refused:
//! a provider's key is listed itself. Which of two versions of a file lets in more is compared by
//! [`AllowedSigners::loosened_since`]; this module does not decide who must confirm that.

use std::fmt;

use chrono::{NaiveDateTime, TimeZone};

use super::{
    sshsig::{KeyFault, PublicKeyInfo},
    time::Timestamp,
};

/// The parsed lines of an OpenSSH allowed_signers file, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedSigners(Vec<SignerEntry>);

/// One line: a key, and when and for what it may sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerEntry {
    /// The principals, as written: a pattern list.
    pub principals: String,
    /// Patterns of the namespaces that it may sign for; `None` is every one.
    pub namespaces: Option<String>,
    /// Not before this second.
    pub valid_after: Option<Timestamp>,
    /// Not after this second.
    pub valid_before: Option<Timestamp>,
    /// The key.
    pub key: PublicKeyInfo,
}

/// A fault, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct SignersFault {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    #[source]
    pub kind: SignersFaultKind,
}

/// What can be wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignersFaultKind {
    /// A quote is not closed.
    #[error("the quote is not closed")]
    OpenQuote,
    /// Only principals.
    #[error("expected a key after the principals")]
    NoKey,
    /// Neither an option nor the start of a key.
    #[error("unknown option, expected namespaces=, valid-after= or valid-before=")]
    UnknownOption,
    /// An option twice in one line.
    #[error("the option is there twice")]
    DoubledOption,
    /// A certificate authority.
    #[error("certificate authorities are not accepted, list the signing key itself")]
    Authority,
    /// A time in another form.
    #[error("expected a time as YYYYMMDD or YYYYMMDDHHMM[SS], with Z for UTC")]
    Time,
    /// `valid-after` is not before `valid-before`.
    #[error("the key is valid at no time")]
    Never,
    /// A list with nothing in it.
    #[error("expected a list that is not empty")]
    Empty,
    /// The key itself.
    #[error(transparent)]
    Key(#[from] KeyFault),
}

impl AllowedSigners {
    /// Reads a file; times without `Z` are those of `zone`.
    ///
    /// # Errors
    /// Every fault of the file.
    pub fn parse(text: &str, zone: chrono_tz::Tz) -> Result<Self, Vec<SignersFault>> {
        let mut entries = Vec::new();
        let mut faults = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let start = line.len() - line.trim_start().len();
            if line[start..].is_empty() || line[start..].starts_with('#') {
                continue;
            }
            match read_line(line, start, zone) {
                Ok(entry) => entries.push(entry),
                Err((at, kind)) => faults.push(SignersFault {
                    line: number + 1,
                    column: line[..at].chars().count() + 1,
                    kind,
                }),
            }
        }
        if faults.is_empty() { Ok(Self(entries)) } else { Err(faults) }
    }

    /// The principals of the first line that lets `key` sign for `namespace` at `at`.
    #[must_use]
    pub fn judge(&self, key: &PublicKeyInfo, namespace: &str, at: Timestamp) -> Option<&str> {
        self.0
            .iter()
            .find(|entry| entry.key == *key && entry.allows(namespace, at))
            .map(|entry| entry.principals.as_str())
    }

    /// The lines.
    #[must_use]
    pub fn entries(&self) -> &[SignerEntry] {
        &self.0
    }

    /// The lines that allow something which no single line of `before` allowed: a new key, another principal, more
    /// namespaces, a longer time. Empty where this version only tightens.
    #[must_use]
    pub fn loosened_since(&self, before: &Self) -> Vec<&SignerEntry> {
        self.0.iter().filter(|new| !before.0.iter().any(|old| old.covers(new))).collect()
    }

    /// What neither version refuses: the lines of this one that the other allows as well, and in place of a line that
    /// the other narrows, the narrower ones. Equal to this version where the other takes nothing away.
    #[must_use]
    pub fn common_with(&self, other: &Self) -> Self {
        let mut common: Vec<SignerEntry> = Vec::new();
        for line in &self.0 {
            let kept = other.0.iter().any(|wanted| wanted.covers(line));
            let narrower = other.0.iter().filter(|wanted| !kept && line.covers(wanted));
            let lines = if kept { vec![line] } else { narrower.collect() };
            for line in lines {
                if kept || !common.contains(line) {
                    common.push(line.clone());
                }
            }
        }
        Self(common)
    }
}

/// The line, so that it reads back to the same entry.
impl fmt::Display for SignerEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |time: Timestamp| {
            let text = time.to_string();
            let digits: String = text.chars().take(19).filter(char::is_ascii_digit).collect();
            format!("{digits}Z")
        };
        let options: Vec<String> = [
            self.namespaces.as_ref().map(|list| format!("namespaces=\"{list}\"")),
            self.valid_after.map(|at| format!("valid-after=\"{}\"", time(at))),
            self.valid_before.map(|at| format!("valid-before=\"{}\"", time(at))),
        ]
        .into_iter()
        .flatten()
        .collect();
        // In quotes, so that principals with blanks stay one word, and one that begins with '#' no comment.
        write!(f, "\"{}\" ", self.principals)?;
        if !options.is_empty() {
            write!(f, "{} ", options.join(","))?;
        }
        f.write_str(&self.key.text())
    }
}

impl SignerEntry {
    fn allows(&self, namespace: &str, at: Timestamp) -> bool {
        // As ssh-keygen compares: whole seconds, both ends included.
        let second = at.millis().div_euclid(1000);
        let bound = |time: Option<Timestamp>| time.map(|time| time.millis().div_euclid(1000));
        self.namespaces.as_deref().is_none_or(|list| matches_list(list, namespace))
            && bound(self.valid_after).is_none_or(|after| second >= after)
            && bound(self.valid_before).is_none_or(|before| second <= before)
    }

    /// Whether everything that `new` allows, this line allows too. Lists of patterns that differ are taken as wider,
    /// unless the new one is a part of the old one and nothing in them negates.
    fn covers(&self, new: &Self) -> bool {
        let namespaces = match (&self.namespaces, &new.namespaces) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(old), Some(new)) => old == new || is_part(new, old),
        };
        self.key == new.key
            && self.principals == new.principals
            && namespaces
            && self.valid_after.is_none_or(|old| new.valid_after.is_some_and(|new| new >= old))
            && self.valid_before.is_none_or(|old| new.valid_before.is_some_and(|new| new <= old))
    }
}

fn is_part(list: &str, of: &str) -> bool {
    !list.contains('!')
        && !of.contains('!')
        && list.split(',').all(|pattern| of.split(',').any(|other| other == pattern))
}

type At<T> = Result<T, (usize, SignersFaultKind)>;

fn read_line(line: &str, start: usize, zone: chrono_tz::Tz) -> At<SignerEntry> {
    let (principals, next) = word(line, start)?;
    let quoted = principals.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let principals = quoted.unwrap_or(principals).to_owned();
    if principals.contains('"') {
        return Err((start, SignersFaultKind::OpenQuote));
    }
    if principals.is_empty() {
        return Err((start, SignersFaultKind::Empty));
    }
    let mut entry_options = Options::default();
    let mut key_at = skip_blanks(line, next);
    if key_at == line.len() {
        return Err((key_at, SignersFaultKind::NoKey));
    }
    // What comes next is a key or its options: options are tried only where it does not begin as a key.
    let (first, after) = word(line, key_at)?;
    if !is_key_type(first) {
        entry_options.read(line, key_at, after, zone)?;
        key_at = skip_blanks(line, after);
        if key_at == line.len() {
            return Err((key_at, SignersFaultKind::NoKey));
        }
    }
    let key = PublicKeyInfo::parse(&line[key_at..]).map_err(|fault| (key_at, fault.into()))?;
    if let (Some(after), Some(before)) = (entry_options.valid_after, entry_options.valid_before)
        && after >= before
    {
        return Err((skip_blanks(line, next), SignersFaultKind::Never));
    }
    Ok(SignerEntry {
        principals,
        namespaces: entry_options.namespaces,
        valid_after: entry_options.valid_after,
        valid_before: entry_options.valid_before,
        key,
    })
}

#[derive(Default)]
struct Options {
    namespaces: Option<String>,
    valid_after: Option<Timestamp>,
    valid_before: Option<Timestamp>,
}

impl Options {
    /// Reads `name="value",name="value"` of the bytes `start..end`; a comma within quotes divides nothing.
    fn read(&mut self, line: &str, start: usize, end: usize, zone: chrono_tz::Tz) -> At<()> {
        let mut at = start;
        while at < end {
            let mut quoted = false;
            let length = line[at..end].find(|c| {
                quoted ^= c == '"';
                c == ',' && !quoted
            });
            let stop = length.map_or(end, |length| at + length);
            self.option(&line[at..stop], zone).map_err(|kind| (at, kind))?;
            if stop + 1 == end {
                return Err((stop, SignersFaultKind::UnknownOption));
            }
            at = stop + 1;
        }
        Ok(())
    }

    fn option(&mut self, option: &str, zone: chrono_tz::Tz) -> Result<(), SignersFaultKind> {
        let (name, value) = match option.split_once('=') {
            None if option.eq_ignore_ascii_case("cert-authority") => {
                return Err(SignersFaultKind::Authority);
            }
            None => return Err(SignersFaultKind::UnknownOption),
            Some((name, value)) => (name.to_ascii_lowercase(), value),
        };
        let value = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'))
            .filter(|value| !value.contains('"'))
            .ok_or(SignersFaultKind::OpenQuote)?;
        let doubled = match name.as_str() {
            "namespaces" if value.split(',').any(str::is_empty) => {
                return Err(SignersFaultKind::Empty);
            }
            "namespaces" => self.namespaces.replace(value.to_owned()).is_some(),
            "valid-after" => self.valid_after.replace(time(value, zone)?).is_some(),
            "valid-before" => self.valid_before.replace(time(value, zone)?).is_some(),
            _ => return Err(SignersFaultKind::UnknownOption),
        };
        if doubled { Err(SignersFaultKind::DoubledOption) } else { Ok(()) }
    }
}

/// The word that starts at `start`, quotes included, and where it ends.
fn word(line: &str, start: usize) -> At<(&str, usize)> {
    let mut quoted = false;
    let length = line[start..].find(|c: char| {
        quoted ^= c == '"';
        !quoted && matches!(c, ' ' | '\t')
    });
    let end = length.map_or(line.len(), |length| start + length);
    if length.is_none() && quoted {
        return Err((start, SignersFaultKind::OpenQuote));
    }
    Ok((&line[start..end], end))
}

fn skip_blanks(line: &str, at: usize) -> usize {
    line.len() - line[at..].trim_start_matches([' ', '\t']).len()
}

fn is_key_type(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-", "rsa-"].iter().any(|prefix| word.starts_with(prefix))
}

fn time(text: &str, zone: chrono_tz::Tz) -> Result<Timestamp, SignersFaultKind> {
    let (digits, utc) = match text.strip_suffix(['Z', 'z']) {
        Some(digits) => (digits, true),
        None => (text, false),
    };
    let padded = match digits.len() {
        8 => format!("{digits}000000"),
        12 => format!("{digits}00"),
        14 => digits.to_owned(),
        _ => return Err(SignersFaultKind::Time),
    };
    if !padded.bytes().all(|b| b.is_ascii_digit()) {
        return Err(SignersFaultKind::Time);
    }
    let naive = NaiveDateTime::parse_from_str(&padded, "%Y%m%d%H%M%S")
        .map_err(|_| SignersFaultKind::Time)?;
    let moment = if utc {
        naive.and_utc()
    } else {
        zone.from_local_datetime(&naive).earliest().ok_or(SignersFaultKind::Time)?.to_utc()
    };
    Ok(Timestamp::from_millis(moment.timestamp_millis()))
}

/// OpenSSH's match_pattern_list: some pattern matches and no negated one does.
fn matches_list(list: &str, text: &str) -> bool {
    let mut found = false;
    for pattern in list.split(',') {
        match pattern.strip_prefix('!') {
            Some(negated) if matches_pattern(negated.as_bytes(), text.as_bytes()) => return false,
            Some(_) => {}
            None => found |= matches_pattern(pattern.as_bytes(), text.as_bytes()),
        }
    }
    found
}

/// `*` is any text, `?` one character. Linear in both: only the last star is ever gone back to.
fn matches_pattern(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p).is_some_and(|c| *c == b'?' || *c == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((at, from)) = star {
            p = at + 1;
            t = from + 1;
            star = Some((at, t));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests;
