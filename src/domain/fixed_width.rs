//! Records of the same number of bytes, cut in bytes before anything is decoded.
//!
//! Accepted and reported: a missing terminator of the last record, and one 0x1A after it. Anything else of another
//! length or with another terminator stops the file.

use super::{
    layout::{Layout, Terminator},
    record::{FaultKind, Odd, Rows, Sink, Stop},
};

/// The old end-of-file mark of DOS.
const END_MARK: u8 = 0x1A;

/// The reader of one file after another.
pub(super) struct FixedWidth {
    record: usize,
    terminator: &'static [u8],
    /// Bytes of each field, in order.
    widths: Vec<usize>,
    rest: zeroize::Zeroizing<Vec<u8>>,
}

impl FixedWidth {
    pub(super) fn new(layout: &Layout, record: usize) -> Self {
        let terminator: &[u8] = match layout.terminator {
            Terminator::CrLf => b"\r\n",
            Terminator::Lf => b"\n",
            Terminator::None => b"",
        };
        let widths = layout.fields.iter().map(|f| f.bytes).collect();
        Self { record, terminator, widths, rest: zeroize::Zeroizing::new(Vec::new()) }
    }

    const fn unit(&self) -> usize {
        self.record + self.terminator.len()
    }

    pub(super) fn push<E>(
        &mut self,
        bytes: &[u8],
        rows: &mut Rows,
        sink: Sink<'_, E>,
    ) -> Result<(), Stop<E>> {
        let unit = self.unit();
        let mut held = std::mem::take(&mut self.rest);
        held.extend_from_slice(bytes);
        let mut from = 0;
        // A record is taken only when more bytes follow it: what the last one may lack is decided at the end.
        while held.len() - from > unit {
            self.take(&held[from..from + unit], rows, sink)?;
            from += unit;
        }
        held.drain(..from);
        self.rest = held;
        Ok(())
    }

    pub(super) fn end<E>(&mut self, rows: &mut Rows, sink: Sink<'_, E>) -> Result<(), Stop<E>> {
        let rest = std::mem::take(&mut self.rest);
        let mut bytes: &[u8] = &rest;
        let (unit, record) = (self.unit(), self.record);
        if bytes.len() == unit && bytes.ends_with(self.terminator) {
            return self.take(bytes, rows, sink);
        }
        if bytes.last() == Some(&END_MARK) && (bytes.len() == 1 || bytes.len() == record + 1) {
            rows.odd(Odd::EndMark);
            bytes = &bytes[..bytes.len() - 1];
        }
        if bytes.is_empty() {
            return Ok(());
        }
        if bytes.len() != record {
            return Err(Stop::Layout(rows.fault(FaultKind::Record)));
        }
        if !self.terminator.is_empty() {
            rows.odd(Odd::MissingTerminator);
        }
        self.fields(bytes, rows, sink)
    }

    fn take<E>(&self, unit: &[u8], rows: &mut Rows, sink: Sink<'_, E>) -> Result<(), Stop<E>> {
        let (record, terminator) = unit.split_at(self.record);
        if terminator != self.terminator {
            return Err(Stop::Layout(rows.fault(FaultKind::Record)));
        }
        self.fields(record, rows, sink)
    }

    fn fields<E>(&self, record: &[u8], rows: &mut Rows, sink: Sink<'_, E>) -> Result<(), Stop<E>> {
        // A line break within a record means that the records are not where the layout says.
        let breaks = record.iter().fold(false, |any, b| any | matches!(b, b'\r' | b'\n'));
        if breaks && !self.terminator.is_empty() {
            return Err(Stop::Layout(rows.fault(FaultKind::Record)));
        }
        let mut rest = record;
        for (field, width) in self.widths.iter().enumerate() {
            let (cell, tail) = rest.split_at(*width);
            if rows.looked_at(field) {
                rows.cell(field, cell).map_err(Stop::Layout)?;
            }
            rest = tail;
        }
        rows.finish(sink)
    }
}
