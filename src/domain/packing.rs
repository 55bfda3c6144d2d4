//! What a provider packs, before anything is written: records counted as an intake will count them, and the manifest
//! that follows from them.
//!
//! [`Counter`] is the intake's own decoder with nobody to take the records: what it lets pass has the shape that the
//! layout says. It keeps nothing of what it reads.

use super::{
    layout::Layout,
    manifest::{AsOf, FileEntry, Kind, Manifest},
    record::{Decoder, Fault, FaultKind, LayoutFault, Stop},
    time::Timestamp,
};

/// A file that is not what its layout says; where, and nothing of what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeFault {
    /// The shape is another one.
    #[error("record {}: {}", .0.record, words(.0.kind))]
    Shape(Fault),
    /// A column that the layout does not have, and that nobody approved.
    #[error("the header names a column that the layout does not have")]
    Column,
    /// A record that the layout's rules reject.
    #[error("record {0}: a field that must not be empty is empty")]
    Rejected(u64),
}

/// Counts the records of a batch, file after file.
pub struct Counter {
    decoder: Decoder,
    records: u64,
    rejected: u64,
    rejected_max: u64,
}

impl Counter {
    /// A counter for files of `layout`, of which its rules may reject `rejected_max` records.
    ///
    /// # Errors
    /// The layout contradicts itself.
    pub fn new(layout: &Layout, kind: Kind, rejected_max: u64) -> Result<Self, LayoutFault> {
        // No item is kept: columns that a link does not need may be missing, none may be unknown.
        let decoder = Decoder::new(layout, &[], kind)?;
        Ok(Self { decoder, records: 0, rejected: 0, rejected_max })
    }

    /// Takes the next bytes of a file.
    ///
    /// # Errors
    /// [`ShapeFault`].
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ShapeFault> {
        let Self { decoder, records, rejected, rejected_max } = self;
        decoder
            .push(bytes, &mut counting(records, rejected, *rejected_max))
            .map_err(|stop| fault(&stop))
    }

    /// The file has ended. How many records were in it.
    ///
    /// # Errors
    /// [`ShapeFault`]: the last record is not whole.
    pub fn end_of_file(&mut self) -> Result<u64, ShapeFault> {
        let Self { decoder, records, rejected, rejected_max } = self;
        decoder
            .end_of_file(&mut counting(records, rejected, *rejected_max))
            .map_err(|stop| fault(&stop))?;
        Ok(std::mem::take(&mut self.records))
    }
}

fn counting<'a>(
    records: &'a mut u64,
    rejected: &'a mut u64,
    rejected_max: u64,
) -> impl FnMut(super::record::Record<'_>) -> Result<(), u64> + 'a {
    move |record| {
        *records += 1;
        *rejected += u64::from(record.rejected);
        if *rejected > rejected_max { Err(record.number) } else { Ok(()) }
    }
}

const fn fault(stop: &Stop<u64>) -> ShapeFault {
    match stop {
        Stop::Layout(fault) => ShapeFault::Shape(*fault),
        Stop::Unapproved(_) => ShapeFault::Column,
        Stop::Sink(record) => ShapeFault::Rejected(*record),
    }
}

/// What is wrong with the shape of a file, in words.
const fn words(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Record => "its length or its end is not what the layout says",
        FaultKind::Cells => "the number of its cells is not that of the header",
        FaultKind::Quoting => "its quotes do not close, or text follows them",
        FaultKind::Encoding => "it is not in the layout's encoding",
        FaultKind::Header => "the header lacks a column, or names one twice",
        FaultKind::UnknownColumn => "the header names a column that the layout does not have",
        FaultKind::ChangeCode => "the layout does not know its change code",
        FaultKind::TooLong => "it is longer than a record may be",
    }
}

/// What a provider says of a batch; the files say the rest.
#[derive(Clone, Debug)]
pub struct Announced {
    /// The provider's number of the batch.
    pub batch: String,
    /// The link that it goes to.
    pub link: String,
    /// 資料表號.
    pub table_no: String,
    /// Full file or delta.
    pub kind: Kind,
    /// The number of a delta from 1.
    pub sequence: u64,
    /// 提供機關通知時間.
    pub notified_at: Timestamp,
    /// 依據公文文號.
    pub basis_doc_no: String,
    /// 使用目的.
    pub purpose: String,
    /// 申請筆數.
    pub applied: Option<u64>,
    /// What the data stand for.
    pub as_of: Option<AsOf>,
    /// The batch that this one corrects.
    pub replaces: Option<String>,
}

impl Announced {
    /// The manifest of these files.
    #[must_use]
    pub fn manifest(&self, files: Vec<FileEntry>) -> Manifest {
        let of = self.clone();
        Manifest {
            batch: of.batch,
            link: of.link,
            table_no: of.table_no,
            kind: of.kind,
            sequence: of.sequence,
            notified_at: of.notified_at,
            basis_doc_no: of.basis_doc_no,
            purpose: of.purpose,
            applied: of.applied,
            as_of: of.as_of,
            replaces: of.replaces,
            records: files.iter().fold(0, |sum: u64, file| sum.saturating_add(file.records)),
            files,
            each: true,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::domain::layout::{Encoding, Field, FieldKind, Format, Header, Terminator};

    fn field(name: &str, bytes: usize, required: bool) -> Field {
        Field {
            aliases: Vec::new(),
            name: name.to_owned(),
            title: name.to_owned(),
            bytes,
            kind: FieldKind::Text,
            key: false,
            required,
        }
    }

    fn layout(format: Format) -> Layout {
        Layout {
            name: "l".to_owned(),
            format,
            encoding: Encoding::Utf8,
            terminator: Terminator::Lf,
            before_roc: '-',
            fields: vec![field("a", 2, true), field("b", 3, false)],
        }
    }

    fn fixed() -> Counter {
        Counter::new(&layout(Format::FixedWidth { record_bytes: 5 }), Kind::Full, 0).unwrap()
    }

    fn delimited(rejected_max: u64) -> Counter {
        let format = Format::Delimited { delimiter: b',', quote: b'"', header: Header::Names };
        Counter::new(&layout(format), Kind::Full, rejected_max).unwrap()
    }

    #[test]
    fn each_file_has_its_own_count() {
        let mut counter = fixed();
        counter.push(b"aabbb\naab").unwrap();
        counter.push(b"bb\n").unwrap();
        assert_eq!(counter.end_of_file(), Ok(2));
        counter.push(b"aabbb").unwrap();
        assert_eq!(counter.end_of_file(), Ok(1));
        let mut counter = delimited(0);
        counter.push(b"b,a\n1,2\n\"x\n,\",3\n").unwrap();
        assert_eq!(counter.end_of_file(), Ok(2));
    }

    #[test]
    fn what_an_intake_would_refuse_does_not_count() {
        let mut counter = fixed();
        let fault = counter.push(b"aabbbb\naabbb\n").unwrap_err();
        assert_eq!(fault, ShapeFault::Shape(Fault { record: 1, kind: FaultKind::Record }));
        assert_eq!(delimited(0).push(b"a,b,c\n1,2,3\n"), Err(ShapeFault::Column));
        assert_eq!(delimited(0).push(b"a,b\n1,2\n,2\n"), Err(ShapeFault::Rejected(2)));
        assert_eq!(delimited(1).push(b"a,b\n1,2\n,2\n"), Ok(()));
        // A column that must be there; others may be missing, as a link may not take them.
        let mut lacks = delimited(0);
        let fault = lacks.push(b"b\n2\n").unwrap_err();
        assert_eq!(fault, ShapeFault::Shape(Fault { record: 1, kind: FaultKind::Header }));
        assert_eq!(delimited(0).push(b"a\n2\n"), Ok(()));
    }
}
