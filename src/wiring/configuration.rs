//! The configuration in force: found files compared with what two people agreed to, at a start and while running.

use std::path::{Path, PathBuf};

use super::site::{faults, full_or_failed};
use crate::{
    config::{
        self, Config,
        backups::{Backup, Backups},
        inforce,
    },
    domain::{
        digest::Digest,
        entry::{AGENT, Body},
        step::BackupFacts,
        time::Period,
    },
    engine::{Engine, rules::Rules},
    error::{Error, Exit},
    service::{Configuration, Found, Result},
};

/// The configuration's files, as they were last found.
pub(super) struct Files {
    path: PathBuf,
    config: Config,
}

impl Files {
    pub(super) fn new(path: &Path, config: Config) -> Self {
        Self { path: path.to_owned(), config }
    }
}

impl Configuration for Files {
    fn find(&mut self, engine: &mut Engine) -> Result<Found> {
        let config = config::load(&self.path).map_err(|list| faults(&list))?;
        let (now, then) = (&config.agent, &self.config.agent);
        let fixed = [
            ("site", now.site == then.site),
            ("state", now.state == then.state),
            ("root_key", now.root_key == then.root_key),
            ("socket", now.socket == then.socket),
        ];
        if let Some((field, _)) = fixed.iter().find(|(_, same)| !same) {
            let what = format!("'{field}' of agent.yaml differs from what the running agent has");
            return Err(Error::new(Exit::Config, what).hint(
                "put it back, or restart the agent; until then nothing else of the files is taken",
            ));
        }
        let found = in_force(engine, &config)?;
        self.config = config;
        Ok(found)
    }

    fn adopt(&mut self) -> Result<()> {
        let kept = inforce::keep(&self.config.agent.state, &self.config.files);
        kept.map(|_| ()).map_err(|e| full_or_failed(&e))
    }
}

/// Puts the configuration in force into the engine: what two people agreed to, and whatever tightens it since.
pub(super) fn in_force(engine: &mut Engine, found: &Config) -> Result<Found> {
    let state = found.agent.state.clone();
    let digest = engine
        .view
        .config
        .ok_or_else(|| Error::new(Exit::Data, "the register names no configuration"))?;
    let found_digest = inforce::digest_of(&found.files);
    let agreed = match inforce::kept(&found.agent, digest) {
        Ok(agreed) => agreed,
        // A stop between the confirmation and the copy: the files are still those that were confirmed.
        Err(_) if digest == found_digest => {
            inforce::keep(&state, &found.files).map_err(|e| full_or_failed(&e))?;
            found.clone()
        }
        Err(list) => return Err(faults(&list)),
    };
    let compared = inforce::compare(&agreed, found);
    engine.rules = rules(&compared.effective, digest);
    if !compared.tightened.is_empty() {
        let digest =
            inforce::keep(&state, &compared.effective.files).map_err(|e| full_or_failed(&e))?;
        let body = Body::ConfigTightened { config: digest, changes: compared.tightened };
        engine.record(AGENT, body)?;
        engine.rules.digest = digest;
    }
    Ok(Found { digest: found_digest, pending: compared.pending, rules: rules(found, found_digest) })
}

pub(super) fn rules(config: &Config, digest: Digest) -> Rules {
    let seconds =
        |p: Period| (i64::from(p.months) * 31 + i64::from(p.days)) * 86_400 + i64::from(p.seconds);
    Rules {
        links: config.links.clone(),
        layouts: config.layouts.clone(),
        policies: config.policies.clone(),
        recipients: config.recipients.clone(),
        working: config.working.clone(),
        digest,
        policies_digest: inforce::digest_of(
            &config
                .files
                .iter()
                .filter(|(n, _)| n.starts_with("policies/") && n.ends_with(".yaml"))
                .map(|(n, b)| (n.clone(), b.clone()))
                .collect(),
        ),
        anchoring: config.agent.anchoring.clone(),
        agency: config.agent.agency.clone(),
        zone: config.agent.timezone,
        backups: match &config.agent.backups {
            Backups::Unstated => None,
            Backups::None => Some(Vec::new()),
            Backups::Named(named) => Some(named.iter().map(fact).collect()),
        },
        incomplete_after: config.agent.incomplete_after,
        abandon_after: config.agent.abandon_after,
        clock_jump_max_seconds: seconds(config.agent.clock_jump_max),
        start_gap_max_seconds: seconds(config.agent.start_gap_max),
    }
}

fn fact(backup: &Backup) -> BackupFacts {
    BackupFacts {
        name: backup.name.clone(),
        place: backup.place.clone(),
        keeps: backup.keeps.words(),
    }
}
