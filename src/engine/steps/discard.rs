//! Discard: wipe what a copy from a medium left in an inbox that broke off.
//!
//! `media import` is a person's own process and copies into a folder that no look takes for a delivery; where it dies,
//! what lies there may be in plain. The name stands in no entry: the folder is found again by its HMAC.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    domain::{
        certificate::Assurance,
        digest::Digest,
        entry::{AGENT, WipeFacts},
        link::Link,
        step::{Outcome, Plan},
        view::{Arrival, Trouble},
    },
    engine::{
        Engine, EngineError, StepError,
        jobs::{Begun, Effect},
    },
};

const DAY_SECONDS: i64 = 86_400;

impl Engine {
    /// Looks at a folder of a medium's delivery; whether it is one. Anybody who may write there can give a folder such a
    /// name: only what an entry announced is wiped.
    ///
    /// # Errors
    /// The register cannot be written.
    pub(in crate::engine) fn broken_off(
        &mut self,
        link: &Link,
        (folder, name): (&[u8], &[u8]),
    ) -> Result<bool, EngineError> {
        let name_mac = self.name_mac(&link.name, name)?;
        let mut announced = self.view.arrivals.iter();
        let row = announced.find(|one| one.batch.is_none() && one.is(&link.name, name_mac));
        let Some(row) = row else { return Ok(false) };
        let open = |plan: &Plan| Self::discards(plan) == Some(name_mac);
        let rests = row.trouble.as_ref().is_some_and(|trouble| self.discard_rests(trouble));
        // What waits for a thread is found by the next look.
        if rests || !self.hands.is_free() || self.view.open.values().any(open) {
            return Ok(true);
        }
        match self.ports.intake.broken_off(link, folder) {
            // It is being copied.
            Ok(None) => {}
            Ok(Some((files, bytes))) => {
                let link = link.name.clone();
                self.run(AGENT, Plan::DiscardMedia { link, name_mac, files, bytes })?;
            }
            Err(error) => self.notes.push(format!("{}: {error}", link.name)),
        }
        Ok(true)
    }

    /// Whether a wipe that failed is left alone for now. Nobody can have it tried again: what a person has to see to is
    /// tried once a day.
    fn discard_rests(&self, trouble: &Trouble) -> bool {
        match trouble.is_for_a_person() {
            true => self.ports.clock.now() < trouble.at.plus_seconds(DAY_SECONDS),
            false => self.rests(trouble),
        }
    }

    /// What could not be wiped and was taken away by hand is done: else its alarm would never end. `carried` are the names
    /// that lie in the inbox still.
    ///
    /// # Errors
    /// The register cannot be written.
    pub(in crate::engine) fn taken_away(
        &mut self,
        link: &Link,
        carried: &[(Vec<u8>, Vec<u8>)],
    ) -> Result<(), EngineError> {
        if !self.hands.is_free() {
            return Ok(());
        }
        let mut there = BTreeSet::new();
        for (_, name) in carried {
            there.insert(self.name_mac(&link.name, name)?);
        }
        let open: BTreeSet<Digest> = self.view.open.values().filter_map(Self::discards).collect();
        // One that was alive when it was to be wiped lies under its own name by now, or will be wiped.
        let refused = |one: &Arrival| {
            one.trouble.as_ref().is_some_and(|trouble| trouble.code != "media-held")
        };
        let rows = self.view.arrivals.iter();
        let of = rows.filter(|one| one.link == link.name && one.batch.is_none() && refused(one));
        let macs = of.map(|one| one.name_mac);
        let gone: Vec<Digest> =
            macs.filter(|mac| !there.contains(mac) && !open.contains(mac)).collect();
        for name_mac in gone {
            let link = link.name.clone();
            self.run(AGENT, Plan::DiscardMedia { link, name_mac, files: 0, bytes: 0 })?;
        }
        Ok(())
    }

    fn discards(plan: &Plan) -> Option<Digest> {
        match plan {
            Plan::DiscardMedia { name_mac, .. } => Some(*name_mac),
            _ => None,
        }
    }

    pub(in crate::engine) fn begin_discard(
        &mut self,
        link: &str,
        name_mac: Digest,
        (files, bytes): (u64, u64),
    ) -> Result<Begun, StepError> {
        let link = self.rules.links.get(link).cloned().ok_or(StepError::Stuck("no-link"))?;
        let mut found = None;
        for (folder, name) in self.ports.intake.scan(&link)?.carried {
            if self.name_mac(&link.name, &name)? == name_mac {
                found = Some(folder);
            }
        }
        // A stop between the wipe and its outcome: it is done.
        let Some(folder) = found else {
            return Ok(Begun::Done(discarded((files, bytes), String::new())));
        };
        // Nobody held it when the step was planned; since then somebody may have begun.
        if self.ports.intake.broken_off(&link, &folder)?.is_none() {
            return Err(StepError::Later("media-held"));
        }
        let intake = Arc::clone(&self.ports.intake);
        Ok(Begun::long(bytes, move |_| Effect::Wiped(intake.discard(&link, &folder))))
    }
}

/// The receipt. Taken from what was found, not from what this run removed: a repeat after a stop says the same. Others may
/// write in the inbox: it claims no more than that the names are gone.
pub(in crate::engine) fn discarded((files, bytes): (u64, u64), filesystem: String) -> Outcome {
    let (assurance, notes) = (Assurance::L0, BTreeMap::new());
    Outcome::MediaDiscarded {
        wiped: WipeFacts { files, bytes, assurance, filesystem, notes, report: None },
    }
}
