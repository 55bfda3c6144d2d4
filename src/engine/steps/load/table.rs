//! The table that a load makes of a batch's files: decoded, checked and counted record by record.

use super::{Halt, Source};
use crate::{
    domain::{
        digest::{Hasher, KeyedHasher},
        entry::Counts,
        layout::Layout,
        limits,
        link::Link,
        manifest::Kind,
        reason::Reason,
        record::{Change, Decoder, Record, Stop},
    },
    engine::{
        StepError,
        ports::{Meter, Opener, PortError, VaultBuild},
    },
};

/// A table that is being made.
pub(super) struct Table {
    pub(super) decoder: Decoder,
    pub(super) build: Box<dyn VaultBuild>,
    parsed: u64,
    accepted: u64,
    rejected: u64,
    /// The first fault of layout; decryption and plaintext digests go before it, so the stream is read to its end.
    fault: Option<Reason>,
    miscounted: bool,
}

impl Table {
    pub(super) fn new(
        layout: &Layout,
        link: &Link,
        kind: Kind,
        build: Box<dyn VaultBuild>,
    ) -> Result<Self, Halt> {
        let decoder =
            Decoder::new(layout, &link.items, kind).map_err(|_| StepError::Stuck("layout"))?;
        Ok(Self {
            decoder,
            build,
            parsed: 0,
            accepted: 0,
            rejected: 0,
            fault: None,
            miscounted: false,
        })
    }

    pub(super) const fn counts(&self) -> Counts {
        Counts {
            declared: None,
            parsed: if self.fault.is_some() { None } else { Some(self.parsed) },
            accepted: if self.fault.is_some() { None } else { Some(self.accepted) },
            rejected: if self.fault.is_some() { None } else { Some(self.rejected) },
            committed: Some(0),
        }
    }

    pub(super) fn take(
        &mut self,
        mut source: Source,
        content: &mut KeyedHasher,
        opener: &dyn Opener,
        meter: &Meter,
    ) -> Result<(), Halt> {
        let before = self.parsed;
        // Hashed only where there is a digest to compare with: the content's code covers the same bytes.
        let mut declared = source.plaintext_sha256.map(|digest| (digest, Hasher::new()));
        let mut chunk = zeroize::Zeroizing::new(vec![0; 1 << 16]);
        // What the format itself proves failed, or the file ends before it can.
        let halt = |error: &std::io::Error| match opener.fault(error) {
            Some(fault) => Halt::from(fault),
            None => Halt::Step(StepError::Later("spool-read")),
        };
        loop {
            let mut length: u64 = 0;
            loop {
                let read = match source.plain.read(&mut chunk) {
                    Ok(0) => break,
                    Ok(read) => read,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                    Err(error) => return Err(halt(&error)),
                };
                let bytes = &chunk[..read];
                length += read as u64;
                meter.add(read as u64);
                if let Some((_, hasher)) = &mut declared {
                    hasher.update(bytes);
                }
                content.update(bytes);
                self.decode(|decoder, sink| decoder.push(bytes, sink))?;
            }
            // Files are told apart in the content's code: the same bytes cut elsewhere are other content.
            content.update(&length.to_be_bytes());
            self.decode(|decoder, sink| decoder.end_of_file(sink).map(|_| ()))?;
            // An archive holds several, each of which begins and ends as a file of the layout does.
            if !source.plain.next_file().map_err(|error| halt(&error))? {
                break;
            }
        }
        if declared.is_some_and(|(digest, hasher)| digest != hasher.finish()) {
            return Err(Halt::Verdict(Reason::PlaintextMismatch));
        }
        self.miscounted |= source.records.is_some_and(|stated| self.parsed - before != stated);
        Ok(())
    }

    fn decode(
        &mut self,
        step: impl FnOnce(
            &mut Decoder,
            &mut dyn FnMut(Record<'_>) -> Result<(), PortError>,
        ) -> Result<(), Stop<PortError>>,
    ) -> Result<(), Halt> {
        if self.fault.is_some() {
            return Ok(());
        }
        let Self { decoder, build, parsed, accepted, rejected, .. } = self;
        let mut sink = |record: Record<'_>| {
            *parsed += 1;
            if record.rejected {
                *rejected += 1;
                return Ok(());
            }
            *accepted += 1;
            build.insert(record.number, record.change == Some(Change::Remove), record.values)
        };
        match step(decoder, &mut sink) {
            Ok(()) => {}
            Err(Stop::Layout(_)) => self.fault = Some(Reason::LayoutError),
            Err(Stop::Unapproved(_)) => self.fault = Some(Reason::UnapprovedColumn),
            Err(Stop::Sink(error)) => return Err(error.into()),
        }
        if self.parsed > limits::RECORDS_MAX {
            return Err(Halt::Verdict(Reason::LimitExceeded));
        }
        Ok(())
    }

    pub(super) fn judge(&self, declared: u64, max_rejected: u64) -> Result<(), Reason> {
        if let Some(reason) = self.fault {
            return Err(reason);
        }
        if self.rejected > max_rejected {
            return Err(Reason::LayoutError);
        }
        if self.miscounted
            || self.parsed != declared
            || self.parsed != self.accepted + self.rejected
        {
            return Err(Reason::CountMismatch);
        }
        Ok(())
    }
}
