//! `witness new` and `witness cosign`: at the witness, without an agent. And the files of a timestamp authority.

use std::path::Path;

use data_encoding::BASE64;

use super::{client::Client, print, register::handed};
use crate::{
    adapters::files,
    demo,
    domain::{checkpoint::VerifierKey, time::Timestamp, timestamp::ANSWER_BYTES_MAX},
    error::{Error, Exit},
    service::{Query, Result, query::TimestampQuery},
    wiring,
};

/// Makes a witness's folder and prints its key.
pub(super) fn new(dir: &Path, name: &str) -> Result<()> {
    let key = wiring::new_witness(dir, name)?;
    print::line(&format!("the witness's verifier key, to be told to the register's admin: {key}"))?;
    print::line(&format!("next: an admin there runs 'batchward witness add {name} --key {key}'"))
}

/// The checkpoint of a request with this witness's cosignature.
pub(super) fn cosign(
    request: &Path,
    dir: &Path,
    log: Option<&str>,
    now: Timestamp,
) -> Result<String> {
    let log = log.map(VerifierKey::parse).transpose().map_err(|error| {
        Error::usage(format!("--log: {error}")).hint("it was printed by 'init', and lies in 'vkey'")
    })?;
    wiring::cosign(dir, &handed(request)?, log.as_ref(), now)
}

/// `witness timestamp-request`.
pub(super) fn timestamp_request(client: &mut Client, output: &Path) -> Result<()> {
    let query: TimestampQuery = client.ask(Query::TimestampQuery)?;
    let bytes = BASE64
        .decode(query.der.as_bytes())
        .map_err(|error| Error::new(Exit::Failed, error.to_string()))?;
    demo::put(output, &bytes, 0o644)?;
    let path = output.display();
    print::line(&format!("{} entries: '{path}' is the query for a timestamp authority", query.size))
}

/// What an authority answered, as it is told to the agent.
pub(super) fn answer(file: &Path) -> Result<String> {
    let bytes = files::read(file, ANSWER_BYTES_MAX)
        .map_err(|error| Error::new(Exit::Unavailable, format!("'{}': {error}", file.display())))?;
    Ok(BASE64.encode(&bytes))
}
