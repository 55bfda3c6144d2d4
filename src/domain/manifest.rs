//! The manifest of a delivery (DESIGN 6): what the provider says it sends.
//!
//! A [`Manifest`] exists only parsed and in range; what is not exactly the contract's fields is a fault. Parsing comes
//! after the signature over the same bytes was checked, and is the caller's order to keep ([`crate::domain::judge`]).
//! Nothing here compares the manifest with a link, with files or with a ledger. Faults say which field, never what it
//! held. [`Manifest::to_yaml`] writes one, and reads it back before anybody signs it.

mod text;
mod tree;

use chrono::NaiveDate;

use self::tree::Node;
pub use self::tree::TreeFault;
use super::{
    calendar,
    digest::Digest,
    limits::{DELIVERY_FILES_MAX, MANIFEST_BYTES_MAX, TEXT_CHARS_MAX},
    reason::Reason,
    time::Timestamp,
};

/// The name of the manifest in a delivery.
pub const MANIFEST_NAME: &str = "manifest.yaml";
/// The name of its detached signature.
pub const SIGNATURE_NAME: &str = "manifest.yaml.sig";
/// The SSHSIG namespace of that signature.
pub const MANIFEST_NAMESPACE: &str = "batchward-manifest";
/// Bytes of a file's name, as filesystems have it.
const NAME_BYTES_MAX: usize = 255;

/// Whether a batch is the whole or what changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 全檔.
    Full,
    /// 異動檔, in a sequence without gaps.
    Delta,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Full, Self::Delta];

    /// The word of the manifest.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Delta => "delta",
        }
    }
}

/// What the data stand for: a day, or a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// A day, which means its end where the agent is.
    Day(NaiveDate),
    /// A point in time.
    Moment(Timestamp),
}

/// One listed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Its name in the delivery folder: one part, no controls.
    pub name: String,
    /// Bytes as delivered.
    pub bytes: u64,
    /// SHA-256 as delivered.
    pub sha256: Digest,
    /// Records in it.
    pub records: u64,
    /// SHA-256 of what it holds decrypted, where stated.
    pub plaintext_sha256: Option<Digest>,
}

/// A manifest, parsed and in range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The provider's number of the batch, once per link.
    pub batch: String,
    /// The link that it says it comes under.
    pub link: String,
    /// 資料表號.
    pub table_no: String,
    /// Full file or delta.
    pub kind: Kind,
    /// The number of a delta from 1; of a full file free and unused.
    pub sequence: u64,
    /// 提供機關通知時間.
    pub notified_at: Timestamp,
    /// 依據公文文號.
    pub basis_doc_no: String,
    /// 使用目的.
    pub purpose: String,
    /// 申請筆數.
    pub applied: Option<u64>,
    /// What the data stand for, where it is not the time of notice.
    pub as_of: Option<AsOf>,
    /// The batch that this one corrects.
    pub replaces: Option<String>,
    /// Records over all files.
    pub records: u64,
    /// The files, in the order of loading.
    pub files: Vec<FileEntry>,
    /// Whether the records of each file are stated, and not only those of all together.
    pub each: bool,
}

/// Why bytes are no manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestFault {
    /// Over [`MANIFEST_BYTES_MAX`].
    #[error("the manifest is over {MANIFEST_BYTES_MAX} bytes")]
    TooLong,
    /// Not UTF-8.
    #[error("the manifest is not UTF-8")]
    NotUtf8,
    /// No tree that a manifest may be.
    #[error("the manifest cannot be read")]
    Tree(#[from] TreeFault),
    /// Not a mapping where one must be.
    #[error("expected a mapping of fields")]
    NotMapping,
    /// A field that the contract does not have.
    #[error("a field that the contract does not have")]
    UnknownField,
    /// A field is not there, or null.
    #[error("the field '{0}' is missing")]
    Missing(&'static str),
    /// A field is of another type, or out of range.
    #[error("the field '{0}' is out of range")]
    OutOfRange(&'static str),
    /// A file, or the same ciphertext, is listed twice.
    #[error("a file is listed twice")]
    DoubledFile,
    /// The records of the files do not add up to `records`.
    #[error("the records of the files do not add up")]
    Sum,
    /// A full file of no records.
    #[error("a full file of no records")]
    Empty,
    /// A control file is none, or does not agree with the letter about it.
    #[error("{0}")]
    Control(super::control::ControlFault),
    /// A listed name is a path, `.`, `..`, a manifest name, or holds control characters.
    #[error("a listed name is unsafe")]
    UnsafeName,
}

impl ManifestFault {
    /// The reason code.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::UnsafeName => Reason::UnsafeName,
            _ => Reason::ManifestInvalid,
        }
    }
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// [`ManifestFault`]; an unsafe name only where nothing else is wrong (the order of judgement).
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestFault> {
        if bytes.len() as u64 > MANIFEST_BYTES_MAX {
            return Err(ManifestFault::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| ManifestFault::NotUtf8)?;
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let mut fields = Fields::of(tree::read(text)?)?;
        if fields.number("batchward")? != 1 {
            return Err(ManifestFault::OutOfRange("batchward"));
        }
        let manifest = Self {
            batch: fields.batch_number("batch")?,
            link: fields.text("link")?,
            table_no: fields.text("table_no")?,
            kind: match fields.text("kind")?.as_str() {
                "full" => Kind::Full,
                "delta" => Kind::Delta,
                _ => return Err(ManifestFault::OutOfRange("kind")),
            },
            sequence: fields.number("sequence")?,
            notified_at: Timestamp::parse(&fields.text("notified_at")?)
                .ok_or(ManifestFault::OutOfRange("notified_at"))?,
            basis_doc_no: fields.text("basis_doc_no")?,
            purpose: fields.text("purpose")?,
            applied: fields.optional("applied", Fields::number)?,
            as_of: fields.optional("as_of", Fields::as_of)?,
            replaces: fields.optional("replaces", Fields::batch_number)?,
            records: fields.number("records")?,
            files: fields.files()?,
            each: true,
        };
        fields.end()?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The point in time that the data stand for, which orders the files of a link.
    #[must_use]
    pub fn stands_for(&self, zone: chrono_tz::Tz) -> Timestamp {
        match self.as_of {
            None => self.notified_at,
            Some(AsOf::Moment(at)) => at,
            Some(AsOf::Day(day)) => Timestamp::end_of_day(day, zone),
        }
    }

    /// A delta of no records, which says that nothing changed.
    #[must_use]
    pub fn is_empty_delta(&self) -> bool {
        self.kind == Kind::Delta && self.records == 0
    }

    /// The listed file with this name.
    #[must_use]
    pub fn file(&self, name: &[u8]) -> Option<&FileEntry> {
        self.files.iter().find(|file| file.name.as_bytes() == name)
    }

    /// What holds between fields.
    fn check(&self) -> Result<(), ManifestFault> {
        if self.kind == Kind::Delta && self.sequence == 0 {
            return Err(ManifestFault::OutOfRange("sequence"));
        }
        if self.replaces.as_ref() == Some(&self.batch) {
            return Err(ManifestFault::OutOfRange("replaces"));
        }
        if self.files.is_empty() || self.files.len() > DELIVERY_FILES_MAX {
            return Err(ManifestFault::OutOfRange("files"));
        }
        let mut names: Vec<_> = self.files.iter().map(|file| &file.name).collect();
        // Encryption never yields the same bytes twice: the same digest is the same file under two names.
        let mut digests: Vec<_> = self.files.iter().map(|file| file.sha256).collect();
        names.sort_unstable();
        digests.sort_unstable();
        let doubled_name = names.windows(2).any(|pair| pair[0] == pair[1]);
        if doubled_name || digests.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(ManifestFault::DoubledFile);
        }
        let add = |sum: u64, file: &FileEntry| sum.checked_add(file.records);
        if self.files.iter().try_fold(0, add) != Some(self.records) {
            return Err(ManifestFault::Sum);
        }
        if self.kind == Kind::Full && self.records == 0 {
            return Err(ManifestFault::Empty);
        }
        if self.files.iter().any(|file| !is_safe_name(&file.name)) {
            return Err(ManifestFault::UnsafeName);
        }
        Ok(())
    }
}

/// Whether a text is a batch number: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`, no part of it in the shape of an ID number.
#[must_use]
pub fn is_batch_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=64).contains(&bytes.len())
        && bytes[0].is_ascii_alphanumeric()
        && bytes.iter().all(shape)
        && !text.split(['.', '_', '-']).any(is_id_shape)
}

/// A letter, then 1, 2, 8, 9 or A to D, then eight digits: 國民身分證統一編號 and both forms of 統一證號.
fn is_id_shape(part: &str) -> bool {
    let bytes = part.as_bytes();
    bytes.len() == 10
        && bytes[0].is_ascii_alphabetic()
        && matches!(bytes[1].to_ascii_uppercase(), b'1' | b'2' | b'8' | b'9' | b'A'..=b'D')
        && bytes[2..].iter().all(u8::is_ascii_digit)
}

/// Whether a listed name is one part, names neither manifest nor signature, and shows as what it is.
pub(super) fn is_safe_name(name: &str) -> bool {
    let own = [MANIFEST_NAME, SIGNATURE_NAME].iter().any(|own| name.eq_ignore_ascii_case(own));
    // Marks of writing direction and zero-width marks let a name look like another one.
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
    };
    !name.is_empty()
        && !own
        && name != "."
        && name != ".."
        && !name.contains(['/', '\\'])
        && !name.contains(hidden)
}

/// The fields of one mapping; each is taken once, and none may be left.
struct Fields(Vec<(String, Node)>);

impl Fields {
    fn of(node: Node) -> Result<Self, ManifestFault> {
        match node {
            Node::Map(pairs) => Ok(Self(pairs)),
            Node::Scalar { .. } | Node::List(_) => Err(ManifestFault::NotMapping),
        }
    }

    fn end(self) -> Result<(), ManifestFault> {
        if self.0.is_empty() { Ok(()) } else { Err(ManifestFault::UnknownField) }
    }

    fn take(&mut self, name: &'static str) -> Result<Node, ManifestFault> {
        let at = self.0.iter().position(|(key, _)| key == name);
        let node = self.0.swap_remove(at.ok_or(ManifestFault::Missing(name))?).1;
        match &node {
            Node::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null") => {
                Err(ManifestFault::Missing(name))
            }
            _ => Ok(node),
        }
    }

    fn optional<T>(
        &mut self,
        name: &'static str,
        take: fn(&mut Self, &'static str) -> Result<T, ManifestFault>,
    ) -> Result<Option<T>, ManifestFault> {
        if self.0.iter().any(|(key, _)| key == name) {
            take(self, name).map(Some)
        } else {
            Ok(None)
        }
    }

    /// A text of one line, neither empty nor over [`TEXT_CHARS_MAX`].
    fn text(&mut self, name: &'static str) -> Result<String, ManifestFault> {
        match self.take(name)? {
            Node::Scalar { text, .. }
                if !text.trim().is_empty()
                    && text.chars().count() <= TEXT_CHARS_MAX
                    && !text.contains(char::is_control) =>
            {
                Ok(text)
            }
            _ => Err(ManifestFault::OutOfRange(name)),
        }
    }

    /// A whole number in decimal digits without quotes, sign or leading zero.
    fn number(&mut self, name: &'static str) -> Result<u64, ManifestFault> {
        let fault = ManifestFault::OutOfRange(name);
        let Node::Scalar { text, plain: true } = self.take(name)? else { return Err(fault) };
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        let canonical = text == "0" || !text.starts_with('0');
        if digits && canonical { text.parse().map_err(|_| fault) } else { Err(fault) }
    }

    fn digest(&mut self, name: &'static str) -> Result<Digest, ManifestFault> {
        let text = self.text(name)?.to_ascii_lowercase();
        Digest::from_hex(&text).ok_or(ManifestFault::OutOfRange(name))
    }

    fn batch_number(&mut self, name: &'static str) -> Result<String, ManifestFault> {
        let text = self.text(name)?;
        if is_batch_number(&text) { Ok(text) } else { Err(ManifestFault::OutOfRange(name)) }
    }

    fn as_of(&mut self, name: &'static str) -> Result<AsOf, ManifestFault> {
        let text = self.text(name)?;
        match calendar::parse_date(&text) {
            Some(day) => Ok(AsOf::Day(day)),
            None => {
                Timestamp::parse(&text).map(AsOf::Moment).ok_or(ManifestFault::OutOfRange(name))
            }
        }
    }

    fn files(&mut self) -> Result<Vec<FileEntry>, ManifestFault> {
        let Node::List(items) = self.take("files")? else {
            return Err(ManifestFault::OutOfRange("files"));
        };
        items
            .into_iter()
            .map(|item| {
                let mut fields = Self::of(item)?;
                let entry = FileEntry {
                    name: fields.name()?,
                    bytes: fields.number("bytes")?,
                    sha256: fields.digest("sha256")?,
                    records: fields.number("records")?,
                    plaintext_sha256: fields.optional("plaintext_sha256", Self::digest)?,
                };
                fields.end()?;
                Ok(entry)
            })
            .collect()
    }

    /// A file's name as written; what makes it unsafe is judged after everything else.
    fn name(&mut self) -> Result<String, ManifestFault> {
        match self.take("name")? {
            Node::Scalar { text, .. } if text.len() <= NAME_BYTES_MAX => Ok(text),
            _ => Err(ManifestFault::OutOfRange("name")),
        }
    }
}

#[cfg(test)]
mod tests;
