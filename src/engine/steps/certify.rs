//! Certify: the certificate of destruction, made of the register and of nothing else, so that issuing it twice
//! gives the same bytes.

use crate::{
    domain::{
        certificate::{Assurance, Certificate, CertifiedCopy, NAMESPACE, Proof},
        digest::Digest,
        entry::{AGENT, Body, Entry, WipeFacts},
        ids::OrderId,
        step::{Outcome, Plan},
        time::Timestamp,
        wipe::ReadBack,
    },
    engine::{
        Engine, EngineError, Ran, StepError,
        ports::{Log, PortError},
    },
};

impl Engine {
    /// Issues the certificate of an executed order.
    ///
    /// # Errors
    /// The register cannot be written.
    pub(in crate::engine) fn certify(&mut self, order: OrderId) -> Result<Ran, EngineError> {
        // The proofs are for the tree as it is before this step's own intent: a size that can never change again.
        let plan = Plan::Certify { order, tree_size: self.view.size, at: self.ports.clock.now() };
        self.run(AGENT, plan)
    }

    pub(in crate::engine) fn apply_certify(
        &mut self,
        order: OrderId,
        tree_size: u64,
        at: Timestamp,
    ) -> Result<Outcome, StepError> {
        let certificate = self.certificate(order, tree_size, at)?;
        let text = certificate.canonical().map_err(|_| StepError::Stuck("certificate-form"))?;
        let signature = self.ports.signer.sign(NAMESPACE, &text)?;
        let bytes =
            certificate.file(&signature).map_err(|_| StepError::Stuck("certificate-form"))?;
        self.ports.certificates.put(order, &bytes)?;
        Ok(Outcome::Certified { certificate: Digest::of(&bytes) })
    }

    fn certificate(
        &self,
        id: OrderId,
        tree_size: u64,
        at: Timestamp,
    ) -> Result<Certificate, StepError> {
        let order = self.view.orders.get(&id).ok_or(StepError::Stuck("no-order"))?;
        let site = self.view.site.as_ref().ok_or(StepError::Stuck("no-site"))?;
        let (approver, approved) =
            order.approved.clone().ok_or(StepError::Stuck("not-approved"))?;
        let mut copies = Vec::with_capacity(order.copies.len());
        for seq in &order.wiped {
            copies.push(self.certified_copy(*seq, tree_size)?);
        }
        let mut batches: Vec<_> = order.copies.iter().map(|c| c.batch).collect();
        batches.dedup();
        let retries = batches
            .iter()
            .filter_map(|b| self.view.batches.get(b)?.trouble.as_ref())
            .map(|t| u64::from(t.times))
            .sum();
        Ok(Certificate {
            batchward: 1,
            site: site.name.clone(),
            register_key: site.ssh_key.clone(),
            vkey: site.vkey.clone(),
            order: id,
            batches,
            reason: order.reason.clone(),
            requested_by: order.by.clone(),
            requested_at: order.requested.at,
            approved_by: approver,
            approved_at: approved.at,
            executed_by: AGENT.to_owned(),
            tool: format!("batchward {}", env!("CARGO_PKG_VERSION")),
            place: site.name.clone(),
            at,
            retries,
            copies,
            approval: self.proof(approved.seq, tree_size)?,
            checkpoint: self.ports.journal.note_at(Log::Register, tree_size)?,
        })
    }

    fn certified_copy(&self, seq: u64, tree_size: u64) -> Result<CertifiedCopy, StepError> {
        let entry = self.entry(seq)?;
        let Body::Outcome { intent, outcome: Outcome::CopyWiped { wiped } } = entry.body else {
            return Err(StepError::Stuck("register"));
        };
        let Body::Intent { plan: Plan::WipeCopy { copy, .. } } = self.entry(intent)?.body else {
            return Err(StepError::Stuck("register"));
        };
        let row = self.view.copies.get(&copy).ok_or(StepError::Stuck("no-copy"))?;
        Ok(CertifiedCopy {
            copy,
            batch: row.batch,
            kind: row.kind.word().to_owned(),
            medium: wiped.filesystem.clone(),
            bytes: wiped.bytes,
            sha256: row.sha256,
            method: method(&wiped).to_owned(),
            verification: verification(&wiped).to_owned(),
            assurance: wiped.assurance,
            meaning: wiped.assurance.meaning().to_owned(),
            files: wiped.files,
            notes: wiped.notes,
            at: entry.at,
            proof: self.proof(seq, tree_size)?,
        })
    }

    fn proof(&self, seq: u64, tree_size: u64) -> Result<Proof, StepError> {
        let bytes = self.ports.journal.entry(Log::Register, seq)?;
        let entry = String::from_utf8(bytes).map_err(|_| StepError::Stuck("register"))?;
        Ok(Proof {
            seq,
            entry,
            hashes: self.ports.journal.inclusion(Log::Register, seq, tree_size)?,
        })
    }

    /// One entry of the register.
    ///
    /// # Errors
    /// It is not there, or not ours.
    pub fn entry(&self, seq: u64) -> Result<Entry, PortError> {
        let bytes = self.ports.journal.entry(Log::Register, seq)?;
        Entry::from_bytes(&bytes).map_err(|error| PortError::Stuck {
            code: "register",
            message: format!("entry {seq} of the register cannot be read: {error}"),
        })
    }
}

/// How it was looked at afterwards.
fn verification(wiped: &WipeFacts) -> &'static str {
    match wiped.report.as_ref().map(|report| report.read_back) {
        Some(ReadBack::Direct) => {
            "every byte read back from the device, extents compared, name absent after directory sync"
        }
        Some(ReadBack::Memory) => {
            "every byte read back through memory, extents compared, name absent after directory sync"
        }
        Some(ReadBack::None) | None => "name absent after directory sync",
    }
}

/// What was done, by what the wipe itself says.
fn method(wiped: &WipeFacts) -> &'static str {
    match (wiped.files, wiped.assurance) {
        (0, _) => "no file was there any more",
        (_, Assurance::L0) => "unlinked only",
        _ => "overwritten once in place, synced, renamed, truncated, unlinked",
    }
}
