//! Proofs as files that one person hands another: an entry's inclusion (C2SP tlog-proof), and a log's growth (the body
//! of C2SP tlog-witness's `add-checkpoint`), each with the checkpoint that it leads to.
//!
//! Reading one says nothing about whether it holds: that takes the log's verifier key, and is `verify`'s. There is one
//! spelling of each; any other is refused, so that a file which was changed is never read as the one that was made.

use data_encoding::BASE64;

use super::{digest::Digest, limits, merkle::Hash};

/// First line of a proof of inclusion.
const HEAD: &str = "c2sp.org/tlog-proof@v1";
/// Hashes of a proof: a tree has fewer than 2^63 entries, and a consistency proof one hash more than its height.
pub const PROOF_HASHES_MAX: usize = 64;
/// Bytes of a proof file: the longest entry in Base64, the hashes, and a note with many cosignatures.
pub const PROOF_BYTES_MAX: u64 = (limits::ENTRY_BYTES_MAX as u64) * 4 / 3 + (1 << 17);

/// Not a file of this form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}")]
pub struct NotAProof {
    /// The line, from 1.
    pub line: usize,
    /// What belongs there.
    pub expected: &'static str,
}

/// That an entry is in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// The entry itself, which the file carries so that it speaks for itself. Nothing vouches for it but the hashes.
    pub entry: Option<Vec<u8>>,
    /// Its place, from 0.
    pub index: u64,
    /// From its sibling up (RFC 6962, 2.1.1).
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, byte for byte, with whatever cosignatures it has.
    pub note: String,
}

impl Inclusion {
    /// The file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEAD}\n");
        if let Some(entry) = &self.entry {
            text.push_str(&format!("extra {}\n", BASE64.encode(entry)));
        }
        text.push_str(&format!("index {}\n", self.index));
        push_hashes(&mut text, &self.hashes);
        text.push('\n');
        text.push_str(&self.note);
        text
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`NotAProof`].
    pub fn parse(text: &str) -> Result<Self, NotAProof> {
        let mut lines = Lines::of(text);
        if lines.next() != Some(HEAD) {
            return Err(lines.fault("'c2sp.org/tlog-proof@v1'"));
        }
        let mut line = lines.next().unwrap_or_default();
        let mut entry = None;
        if let Some(extra) = line.strip_prefix("extra ") {
            let bytes = BASE64.decode(extra.as_bytes());
            entry = Some(bytes.map_err(|_| lines.fault("'extra' and Base64"))?);
            line = lines.next().unwrap_or_default();
        }
        let index = line.strip_prefix("index ").and_then(number);
        let index = index.ok_or_else(|| lines.fault("'index' and a number"))?;
        let hashes = lines.hashes()?;
        Ok(Self { entry, index, hashes, note: lines.rest.to_owned() })
    }
}

/// That a log begins with what it was at an earlier size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    /// The earlier size.
    pub old: u64,
    /// RFC 6962, 2.1.2.
    pub hashes: Vec<Hash>,
    /// The later checkpoint, byte for byte.
    pub note: String,
}

impl Growth {
    /// The file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("old {}\n", self.old);
        push_hashes(&mut text, &self.hashes);
        text.push('\n');
        text.push_str(&self.note);
        text
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`NotAProof`].
    pub fn parse(text: &str) -> Result<Self, NotAProof> {
        let mut lines = Lines::of(text);
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(number);
        let old = old.ok_or_else(|| lines.fault("'old' and a number"))?;
        let hashes = lines.hashes()?;
        Ok(Self { old, hashes, note: lines.rest.to_owned() })
    }
}

fn push_hashes(text: &mut String, hashes: &[Hash]) {
    for hash in hashes {
        text.push_str(&BASE64.encode(hash.as_bytes()));
        text.push('\n');
    }
}

/// A number in its one spelling.
fn number(digits: &str) -> Option<u64> {
    let number: u64 = digits.parse().ok()?;
    (number.to_string() == digits).then_some(number)
}

struct Lines<'t> {
    rest: &'t str,
    line: usize,
}

impl<'t> Lines<'t> {
    const fn of(rest: &'t str) -> Self {
        Self { rest, line: 0 }
    }

    fn next(&mut self) -> Option<&'t str> {
        let (line, rest) = self.rest.split_once('\n')?;
        self.rest = rest;
        self.line += 1;
        Some(line)
    }

    /// Hashes up to the empty line before the note.
    fn hashes(&mut self) -> Result<Vec<Hash>, NotAProof> {
        let mut hashes = Vec::new();
        loop {
            let line = self.next().ok_or_else(|| self.fault("an empty line and a checkpoint"))?;
            if line.is_empty() {
                return Ok(hashes);
            }
            let bytes = BASE64.decode(line.as_bytes()).ok().and_then(|b| b.try_into().ok());
            match bytes {
                Some(bytes) if hashes.len() < PROOF_HASHES_MAX => {
                    hashes.push(Digest::from_bytes(bytes));
                }
                _ => return Err(self.fault("a hash in Base64, or an empty line")),
            }
        }
    }

    fn fault(&self, expected: &'static str) -> NotAProof {
        NotAProof { line: self.line.max(1), expected }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn inclusion() -> Inclusion {
        Inclusion {
            entry: Some(b"{}".to_vec()),
            index: 7,
            hashes: vec![Digest::of(b"a"), Digest::of(b"b")],
            note: "o\n9\nx\n\n\u{2014} o AAAA\n".to_owned(),
        }
    }

    #[test]
    fn a_proof_is_read_as_it_was_written() {
        let full = inclusion();
        assert_eq!(Inclusion::parse(&full.to_text()), Ok(full.clone()));
        assert!(full.to_text().starts_with("c2sp.org/tlog-proof@v1\nextra e30=\nindex 7\n"));
        for changed in [
            Inclusion { entry: None, ..full.clone() },
            Inclusion { hashes: Vec::new(), ..full.clone() },
        ] {
            assert_eq!(Inclusion::parse(&changed.to_text()), Ok(changed));
        }
        let growth = Growth { old: 0, hashes: full.hashes, note: full.note };
        assert_eq!(Growth::parse(&growth.to_text()), Ok(growth));
    }

    #[test]
    fn any_other_spelling_is_refused_with_its_line() {
        let good = inclusion().to_text();
        for (from, to, line) in [
            ("@v1", "@v2", 1),
            ("extra e30=", "extra e30", 2),
            ("index 7", "index 07", 3),
            ("index 7", "index +7", 3),
            ("index 7", "number 7", 3),
            ("\n\n", "\n", 6),
        ] {
            let bent = good.replacen(from, to, 1);
            assert_eq!(Inclusion::parse(&bent).unwrap_err().line, line, "{to}");
        }
        assert!(Inclusion::parse("").is_err() && Growth::parse("").is_err());
        assert!(Growth::parse("old 1").is_err() && Growth::parse("old 01\n\nx").is_err());
        let many = "A".repeat(43) + "=\n";
        assert!(Growth::parse(&format!("old 1\n{}\nx", many.repeat(65))).is_err());
        assert!(Growth::parse(&format!("old 1\n{}\nx", many.repeat(64))).is_ok());
    }
}
