//! Certify: the certificate of destruction, made of the register and of nothing else, so that issuing it twice
//! gives the same bytes.

use crate::{
    domain::{
        certificate::{
            Assurance, AttestedCopy, Certificate, CertifiedCopy, FurtherApproval, InBoth, LeftOut,
            MovedTo, NAMESPACE, PaperApproval, Person, Proof, StandingPaper, Stopped, why,
        },
        digest::Digest,
        entry::{AGENT, Body, Entry, WipeFacts},
        ids::{CopyId, OrderId},
        inventory,
        on_paper::OnPaper,
        person,
        step::{BackupFacts, Outcome, Plan},
        time::Timestamp,
        view::Order,
        wipe::{Limit, ReadBack},
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
        let backups = self.rules.backups.clone();
        let (tree_size, at) = (self.view.size, self.ports.clock.now());
        let plan = Plan::Certify { order, tree_size, at, backups };
        self.run(AGENT, plan)
    }

    pub(in crate::engine) fn apply_certify(
        &mut self,
        order: OrderId,
        tree_size: u64,
        at: Timestamp,
        backups: Option<Vec<BackupFacts>>,
    ) -> Result<Outcome, StepError> {
        let certificate = Certificate { backups, ..self.certificate(order, tree_size, at)? };
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
        for (_, seq) in &order.wiped {
            copies.push(self.certified_copy(*seq, tree_size)?);
        }
        let mut attested = Vec::with_capacity(order.attested.len());
        for (copy, record, confirmation) in &order.attested {
            attested.push(self.attested_copy(*copy, (*record, *confirmation), tree_size)?);
        }
        let mut batches: Vec<_> = order.copies.iter().map(|c| c.batch).collect();
        batches.dedup();
        let copies_of = order.copies.iter().filter_map(|one| self.view.copies.get(&one.copy));
        let retries = copies_of.map(|row| u64::from(row.failures)).sum();
        let left_out = self.left_out(&order, tree_size)?;
        let beyond = InBoth::beyond().into_iter().chain(self.unmade_in_plain(&batches)).collect();
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
            people: self.people(&order, &attested),
            copies,
            attested,
            backups: None,
            beyond,
            request: self.proof(order.requested.seq, tree_size)?,
            approval: self.proof(approved.seq, tree_size)?,
            further_approvals: self.further_approvals(&order, approved.seq, tree_size)?,
            on_paper: self.paper_approvals(&order, tree_size)?,
            standing: self.standing_paper(&order, tree_size)?,
            stopped: self.stopped(&order, tree_size)?,
            records_left: records_left(&order, &left_out),
            left_out,
            checkpoint: self.ports.journal.note_at(Log::Register, tree_size)?,
        })
    }

    fn further_approvals(
        &self,
        order: &Order,
        last: u64,
        tree_size: u64,
    ) -> Result<Vec<FurtherApproval>, StepError> {
        let before = order.approvals.iter().filter(|(_, mark)| mark.seq != last);
        before
            .map(|(by, mark)| {
                let proof = self.proof(mark.seq, tree_size)?;
                Ok(FurtherApproval { by: by.clone(), at: mark.at, proof })
            })
            .collect()
    }

    fn paper_approvals(
        &self,
        order: &Order,
        tree_size: u64,
    ) -> Result<Vec<PaperApproval>, StepError> {
        let made = |paper: &OnPaper| {
            let Body::DecisionEntered(what) = self.entry(paper.entered)?.body else {
                return Err(StepError::Stuck("register"));
            };
            Ok(PaperApproval {
                by: paper.approver.clone(),
                doc_no: paper.doc_no.clone(),
                on: paper.on,
                sha256: what.sha256,
                code: paper.code.clone(),
                entered_by: paper.entered_by.clone(),
                confirmed_by: paper.confirmed_by.clone(),
                entered: self.proof(paper.entered, tree_size)?,
            })
        };
        order.on_paper.iter().map(made).collect()
    }

    fn standing_paper(
        &self,
        order: &Order,
        tree_size: u64,
    ) -> Result<Option<StandingPaper>, StepError> {
        let Some(id) = order.standing else { return Ok(None) };
        let row = self.view.standings.get(&id).ok_or(StepError::Stuck("register"))?;
        let (_, confirmed) = row.confirmed.as_ref().ok_or(StepError::Stuck("register"))?;
        Ok(Some(StandingPaper {
            standing: id,
            doc_no: row.doc_no.clone(),
            until: row.until,
            proposal: self.proof(row.proposed.seq, tree_size)?,
            confirmation: self.proof(confirmed.seq, tree_size)?,
        }))
    }

    /// Why an order ended early. What it left is told from the register, so that a second issue says the same.
    fn stopped(&self, order: &Order, tree_size: u64) -> Result<Option<Stopped>, StepError> {
        let Some((code, mark)) = &order.voided else { return Ok(None) };
        let attested = order.attested.iter().map(|(copy, ..)| *copy);
        let gone: Vec<CopyId> = order.wiped.iter().map(|(copy, _)| *copy).chain(attested).collect();
        let out = |copy: &CopyId| order.excepted.iter().any(|(one, _)| one == copy);
        let left = order.copies.iter().map(|one| one.copy);
        Ok(Some(Stopped {
            code: code.clone(),
            at: mark.at,
            left: left.filter(|copy| !gone.contains(copy) && !out(copy)).collect(),
            proof: self.proof(mark.seq, tree_size)?,
        }))
    }

    fn left_out(&self, order: &Order, tree_size: u64) -> Result<Vec<LeftOut>, StepError> {
        let mut left = Vec::new();
        for (copy, seq) in &order.excepted {
            let Body::CopyExcepted(exception) = self.entry(*seq)?.body else {
                return Err(StepError::Stuck("register"));
            };
            // The record of the batch stays with what was left out, and is no exception of its own.
            if exception.copy == *copy {
                left.push(LeftOut {
                    copy: *copy,
                    owner: exception.owner,
                    until: exception.until,
                    proof: self.proof(*seq, tree_size)?,
                });
            }
        }
        Ok(left)
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
            in_words: Some(wiped.assurance.in_words()),
            why: wiped.report.as_deref().map(why).unwrap_or_default(),
            sanitization: wiped.assurance.sanitization(),
            report: wiped.report.clone(),
            files: wiped.files,
            notes: wiped.notes,
            at: entry.at,
            proof: self.proof(seq, tree_size)?,
        })
    }

    /// A copy that people kept: what was known of it, what one of them recorded, and who vouched for that.
    fn attested_copy(
        &self,
        copy: CopyId,
        (record, confirmation): (u64, u64),
        tree_size: u64,
    ) -> Result<AttestedCopy, StepError> {
        let stuck = || StepError::Stuck("register");
        let row = self.view.copies.get(&copy).ok_or(StepError::Stuck("no-copy"))?;
        let declared = row.held.as_ref().and_then(|held| held.declared).ok_or_else(stuck)?;
        let Body::CopyDeclared(known) = self.entry(declared)?.body else { return Err(stuck()) };
        let moved = match row.held.as_ref().and_then(|held| held.moved) {
            Some(seq) => {
                let Body::CopyMoved(to) = self.entry(seq)?.body else { return Err(stuck()) };
                let proof = self.proof(seq, tree_size)?;
                Some(MovedTo { holder: to.holder, place: to.place, lock: to.lock, proof })
            }
            None => None,
        };
        let recorded = self.entry(record)?;
        let Body::EndRecorded(ended) = recorded.body else { return Err(stuck()) };
        let confirmed = self.entry(confirmation)?;
        let does = inventory::does(ended.end.method, known.facts.medium).ok_or_else(stuck)?;
        Ok(AttestedCopy {
            copy,
            batch: row.batch,
            facts: known.facts,
            moved,
            end: ended.end,
            sanitization: does,
            recorded_by: recorded.by,
            witness: confirmed.by,
            witnessed_at: confirmed.at,
            in_words: InBoth::attested(),
            declared: self.proof(declared, tree_size)?,
            record: self.proof(record, tree_size)?,
            confirmation: self.proof(confirmation, tree_size)?,
        })
    }

    /// Whoever a certificate names, as far as they have accounts.
    fn people(&self, order: &Order, attested: &[AttestedCopy]) -> Vec<Person> {
        let approvers = order.approvals.iter().map(|(by, mark)| (by.as_str(), mark.seq));
        let standing = order.approved.iter().map(|(by, mark)| (by.as_str(), mark.seq));
        // Who typed a decision on paper, and who confirmed it, are named as who they are now.
        let now = self.view.size;
        let typed = order.on_paper.iter();
        let typed = typed.flat_map(|paper| [paper.entered_by.as_str(), &paper.confirmed_by]);
        let typed = typed.map(|by| (by, now));
        let ends = attested.iter().flat_map(|copy| {
            [(&copy.recorded_by, copy.record.seq), (&copy.witness, copy.confirmation.seq)]
        });
        let ends = ends.map(|(by, seq)| (by.as_str(), seq));
        let mut acts: Vec<(&str, u64)> = [(order.by.as_str(), order.requested.seq)]
            .into_iter()
            .chain(approvers)
            .chain(standing)
            .chain(typed)
            .chain(ends)
            .collect();
        // Who did several things is named once, and as a deputy where he was one in any of them.
        let own = |seq: &u64| !self.view.people.deputised.contains_key(seq);
        acts.sort_unstable_by_key(|(name, seq)| (*name, own(seq), *seq));
        acts.dedup_by_key(|(name, _)| *name);
        let known =
            |name: &str| self.view.accounts.get(name).is_some_and(|row| row.facts.is_some());
        let people = acts.into_iter().filter(|(name, _)| known(name)).map(|(name, seq)| {
            let person::Person { account, was, deputy } = self.view.person(name, seq);
            let person::Persona { display, title, unit } = was;
            Person { account, display, title, unit, deputy }
        });
        people.collect()
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

/// The records of batches, which stay with what was left out.
fn records_left(order: &Order, left_out: &[LeftOut]) -> Vec<CopyId> {
    let excepted = order.excepted.iter().map(|(copy, _)| *copy);
    excepted.filter(|copy| !left_out.iter().any(|left| left.copy == *copy)).collect()
}

/// How it was looked at afterwards.
fn verification(wiped: &WipeFacts) -> &'static str {
    let Some(report) = &wiped.report else { return "name absent after directory sync" };
    if report.limits.contains(&Limit::DatabaseLog) {
        return match report.limits.contains(&Limit::DatabaseFiles) {
            true => "name absent from the database",
            false => "name and files absent from the database",
        };
    }
    let compared = report.before.is_some() && report.after.is_some();
    match (report.read_back, compared) {
        (ReadBack::Device, _) => {
            "every byte read back from the raw device, extents compared, name absent after directory sync"
        }
        (ReadBack::Direct, true) => {
            "every byte read back from the device, extents compared, name absent after directory sync"
        }
        (ReadBack::Direct, false) => {
            "every byte read back from the device, name absent after directory sync"
        }
        (ReadBack::Memory, true) => {
            "every byte read back through memory, extents compared, name absent after directory sync"
        }
        (ReadBack::Memory, false) => {
            "every byte read back through memory, name absent after directory sync"
        }
        (ReadBack::None, _) => "name absent after directory sync",
    }
}

/// What was done, by what the wipe itself says.
fn method(wiped: &WipeFacts) -> &'static str {
    if wiped.report.as_ref().is_some_and(|report| report.limits.contains(&Limit::DatabaseLog)) {
        return "readers cut off, partition detached, table dropped";
    }
    match (wiped.files, wiped.assurance) {
        (0, _) => "no file was there any more",
        (_, Assurance::L0) => "unlinked only",
        _ => "overwritten once in place, synced, renamed, truncated, unlinked",
    }
}
