//! Seeds of samples: the agent binds itself to each before the first entry that it can fall on is there.
//!
//! A seed is 32 random bytes in the key store, sealed as every secret there is, and its digest an entry of the register.
//! Nobody knows it before the sample is drawn, when the register tells it; and whoever chose it could not know the root of
//! the access log at the end of the period, which goes into every number that is drawn by.

use super::{Engine, EngineError, ports::PortError, slots};
use crate::domain::{
    digest::Digest,
    duty::CalendarPeriod,
    entry::{AGENT, Body, SampleSealed},
    time::Timestamp,
    view::SampleKey,
};

impl Engine {
    /// Binds the agent to the seeds of the samples that an entry of this link at `at` may fall into. Called before the entry
    /// is made. Not while the time is in doubt: it would be bound to a period that is not there.
    pub(super) fn seal_seeds(&mut self, link: &str, at: Timestamp) -> Result<(), EngineError> {
        if self.view.time_doubted {
            return Ok(());
        }
        for key in self.sample_keys(link, at) {
            self.seal_seed(&key)?;
        }
        Ok(())
    }

    /// What an entry of a link at `at` is counted for.
    fn sample_keys(&self, name: &str, at: Timestamp) -> Vec<SampleKey> {
        let Some(link) = self.rules.links.get(name) else { return Vec::new() };
        let Some(policy) = self.rules.policy_of(link) else { return Vec::new() };
        let day = at.date_in(self.rules.zone);
        let of = |rule: &crate::domain::policy::sampling::SampleRule| {
            let period = CalendarPeriod::of(day, rule.period)?;
            Some((name.to_owned(), rule.class, period.name))
        };
        policy.further.sampling.of_link(link.kinship).filter_map(of).collect()
    }

    /// Binds the agent to the seed of one sample, unless it is bound already.
    ///
    /// # Errors
    /// The key store or the register cannot be written.
    pub fn seal_seed(&mut self, key: &SampleKey) -> Result<(), EngineError> {
        if self.view.samples.sealed.contains_key(key) {
            return Ok(());
        }
        let (link, class, period) = key.clone();
        let secret = self.ports.keys.ensure_random(&slots::sample(key))?;
        // A stop here: the slot is there, and the next entry of the link finds it and says so in the register.
        let seed = Digest::of(secret.expose());
        self.record(AGENT, Body::SampleSealed(SampleSealed { link, class, period, seed }))?;
        Ok(())
    }

    /// The seed of a sample, which the agent is bound to.
    ///
    /// # Errors
    /// It is not there, or is not the one that the register has the digest of.
    pub fn seed(&self, key: &SampleKey) -> Result<Digest, EngineError> {
        let secret = self.ports.keys.live(&slots::sample(key))?;
        let bytes: Option<[u8; 32]> = secret.and_then(|secret| secret.expose().try_into().ok());
        let bound = self.view.samples.sealed.get(key);
        let seed = bytes
            .map(Digest::from_bytes)
            .filter(|seed| bound.is_some_and(|(_, digest)| *digest == Digest::of(seed.as_bytes())));
        seed.ok_or_else(|| {
            PortError::Stuck {
                code: "sample-seed",
                message: format!(
                    "the seed that the register has the digest of for '{}' in {} is not in the key store",
                    key.0, key.2
                ),
            }
            .into()
        })
    }

    /// A seed that was told is no secret any more.
    ///
    /// # Errors
    /// The key store cannot be written.
    pub fn drop_seed(&mut self, key: &SampleKey, why: &str) -> Result<(), EngineError> {
        Ok(self.ports.keys.destroy(&slots::sample(key), why)?)
    }
}
