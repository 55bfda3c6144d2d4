//! Timestamps of an authority: what is asked for, and what came.
//!
//! The agent has no network. The office sends the query by its own means; the answer speaks for itself: it is held to
//! this register's checkpoint, kept beside it, and then it is an entry.

use data_encoding::BASE64;

use super::{Actor, Reply, Result, Service, query::TimestampQuery};
use crate::{
    domain::{
        calendar,
        checkpoint::Checkpoint,
        digest::Digest,
        entry::{Body, TimestampKept},
        limits,
        timestamp::{self, ANSWER_BYTES_MAX, Answer},
    },
    engine::ports::Log,
    error::{Error, Exit},
};

impl Service {
    /// `witness timestamp-request`: a query over the newest checkpoint.
    pub(super) fn timestamp_query(&self) -> Result<TimestampQuery> {
        let size = self.engine.view.size;
        let checkpoint = self.stamped(size)?;
        Ok(TimestampQuery { size, der: BASE64.encode(&timestamp::query(&checkpoint)) })
    }

    fn stamped(&self, size: u64) -> Result<Checkpoint> {
        let root = self.engine.ports.journal.root_at(Log::Register, size)?;
        Ok(Checkpoint { origin: self.origin()?, size, root })
    }

    /// `witness timestamp`.
    pub(super) fn timestamp_take(&mut self, actor: &Actor, answer: &str) -> Result<Reply> {
        let bytes = BASE64
            .decode(answer.as_bytes())
            .ok()
            .filter(|bytes| bytes.len() as u64 <= ANSWER_BYTES_MAX)
            .ok_or_else(|| Error::new(Exit::Data, "the answer is no file of such a size"))?;
        let read = Answer::parse(&bytes).map_err(|fault| {
            Error::new(Exit::Data, fault.to_string())
                .hint("'openssl ts -reply -in FILE -text' shows what the authority said")
        })?;
        let size = timestamp::size_of(read.nonce);
        let foreign = || {
            Error::new(Exit::Data, "the timestamp is over no checkpoint of this register")
                .hint("it must answer what 'batchward witness timestamp-request' wrote, unchanged")
        };
        if size == 0 || size > self.engine.view.size {
            return Err(foreign());
        }
        let checkpoint = self.stamped(size)?;
        if !read.is_over(&checkpoint) {
            return Err(foreign());
        }
        let now = self.engine.ports.clock.now();
        if read.at > now.plus_seconds(limits::COSIGNATURE_AHEAD_SECONDS_MAX) {
            return Err(Error::new(Exit::Data, "the timestamp is from the future").hint(
                "one of the two clocks is wrong: 'batchward status' says what it knows of this one",
            ));
        }
        // A stop between file and entry: the file is there, proves what it proves, and is recorded when it comes again.
        self.engine.ports.journal.keep_timestamp(size, &bytes)?;
        let body = Body::TimestampKept(TimestampKept {
            size,
            root: checkpoint.root,
            stamped_at: read.at,
            answer: Digest::of(&bytes),
            signed: actor.signed.clone(),
        });
        self.record(actor, body)?;
        let at = calendar::time(read.at, self.engine.rules.zone);
        Ok(Reply::new(&"checkpoint", format!("{size} entries are stamped at {at}"))
            .next("'openssl ts -verify' says whether the authority's certificate bears it (docs/register.md)"))
    }
}
