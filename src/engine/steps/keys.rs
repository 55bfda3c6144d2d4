//! Keys: taken into the key store before they are acknowledged, wiped where they lay, destroyed when their batch is
//! loaded or rejected.

use crate::{
    domain::{
        entry::{AGENT, KeyFacts, KeyForm, Signed},
        ids::KeyId,
        link::KeyMode,
        secret::Secret,
        step::{Outcome, Plan},
    },
    engine::{Engine, EngineError, Ran, StepError, slots},
};

/// A key that has come.
pub struct Arrival<'a> {
    /// The link.
    pub link: &'a str,
    /// The batch number that it was sent for.
    pub number: &'a str,
    /// Its form.
    pub form: KeyForm,
    /// `keybox`, or what the person said.
    pub channel: &'a str,
    /// Whether it lies in the keybox.
    pub keybox: bool,
    /// The signed command, where a person submitted it.
    pub signed: Option<Signed>,
}

impl Engine {
    /// Takes a key.
    ///
    /// # Errors
    /// The register cannot be written.
    pub fn take_key(
        &mut self,
        by: &str,
        arrival: &Arrival<'_>,
        bytes: Secret,
    ) -> Result<Ran, EngineError> {
        let key = self.view.next_key();
        self.submitted.insert(key, bytes);
        let plan = Plan::TakeKey {
            key,
            link: arrival.link.to_owned(),
            number: arrival.number.to_owned(),
            form: arrival.form,
            channel: arrival.channel.to_owned(),
            keybox: arrival.keybox,
            wipe: self.view.number_is_over(arrival.link, arrival.number),
            signed: arrival.signed.clone(),
        };
        let ran = self.run(by, plan);
        self.submitted.remove(&key);
        ran
    }

    pub(in crate::engine) fn apply_take_key(&mut self, plan: &Plan) -> Result<Outcome, StepError> {
        let Plan::TakeKey { key, link, number, form, keybox, wipe, .. } = plan else {
            return Err(StepError::Stuck("plan"));
        };
        let read = match self.submitted.get(key) {
            Some(secret) => Some(secret.duplicate()),
            None if *keybox => self.keybox_bytes(link, number, *form)?,
            None => None,
        };
        let (outcome, taken) = if *wipe {
            (Outcome::KeyWiped { code: "spent".to_owned() }, true)
        } else {
            self.store_key(*key, *form, read.as_ref())?
        };
        // The slot is synced, or the key is not wanted: now, and not before, the keybox file may go. Only what was read
        // goes: another key that took its name meanwhile is a key of its own.
        if *keybox {
            let read = read.filter(|_| taken).unwrap_or_else(|| Secret::new(Vec::new()));
            let ours = matches!(outcome, Outcome::KeyTaken { .. });
            self.remove_key_file(link, number, *form, &read, ours)?;
        }
        Ok(outcome)
    }

    /// Wipes a key file. Where that fails, a key that was `taken` is ours all the same: the wipe may have destroyed
    /// what lay there. The file is tried again later, and a person is told.
    fn remove_key_file(
        &mut self,
        link: &str,
        number: &str,
        form: KeyForm,
        read: &Secret,
        taken: bool,
    ) -> Result<(), StepError> {
        let link = self.rules.links.get(link).cloned().ok_or(StepError::Stuck("no-link"))?;
        let wiped = self.ports.intake.wipe_key_file(&link, number, form, read);
        let failed = wiped.is_err().then(|| self.ports.clock.now());
        self.todo.key_file(&link.name, number, failed);
        match wiped {
            Err(error) if taken => self.unreadable(&link, &error.to_string()),
            Err(error) => {
                self.unreadable(&link, &error.to_string());
                return Err(error.into());
            }
            Ok(()) => {}
        }
        Ok(())
    }

    /// Keeps a key; what came of it, and whether that was made of what was `read` now.
    fn store_key(
        &mut self,
        key: KeyId,
        form: KeyForm,
        read: Option<&Secret>,
    ) -> Result<(Outcome, bool), StepError> {
        let slot = slots::key(key);
        let taken = |fingerprint| Outcome::KeyTaken { facts: KeyFacts { key, form, fingerprint } };
        let parsed = read.and_then(|bytes| self.ports.opener.parse_key(form, bytes));
        if let Some(secret) = self.ports.keys.live(&slot)? {
            // After a stop: what lies there now is wiped only where it is the key that was kept.
            let same = parsed.is_some_and(|(read, _)| read.expose() == secret.expose());
            let fingerprint = self.ports.opener.parse_key(form, &secret).and_then(|(_, f)| f);
            return Ok((taken(fingerprint), same));
        }
        // After a stop between intent and slot, what a person typed is gone: they are told, and type it again.
        if read.is_none() {
            return Ok((Outcome::KeyWiped { code: "lost".to_owned() }, true));
        }
        let Some((secret, fingerprint)) = parsed else {
            return Ok((Outcome::KeyWiped { code: "malformed".to_owned() }, true));
        };
        self.ports.keys.put(&slot, &secret)?;
        Ok((taken(fingerprint), true))
    }

    fn keybox_bytes(
        &mut self,
        link: &str,
        number: &str,
        form: KeyForm,
    ) -> Result<Option<Secret>, StepError> {
        let link = self.rules.links.get(link).cloned().ok_or(StepError::Stuck("no-link"))?;
        let files = self.ports.intake.keybox(&link)?;
        Ok(files.into_iter().find(|f| f.number == number && f.form == form).map(|f| f.bytes))
    }

    pub(in crate::engine) fn apply_drop_key(&mut self, key: KeyId) -> Result<Outcome, StepError> {
        self.ports.keys.destroy(&slots::key(key), &key.to_string())?;
        Ok(Outcome::KeyDropped)
    }

    /// Destroys the slots of keys that have no use left.
    ///
    /// # Errors
    /// The register cannot be written.
    pub(in crate::engine) fn drop_keys(&mut self) -> Result<bool, EngineError> {
        let mut keys = self.view.keys_to_drop();
        // A link that is opened by something else now has no use left for a passphrase.
        let changed = |link: &str| {
            let rule = self.rules.links.get(link);
            rule.is_some_and(|rule| rule.key != KeyMode::StandingPassphrase)
        };
        let unused = self.view.standing_keys().filter(|(_, link)| changed(link));
        let unused: Vec<KeyId> = unused.map(|(key, _)| key).collect();
        keys.extend(unused.into_iter().filter(|key| !self.view.is_opening(*key)));
        keys.sort_unstable();
        keys.dedup();
        let any = !keys.is_empty();
        for key in keys {
            self.run(AGENT, Plan::DropKey { key })?;
        }
        Ok(any)
    }

    pub(in crate::engine) fn apply_access_key(
        &mut self,
        link: &str,
        month: &str,
    ) -> Result<Outcome, StepError> {
        let identity = self.ports.keys.ensure_identity(&slots::access(link, month))?;
        let recipient =
            self.ports.opener.recipient(&identity).ok_or(StepError::Stuck("access-key"))?;
        Ok(Outcome::AccessKeyMade { recipient })
    }
}
