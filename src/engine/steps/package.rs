//! Make a package: rows of the vaults as one stream into a sealed file, with a signed manifest, so that the recipient's
//! own Batchward takes it in like any delivery (invariant 2: no plaintext on a disk).
//!
//! The number of the package is the hand-over's id. A stop before its note is durable leaves ciphertext under a
//! temporary name, which the next run makes anew; a stop after it finds everything written, and only gives it its name:
//! there are never two packages of one number with different bytes.

use std::sync::Arc;

use crate::{
    domain::{
        digest::Digest,
        entry::{AGENT, Body, CopyDeclared, HandoverTerms, HeldFacts, PackageFacts, PackagePart},
        handover::{DATA_NAME, Recipient, Sealing, delimited},
        ids::{CopyId, HandoverId},
        inventory::{HeldKind, Medium},
        lifecycle::{BatchState, CopyState, HandoverState},
        manifest::{FileEntry, Kind, MANIFEST_NAMESPACE, Manifest},
        secret::Secret,
        step::{Outcome, Plan},
        time::Timestamp,
        view::Handover,
    },
    engine::{
        Engine, EngineError, StepError,
        jobs::{Begun, Effect},
        ports::{
            Clock, CopySize, Flow, Meter, PackageEnd, PackagePlace, Packages, PortError, VaultKey,
            VaultRead, Vaults,
        },
        slots,
    },
};

/// A data file that is whole.
pub(in crate::engine) struct Packed {
    records: u64,
    file: CopySize,
}

/// The long part: everything that it needs, and nothing of the register.
struct Stream {
    place: PackagePlace,
    recipient: String,
    vaults: Vec<VaultKey>,
    key: Option<String>,
    single: bool,
    /// How long rows may come.
    until: Timestamp,
    clock: Arc<dyn Clock>,
    fields: Vec<String>,
    port: Arc<dyn Vaults>,
    packages: Arc<dyn Packages>,
}

impl Engine {
    fn handed_over(&self, id: HandoverId) -> Result<&Handover, StepError> {
        self.view.handovers.get(&id).ok_or(StepError::Stuck("package"))
    }

    /// Where a package goes. A recipient that is no longer as it was approved gets nothing.
    pub(in crate::engine) fn package_place(
        &self,
        id: HandoverId,
    ) -> Result<PackagePlace, StepError> {
        let terms = &self.handed_over(id)?.terms;
        let now = self.ports.clock.now();
        let recipient = self.rules.recipients.get(&terms.recipient);
        let recipient = recipient
            .filter(|one| {
                let own = match &one.sealing {
                    Sealing::Recipient(key) => Some(key),
                    Sealing::Separate(_) => None,
                };
                let same = (one.kind, one.premises) == (terms.kind, terms.premises);
                same && own == terms.recipient_key.as_ref() && now <= one.until
            })
            .ok_or(StepError::Stuck("recipient-changed"))?;
        Ok(place_of(id, recipient))
    }

    /// The outbox of a package, whatever became of its recipient's terms.
    pub(in crate::engine) fn outbox_of(&self, id: HandoverId) -> Option<PackagePlace> {
        let recipient = &self.view.handovers.get(&id)?.terms.recipient;
        Some(place_of(id, self.rules.recipients.get(recipient)?))
    }

    pub(in crate::engine) fn begin_package(
        &mut self,
        id: HandoverId,
        parts: &[PackagePart],
    ) -> Result<Begun, StepError> {
        let place = self.package_place(id)?;
        // A stop after the note: what it tells is there, or was taken away already.
        if let Some(note) = self.ports.packages.noted(&place)? {
            let facts = serde_json::from_slice(&note).map_err(|_| StepError::Stuck("package"))?;
            self.ports.packages.put(&place)?;
            return Ok(Begun::Done(Outcome::PackageMade { facts }));
        }
        let now = self.ports.clock.now();
        let terms = self.handed_over(id)?.terms.clone();
        let link = self.rules.links.get(&terms.link).cloned().ok_or(StepError::Stuck("no-link"))?;
        if link.standing(now).is_some() || now > terms.until {
            return Err(StepError::Stuck("use-ended"));
        }
        let mut vaults = Vec::with_capacity(parts.len());
        for part in parts {
            let usable = self.view.batches.get(&part.batch).is_some_and(|row| {
                row.state == BatchState::Loaded
                    && row.times.get("use-until").is_some_and(|end| now <= *end)
            });
            let key = self.ports.keys.live(&slots::vault(part.vault))?.filter(|_| usable);
            let key = key.ok_or(StepError::Stuck("not-loaded"))?;
            vaults.push(VaultKey { copy: part.vault, key });
        }
        let recipient = match &terms.recipient_key {
            Some(recipient) => recipient.clone(),
            None => {
                let slot = slots::package(first(parts)?);
                let identity = self.ports.keys.ensure_identity(&slot)?;
                self.ports.opener.recipient(&identity).ok_or(StepError::Stuck("package"))?
            }
        };
        // A field that the link allows no longer is not handed on, and what was approved is not made without it.
        if terms.fields.iter().any(|field| !link.items.contains(field)) {
            return Err(StepError::Stuck("fields-changed"));
        }
        let layout = self.rules.layout_of(&link);
        let key = layout
            .and_then(|layout| layout.key())
            .map(|field| field.name.clone())
            .filter(|name| link.items.contains(name));
        let stream = Stream {
            place,
            recipient,
            vaults,
            key,
            single: terms.batch.is_some(),
            until: terms.until,
            clock: Arc::clone(&self.ports.clock),
            fields: terms.fields,
            port: Arc::clone(&self.ports.vaults),
            packages: Arc::clone(&self.ports.packages),
        };
        Ok(Begun::long(0, move |meter| Effect::Packed(stream.run(meter))))
    }

    pub(in crate::engine) fn end_package(
        &mut self,
        id: HandoverId,
        (parts, at): (&[PackagePart], Timestamp),
        packed: Result<Packed, PortError>,
    ) -> Result<Outcome, StepError> {
        let Packed { records, file } = packed?;
        if records == 0 {
            return Err(StepError::Stuck("no-records"));
        }
        let place = self.package_place(id)?;
        let terms = self.handed_over(id)?.terms.clone();
        let manifest = self.package_manifest(&place, &terms, at, (records, file))?;
        let signature = self.ports.signer.sign(MANIFEST_NAMESPACE, &manifest)?;
        let key = match place.keys {
            Some(_) => self.ports.keys.live(&slots::package(first(parts)?))?,
            None => None,
        };
        let facts = PackageFacts {
            records,
            bytes: file.bytes,
            sha256: file.sha256,
            manifest: Digest::of(&manifest),
            key: key.as_ref().and_then(|key| self.fingerprint(key)),
        };
        let note = serde_json::to_vec(&facts).map_err(|_| StepError::Stuck("package"))?;
        let end = PackageEnd {
            manifest: &manifest,
            signature: &signature,
            key: key.as_ref(),
            note: &note,
        };
        self.ports.packages.end(&place, &end)?;
        // A stop here: the note stands, and the next run gives the package its name.
        self.ports.packages.put(&place)?;
        Ok(Outcome::PackageMade { facts })
    }

    fn fingerprint(&self, key: &Secret) -> Option<Digest> {
        self.ports.opener.recipient(key).map(|recipient| Digest::of(recipient.as_bytes()))
    }

    fn package_manifest(
        &self,
        place: &PackagePlace,
        terms: &HandoverTerms,
        at: Timestamp,
        (records, file): (u64, CopySize),
    ) -> Result<Vec<u8>, StepError> {
        let recipient = self.rules.recipients.get(&terms.recipient);
        let link =
            recipient.map(|one| one.link.clone()).ok_or(StepError::Stuck("recipient-changed"))?;
        let table_no = self.rules.links.get(&terms.link).map(|link| link.table_no.clone());
        let data = FileEntry {
            name: DATA_NAME.to_owned(),
            bytes: file.bytes,
            sha256: file.sha256,
            records,
            plaintext_sha256: None,
        };
        // A package stands for itself: a full file, whatever deltas its rows came from.
        let manifest = Manifest {
            batch: place.number.clone(),
            link,
            table_no: table_no.ok_or(StepError::Stuck("no-link"))?,
            kind: Kind::Full,
            sequence: 1,
            notified_at: at,
            basis_doc_no: terms.basis.clone(),
            purpose: terms.purpose.clone(),
            applied: None,
            as_of: None,
            replaces: None,
            records,
            files: vec![data],
            each: true,
        };
        manifest.to_yaml().map(String::into_bytes).map_err(|_| StepError::Stuck("package"))
    }

    /// Removes what a package that is given up had begun.
    pub(in crate::engine) fn abandon_package(
        &mut self,
        id: HandoverId,
        parts: &[PackagePart],
    ) -> Result<(), EngineError> {
        if let Some(copy) = parts.first().map(|part| part.copy) {
            self.ports.keys.destroy(&slots::package(copy), &id.to_string())?;
        }
        let Some(row) = self.view.handovers.get(&id) else { return Ok(()) };
        let Some(recipient) = self.rules.recipients.get(&row.terms.recipient) else {
            return Ok(());
        };
        Ok(self.ports.packages.abandon(&place_of(id, recipient))?)
    }

    /// What follows a package that is made: its key goes from the key store, and it is in the inventory, a copy of each
    /// batch. Each of these may be done again.
    pub(in crate::engine) fn declare_package(&mut self) -> Result<bool, EngineError> {
        let planned = |copy: &CopyId| {
            self.view.copies.get(copy).is_some_and(|row| row.state == CopyState::Planned)
        };
        let found = self.view.handovers.iter().find_map(|(id, row)| {
            let copy = row.copies.iter().find(|copy| planned(copy))?;
            (row.state == HandoverState::Made).then_some((*id, row, *copy))
        });
        let Some((id, row, copy)) = found else { return Ok(false) };
        let Some(batch) = self.view.copies.get(&copy).map(|row| row.batch) else {
            return Ok(false);
        };
        let package = row.package.as_ref();
        let facts = HeldFacts {
            kind: HeldKind::HandOver,
            medium: Medium::File,
            holder: row.terms.recipient.clone(),
            place: row.terms.title.clone(),
            lock: None,
            serial: None,
            model: None,
            property_no: None,
            pieces: None,
            delete_by: Some(row.terms.destroy_by),
            sha256: package.map(|package| package.sha256),
            bytes: package.map(|package| package.bytes),
        };
        let first = row.copies.first().copied();
        if first == Some(copy) {
            self.ports.keys.destroy(&slots::package(copy), &id.to_string())?;
            self.ports.packages.forget(&id.to_string())?;
        }
        let declared = CopyDeclared { copy, batch, facts, unapproved: false, signed: None };
        self.record(AGENT, Body::CopyDeclared(declared))?;
        Ok(true)
    }

    /// Whether a package of this hand-over is being made.
    #[must_use]
    pub fn is_packing(&self, id: HandoverId) -> bool {
        let of =
            |plan: &Plan| matches!(plan, Plan::MakePackage { handover, .. } if *handover == id);
        self.view.open_plan(of).is_some()
    }
}

fn place_of(id: HandoverId, recipient: &Recipient) -> PackagePlace {
    let keys = match &recipient.sealing {
        Sealing::Separate(keys) => Some(keys.clone()),
        Sealing::Recipient(_) => None,
    };
    PackagePlace { number: id.to_string(), outbox: recipient.outbox.clone(), keys }
}

fn first(parts: &[PackagePart]) -> Result<CopyId, StepError> {
    parts.first().map(|part| part.copy).ok_or(StepError::Stuck("not-loaded"))
}

impl Stream {
    fn run(self, meter: &Meter) -> Result<Packed, PortError> {
        let mut file = self.packages.begin(&self.place, &self.recipient)?;
        let mut line = zeroize::Zeroizing::new(Vec::new());
        delimited(&mut line, &self.fields);
        file.write(&line)?;
        let (mut records, mut written) = (0_u64, Ok(()));
        let read = VaultRead {
            vaults: &self.vaults,
            key: self.key.as_deref(),
            columns: &self.fields,
            sets: &[Vec::new()],
            single: self.single,
            // The job may have waited: what is left is what is left now.
            remaining: self.clock.now().left_until(self.until),
        };
        self.port.read(&read, &mut |values| {
            line.clear();
            delimited(&mut line, values);
            written = file.write(&line);
            if written.is_err() {
                return Flow::Stop;
            }
            records += 1;
            meter.add(line.len() as u64);
            Flow::On
        })?;
        written?;
        Ok(Packed { records, file: file.finish()? })
    }
}
