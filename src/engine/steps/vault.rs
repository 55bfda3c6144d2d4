//! The place of a load: its key, whether data may lie there as they will, and its end where the load is given up.

use crate::{
    domain::{ids::CopyId, secret::Secret},
    engine::{Engine, StepError, ports::PortError, slots},
};

impl Engine {
    /// The document by which loaded data may lie in plain, where they do.
    pub(in crate::engine) fn accepted_plain(&self) -> Result<Option<String>, StepError> {
        match (self.ports.vaults.is_plain(), &self.rules.vault_plain) {
            (false, _) => Ok(None),
            (true, Some(document)) => Ok(Some(document.clone())),
            (true, None) => Err(StepError::Later("vault-exception")),
        }
    }

    /// Removes what a load had begun: the file under its temporary name (which holds ciphertext only) and the key.
    pub(in crate::engine) fn abandon_vault(&mut self, vault: CopyId) -> Result<(), PortError> {
        self.ports.keys.destroy(&slots::vault(vault), &vault.to_string())?;
        self.ports.vaults.abandon(vault)
    }

    /// The key of a vault that is to be built. Its slot holds a tombstone where an earlier run gave this load up and was
    /// stopped, or had no room, before it could record that: then the load has failed, and begins anew with another
    /// vault.
    pub(in crate::engine) fn vault_key(&mut self, vault: CopyId) -> Result<Secret, StepError> {
        match self.ports.keys.ensure_random(&slots::vault(vault)) {
            Err(PortError::Stuck { code: "key-destroyed", .. }) => Err(StepError::Later("cut-off")),
            other => Ok(other?),
        }
    }
}
