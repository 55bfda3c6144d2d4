//! The configuration in force: found files compared with what two people agreed to, at a start and while running.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{database, refusal, site::faults, sources::Remote};
use crate::{
    config::{
        self, Agent, Config,
        backups::{Backup, Backups},
        inforce,
    },
    domain::{
        database::Database,
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
    /// The agent in force, by which loaded data are reached, and what reaches a network.
    vault: (Agent, Option<Remote>),
}

impl Files {
    pub(super) fn new(path: &Path, config: Config, vault: (Agent, Option<Remote>)) -> Self {
        Self { path: path.to_owned(), config, vault }
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
            ("api", now.api == then.api),
        ];
        if let Some((field, _)) = fixed.iter().find(|(_, same)| !same) {
            let what = format!("'{field}' of agent.yaml differs from what the running agent has");
            return Err(Error::new(Exit::Config, what).hint(
                "put it back, or restart the agent; until then nothing else of the files is taken",
            ));
        }
        let (found, agent) = in_force(engine, &config)?;
        if agent.vault != self.vault.0.vault {
            engine.ports.vaults = database::vaults(&agent, self.vault.1.as_ref());
            self.vault.0 = agent;
        }
        self.config = config;
        Ok(found)
    }

    fn adopt(&mut self) -> Result<()> {
        let kept = inforce::keep(&self.config.agent.state, &self.config.files);
        kept.map(|_| ()).map_err(|e| refusal::file(&e))
    }
}

/// Puts the configuration in force into the engine: what two people agreed to, and whatever tightens it since. Gives the
/// agent that is in force with it.
pub(super) fn in_force(engine: &mut Engine, found: &Config) -> Result<(Found, Agent)> {
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
            inforce::keep(&state, &found.files).map_err(|e| refusal::file(&e))?;
            found.clone()
        }
        Err(list) => return Err(faults(&list)),
    };
    let compared = inforce::compare(&agreed, found);
    engine.rules = rules(&compared.effective, digest);
    engine.ports.notices.want(compared.effective.agent.notices.clone());
    engine.turn_to_now();
    if !compared.tightened.is_empty() {
        let digest =
            inforce::keep(&state, &compared.effective.files).map_err(|e| refusal::file(&e))?;
        // What could not be read at the next start is not what counts from now on.
        inforce::kept(&found.agent, digest).map_err(|list| faults(&list))?;
        let body = Body::ConfigTightened { config: digest, changes: compared.tightened };
        engine.record(AGENT, body)?;
        engine.rules.digest = digest;
    }
    engine.adopt_links()?;
    let pending = compared.pending;
    let all = Found { digest: found_digest, pending, rules: rules(found, found_digest) };
    Ok((all, compared.effective.agent))
}

pub(super) fn rules(config: &Config, digest: Digest) -> Rules {
    let seconds =
        |p: Period| (i64::from(p.months) * 31 + i64::from(p.days)) * 86_400 + i64::from(p.seconds);
    let policies = inforce::digest_of(
        &config
            .files
            .iter()
            .filter(|(n, _)| n.starts_with("policies/") && n.ends_with(".yaml"))
            // How paper looks is no rule: approvals stand when it changes.
            .filter(|(n, _)| !n.starts_with("policies/forms/"))
            .map(|(n, b)| (n.clone(), b.clone()))
            .collect(),
    );
    let mut rules = Rules {
        links: config.links.clone(),
        written: config.links.clone(),
        bounds: BTreeMap::new(),
        narrowed: None,
        layouts: config.layouts.clone(),
        policies: config.policies.clone(),
        overridden: BTreeMap::new(),
        day: None,
        policies_base: policies,
        recipients: config.recipients.clone(),
        working: config.working.clone(),
        forms: config.forms.clone(),
        digest,
        policies_digest: policies,
        anchoring: config.agent.anchoring.clone(),
        shared_users: config.agent.shared_users.clone(),
        reasons_by_code: config.agent.reasons_by_code,
        vault_plain: config.agent.vault.plain.clone(),
        vault_place: config.agent.vault.database.as_ref().map(Database::identity),
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
    };
    rules.settle(None);
    rules
}

fn fact(backup: &Backup) -> BackupFacts {
    BackupFacts {
        name: backup.name.clone(),
        place: backup.place.clone(),
        keeps: backup.keeps.words(),
    }
}
