//! `media import` and `media export`: what is to be done is recorded, then whoever has the medium copies it here.

use std::path::Path;

use super::{
    acts::{done, time},
    args::{CarriedArgs, Cli, ExportArgs, ImportArgs},
    client::Client,
    identity::Identity,
    inventory::medium_of,
    print,
    words::id,
};
use crate::{
    adapters::entropy,
    domain::{
        entry::{Custody, HeldFacts},
        handover::DATA_NAME,
        inventory::HeldKind,
        manifest::MANIFEST_NAME,
    },
    error::{Error, Exit},
    service::{
        Command, Query, Result, handing::HandoverAct, handovers::HandoverLine, notifying::NoticeRow,
    },
    wiring::media,
};

pub(super) fn import(
    cli: &Cli,
    client: &mut Client,
    identity: &Identity,
    asked: &ImportArgs,
) -> Result<()> {
    let rows: Vec<NoticeRow> = client.ask(Query::Notices)?;
    let announced = rows.iter().any(|row| row.link == asked.link && row.announces());
    media::is_delivery(&cli.config, &asked.link, &asked.path, announced)?;
    let (facts, custody) = carried(&asked.carried, HeldKind::Carrier, &asked.path, client)?;
    // A name of our own: what the sender called the folder says nothing to anybody, and need not be kept.
    let mut random = [0; 8];
    entropy::fill(&mut random).map_err(|error| Error::new(Exit::Failed, error.to_string()))?;
    let folder = format!("medium-{:016x}", u64::from_be_bytes(random));
    let link = asked.link.clone();
    let act = HandoverAct::Import { link, folder: folder.clone(), facts, custody };
    done(cli, client, identity, Command::Handover { act: Box::new(act) })?;
    let files = media::carry_in(&cli.config, &asked.link, &asked.path, &folder)?;
    copied(&files)
}

pub(super) fn export(
    cli: &Cli,
    client: &mut Client,
    identity: &Identity,
    asked: &ExportArgs,
) -> Result<()> {
    let handover = id(&asked.id)?;
    let line: Box<HandoverLine> = client.ask(Query::Handover { id: handover })?;
    let (recipient, number) = (line.terms.recipient.as_str(), handover.to_string());
    let (facts, custody) = carried(&asked.carried, HeldKind::Media, &asked.to, client)?;
    media::can_carry_out(&cli.config, recipient, &number, &asked.to)?;
    let act = HandoverAct::Export { handover, facts, custody };
    done(cli, client, identity, Command::Handover { act: Box::new(act) })?;
    let files = media::carry_out(&cli.config, recipient, &number, &asked.to)?;
    let whole = line.package.as_ref().is_some_and(|package| {
        let has =
            |name: &str, digest| files.iter().any(|(one, _, its)| one == name && *its == digest);
        has(DATA_NAME, package.sha256) && has(MANIFEST_NAME, package.manifest)
    });
    if !whole {
        return Err(Error::new(
            Exit::Data,
            "what lies in the outbox is not the package that was made",
        )
        .hint("the medium is in the inventory: destroy it, and find out who changed the outbox"));
    }
    copied(&files)
}

fn copied(files: &media::Carried) -> Result<()> {
    let bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
    print::note(&format!("{} files, {bytes} bytes copied and read back", files.len()));
    Ok(())
}

fn carried(
    asked: &CarriedArgs,
    kind: HeldKind,
    path: &Path,
    client: &mut Client,
) -> Result<(HeldFacts, Custody)> {
    let told = media::serial_of(path).filter(|_| asked.serial.is_none());
    let serial = asked.serial.clone().or(told).ok_or_else(|| {
        Error::usage("the system does not tell the serial number of the medium")
            .hint("--serial NO; where it has none, the number that the office put on it")
    })?;
    let on = asked.on.as_deref().map(|on| time(client, on)).transpose()?;
    let facts = HeldFacts {
        kind,
        medium: medium_of(kind, Some(&asked.medium))?,
        holder: asked.holder.clone(),
        place: asked.place.clone(),
        lock: asked.lock.clone(),
        serial: Some(serial),
        model: None,
        property_no: None,
        pieces: None,
        delete_by: None,
        sha256: None,
        bytes: None,
    };
    let (from, carrier) = (asked.from.clone(), asked.carrier.clone());
    Ok((facts, Custody { from, carrier, on: on.unwrap_or_else(|| client.now()) }))
}
