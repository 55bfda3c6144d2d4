//! Claim: copy a delivery whole into files of our own, and wipe the originals.
//!
//! What is judged is the copy. A sender that keeps descriptors open, rewrites or adds files changes nothing
//! afterwards; while it does so during the claim, the claim is given up and the delivery looked at again.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    domain::{
        certificate::Assurance,
        digest::Digest,
        entry::{AGENT, CopyFacts, WipeFacts},
        ids::{BatchId, CopyId, DeliveryId, NoticeId},
        judge::{EntryKind, is_encrypted},
        link::Link,
        reason::Reason,
        secret::Secret,
        step::{Outcome, Plan},
    },
    engine::{
        Engine, EngineError, Ran, StepError,
        case::{CaseFile, CaseRecord},
        jobs::{Begun, Effect},
        ports::{Claimed, CopySize, PortError},
        slots,
    },
};

impl Engine {
    /// HMAC of a name from outside, under the link's key: how the register knows it again without telling it.
    ///
    /// # Errors
    /// The key store.
    pub fn name_mac(&mut self, link: &str, name: &[u8]) -> Result<Digest, PortError> {
        let key = self.ports.keys.ensure_random(&slots::link(link))?;
        Ok(Digest::keyed(key.expose(), name))
    }

    /// The folder that a delivery is: as it was last seen, or found again by the HMAC of its name.
    fn folder_of(
        &mut self,
        link: &Link,
        delivery: DeliveryId,
        name_mac: Digest,
    ) -> Result<Option<Vec<u8>>, PortError> {
        if let Some(folder) = self.inboxes.folder(delivery) {
            return Ok(Some(folder.to_vec()));
        }
        let scan = self.ports.intake.scan(link)?;
        for folder in scan.folders {
            if self.name_mac(&link.name, &folder)? == name_mac {
                return Ok(Some(folder));
            }
        }
        Ok(None)
    }

    /// Claims a delivery of `files` regular files; why, where it is not complete, and on which announcement it rests.
    ///
    /// # Errors
    /// The register cannot be written.
    pub(in crate::engine) fn claim(
        &mut self,
        link: &Link,
        delivery: DeliveryId,
        files: u64,
        (reason, notice): (Option<Reason>, Option<NoticeId>),
    ) -> Result<Ran, EngineError> {
        let plan = Plan::Claim {
            batch: self.view.next_batch(),
            delivery,
            link: link.name.clone(),
            facts: self.rules.facts_of(link),
            case: self.view.next_copy(0),
            files: (1..=files).map(|n| self.view.next_copy(n)).collect(),
            reason,
            notice,
        };
        self.run(AGENT, plan)
    }

    pub(in crate::engine) fn begin_claim(&mut self, plan: &Plan) -> Result<Begun, StepError> {
        let Plan::Claim { batch, delivery, link, files, .. } = plan else {
            return Err(StepError::Stuck("plan"));
        };
        let link = self.rules.links.get(link).cloned().ok_or(StepError::Stuck("no-link"))?;
        let seen = self.view.deliveries.get(delivery).ok_or(StepError::Later("delivery-gone"))?;
        let name_mac = seen.name_mac;
        let folder =
            self.folder_of(&link, *delivery, name_mac)?.ok_or(StepError::Later("delivery-gone"))?;
        let identity = self.ports.keys.ensure_identity(&slots::spool(*batch))?;
        let recipient =
            self.ports.opener.recipient(&identity).ok_or(StepError::Stuck("spool-key"))?;
        let (intake, files) = (Arc::clone(&self.ports.intake), files.clone());
        Ok(Begun::long(self.inboxes.bytes_of(*delivery), move |meter| {
            Effect::Claimed(intake.claim(&link, &folder, &files, &recipient, meter))
        }))
    }

    pub(in crate::engine) fn end_claim(
        &mut self,
        plan: &Plan,
        claimed: Claimed,
    ) -> Result<Outcome, StepError> {
        let Plan::Claim { batch, link, case, files, .. } = plan else {
            return Err(StepError::Stuck("plan"));
        };
        if claimed.changed || claimed.files.len() != files.len() {
            return Err(StepError::Later("delivery-changed"));
        }
        let taken: Vec<_> = files.iter().zip(&claimed.files).collect();
        // A link holds nothing, and a file with a second link stays under that one, unless both lie in the delivery. A
        // folder within is not copied.
        let entries = &claimed.facts.entries;
        let linked = entries.iter().filter(|entry| entry.kind == EntryKind::Linked).count();
        let whole = !claimed.facts.is_over_limit()
            && entries.iter().all(|entry| match entry.kind {
                EntryKind::File => entry.sha256.is_some(),
                EntryKind::Link => true,
                EntryKind::Linked => linked == 1,
                EntryKind::Other => false,
            });
        let case_files =
            taken.iter().map(|(copy, (name, _))| CaseFile { copy: **copy, name: name.clone() });
        let record =
            CaseRecord::new(claimed.name, claimed.folder, &claimed.facts, case_files.collect());
        let size = self.put_case(*batch, &record)?;
        // What a link that went meanwhile asked for nobody knows: then nothing counts as encrypted.
        let container = self.rules.links.get(link).map(|link| link.container);
        let encrypted = |name: &[u8]| {
            let entry = entries.iter().find(|entry| entry.name == name);
            container
                .zip(entry)
                .is_some_and(|(container, entry)| is_encrypted(container, &entry.head))
        };
        let plain: Vec<bool> = taken.iter().map(|(_, (name, _))| !encrypted(name)).collect();
        let key = match plain.contains(&true) {
            true => Some(self.ports.keys.ensure_random(&slots::link(link))?),
            false => None,
        };
        Ok(Outcome::Claimed {
            // The record's own digest would change with its nonce and says nothing: it stays out.
            case: CopyFacts::new(*case, size.bytes),
            whole,
            files: taken
                .iter()
                .zip(plain)
                .map(|((copy, (_, size)), plain)| {
                    file_facts(**copy, *size, key.as_ref().filter(|_| plain))
                })
                .collect(),
        })
    }

    /// Wipes the originals. They are the sender's files in the sender's folder: whether another descriptor or link
    /// keeps them cannot be known, so the outcome claims no more than that the names are gone.
    /// Wipes the originals of a claimed batch.
    ///
    /// # Errors
    /// The register cannot be written.
    pub(in crate::engine) fn clear(&mut self, batch: BatchId) -> Result<Ran, EngineError> {
        self.run(AGENT, Plan::Clear { batch })
    }

    pub(in crate::engine) fn begin_clear(&mut self, batch: BatchId) -> Result<Begun, StepError> {
        let row = self.view.batches.get(&batch).ok_or(StepError::Stuck("no-batch"))?;
        let bytes = row.files.iter().map(|f| f.bytes).sum();
        let link = self.rules.links.get(&row.link).cloned().ok_or(StepError::Stuck("no-link"))?;
        let record = self.case(batch)?.ok_or(StepError::Stuck("no-case"))?;
        let intake = Arc::clone(&self.ports.intake);
        Ok(Begun::long(bytes, move |_| {
            Effect::Wiped(intake.clear(&link, &record.delivery, &record.folder))
        }))
    }

    pub(in crate::engine) fn end_clear(
        &mut self,
        batch: BatchId,
        wiped: WipeFacts,
    ) -> Result<Outcome, StepError> {
        let row = self.view.batches.get(&batch).ok_or(StepError::Stuck("no-batch"))?;
        let (bytes, files) = (row.files.iter().map(|f| f.bytes).sum(), row.files.len() as u64);
        let notes: BTreeMap<String, u64> =
            wiped.notes.into_iter().filter(|(code, _)| code == "late").collect();
        Ok(Outcome::Cleared {
            // Taken from the claim, not from what this run removed: a repeat after a stop says the same.
            wiped: WipeFacts {
                files,
                bytes,
                assurance: Assurance::L0,
                filesystem: wiped.filesystem,
                notes,
                report: None,
            },
        })
    }
}

/// What the register says of a copied file. Of one in plain, as it should come or by mistake, it is the HMAC of its digest
/// under the link's key, `plain`: the digest itself would tell whoever can guess the file, for ever, and stands in the
/// erasable record only.
fn file_facts(copy: CopyId, size: CopySize, plain: Option<&Secret>) -> CopyFacts {
    let mac = plain.map(|key| Digest::keyed(key.expose(), size.sha256.to_string().as_bytes()));
    let sha256 = mac.is_none().then_some(size.sha256);
    CopyFacts { sha256, mac, ..CopyFacts::new(copy, size.bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_file_in_plain_the_register_has_no_digest_but_a_code_under_the_links_key() {
        let size = CopySize { bytes: 3, sha256: Digest::of(b"abc") };
        let copy = CopyId::new(7);
        let sealed = file_facts(copy, size, None);
        assert_eq!((sealed.sha256, sealed.mac), (Some(size.sha256), None));
        let key = Secret::new(vec![7; 32]);
        let plain = file_facts(copy, size, Some(&key));
        assert_eq!(plain.sha256, None);
        assert!(plain.mac.is_some_and(|mac| mac != size.sha256));
        let other = file_facts(copy, size, Some(&Secret::new(vec![8; 32])));
        assert_ne!(plain.mac, other.mac);
    }
}
