//! `access show` and `access export`: an auditor reads the access log. The look is declared in that log before its
//! first line, as every reading is, also when it is refused.
//!
//! What a line tells is opened with the keys of link and month that are still there. Those of the past that were
//! destroyed leave when and under which link, and no more.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

pub use super::access_lines::AccessLine;
use super::{
    Actor, Caller, Draft, Result, Service,
    access_lines::{LogSource, SERVED_SECONDS_MAX},
    asking::{TO, kept},
    authority, clean, no_link, not_permitted,
    serving::{Asking, Declared, Rows, Served, Source, Terms},
};
use crate::{
    domain::{
        access::{LogFilter, Operation, Payload, Subject},
        accounts::Act,
        digest::Digest,
        entry, limits,
        view::Sample,
    },
    engine::{ports::Log, slots},
    error::{Error, Exit},
};

/// What an auditor asks of the access log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inspection {
    /// What is looked for.
    pub filter: LogFilter,
    /// Whether it is taken away as a file.
    pub export: bool,
    /// Number of the audit's document.
    pub case_no: String,
    /// Why.
    pub reason: String,
    /// Where the lines go: `screen`, `pipe` or `file`.
    pub to: String,
}

impl Inspection {
    const fn operation(&self) -> Operation {
        if self.export { Operation::AccessExport } else { Operation::AccessShow }
    }

    /// The words of the command line.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        if self.export { "access export" } else { "access show" }
    }

    /// What it is about: a link, or every one.
    #[must_use]
    pub fn object(&self) -> &str {
        self.filter.link.as_deref().unwrap_or("all")
    }

    fn is_bounded(&self) -> Result<()> {
        let Self { filter, .. } = self;
        let long = |text: &Option<String>, max: usize| text.as_ref().is_some_and(|t| t.len() > max);
        let value = limits::ASKED_VALUE_BYTES_MAX;
        if [&filter.link, &filter.account, &filter.case_no, &filter.subject]
            .into_iter()
            .any(|text| long(text, value))
        {
            return Err(Error::new(
                Exit::Data,
                format!("a value to look for is over {value} bytes"),
            ));
        }
        if !TO.contains(&self.to.as_str()) {
            return Err(Error::usage("lines go to 'screen', 'pipe' or 'file'"));
        }
        Ok(())
    }
}

impl Draft {
    /// The text of a look at the access log. Conditions stand in it as a digest only.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn of_inspection(inspection: &Inspection, origin: String) -> Result<Self> {
        let bytes =
            entry::canonical(inspection).map_err(|e| Error::new(Exit::Failed, e.to_string()))?;
        Ok(Self {
            namespace: authority::COMMAND,
            origin,
            command: inspection.word().to_owned(),
            object: inspection.object().to_owned(),
            object_digest: Digest::of(&bytes),
            text: inspection.reason.clone(),
        })
    }
}

impl Service {
    /// Reads the access log, on this thread.
    ///
    /// # Errors
    /// Refused (which is logged too), or the log cannot be written: then no line was shown.
    pub fn inspect(
        &mut self,
        caller: &Caller,
        inspection: &Inspection,
        rows: &mut dyn Rows,
    ) -> Result<Served> {
        let declared = self.declare_inspection(caller, inspection)?;
        self.run_declared(declared, rows)
    }

    /// Commits the look; what comes back may run on any thread and ends with [`Service::shown`].
    ///
    /// # Errors
    /// Refused (which is logged too), or the log cannot be written.
    pub fn declare_inspection(
        &mut self,
        caller: &Caller,
        inspection: &Inspection,
    ) -> Result<Declared> {
        let done = self.inspected(caller, inspection);
        self.engine.ports.journal.publish()?;
        done
    }

    fn inspected(&mut self, caller: &Caller, inspection: &Inspection) -> Result<Declared> {
        // What was typed stands in the register only where it is the name of a link.
        let named = inspection.object();
        let known = named == "all" || self.engine.rules.links.contains_key(named);
        let (word, object) = (inspection.word(), if known { named } else { "-" }.to_owned());
        let draft = Draft::of_inspection(inspection, self.origin()?)?;
        self.engine.rights_due()?;
        let actor = match self.reader(caller, &draft) {
            Err(error) if error.exit == Exit::Refused => {
                self.refuse_unknown(caller, word, &object, &error)?;
                return Err(error);
            }
            actor => actor?,
        };
        let links = match inspection.is_bounded().and_then(|()| self.links_of(inspection)) {
            Ok(links) => links,
            Err(error) => {
                self.refuse(actor.name(), word, &object, &error, None)?;
                return Err(error);
            }
        };
        // Its own asking is not among what it shows.
        let end = self.engine.ports.journal.size(Log::Access)?;
        if let Err(error) = may_inspect(&actor, inspection) {
            self.log_look(&actor, &links, inspection, Some(&error.what))?;
            return Err(error);
        }
        let asked = self.log_look(&actor, &links, inspection, None)?;
        self.was_used(&actor)?;
        let terms = Terms {
            grant: None,
            holder: actor.name().to_owned(),
            link_file: None,
            log_of: inspection.filter.link.clone(),
            read_for: None,
            until: self.engine.ports.clock.now().plus_seconds(SERVED_SECONDS_MAX),
            row_cap: u64::MAX,
        };
        let source = Source::Log(self.log_source(inspection.filter.clone(), end)?);
        Ok(self.declared_as(asked, terms, source))
    }

    /// The links in whose parts of the log a look is logged: the one that is asked for, or every one.
    fn links_of(&self, inspection: &Inspection) -> Result<Vec<String>> {
        let engine = &self.engine;
        let logged = engine.view.access_keys.keys().map(|(link, _)| link);
        let known: BTreeSet<&String> = logged.chain(engine.rules.links.keys()).collect();
        match &inspection.filter.link {
            Some(link) if known.contains(link) => Ok(vec![link.clone()]),
            Some(link) => Err(no_link(link)),
            None => Ok(known.into_iter().cloned().collect()),
        }
    }

    fn log_look(
        &mut self,
        actor: &Actor,
        links: &[String],
        inspection: &Inspection,
        refused: Option<&str>,
    ) -> Result<Vec<Asking>> {
        let payload = Payload::Asked {
            who: actor.name().to_owned(),
            at: self.engine.ports.clock.now(),
            operation: inspection.operation(),
            subject: Subject::Log(inspection.filter.clone()),
            case_no: kept(&inspection.case_no),
            reason: kept(&inspection.reason),
            grant: None,
            batch: None,
            to: inspection.to.clone(),
            refused: refused.map(kept),
        };
        let mut asked = Vec::with_capacity(links.len());
        for link in links {
            let place = self.engine.log_access(link, std::slice::from_ref(&payload))?;
            asked.push(Asking::new(link.clone(), place));
        }
        Ok(asked)
    }

    fn log_source(&self, filter: LogFilter, end: u64) -> Result<LogSource> {
        let ports = &self.engine.ports;
        let sample = filter.sample.and_then(|id| self.engine.view.samples.rows.get(&id));
        let chosen = filter.sample.map(|_| sample.map(Sample::places).unwrap_or_default());
        let mut keys = BTreeMap::new();
        for (link, month) in self.engine.view.access_keys.keys() {
            if filter.link.as_ref().is_none_or(|wanted| wanted == link) {
                let key = ports.keys.live(&slots::access(link, month))?;
                keys.insert((link.clone(), month.clone()), key);
            }
        }
        Ok(LogSource {
            reader: ports.journal.reader()?,
            opener: Arc::clone(&ports.opener),
            keys,
            chosen,
            filter,
            zone: self.engine.rules.zone,
            names: self.engine.view.people.names.clone(),
            end,
            over: Arc::default(),
        })
    }
}

fn may_inspect(actor: &Actor, inspection: &Inspection) -> Result<()> {
    if !Act::Audit.allowed_to(&actor.facts.roles) {
        return Err(not_permitted(actor, inspection.word(), Act::Audit));
    }
    clean(&inspection.case_no)?;
    clean(&inspection.reason)
}
