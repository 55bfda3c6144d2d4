//! `pack`: at the provider, without an agent.

use std::path::Path;

use super::{
    args::{PackArgs, PackKind},
    dates, print,
};
use crate::{
    domain::{
        manifest::{AsOf, Kind},
        packing::Announced,
        time::Timestamp,
    },
    error::Error,
    service::Result,
    wiring::{self, Lock, Packing},
};

/// Packs, and says what was made and where its key goes.
pub(super) fn pack(
    args: &PackArgs,
    sign_with: Option<&Path>,
    now: Timestamp,
    json: bool,
) -> Result<()> {
    let sign_with = sign_with.ok_or_else(|| {
        Error::usage(format!("this is missing: {}", "--sign-with <KEYFILE>"))
            .hint("'--help' after the word shows what it takes")
    })?;
    let asked = Packing {
        from: args.from.clone(),
        layout: args.layout.clone(),
        announced: announced(args, now)?,
        rejected_max: args.max_rejected,
        sign_with: sign_with.to_owned(),
        lock: lock(args)?,
        into: args.into.clone(),
    };
    let packed = wiring::pack(&asked)?;
    if json {
        return print::json(&packed);
    }
    print::line(&format!(
        "'{}': {} files, {} records, signed by {}",
        packed.folder.display(),
        packed.files.len(),
        packed.records,
        packed.signer
    ))?;
    match &packed.key {
        Some(key) => print::line(&format!(
            "next: send '{}' by another channel than the data, then remove it",
            key.display()
        )),
        None => Ok(()),
    }
}

fn announced(args: &PackArgs, now: Timestamp) -> Result<Announced> {
    let as_of = args.as_of.as_deref().map(as_of).transpose()?;
    Ok(Announced {
        batch: args.number.clone(),
        link: args.link.clone(),
        table_no: args.table_no.clone(),
        kind: match args.kind {
            PackKind::Full => Kind::Full,
            PackKind::Delta => Kind::Delta,
        },
        sequence: args.sequence,
        notified_at: now,
        basis_doc_no: args.basis.clone(),
        purpose: args.purpose.clone(),
        applied: args.applied,
        as_of,
        replaces: args.replaces.clone(),
    })
}

fn as_of(text: &str) -> Result<AsOf> {
    match Timestamp::parse(text) {
        Some(at) => Ok(AsOf::Moment(at)),
        None => dates::day(text).map(AsOf::Day),
    }
}

fn lock(args: &PackArgs) -> Result<Lock> {
    if args.passphrase_stdin {
        return Ok(Lock::Passphrase(wiring::passphrase_from(std::io::stdin().lock())?));
    }
    let lock = args.recipient.clone().map(Lock::Recipient);
    let lock = lock.or_else(|| args.fresh_key.clone().map(Lock::FreshKey));
    lock.or_else(|| args.passphrase_out.clone().map(Lock::FreshPassphrase))
        .ok_or_else(|| Error::usage("say who is to open the delivery"))
}
