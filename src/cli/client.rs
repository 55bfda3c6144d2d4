//! Whom the words of the command line talk to: the resident agent where one answers at its socket, else the site
//! itself, opened under its lock by whoever owns it.
//!
//! The words know queries, commands and readings only. What they come to is the same whoever answers.

use std::{collections::BTreeMap, path::Path};

use super::{
    bars::{self, Bars},
    identity::Identity,
};
use crate::{
    domain::{ids::BatchId, time::Timestamp},
    error::{Error, Exit},
    protocol::{CommandRequest, InspectRequest, ReadRequest, Remote, SecretText, SignedBy},
    service::{
        Answer, Caller, Command, Draft, Query, Reply, Result, Service,
        applications::{LinkPage, StaffLine},
        forms::{RegisterFilter, RegisterPart, Seal, Sheet},
        inspecting::Inspection,
        onlooker::Onlooker,
        query::{BatchPart, DraftFacts, EntryPart, SiteFacts},
        reading::{Reading, Rows, Served},
        show::BatchRow,
    },
    wiring::{self, Hooks},
};

/// Who the people of entries were, by place: who made each, and who decided what it confirms from a document.
#[derive(Default)]
pub(super) struct EntryPeople {
    pub(super) made: BTreeMap<u64, Seal>,
    pub(super) decided: BTreeMap<u64, Seal>,
}

/// Somebody who answers.
pub(super) enum Client {
    /// The site, opened by this process.
    Direct(Box<Service>),
    /// The agent that runs.
    Remote(Box<Remote>, Hooks),
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
pub(super) fn once(
    config: &Path,
    hooks: &Hooks,
    shown: bool,
    remote: Option<wiring::Remote>,
) -> Result<Once> {
    let mut service = wiring::once(config, hooks, remote)?;
    if shown {
        service.employ(Box::new(Bars));
    }
    service.once()?;
    let rows = service.batches()?;
    Ok(Once { rows, notes: service.notes(), room: service.room() })
}

impl Client {
    /// Finds who answers for the site.
    pub(super) fn open(config: &Path, identity: &Identity, hooks: &Hooks) -> Result<Self> {
        let at = wiring::control(config);
        let ours = |remote: &Remote| at.origin.as_ref().is_none_or(|o| *o == remote.hello().origin);
        let mut remote = match Remote::connect(&at.socket, at.owner) {
            Ok(Some(remote)) if ours(&remote) => remote,
            // Another site's agent may have the socket. To whoever owns the state, its lock says whether one runs.
            Err(error) if error.exit != Exit::Refused || !at.is_own() => return Err(error),
            Ok(_) | Err(_) => {
                return Ok(Self::Direct(Box::new(wiring::open(config, hooks, false)?)));
            }
        };
        if !remote.is_known() && identity.signs() {
            let by = identity.caller(
                &Draft::of_identity(&remote.hello().origin, &remote.hello().challenge),
                wiring::now(hooks),
            )?;
            if let Some(by) = signed_by(by) {
                remote.identify(by)?;
            }
        }
        Ok(Self::Remote(Box::new(remote), *hooks))
    }

    /// Asks for one value.
    pub(super) fn ask<T>(&mut self, query: Query) -> Result<T>
    where
        T: TryFrom<Answer, Error = Error>,
    {
        let answer = match self {
            Self::Direct(service) => service.ask(query)?,
            Self::Remote(remote, _) => remote.ask(&query)?,
        };
        answer.try_into()
    }

    /// Asks as whoever is at the keyboard: what is shown depends on who asks.
    pub(super) fn ask_own<T>(&mut self, query: Query) -> Result<T>
    where
        T: TryFrom<Answer, Error = Error>,
    {
        let Self::Direct(service) = self else { return self.ask(query) };
        let who = match Identity::user() {
            Caller::User { uid } => Onlooker::User { uid },
            Caller::Signer { .. } => Onlooker::Owner,
        };
        // The owner of the state folder need not have an account.
        let who = if service.is_known(&who) { who } else { Onlooker::Owner };
        service.look(&who, query)?.try_into()
    }

    /// Does one thing, signed where the caller signs; with what there is to tell about it.
    pub(super) fn act(
        &mut self,
        identity: &Identity,
        command: Command,
    ) -> Result<(Reply, Vec<String>)> {
        // A command without a signature needs no draft: who it is the socket says.
        let (caller, command) = match self {
            Self::Remote(..) if !identity.signs() => (None, command),
            _ => {
                let (draft, command) = self.draft(command)?;
                (Some(identity.caller(&draft, self.now())?), command)
            }
        };
        match self {
            Self::Direct(service) => {
                let caller = caller.unwrap_or_else(Identity::user);
                if bars::are_wanted() {
                    service.employ(Box::new(Bars));
                }
                let reply = service.handle(&caller, command)?;
                Ok((reply, service.notes()))
            }
            Self::Remote(remote, _) => {
                let mut command = command;
                let secret = command.secret_mut().map(|secret| SecretText::new(secret));
                remote.act(CommandRequest { command, secret, by: caller.and_then(signed_by) })
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
        let origin = match self {
            Self::Direct(_) => self.site()?.origin,
            Self::Remote(remote, _) => remote.hello().origin.clone(),
        };
        let caller = identity.caller(&Draft::of_reading(reading, origin)?, self.now())?;
        match self {
            Self::Direct(service) => service.read(&caller, reading, rows),
            Self::Remote(remote, _) => {
                let request = ReadRequest { reading: reading.clone(), by: signed_by(caller) };
                remote.read(request, rows)
            }
        }
    }

    /// Reads lines of the access log.
    pub(super) fn inspect(
        &mut self,
        identity: &Identity,
        inspection: &Inspection,
        rows: &mut dyn Rows,
    ) -> Result<Served> {
        let origin = match self {
            Self::Direct(_) => self.site()?.origin,
            Self::Remote(remote, _) => remote.hello().origin.clone(),
        };
        let caller = identity.caller(&Draft::of_inspection(inspection, origin)?, self.now())?;
        match self {
            Self::Direct(service) => service.inspect(&caller, inspection, rows),
            Self::Remote(remote, _) => {
                let inspection = inspection.clone();
                remote.inspect(InspectRequest { inspection, by: signed_by(caller) }, rows)
            }
        }
    }

    /// What is known of the site.
    pub(super) fn site(&mut self) -> Result<SiteFacts> {
        self.ask(Query::Site)
    }

    /// The time zone of the site.
    pub(super) fn zone(&mut self) -> Result<chrono_tz::Tz> {
        self.site()?
            .zone
            .parse()
            .map_err(|_| Error::new(Exit::Failed, "the agent's time zone is not known here"))
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
                next if next > after => after = next,
                Some(_) => return Err(circles()),
            }
        }
    }

    /// Every entry of the register, as it comes.
    pub(super) fn each_entry(
        &mut self,
        mut each: impl FnMut(u64, serde_json::Value) -> Result<()>,
    ) -> Result<()> {
        self.each_part(|part| {
            let mut rows = part.rows.into_iter();
            rows.try_for_each(|row| each(row["seq"].as_u64().unwrap_or_default(), row))
        })
    }

    fn each_part(&mut self, mut each: impl FnMut(EntryPart) -> Result<()>) -> Result<()> {
        let mut from = 0;
        loop {
            let part: EntryPart = self.ask(Query::Entries { from })?;
            let next = part.next;
            each(part)?;
            match next {
                Some(next) if next > from => from = next,
                Some(_) => return Err(circles()),
                None => return Ok(()),
            }
        }
    }

    /// Every entry of the register, and who the people were that made them.
    pub(super) fn entries(&mut self) -> Result<(Vec<serde_json::Value>, EntryPeople)> {
        let (mut rows, mut people) = (Vec::new(), EntryPeople::default());
        self.each_part(|part| {
            rows.extend(part.rows);
            people.made.extend(part.people);
            people.decided.extend(part.decided);
            Ok(())
        })?;
        Ok((rows, people))
    }

    /// Who holds the posts of links now: of all of these, so that the same paper may go to each.
    pub(super) fn staff(&mut self, links: &[&str]) -> Result<Vec<StaffLine>> {
        let pages: Vec<LinkPage> = self.ask(Query::Links { link: None })?;
        let mut of = pages.into_iter().filter(|page| links.contains(&page.link.as_str()));
        let mut staff = of.next().map(|page| page.staff).unwrap_or_default();
        for page in of {
            let same = |a: &StaffLine, b: &StaffLine| (a.post, &a.name) == (b.post, &b.name);
            staff.retain(|line| page.staff.iter().any(|other| same(line, other)));
        }
        Ok(staff)
    }

    /// The register by batch.
    pub(super) fn register_sheet(&mut self, filter: &RegisterFilter) -> Result<Sheet> {
        let mut rows = Vec::new();
        let mut after = None;
        loop {
            let query = Query::RegisterSheet { filter: filter.clone(), after };
            let part = *self.ask::<Box<RegisterPart>>(query)?;
            rows.extend(part.sheet.rows);
            match part.next {
                // The last checkpoint is over everything that any part told.
                None => {
                    let (source, form) = (part.sheet.source, part.sheet.form);
                    return Ok(Sheet::new(source, filter.clone(), form, rows));
                }
                Some(next) if next.is_further(after) => after = Some(next),
                Some(_) => return Err(circles()),
            }
        }
    }

    /// What has to be signed. The agent says which entry it is about; everything else is what was asked for here.
    fn draft(&mut self, command: Command) -> Result<(Draft, Command)> {
        match self {
            Self::Direct(service) => Ok((service.draft(&command)?, command)),
            Self::Remote(remote, _) => {
                // On the wire it is without the key that it may carry.
                let query = Query::Draft { command };
                let facts: DraftFacts = remote.ask(&query)?.try_into()?;
                let Query::Draft { command } = query else { return Err(circles()) };
                Ok((Draft::of_command(&command, facts), command))
            }
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        match self {
            Self::Direct(service) => service.now(),
            Self::Remote(_, hooks) => wiring::now(hooks),
        }
    }
}

fn signed_by(caller: Caller) -> Option<SignedBy> {
    match caller {
        Caller::Signer { name, signed, .. } => Some(SignedBy { name, signed }),
        Caller::User { .. } => None,
    }
}

fn circles() -> Error {
    Error::new(Exit::Failed, "the agent answers in circles")
}
