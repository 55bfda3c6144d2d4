//! Whom the words of the command line talk to: the site itself, opened under its lock.
//!
//! The words know queries, commands and readings only. What they come to is the same whoever answers.

use std::path::Path;

use super::identity::Identity;
use crate::{
    domain::{ids::BatchId, time::Timestamp},
    error::{Error, Exit},
    service::{
        Answer, Command, Draft, Query, Reply, Result, Service,
        query::{BatchPart, DraftFacts, EntryPart, SiteFacts},
        reading::{Reading, Rows, Served},
        show::BatchRow,
    },
    wiring::{self, Hooks},
};

/// Somebody who answers.
pub(super) enum Client {
    /// The site, opened by this process.
    Direct(Box<Service>),
}

/// What all that could be done now came to.
pub(super) struct Once {
    /// Every batch, and deliveries that are not batches yet.
    pub(super) rows: Vec<BatchRow>,
    /// What there is to tell.
    pub(super) notes: Vec<String>,
    /// Whether there was room on every disk.
    pub(super) room: Result<()>,
}

/// Opens the site as its agent, and does all that can be done now.
pub(super) fn once(config: &Path, hooks: &Hooks) -> Result<Once> {
    let mut service = wiring::open(config, hooks, true)?;
    service.once()?;
    let rows = service.batches()?;
    Ok(Once { rows, notes: service.notes(), room: service.room() })
}

impl Client {
    /// Finds who answers for the site.
    pub(super) fn open(config: &Path, hooks: &Hooks) -> Result<Self> {
        Ok(Self::Direct(Box::new(wiring::open(config, hooks, false)?)))
    }

    /// Asks for one value.
    pub(super) fn ask<T>(&mut self, query: Query) -> Result<T>
    where
        T: TryFrom<Answer, Error = Error>,
    {
        let answer = match self {
            Self::Direct(service) => service.ask(query)?,
        };
        answer.try_into()
    }

    /// Does one thing, signed where the caller signs; with what there is to tell about it.
    pub(super) fn act(
        &mut self,
        identity: &Identity,
        command: Command,
    ) -> Result<(Reply, Vec<String>)> {
        let draft = self.draft(&command)?;
        let caller = identity.caller(&draft, self.now())?;
        match self {
            Self::Direct(service) => {
                let reply = service.handle(&caller, command)?;
                Ok((reply, service.notes()))
            }
        }
    }

    /// Reads rows.
    pub(super) fn read(
        &mut self,
        identity: &Identity,
        reading: &Reading,
        rows: &mut dyn Rows,
    ) -> Result<Served> {
        let draft = Draft::of_reading(reading, self.site()?.origin)?;
        let caller = identity.caller(&draft, self.now())?;
        match self {
            Self::Direct(service) => service.read(&caller, reading, rows),
        }
    }

    /// What is known of the site.
    pub(super) fn site(&mut self) -> Result<SiteFacts> {
        self.ask(Query::Site)
    }

    /// A batch by its id or number.
    pub(super) fn batch_named(&mut self, text: &str) -> Result<BatchId> {
        self.ask(Query::BatchNamed { text: text.to_owned() })
    }

    /// Every row of `batch list`.
    pub(super) fn batches(&mut self) -> Result<Vec<BatchRow>> {
        let mut rows = Vec::new();
        let mut after = None;
        loop {
            let part: BatchPart = self.ask(Query::Batches { after })?;
            rows.extend(part.rows);
            match part.next {
                None => return Ok(rows),
                next => after = next,
            }
        }
    }

    /// Every entry of the register.
    pub(super) fn entries(&mut self) -> Result<Vec<serde_json::Value>> {
        let mut rows = Vec::new();
        let mut from = 0;
        loop {
            let part: EntryPart = self.ask(Query::Entries { from })?;
            rows.extend(part.rows);
            match part.next {
                Some(next) if next > from => from = next,
                Some(_) => return Err(Error::new(Exit::Failed, "the agent answers in circles")),
                None => return Ok(rows),
            }
        }
    }

    /// What has to be signed. The agent says which entry it is about; everything else is what was asked for here.
    fn draft(&mut self, command: &Command) -> Result<Draft> {
        let facts: DraftFacts = match self {
            Self::Direct(service) => {
                let Draft { origin, object_digest, .. } = service.draft(command)?;
                DraftFacts { origin, object_digest }
            }
        };
        Ok(Draft::of_command(command, facts))
    }

    fn now(&self) -> Timestamp {
        match self {
            Self::Direct(service) => service.now(),
        }
    }
}
