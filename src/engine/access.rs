//! The access log's writer: every asking is committed before the first row is shown.

use data_encoding::BASE64;

use super::{
    Engine, EngineError,
    ports::{Log, PortError},
};
use crate::domain::{
    access::{AccessEntry, Payload},
    entry::{self, AGENT},
    step::Plan,
    time::Timestamp,
};

/// Values of a list that one entry holds: sealed and in Base64 they stay far below 65,535 bytes.
const LIST_VALUES: usize = 400;
/// Bytes of values that one entry holds.
const LIST_BYTES: usize = 30_000;

impl Engine {
    /// Appends to the access log; returns the place of the last entry. Durable when it returns.
    ///
    /// # Errors
    /// The log cannot be written: nothing may be shown.
    pub fn log_access(&mut self, link: &str, payloads: &[Payload]) -> Result<u64, EngineError> {
        let at = self.entry_time()?;
        let month = at.date_in(self.rules.zone).format("%Y-%m").to_string();
        let recipient = self.access_recipient(link, &month)?;
        let mut new = Vec::with_capacity(payloads.len());
        for payload in payloads {
            new.push((Log::Access, self.seal(at, link, &month, &recipient, payload)?));
        }
        let seqs = self.ports.journal.append(&new)?;
        Ok(seqs.last().copied().unwrap_or_default())
    }

    fn seal(
        &self,
        at: Timestamp,
        link: &str,
        month: &str,
        recipient: &str,
        payload: &Payload,
    ) -> Result<Vec<u8>, EngineError> {
        let form = |error: serde_json::Error| EngineError::Entry(error.into());
        let plain = entry::canonical(payload).map_err(form)?;
        let sealed = BASE64.encode(&self.ports.opener.seal(recipient, &plain)?);
        let entry =
            AccessEntry { v: 1, at, link: link.to_owned(), month: month.to_owned(), sealed };
        entry::canonical(&entry).map_err(form)
    }

    fn access_recipient(&mut self, link: &str, month: &str) -> Result<String, EngineError> {
        let key = (link.to_owned(), month.to_owned());
        if !self.view.access_keys.contains_key(&key) {
            self.run(AGENT, Plan::MakeAccessKey { link: key.0.clone(), month: key.1.clone() })?;
        }
        self.view.access_keys.get(&key).cloned().ok_or_else(|| {
            PortError::Stuck {
                code: "access-key",
                message: format!(
                    "the key that seals the access log of '{link}' in {month} cannot be made"
                ),
            }
            .into()
        })
    }
}

/// Cuts a list into payloads that each fit an entry.
#[must_use]
pub fn list_parts(values: &[String]) -> Vec<Vec<String>> {
    let mut parts = vec![Vec::new()];
    let mut bytes = 0;
    for value in values {
        let full = parts.last().is_some_and(|p: &Vec<String>| p.len() == LIST_VALUES);
        if full || bytes + value.len() > LIST_BYTES {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += value.len() + 3;
        if let Some(part) = parts.last_mut() {
            part.push(value.clone());
        }
    }
    parts
}
