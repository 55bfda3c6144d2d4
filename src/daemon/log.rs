//! What the agent logs: each notable event once, with its ids, to the system's journal or to standard error.
//!
//! Events are taken from the register's entries, which hold no personal data and no name of a delivery or file; of
//! those only types, codes and ids are logged. Nothing that a provider or a person typed gets here.

use std::{collections::BTreeMap, os::fd::AsFd};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

use crate::{
    config::agent::LogLevel,
    domain::{
        entry::{Body, Entry, Failure},
        ids::BatchId,
        step::{Outcome, Plan},
    },
    engine::Observer,
    error::{Error, Exit},
    service::{Result, resident::Tally},
};

/// Begins to log.
///
/// # Errors
/// The journal cannot be reached, though standard error leads to it.
pub(super) fn begin(level: LogLevel) -> Result<()> {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let subscriber = tracing_subscriber::registry().with(level);
    if leads_to_the_journal() {
        let layer = tracing_journald::layer().map_err(|error| {
            Error::new(
                Exit::Unavailable,
                format!("the system's journal cannot be reached: {error}"),
            )
        })?;
        let layer = layer.with_field_prefix(Some("BATCHWARD".to_owned()));
        let _ = tracing::subscriber::set_global_default(subscriber.with(layer));
    } else {
        let layer = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_target(false)
            .with_writer(std::io::stderr);
        let _ = tracing::subscriber::set_global_default(subscriber.with(layer));
    }
    Ok(())
}

/// Whether standard error is the stream that the service manager connected to the journal: it says which file that is.
fn leads_to_the_journal() -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "where lines go is told by the service manager in the environment only, and decides nothing else"
    )]
    let stream = std::env::var("JOURNAL_STREAM");
    let about = rustix::fs::fstat(std::io::stderr().as_fd());
    let (Ok(stream), Ok(about)) = (stream, about) else { return false };
    stream == format!("{}:{}", about.st_dev, about.st_ino)
}

/// Steps that have begun, by the place of their intent.
#[derive(Default)]
struct Begun(BTreeMap<u64, (&'static str, Option<BatchId>)>);

/// Logs each new entry of the register.
pub(super) fn observer() -> Observer {
    let mut begun = Begun::default();
    Box::new(move |seq, entry| {
        begun.log(seq, entry);
        true
    })
}

impl Begun {
    fn log(&mut self, seq: u64, entry: &Entry) {
        let by = entry.by.as_str();
        match &entry.body {
            Body::Intent { plan } => {
                self.0.insert(seq, (plan.name(), batch_of(plan)));
            }
            Body::Outcome { intent, outcome } => {
                let (step, batch) = self.0.remove(intent).unwrap_or(("step", None));
                ended(seq, step, batch, outcome);
            }
            Body::Failed { intent, failure, code } => {
                let (step, batch) = self.0.remove(intent).unwrap_or(("step", None));
                let batch = batch.map(|batch| batch.to_string());
                let batch = batch.as_deref();
                match failure {
                    Failure::Later => {
                        tracing::warn!(seq, step, batch, code, "failed, and is tried again");
                    }
                    Failure::Stuck => {
                        tracing::error!(seq, step, batch, code, "failed, and needs a person");
                    }
                }
            }
            Body::ActRefused { command, .. } => {
                tracing::warn!(seq, by, command, "refused a command");
            }
            Body::TimeDoubted { seconds } => {
                tracing::error!(
                    seq,
                    seconds,
                    "the clock is in doubt: nothing irreversible runs until it is confirmed"
                );
            }
            Body::ConfigTightened { changes, .. } => {
                for change in changes {
                    let (file, code) = (change.file.as_str(), change.code.as_str());
                    tracing::warn!(seq, file, code, "the configuration tightened");
                }
            }
            Body::Started { version, .. } => tracing::info!(seq, version, "started"),
            Body::Reloaded { pending, .. } => {
                tracing::info!(seq, pending, "read the configuration again");
            }
            Body::NonceSpent { .. } | Body::AccessCheckpoint { .. } => {}
            body => act(seq, by, body),
        }
    }
}

const fn batch_of(plan: &Plan) -> Option<BatchId> {
    match plan {
        Plan::Claim { batch, .. }
        | Plan::Clear { batch }
        | Plan::Verify { batch }
        | Plan::MakeReceipt { batch, .. }
        | Plan::LeaveReceipt { batch, .. }
        | Plan::Load { batch, .. } => Some(*batch),
        Plan::TakeKey { .. }
        | Plan::DiscardMedia { .. }
        | Plan::DropKey { .. }
        | Plan::WipeCopy { .. }
        | Plan::Certify { .. }
        | Plan::MakePackage { .. }
        | Plan::MakeAccessKey { .. }
        | Plan::DropAccessKey { .. }
        | Plan::ReleaseRemote { .. }
        | Plan::PutRemote { .. }
        | Plan::PushPackage { .. } => None,
    }
}

fn ended(seq: u64, step: &str, batch: Option<BatchId>, outcome: &Outcome) {
    let value = serde_json::to_value(outcome).unwrap_or_default();
    let result = value["result"].as_str().unwrap_or("done");
    let batch = batch.map(|batch| batch.to_string());
    let batch = batch.as_deref();
    match value["verdict"]["reason"].as_str() {
        Some(reason) => tracing::warn!(seq, step, batch, reason, "quarantined"),
        None => tracing::info!(seq, step, batch, result, "a step ended"),
    }
}

/// What a person did, or time brought about: its kind, and the ids that it names.
fn act(seq: u64, by: &str, body: &Body) {
    let value = serde_json::to_value(body).unwrap_or_default();
    let kind = value["type"].as_str().unwrap_or("entry");
    let id = |field: &str| value[field].as_str().filter(|text| is_id(text));
    let (batch, grant, order, hold) = (id("batch"), id("grant"), id("order"), id("hold"));
    let (delivery, handover) = (id("delivery"), id("handover"));
    tracing::info!(seq, kind, by, batch, delivery, grant, order, hold, handover, "recorded");
}

fn is_id(text: &str) -> bool {
    text.len() < 24 && text.as_bytes().get(1) == Some(&b'-')
}

/// The register cannot be written for now.
pub(super) fn cannot_write(error: &Error) {
    let why = error.what.as_str();
    tracing::error!(why, "the register cannot be written; work rests until it can");
}

/// Links whose inbox or keybox cannot be read, as that changed.
pub(super) fn unread(before: &[String], now: &[String]) {
    for link in now.iter().filter(|link| !before.contains(link)) {
        tracing::warn!(link, "the inbox or keybox cannot be read");
    }
    for link in before.iter().filter(|link| !now.contains(link)) {
        tracing::info!(link, "the inbox and keybox can be read again");
    }
}

/// Metrics were put, or not.
pub(super) fn metrics(put: Result<()>) {
    if let Err(error) = put {
        let why = error.what.as_str();
        tracing::warn!(why, "the file of metrics cannot be written");
    }
}

/// What people are told could not be kept.
pub(super) fn notices(put: Result<()>) {
    if let Err(error) = put {
        let why = error.what.as_str();
        tracing::warn!(why, "notices cannot be planned");
    }
}

/// The engine's thread ends.
pub(super) fn stopped(parked: usize) {
    if parked > 0 {
        tracing::warn!(
            parked,
            "stopping: what still runs is parked and taken up at the next start"
        );
    } else {
        tracing::info!("stopped");
    }
}

/// How things stand, in a line.
pub(super) fn line(tally: &Tally) -> String {
    let mut parts: Vec<String> =
        tally.batches.iter().map(|(state, count)| format!("{count} {state}")).collect();
    if parts.is_empty() {
        parts.push("no batch".to_owned());
    }
    format!("{}; {} running", parts.join(", "), tally.running)
}
