//! The end of what was handed on: the recipient's receipt, its letter and its certificates.

use crate::{
    domain::{
        calendar,
        certificate::Certificate,
        checkpoint::VerifierKey,
        digest::Digest,
        entry::{Body, EndFacts, HandoverReceived, HandoverReturned},
        ids::{CopyId, HandoverId},
        inventory::HeldKind,
        lifecycle::{CopyState, HandoverState},
        time::Timestamp,
        view::{CopyKind, Handover},
    },
    error::{Error, Exit},
    service::{Actor, Reply, Result, Service, stated},
};

impl Service {
    pub(super) fn handover_confirm(
        &mut self,
        actor: &Actor,
        handover: HandoverId,
        doc_no: String,
        on: Timestamp,
    ) -> Result<Reply> {
        let row = self.in_state(handover, &[HandoverState::Made])?;
        stated("the document number", &doc_no)?;
        let zone = self.engine.rules.zone;
        let made = row.made.unwrap_or(row.requested.at);
        if on.date_in(zone) < made.date_in(zone) || on.date_in(zone) > self.now().date_in(zone) {
            return Err(Error::usage("the day lies before the package was made, or in the future"));
        }
        let by = calendar::end(row.terms.destroy_by, zone);
        let signed = actor.signed.clone();
        let received = HandoverReceived { handover, doc_no, on, signed };
        self.record(actor, Body::HandoverReceived(received))?;
        let message = format!("the recipient has '{handover}', and has to destroy it by {by}");
        Ok(Reply::new(&handover, message))
    }

    /// The recipient's letter: the end of each copy is recorded as of any copy that people keep, and a second person
    /// vouches for it.
    pub(super) fn handover_returned(
        &mut self,
        actor: &Actor,
        handover: HandoverId,
        letter: String,
        (mut end, certificates): (EndFacts, &[String]),
    ) -> Result<Reply> {
        let row = self.in_state(handover, &[HandoverState::Made, HandoverState::Received])?;
        stated("the letter", &letter)?;
        if !certificates.is_empty() {
            let at = self.certified(row, certificates)?;
            end.at = at.min(self.now());
            end.evidence.extend(certificates.iter().map(|text| Digest::of(text.as_bytes())));
        }
        let end = &end;
        if end.evidence.is_empty() {
            return Err(Error::refused(format!("the evidence is missing ({})", row.terms.clause))
                .hint("--evidence FILE: the recipient's certificate, or what it sent along"));
        }
        let copies: Vec<CopyId> = row.copies.clone();
        let there = |copy: &CopyId| {
            let row = self.engine.view.copies.get(copy);
            row.is_some_and(|row| row.state != CopyState::Destroyed)
        };
        let open: Vec<CopyId> = copies.into_iter().filter(there).collect();
        // Each is asked before the first is recorded.
        for copy in &open {
            self.may_record(actor, *copy, end)?;
        }
        let signed = actor.signed.clone();
        let evidence = end.evidence.clone();
        let returned = HandoverReturned { handover, letter, evidence, signed };
        self.record(actor, Body::HandoverReturned(returned))?;
        for copy in &open {
            self.record_end(actor, *copy, end.clone(), None)?;
        }
        let words: Vec<String> =
            open.iter().map(|copy| format!("'batchward media confirm {copy}'")).collect();
        Ok(Reply::new(&handover, "the end of it is recorded; a second person has to confirm it")
            .next(words.join(", ")))
    }

    /// When the recipient's own Batchward has destroyed what it got, by its certificates: they name the very file that was
    /// handed on, and the data that were loaded from it.
    fn certified(&self, row: &Handover, certificates: &[String]) -> Result<Timestamp> {
        let known = self.engine.rules.recipients.get(&row.terms.recipient);
        let known = known.and_then(|recipient| recipient.vkey.as_deref());
        let key = known.map(VerifierKey::parse).transpose().map_err(|error| {
            Error::new(Exit::Config, format!("the recipient's verifier key: {error}"))
        })?;
        let (mut file, mut data, mut last) = (false, false, None);
        let sent = row.package.as_ref().map(|package| package.sha256);
        for text in certificates {
            let certificate =
                Certificate::verify(text.as_bytes(), key.as_ref()).map_err(|fault| {
                    Error::new(
                        Exit::Data,
                        format!("a certificate of the recipient does not hold: {fault}"),
                    )
                })?;
            for copy in &certificate.copies {
                file |= copy.kind == CopyKind::Transfer.word() && copy.sha256 == sent;
                data |= copy.kind == CopyKind::Vault.word();
                last = last.max(Some(copy.at));
            }
        }
        last.filter(|_| file && data && sent.is_some()).ok_or_else(|| {
            Error::new(Exit::Data, "the certificates do not name the file that was handed on, and the data loaded from it")
                .hint("'batchward handover show' tells its SHA-256; a recipient that destroyed both in two orders sends two certificates")
        })
    }

    /// The package of a hand-over ends by its own words.
    pub(in crate::service) fn not_handed_on(&self, copy: CopyId) -> Result<()> {
        let held = self.engine.view.copies.get(&copy).map(|row| row.kind);
        if held != Some(CopyKind::Held(HeldKind::HandOver)) {
            return Ok(());
        }
        match self.engine.view.handover_of(copy) {
            None => Ok(()),
            Some(id) => Err(Error::usage(format!("'{copy}' is the package of '{id}'")).hint(
                format!("'batchward handover show {id}' tells how it stands and what comes next"),
            )),
        }
    }
}
