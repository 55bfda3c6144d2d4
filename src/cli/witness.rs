//! `witness new` and `witness cosign`: at the witness, without an agent.

use std::path::Path;

use super::{print, register::handed};
use crate::{
    domain::{checkpoint::VerifierKey, time::Timestamp},
    error::Error,
    service::Result,
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
