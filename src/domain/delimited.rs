//! Delimited files: strict RFC 4180 quoting, LF or CRLF, an UTF-8 byte-order mark accepted and reported.
//!
//! A quote that is never closed, text after a closing quote, a quote within bare text, a lone CR, or a row with
//! another number of cells than the header stop the file: a lenient reader would swallow people.

use super::{
    cp950::is_trail,
    layout::{Encoding, Header, Layout},
    limits,
    record::{Fault, FaultKind, Odd, Rows, Sink, Stop},
};

const BOM: &[u8] = b"\xEF\xBB\xBF";

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// The first byte of a row.
    Row,
    /// The first byte of a cell that is not a row's first.
    Cell,
    /// Within bare text.
    Bare,
    /// Within quotes.
    Quoted,
    /// After a quote within quotes: the end, or one of two.
    Quote,
    /// After a CR: an LF must follow.
    Return,
    /// After a 0x1A at the start of a row: nothing may follow.
    End,
}

/// A column of the file, in the header's order.
struct Column {
    /// Its field in the layout.
    field: usize,
}

/// The reader of one file after another.
pub(super) struct Delimited {
    delimiter: u8,
    quote: u8,
    header: Header,
    /// Name and title of each field.
    names: Vec<(String, String)>,
    encoding: Encoding,
    at: At,
    /// The first byte of a CP950 cell; its trail may look like a delimiter.
    lead: bool,
    start: Vec<u8>,
    started: bool,
    row: zeroize::Zeroizing<Vec<u8>>,
    /// Ends of the cells in `row`.
    ends: Vec<usize>,
    columns: Option<Vec<Column>>,
}

impl Delimited {
    pub(super) fn new(layout: &Layout, delimiter: u8, quote: u8, header: Header) -> Self {
        Self {
            delimiter,
            quote,
            header,
            names: layout.fields.iter().map(|f| (f.name.clone(), f.title.clone())).collect(),
            encoding: layout.encoding,
            at: At::Row,
            lead: false,
            start: Vec::new(),
            started: false,
            row: zeroize::Zeroizing::new(Vec::new()),
            ends: Vec::new(),
            columns: None,
        }
    }

    pub(super) fn push<E>(
        &mut self,
        bytes: &[u8],
        rows: &mut Rows,
        sink: Sink<'_, E>,
    ) -> Result<(), Stop<E>> {
        if self.started {
            return self.bytes(bytes, rows, sink);
        }
        self.start.extend_from_slice(bytes);
        if self.start.len() < BOM.len() && BOM.starts_with(&self.start) {
            return Ok(());
        }
        self.begin(rows, sink)
    }

    fn begin<E>(&mut self, rows: &mut Rows, sink: Sink<'_, E>) -> Result<(), Stop<E>> {
        self.started = true;
        if self.header == Header::None {
            self.columns = Some((0..self.names.len()).map(|field| Column { field }).collect());
        }
        let start = std::mem::take(&mut self.start);
        let bytes = match start.strip_prefix(BOM) {
            Some(rest) if self.encoding == Encoding::Utf8 => {
                rows.odd(Odd::ByteOrderMark);
                rest
            }
            _ => &start,
        };
        self.bytes(bytes, rows, sink)
    }

    fn bytes<E>(
        &mut self,
        bytes: &[u8],
        rows: &mut Rows,
        sink: Sink<'_, E>,
    ) -> Result<(), Stop<E>> {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            let plain = self.plain(rest);
            if plain > 0 {
                let (run, after) = rest.split_at(plain);
                self.row.extend_from_slice(run);
                self.at = At::Bare;
                self.check_length(rows)?;
                rest = after;
                continue;
            }
            rest = after;
            if self.lead {
                self.lead = false;
                if is_trail(byte) {
                    self.row.push(byte);
                    continue;
                }
            }
            let quoting = |rows: &Rows| Stop::Layout(rows.fault(FaultKind::Quoting));
            match self.at {
                At::Return if byte == b'\n' => self.end_row(rows, sink)?,
                At::Return => return Err(Stop::Layout(rows.fault(FaultKind::Record))),
                At::End => return Err(Stop::Layout(rows.fault(FaultKind::Record))),
                At::Quoted if byte == self.quote => self.at = At::Quote,
                At::Quoted => self.data(byte, At::Quoted),
                At::Quote if byte == self.quote => self.data(byte, At::Quoted),
                At::Row if byte == 0x1A => self.at = At::End,
                At::Row | At::Cell if byte == self.quote => self.at = At::Quoted,
                At::Bare if byte == self.quote => return Err(quoting(rows)),
                _ if byte == self.delimiter => {
                    self.ends.push(self.row.len());
                    self.at = At::Cell;
                }
                _ if byte == b'\r' => self.at = At::Return,
                _ if byte == b'\n' => self.end_row(rows, sink)?,
                At::Quote => return Err(quoting(rows)),
                At::Row | At::Cell | At::Bare => self.data(byte, At::Bare),
            }
            self.check_length(rows)?;
        }
        Ok(())
    }

    /// Bytes from here that are bare text and nothing else: most of a file. None in CP950, where a trail byte may look
    /// like a delimiter.
    fn plain(&self, bytes: &[u8]) -> usize {
        if self.encoding != Encoding::Utf8 || !matches!(self.at, At::Row | At::Cell | At::Bare) {
            return 0;
        }
        let special =
            |b: &u8| *b == self.delimiter || *b == self.quote || matches!(*b, b'\r' | b'\n' | 0x1A);
        bytes.iter().position(special).unwrap_or(bytes.len())
    }

    /// Empty cells take room too: a file of delimiters alone is no way to fill memory.
    fn check_length<E>(&self, rows: &Rows) -> Result<(), Stop<E>> {
        if self.row.len() + self.ends.len() > limits::RECORD_BYTES_MAX {
            return Err(Stop::Layout(rows.fault(FaultKind::TooLong)));
        }
        Ok(())
    }

    fn data(&mut self, byte: u8, at: At) {
        self.row.push(byte);
        self.lead = byte >= 0x80 && matches!(self.encoding, Encoding::Cp950(_));
        self.at = at;
    }

    fn end_row<E>(&mut self, rows: &mut Rows, sink: Sink<'_, E>) -> Result<(), Stop<E>> {
        self.ends.push(self.row.len());
        self.at = At::Row;
        let row = std::mem::take(&mut self.row);
        let ends = std::mem::take(&mut self.ends);
        let done = self.take(&row, &ends, rows, sink);
        // The buffers are used again for the next row.
        self.row = row;
        self.row.clear();
        self.ends = ends;
        self.ends.clear();
        done
    }

    fn take<E>(
        &mut self,
        row: &[u8],
        ends: &[usize],
        rows: &mut Rows,
        sink: Sink<'_, E>,
    ) -> Result<(), Stop<E>> {
        let Some(columns) = &self.columns else {
            self.columns = Some(self.read_header(row, ends, rows)?);
            return Ok(());
        };
        if ends.len() != columns.len() {
            return Err(Stop::Layout(rows.fault(FaultKind::Cells)));
        }
        let mut from = 0;
        for (column, to) in columns.iter().zip(ends) {
            let cell = row.get(from..*to).unwrap_or_default();
            rows.cell(column.field, cell).map_err(Stop::Layout)?;
            from = *to;
        }
        rows.finish(sink)
    }

    fn read_header<E>(
        &self,
        row: &[u8],
        ends: &[usize],
        rows: &Rows,
    ) -> Result<Vec<Column>, Stop<E>> {
        let mut columns: Vec<Column> = Vec::with_capacity(ends.len());
        let mut from = 0;
        for to in ends {
            let cell = row.get(from..*to).unwrap_or_default();
            from = *to;
            let name = match self.encoding {
                Encoding::Utf8 => std::str::from_utf8(cell)
                    .map(str::to_owned)
                    .map_err(|_| Stop::Layout(rows.fault(FaultKind::Encoding)))?,
                Encoding::Cp950(eudc) => {
                    super::cp950::decode(cell, eudc, &mut super::cp950::Tally::default())
                }
            };
            let known = self.names.iter().position(|(code, title)| match self.header {
                Header::Titles => *title == name,
                Header::Names | Header::None => *code == name,
            });
            let field =
                known.ok_or_else(|| Stop::Unapproved(rows.fault(FaultKind::UnknownColumn)))?;
            if columns.iter().any(|c| c.field == field) {
                return Err(Stop::Layout(rows.fault(FaultKind::Header)));
            }
            columns.push(Column { field });
        }
        if let Some(fault) = self.lacks(&columns, rows) {
            return Err(Stop::Layout(fault));
        }
        Ok(columns)
    }

    /// A column that is needed and not there.
    fn lacks(&self, columns: &[Column], rows: &Rows) -> Option<Fault> {
        let missing =
            (0..self.names.len()).any(|n| rows.wanted(n) && !columns.iter().any(|c| c.field == n));
        missing.then(|| rows.fault(FaultKind::Header))
    }

    pub(super) fn end<E>(&mut self, rows: &mut Rows, sink: Sink<'_, E>) -> Result<(), Stop<E>> {
        if !self.started {
            self.begin(rows, sink)?;
        }
        let ended = match self.at {
            At::Row if self.row.is_empty() && self.ends.is_empty() => Ok(()),
            At::End => {
                rows.odd(Odd::EndMark);
                Ok(())
            }
            At::Quoted => Err(Stop::Layout(rows.fault(FaultKind::Quoting))),
            At::Return => Err(Stop::Layout(rows.fault(FaultKind::Record))),
            At::Row | At::Cell | At::Bare | At::Quote => {
                if self.columns.is_some() {
                    rows.odd(Odd::MissingTerminator);
                }
                self.end_row(rows, sink)
            }
        };
        self.at = At::Row;
        self.lead = false;
        self.started = false;
        // An empty file has no header, and so no column that could be wrong; its count will be.
        self.columns = None;
        ended
    }
}
