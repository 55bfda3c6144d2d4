//! From bytes to records: one decoder over both shapes of file, streaming, with whatever chunks come.
//!
//! A wrong shape of the file stops it; odd contents of a field are counted and never keep a person out. Only the
//! link's items leave this module: the other fields of the layout are cut away here and stored nowhere.

use super::{
    cp950::{self, Tally},
    delimited::Delimited,
    findings::{Findings, Position},
    fixed_width::FixedWidth,
    layout::{ChangeCodes, Encoding, Field, FieldKind, Format, Layout},
    limits,
    manifest::Kind,
    national_id::{self, NumberKind},
    roc_date::{self, RocDate},
};

/// What a delta's record does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new record.
    Add,
    /// A changed record.
    Change,
    /// A removed record.
    Remove,
}

/// One record.
#[derive(Debug)]
pub struct Record<'a> {
    /// From 1, over all files of the batch.
    pub number: u64,
    /// What it does, in a delta.
    pub change: Option<Change>,
    /// The items, in the link's order.
    pub values: &'a [String],
    /// Whether a rule of the layout rejects it.
    pub rejected: bool,
}

/// What is wrong with the shape of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The length or terminator of a record.
    Record,
    /// A number of cells that is not the header's.
    Cells,
    /// Quoting.
    Quoting,
    /// Bytes that are not of the encoding.
    Encoding,
    /// A header that lacks an item, or names one twice.
    Header,
    /// A column that the layout does not know.
    UnknownColumn,
    /// A change code that the layout does not know.
    ChangeCode,
    /// A record over the limit.
    TooLong,
}

/// Where the shape of a file is wrong; nothing of what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The record, from 1 over all files.
    pub record: u64,
    /// What.
    pub kind: FaultKind,
}

/// Why decoding stopped.
#[derive(Debug)]
pub enum Stop<E> {
    /// The shape is wrong.
    Layout(Fault),
    /// A column that nobody approved.
    Unapproved(Fault),
    /// Whoever takes the records said so.
    Sink(E),
}

/// A layout and items that do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutFault {
    /// An item is no field.
    #[error("an item is no field of the layout")]
    Item,
    /// An item stands twice.
    #[error("an item stands twice")]
    ItemTwice,
    /// The fields do not fill the record, or there is nothing to fill.
    #[error("the fields' bytes do not add up to the record's")]
    Length,
}

/// Takes records.
pub type Sink<'s, E> = &'s mut dyn FnMut(Record<'_>) -> Result<(), E>;

/// The decoder of one batch.
pub struct Decoder {
    shape: Shape,
    rows: Rows,
}

enum Shape {
    Fixed(FixedWidth),
    Delimited(Box<Delimited>),
}

impl Decoder {
    /// A decoder for files of `layout`, of which `items` are kept.
    ///
    /// # Errors
    /// They do not go together.
    pub fn new(layout: &Layout, items: &[String], kind: Kind) -> Result<Self, LayoutFault> {
        let rows = Rows::new(layout, items, kind)?;
        let shape = match &layout.format {
            Format::FixedWidth { record_bytes } => {
                let sum: usize = layout.fields.iter().map(|f| f.bytes).sum();
                if sum != *record_bytes || sum == 0 {
                    return Err(LayoutFault::Length);
                }
                Shape::Fixed(FixedWidth::new(layout, *record_bytes))
            }
            Format::Delimited { delimiter, quote, header } => {
                Shape::Delimited(Box::new(Delimited::new(layout, *delimiter, *quote, *header)))
            }
        };
        Ok(Self { shape, rows })
    }

    /// Takes the next bytes of a file.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn push<E>(&mut self, bytes: &[u8], sink: Sink<'_, E>) -> Result<(), Stop<E>> {
        match &mut self.shape {
            Shape::Fixed(fixed) => fixed.push(bytes, &mut self.rows, sink),
            Shape::Delimited(delimited) => delimited.push(bytes, &mut self.rows, sink),
        }
    }

    /// The file has ended; the next bytes are another's.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn end_of_file<E>(&mut self, sink: Sink<'_, E>) -> Result<(), Stop<E>> {
        match &mut self.shape {
            Shape::Fixed(fixed) => fixed.end(&mut self.rows, sink),
            Shape::Delimited(delimited) => delimited.end(&mut self.rows, sink),
        }
    }

    /// What was odd so far.
    #[must_use]
    pub fn findings(&self) -> Findings {
        self.rows.findings()
    }

    /// Where, up to [`limits::FINDING_POSITIONS_MAX`].
    #[must_use]
    pub fn positions(&self) -> &[Position] {
        &self.rows.positions
    }
}

/// One item while records are made.
struct Item {
    field: Field,
    counts: [u64; 4],
}

/// Kinds of findings of a field kind, in the order of `Item::counts`; the fourth is always replaced characters.
const fn kinds(kind: &FieldKind) -> [&'static str; 3] {
    match kind {
        FieldKind::NationalId => ["checksum_failed", "new_arc", "old_arc"],
        FieldKind::RocDate => ["unknown", "impossible", "before_roc"],
        FieldKind::Text => ["private_use", "missing_mark", ""],
        FieldKind::Integer | FieldKind::Code | FieldKind::Change(_) => ["", "", ""],
    }
}

/// Decodes UTF-8 into `text`; false where it is none. A fixed width (`cut`) may part a character as it parts one of
/// CP950: up to three bytes of it at either edge are one half character each. A delimiter never does.
fn utf8_into(bytes: &[u8], cut: bool, text: &mut String, tally: &mut Tally) -> bool {
    let is_tail = |byte: &&u8| matches!(**byte, 0x80..=0xBF);
    let tail = if cut { bytes.iter().take(3).take_while(is_tail).count() } else { 0 };
    let (half, rest) = bytes.split_at(tail);
    let mut replace = |text: &mut String| {
        text.push(char::REPLACEMENT_CHARACTER);
        tally.replaced += 1;
        tally.half += 1;
    };
    if !half.is_empty() {
        replace(text);
    }
    match std::str::from_utf8(rest) {
        Ok(whole) => text.push_str(whole),
        Err(error) if cut && error.error_len().is_none() => {
            let whole = rest.get(..error.valid_up_to()).unwrap_or_default();
            text.push_str(std::str::from_utf8(whole).unwrap_or_default());
            replace(text);
        }
        Err(_) => return false,
    }
    true
}

/// Nothing in it but blanks of either width.
fn is_blank(text: &str) -> bool {
    text.chars().all(|c| matches!(c, ' ' | '\u{3000}'))
}

/// Without the U+0020 at the end: in CP950 it is never the second byte of a cell.
fn unpadded(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|b| *b != b' ').map_or(0, |last| last + 1);
    bytes.get(..end).unwrap_or_default()
}

/// What a field of the layout is for.
#[derive(Clone, Copy, Default)]
struct Use {
    /// Its place among the items.
    place: Option<usize>,
    /// It says what a delta's record does.
    change: bool,
    required: bool,
}

impl Use {
    const fn is_any(self) -> bool {
        self.place.is_some() || self.change || self.required
    }
}

/// Turns the cells of a record into its items.
pub(super) struct Rows {
    encoding: Encoding,
    before_roc: char,
    /// For each field of the layout, what it is for.
    uses: Vec<Use>,
    items: Vec<Item>,
    values: Vec<String>,
    change_codes: Option<ChangeCodes>,
    change_text: String,
    required_blank: bool,
    fixed: bool,
    number: u64,
    /// Records with half a character in an item.
    half: u64,
    half_seen: bool,
    odd: [u64; 3],
    positions: Vec<Position>,
    scratch: String,
}

/// Oddities of whole files that are accepted and reported.
#[derive(Clone, Copy)]
pub(super) enum Odd {
    MissingTerminator,
    EndMark,
    ByteOrderMark,
}

const ODD: [&str; 3] = ["missing_last_terminator", "end_mark", "byte_order_mark"];

impl Rows {
    fn new(layout: &Layout, items: &[String], kind: Kind) -> Result<Self, LayoutFault> {
        let mut kept = Vec::with_capacity(items.len());
        for name in items {
            let field = layout.field(name).ok_or(LayoutFault::Item)?.clone();
            if kept.iter().any(|item: &Item| item.field.name == *name) {
                return Err(LayoutFault::ItemTwice);
            }
            kept.push(Item { field, counts: [0; 4] });
        }
        let mut uses: Vec<Use> = Vec::with_capacity(layout.fields.len());
        let mut change_codes = None;
        for field in &layout.fields {
            let place = items.iter().position(|item| *item == field.name);
            let change = match &field.kind {
                FieldKind::Change(codes) if kind == Kind::Delta && change_codes.is_none() => {
                    change_codes = Some(codes.clone());
                    true
                }
                _ => false,
            };
            uses.push(Use { place, change, required: field.required });
        }
        Ok(Self {
            encoding: layout.encoding,
            before_roc: layout.before_roc,
            uses,
            values: vec![String::new(); kept.len()],
            items: kept,
            change_codes,
            change_text: String::new(),
            required_blank: false,
            fixed: matches!(layout.format, Format::FixedWidth { .. }),
            number: 0,
            half: 0,
            half_seen: false,
            odd: [0; 3],
            positions: Vec::new(),
            scratch: String::new(),
        })
    }

    /// The number of the record that is being read.
    pub(super) const fn current(&self) -> u64 {
        self.number + 1
    }

    pub(super) const fn fault(&self, kind: FaultKind) -> Fault {
        Fault { record: self.current(), kind }
    }

    pub(super) const fn odd(&mut self, odd: Odd) {
        self.odd[odd as usize] += 1;
    }

    /// Whether a field's bytes are needed at all.
    pub(super) fn wanted(&self, field: usize) -> bool {
        self.uses.get(field).is_some_and(|of| of.is_any())
    }

    /// Whether a field must be looked at: every cell must be text of its encoding, also those that are not kept; but in
    /// CP950 everything is text.
    pub(super) fn looked_at(&self, field: usize) -> bool {
        self.encoding == Encoding::Utf8 || self.wanted(field)
    }

    /// Takes the bytes of one field of the layout.
    pub(super) fn cell(&mut self, field: usize, bytes: &[u8]) -> Result<(), Fault> {
        let of = self.uses.get(field).copied().unwrap_or_default();
        if !of.is_any() && self.encoding != Encoding::Utf8 {
            return Ok(());
        }
        let mut text = match of.place.and_then(|place| self.values.get_mut(place)) {
            Some(value) => std::mem::take(value),
            None => std::mem::take(&mut self.scratch),
        };
        text.clear();
        let mut tally = Tally::default();
        match self.encoding {
            Encoding::Cp950(eudc) => {
                // Blanks at the end of a fixed field are cut off below in any case; most fields are mostly blank.
                let bytes = if self.fixed { unpadded(bytes) } else { bytes };
                cp950::decode_into(bytes, eudc, &mut text, &mut tally);
            }
            Encoding::Utf8 if !utf8_into(bytes, self.fixed, &mut text, &mut tally) => {
                return Err(self.fault(FaultKind::Encoding));
            }
            Encoding::Utf8 => {}
        }
        if self.fixed && of.is_any() {
            text.truncate(text.trim_end_matches([' ', '\u{3000}']).len());
        }
        if of.required && is_blank(&text) {
            self.required_blank = true;
        }
        if of.change {
            self.change_text.clear();
            self.change_text.push_str(&text);
        }
        match of.place {
            Some(place) => {
                self.examine(place, &text, tally);
                if let Some(value) = self.values.get_mut(place) {
                    *value = text;
                }
            }
            None => self.scratch = text,
        }
        Ok(())
    }

    fn examine(&mut self, place: usize, text: &str, tally: Tally) {
        let record = self.current();
        self.half_seen |= tally.half > 0;
        let Some(item) = self.items.get_mut(place) else { return };
        let mut found = [0; 4];
        let ascii = text.is_ascii();
        if !ascii {
            found[3] = text.matches(char::REPLACEMENT_CHARACTER).count() as u64;
        }
        match item.field.kind {
            _ if is_blank(text) => {}
            FieldKind::NationalId => match national_id::judge(text) {
                None => found[0] = 1,
                Some(NumberKind::NewArc) => found[1] = 1,
                Some(NumberKind::OldArc) => found[2] = 1,
                Some(NumberKind::National) => {}
            },
            FieldKind::RocDate => match roc_date::parse(text, self.before_roc) {
                // A date is counted once: what is not known is not counted as early as well.
                RocDate::Unknown => found[0] = 1,
                RocDate::Impossible => found[1] = 1,
                RocDate::Day { before_roc, .. } => found[2] = u64::from(before_roc),
            },
            FieldKind::Text if ascii => {}
            FieldKind::Text => {
                for c in text.chars().filter(|c| *c >= '■') {
                    found[0] +=
                        u64::from(matches!(u32::from(c), 0xE000..=0xF8FF | 0xF_0000..=0x10_FFFD));
                    found[1] += u64::from(c == '■');
                }
            }
            FieldKind::Integer | FieldKind::Code | FieldKind::Change(_) => {}
        }
        if found == [0; 4] {
            return;
        }
        let names = kinds(&item.field.kind);
        for (n, count) in found.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            item.counts[n] += count;
            if self.positions.len() < limits::FINDING_POSITIONS_MAX {
                let code = names.get(n).copied().unwrap_or("replaced").to_owned();
                self.positions.push(Position { record, field: item.field.name.clone(), code });
            }
        }
    }

    /// The record is whole: hands it on.
    pub(super) fn finish<E>(&mut self, sink: Sink<'_, E>) -> Result<(), Stop<E>> {
        let change = match &self.change_codes {
            None => None,
            Some(codes) => {
                let is = |list: &[String]| list.contains(&self.change_text);
                if is(&codes.add) {
                    Some(Change::Add)
                } else if is(&codes.change) {
                    Some(Change::Change)
                } else if is(&codes.remove) {
                    Some(Change::Remove)
                } else {
                    return Err(Stop::Layout(self.fault(FaultKind::ChangeCode)));
                }
            }
        };
        self.number += 1;
        self.half += u64::from(std::mem::take(&mut self.half_seen));
        let rejected = std::mem::take(&mut self.required_blank);
        let record = Record { number: self.number, change, values: &self.values, rejected };
        sink(record).map_err(Stop::Sink)
    }

    fn findings(&self) -> Findings {
        let mut findings = Findings::default();
        for item in &self.items {
            let name = &item.field.name;
            let names = kinds(&item.field.kind);
            let named: Vec<&str> = names.into_iter().filter(|kind| !kind.is_empty()).collect();
            if !named.is_empty() {
                findings.open(name, &named);
            }
            for (kind, count) in
                names.into_iter().zip(item.counts).filter(|(kind, _)| !kind.is_empty())
            {
                findings.count(name, kind, count);
            }
            if item.counts[3] > 0 || item.field.kind == FieldKind::Text {
                findings.count(name, "replaced", item.counts[3]);
            }
        }
        for (kind, count) in ODD.into_iter().zip(self.odd).chain([("half_character", self.half)]) {
            if count > 0 {
                findings.count_whole(kind, count);
            }
        }
        findings
    }
}

#[cfg(test)]
mod tests;
