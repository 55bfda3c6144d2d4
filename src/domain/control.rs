//! What providers put beside their files who write no manifest of ours: a control file (`CTL`), `SHA256SUMS`, or a
//! BagIt bag (RFC 8493). Each is read into the same [`Stated`] facts; what they leave open a letter says.
//!
//! They are a sender's bytes: every length and number is bounded, names are data, and nothing is believed because it is
//! written down. Nothing here looks at files, or decides whether what was stated is enough.

mod bag;
mod ctl;
mod sums;

use std::collections::BTreeMap;

use super::{
    cp950,
    digest::Digest,
    judge::{self, Document},
    layout::Eudc,
    manifest::{Kind, ManifestFault},
    notified::is_meant,
    time::Timestamp,
    words::words,
};

words! {
    /// How the deliveries of a link lie in its inbox.
    DeliveryShape {
        /// A folder each.
        Folder = "folder",
        /// Plain files directly in the inbox; those of one delivery have the same name up to the first dot.
        Flat = "flat",
    }
    /// What says what a delivery is.
    ManifestForm {
        /// `manifest.yaml` with its signature.
        Ours = "ours",
        /// A control file.
        Ctl = "ctl",
        /// `SHA256SUMS`, and a letter.
        Sums = "sha256sums",
        /// A BagIt bag.
        Bag = "bagit",
        /// A letter only.
        Letter = "letter",
    }
    /// A field of a control file, or of `bag-info.txt`.
    ControlField {
        /// 表號.
        TableNo = "table_no",
        /// 檔名.
        File = "file",
        /// 產製日期時間.
        MadeAt = "made_at",
        /// 筆數.
        Records = "records",
        /// 位元組數.
        Bytes = "bytes",
        /// SHA-256.
        Sha256 = "sha256",
        /// 序號.
        Sequence = "sequence",
        /// 批號.
        Number = "number",
        /// Full file or delta.
        Kind = "kind",
    }
}

impl ControlField {
    /// What a field is called where the link says nothing else, in any case.
    const fn labels(self) -> &'static [&'static str] {
        match self {
            Self::TableNo => &["表號", "資料表號", "TABLE_NO", "TABLE-NO"],
            Self::File => &["檔名", "檔案名稱", "FILE", "FILENAME"],
            Self::MadeAt => &["產製日期時間", "產製時間", "CREATED", "Bagging-Date"],
            Self::Records => &["筆數", "資料筆數", "RECORDS", "Record-Count"],
            Self::Bytes => &["位元組數", "BYTES"],
            Self::Sha256 => &["SHA-256", "SHA256"],
            Self::Sequence => &["序號", "SEQUENCE", "Sequence"],
            Self::Number => &["批號", "批次編號", "BATCH", "External-Identifier"],
            Self::Kind => &["檔案類別", "KIND", "Kind"],
        }
    }
}

/// How the deliveries of a link are, by its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// How they lie there.
    pub shape: DeliveryShape,
    /// What says what they are.
    pub form: ManifestForm,
    /// Which plain files of a flat inbox are a delivery's, beside control files.
    pub files: Option<String>,
    /// What fields are called.
    pub labels: BTreeMap<ControlField, String>,
    /// What they are, where nothing states it.
    pub kind: Kind,
    /// Whether a control file counts that neither a signature nor a letter stands behind.
    pub unsigned: bool,
    /// Where times without an offset are.
    pub zone: chrono_tz::Tz,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            shape: DeliveryShape::Folder,
            form: ManifestForm::Ours,
            files: None,
            labels: BTreeMap::new(),
            kind: Kind::Full,
            unsigned: false,
            zone: chrono_tz::Asia::Taipei,
        }
    }
}

impl Profile {
    /// The delivery that a plain file of a flat inbox belongs to, by its name alone: the name up to the first dot, where the
    /// file is one that the link means. A hidden file belongs to none, and `manifest.yaml` neither: it would speak for each.
    #[must_use]
    pub fn stem<'n>(&self, name: &'n [u8]) -> Option<&'n [u8]> {
        let text = std::str::from_utf8(name).ok()?;
        let pattern = self.files.as_deref().filter(|_| self.shape == DeliveryShape::Flat)?;
        if judge::is_document(name) || !is_meant(pattern, text) && !is_document(self.form, name) {
            return None;
        }
        let stem = text.split('.').next().unwrap_or_default();
        (!stem.is_empty()).then_some(stem.as_bytes())
    }

    /// Which field a label is.
    fn field(&self, label: &str) -> Option<ControlField> {
        ControlField::ALL.iter().copied().find(|field| match self.labels.get(field) {
            Some(own) => own.eq_ignore_ascii_case(label),
            None => field.labels().iter().any(|known| known.eq_ignore_ascii_case(label)),
        })
    }
}

/// One file as it was stated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatedFile {
    /// Its name; of a bag, below `data/`, with that.
    pub name: String,
    /// Bytes.
    pub bytes: Option<u64>,
    /// SHA-256.
    pub sha256: Option<Digest>,
    /// Records.
    pub records: Option<u64>,
}

/// What was stated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stated {
    /// Number of the batch.
    pub number: Option<String>,
    /// 表號.
    pub table_no: Option<String>,
    /// Full file or delta.
    pub kind: Option<Kind>,
    /// 序號.
    pub sequence: Option<u64>,
    /// 產製日期時間.
    pub made_at: Option<Timestamp>,
    /// Records over all files.
    pub records: Option<u64>,
    /// The files.
    pub files: Vec<StatedFile>,
    /// Bytes and number of all files, of a bag that states them.
    pub oxum: Option<(u64, u64)>,
    /// The bytes that a signature would be over, and the signature where there is one.
    pub signed: Option<(Vec<u8>, Option<Document>)>,
}

/// Why a control file is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlFault {
    /// Over the limit of a manifest, or with others of its delivery over that of all of them.
    #[error("a control file is over the limit of a manifest")]
    TooLong,
    /// Neither UTF-8 nor CP950.
    #[error("a control file is neither UTF-8 nor CP950")]
    Encoding,
    /// A line that is none.
    #[error("a control file has a line that cannot be read")]
    Line,
    /// A field is not there.
    #[error("a control file has no '{0}'")]
    Missing(&'static str),
    /// A field is there twice.
    #[error("a control file has '{0}' twice")]
    Doubled(&'static str),
    /// A field is out of range.
    #[error("the '{0}' of a control file is out of range")]
    OutOfRange(&'static str),
    /// A name that no file may have.
    #[error("a control file names a path")]
    UnsafeName,
    /// Several control files.
    #[error("there are several control files")]
    Several,
    /// A bag that is to be fetched in part.
    #[error("a bag leaves a part of itself elsewhere")]
    Fetch,
    /// A bag whose own files are not what it says.
    #[error("a bag's own files are not what it lists")]
    Tags,
}

impl From<ControlFault> for ManifestFault {
    fn from(fault: ControlFault) -> Self {
        match fault {
            ControlFault::UnsafeName => Self::UnsafeName,
            other => Self::Control(other),
        }
    }
}

/// Whether a name is one of the documents of a form, which are read into memory and not copied.
#[must_use]
pub fn is_document(form: ManifestForm, name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else { return false };
    match form {
        ManifestForm::Ours | ManifestForm::Letter => false,
        ManifestForm::Ctl => {
            let name = name.to_ascii_lowercase();
            name.ends_with(".ctl") || name.ends_with(".ctl.sig")
        }
        ManifestForm::Sums => {
            let name = name.to_ascii_uppercase();
            name.strip_suffix(".SIG").unwrap_or(&name).split('.').next_back() == Some("SHA256SUMS")
        }
        ManifestForm::Bag => bag::is_tag(name),
    }
}

/// Reads what the documents of a form state; nothing where they are not all there yet.
///
/// # Errors
/// [`ControlFault`].
pub fn read(
    profile: &Profile,
    documents: &[(Vec<u8>, Document)],
) -> Result<Option<Stated>, ControlFault> {
    if documents.iter().any(|(_, document)| *document == Document::TooLong) {
        return Err(ControlFault::TooLong);
    }
    match profile.form {
        ManifestForm::Ours | ManifestForm::Letter => Ok(None),
        ManifestForm::Ctl => ctl::read(profile, documents),
        ManifestForm::Sums => sums::read(documents),
        ManifestForm::Bag => bag::read(profile, documents),
    }
}

/// A document's bytes.
fn bytes(document: &Document) -> Result<Option<&[u8]>, ControlFault> {
    match document {
        Document::Missing => Ok(None),
        Document::TooLong => Err(ControlFault::TooLong),
        Document::Bytes(bytes) => Ok(Some(bytes)),
    }
}

/// A document: its name, its bytes, and the signature beside it where there is one.
type Found<'a> = (&'a str, &'a [u8], Option<Document>);

/// The one document whose name ends so, with its name and its signature beside it.
fn only(
    documents: &[(Vec<u8>, Document)],
    is_meant: impl Fn(&str) -> bool,
) -> Result<Option<Found<'_>>, ControlFault> {
    let mut found = None;
    for (name, document) in documents {
        let Ok(name) = std::str::from_utf8(name) else { return Err(ControlFault::Encoding) };
        if name.to_ascii_lowercase().ends_with(".sig") || !is_meant(name) {
            continue;
        }
        let Some(bytes) = bytes(document)? else { continue };
        if found.replace((name, bytes)).is_some() {
            return Err(ControlFault::Several);
        }
    }
    let Some((name, bytes)) = found else { return Ok(None) };
    let beside = |other: &[u8]| {
        other.len() == name.len() + 4
            && other[..name.len()] == *name.as_bytes()
            && other[name.len()..].eq_ignore_ascii_case(b".sig")
    };
    let signature = documents.iter().find(|(other, _)| beside(other)).map(|(_, one)| one.clone());
    Ok(Some((name, bytes, signature)))
}

/// A text in UTF-8 or CP950, without its mark of byte order and the end-of-file mark of old systems.
fn text(bytes: &[u8]) -> Result<String, ControlFault> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\x1A").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            let mut tally = cp950::Tally::default();
            let text = cp950::decode(bytes, Eudc::Refuse, &mut tally);
            if tally.replaced > 0 {
                return Err(ControlFault::Encoding);
            }
            text
        }
    };
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.contains(odd) { Err(ControlFault::Encoding) } else { Ok(text) }
}

/// Lines of any ending that are not empty.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '\r']).filter(|line| !line.trim().is_empty())
}

/// `label = value` or `label: value`, with the wide signs too.
fn pair(line: &str) -> Result<(&str, &str), ControlFault> {
    let at = line.find(['=', ':', '＝', '：']).ok_or(ControlFault::Line)?;
    let sign = line[at..].chars().next().map_or(1, char::len_utf8);
    let (label, value) = (line[..at].trim(), line[at + sign..].trim());
    if label.is_empty() { Err(ControlFault::Line) } else { Ok((label, value)) }
}

/// A whole number in ASCII digits, zeros before it or not.
fn number(field: ControlField, text: &str) -> Result<u64, ControlFault> {
    let fault = ControlFault::OutOfRange(field.word());
    let digits = !text.is_empty() && text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().map_err(|_| fault) } else { Err(fault) }
}

fn digest(text: &str) -> Result<Digest, ControlFault> {
    Digest::from_hex(&text.to_ascii_lowercase()).ok_or(ControlFault::OutOfRange("sha256"))
}

/// A name of one part that shows as what it is.
fn name(text: &str) -> Result<String, ControlFault> {
    const NAME_BYTES_MAX: usize = 255;
    if text.len() > NAME_BYTES_MAX || !super::manifest::is_safe_name(text) {
        return Err(ControlFault::UnsafeName);
    }
    Ok(text.to_owned())
}

/// A field that may be there once.
fn once<T>(slot: &mut Option<T>, field: ControlField, value: T) -> Result<(), ControlFault> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(ControlFault::Doubled(field.word())),
    }
}

fn kind(text: &str) -> Result<Kind, ControlFault> {
    match text {
        "full" | "全檔" | "F" => Ok(Kind::Full),
        "delta" | "異動檔" | "異動" | "D" => Ok(Kind::Delta),
        _ => Err(ControlFault::OutOfRange(ControlField::Kind.word())),
    }
}

#[cfg(test)]
mod tests;
