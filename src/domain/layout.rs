//! A layout: how the bytes of a delivery's files become fields. Layouts are data, since no public one exists
//! (REGULATIONS 2a).

/// `layouts/<name>.yaml`, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Name, the file's own.
    pub name: String,
    /// Fixed width or delimited.
    pub format: Format,
    /// How bytes become text.
    pub encoding: Encoding,
    /// How lines end.
    pub terminator: Terminator,
    /// What stands before the six digits of a date before the ROC.
    pub before_roc: char,
    /// The fields, in the order of the file.
    pub fields: Vec<Field>,
}

impl Layout {
    /// The field of look-ups, where there is one.
    #[must_use]
    pub fn key(&self) -> Option<&Field> {
        self.fields.iter().find(|f| f.key)
    }

    /// The field with this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }
}

/// The two shapes of file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Records of the same number of bytes.
    FixedWidth {
        /// Bytes of a record without its terminator.
        record_bytes: usize,
    },
    /// RFC 4180 with a delimiter of choice.
    Delimited {
        /// One ASCII byte.
        delimiter: u8,
        /// One ASCII byte.
        quote: u8,
        /// What the first line holds.
        header: Header,
    },
}

/// What the first line of a delimited file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// The fields' names; the column order is free.
    Names,
    /// The fields' titles; the column order is free.
    Titles,
    /// The first record: all the layout's fields in its order.
    None,
}

/// How bytes become text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Code page 950, with a profile for its 6,217 user-defined cells.
    Cp950(Eudc),
    /// UTF-8.
    Utf8,
}

/// What a user-defined CP950 cell (造字) becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eudc {
    /// Its character of the private use area, by Microsoft's formula (REGULATIONS 2d).
    MsPua,
    /// U+FFFD: the site has not said what its cells mean, and counts them as replaced.
    Refuse,
}

/// How lines end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminator {
    /// CR LF.
    CrLf,
    /// LF.
    Lf,
    /// Nothing between records.
    None,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name in code and in delimited headers.
    pub name: String,
    /// 欄位名稱.
    pub title: String,
    /// What else people write over a column of it, in lists that they bring.
    pub aliases: Vec<String>,
    /// Bytes in a fixed-width record; 0 in a delimited file.
    pub bytes: usize,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether look-ups go by it.
    pub key: bool,
    /// Whether a record without it is rejected.
    pub required: bool,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Names, places.
    Text,
    /// 統一編號.
    NationalId,
    /// ROC date of seven characters.
    RocDate,
    /// Digits.
    Integer,
    /// A code.
    Code,
    /// 異動別: what a delta's record does.
    Change(ChangeCodes),
}

/// The codes of a change field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeCodes {
    /// A new record.
    pub add: Vec<String>,
    /// A changed record.
    pub change: Vec<String>,
    /// A removed record.
    pub remove: Vec<String>,
}
