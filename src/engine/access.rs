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
/// Bytes of values, as JSON writes them, that one entry holds.
const LIST_BYTES: usize = 30_000;

impl Engine {
    /// Appends to the access log; returns the place of the last entry. Durable when it returns.
    ///
    /// # Errors
    /// The log cannot be written, or the clock went back: nothing may be shown.
    pub fn log_access(&mut self, link: &str, payloads: &[Payload]) -> Result<u64, EngineError> {
        let last = self.last_access()?.max(self.view.last_at);
        let at = self.time_after(last)?;
        self.seal_seeds(link, at)?;
        // What was entered meanwhile is not later than what is entered now.
        let at = self.view.last_at.map_or(at, |entered| entered.max(at));
        let month = at.date_in(self.rules.zone).format("%Y-%m").to_string();
        let recipient = self.access_recipient(link, &month)?;
        let mut new = Vec::with_capacity(payloads.len());
        for payload in payloads {
            new.push((Log::Access, self.seal(at, link, &month, &recipient, payload)?));
        }
        let seqs = self.ports.journal.append(&new)?;
        Ok(seqs.last().copied().unwrap_or_default())
    }

    /// When the last entry was made. Another process may have made it: it is read each time.
    fn last_access(&self) -> Result<Option<Timestamp>, EngineError> {
        let journal = &self.ports.journal;
        let Some(last) = journal.size(Log::Access)?.checked_sub(1) else { return Ok(None) };
        let bytes = journal.entry(Log::Access, last)?;
        let form = |error: serde_json::Error| EngineError::Entry(error.into());
        let entry: AccessEntry = serde_json::from_slice(&bytes).map_err(form)?;
        Ok(Some(entry.at))
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
        let made = self.view.access_keys.get(&key).filter(|made| made.destroyed.is_none());
        made.map(|made| made.recipient.clone()).ok_or_else(|| {
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
        let length = written(value);
        if full || (bytes > 0 && bytes + length > LIST_BYTES) {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += length;
        if let Some(part) = parts.last_mut() {
            part.push(value.clone());
        }
    }
    parts
}

/// Bytes of a value in JSON, at most: quotes, a comma, and every character that is written as an escape.
fn written(value: &str) -> usize {
    let byte = |byte: u8| match byte {
        b'"' | b'\\' => 2,
        0..0x20 => 6,
        _ => 1,
    };
    value.bytes().map(byte).sum::<usize>() + 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_list_hold_every_value_once_and_stay_below_the_length_of_an_entry() {
        let plain: Vec<String> = (0..1_000).map(|n| format!("A{n:09}")).collect();
        let long: Vec<String> = (0..200).map(|n| format!("{n:0>1024}")).collect();
        // What JSON writes as six bytes each.
        let odd: Vec<String> = (0..100).map(|n| format!("{n}{}", "\u{1}".repeat(1_000))).collect();
        for values in [plain, long, odd, vec![String::new()], Vec::new()] {
            let parts = list_parts(&values);
            assert_eq!(parts.concat(), values);
            for part in parts {
                let json = serde_json::to_vec(&part).unwrap_or_default();
                // Sealed: a header and a tag; Base64: four bytes for three; then the open fields.
                let entry = (json.len() + 600) / 3 * 4 + 600;
                assert!(entry < crate::domain::limits::ENTRY_BYTES_MAX, "{}", json.len());
                assert!(part.len() <= LIST_VALUES);
            }
        }
    }
}
