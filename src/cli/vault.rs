//! `vault install`: the script for a database administrator, on standard output or applied.

use super::{
    args::{InstallArgs, VaultWord},
    print,
};
use crate::{service::Result, wiring};

/// Runs a word of `vault`.
pub(super) fn run(config: &std::path::Path, word: &VaultWord) -> Result<()> {
    let VaultWord::Install(InstallArgs { profile, admin, admin_password, .. }) = word;
    let Some(admin) = admin else {
        return print::raw(&wiring::install_script(config, profile.profile())?);
    };
    let password = admin_password.as_deref();
    let done = wiring::install(config, profile.profile(), admin, password)?;
    if done.is_empty() {
        return print::line("the database has everything already");
    }
    for name in &done {
        print::line(&format!("applied '{name}'"))?;
    }
    print::line(
        "next: the role's password and a line in pg_hba.conf, as docs/postgresql.md says; then 'batchward check'",
    )
}
