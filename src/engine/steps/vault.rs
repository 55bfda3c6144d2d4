//! The place of a load: its key, whether data may lie there as they will, and its end where the load is given up.

use crate::{
    domain::{
        certificate::InBoth,
        ids::{BatchId, CopyId},
        lifecycle::CopyState,
        secret::Secret,
        step::Plan,
        view::CopyKind,
    },
    engine::{Engine, StepError, ports::PortError, slots},
};

impl Engine {
    /// The document by which rows of a load may lie in plain. The intent names it: a load that comes to nothing has had
    /// rows on the disk and in the log of the database all the same.
    pub(in crate::engine) fn may_lie_plain(&self) -> Option<String> {
        self.rules.vault_plain.clone().filter(|_| self.ports.vaults.may_be_plain())
    }

    /// The document by which loaded data lie in plain, where they do.
    pub(in crate::engine) fn accepted_plain(&self) -> Result<Option<String>, StepError> {
        // Two people have just agreed to another place than the one that is reached: what is loaded waits for that one.
        if self.ports.vaults.place() != self.rules.vault_place {
            return Err(StepError::Later("vault-moved"));
        }
        Ok(self.may_lie_plain())
    }

    /// As [`Self::accepted_plain`], where the load's intent names the same: no row reaches a database before the register
    /// says by what.
    pub(in crate::engine) fn planned_plain(
        &self,
        vault: CopyId,
    ) -> Result<Option<String>, StepError> {
        let accepted = self.accepted_plain()?;
        let named = self.view.open.values().find_map(|plan| match plan {
            Plan::Load { vault: one, plain, .. } if *one == vault => Some(plain.clone()),
            _ => None,
        });
        match named.flatten() == accepted {
            true => Ok(accepted),
            false => Err(StepError::Later("vault-exception")),
        }
    }

    /// Whether what was built may be put in its place: what accepted that it lies there in plain may have been taken back
    /// meanwhile, and it may have been built in a place that nobody reaches from now on.
    pub(in crate::engine) fn still_there(
        &self,
        plain: Option<&String>,
        place: Option<&String>,
    ) -> Result<(), StepError> {
        if self.accepted_plain()?.as_ref() != plain {
            return Err(StepError::Later("vault-exception"));
        }
        match self.ports.vaults.place().as_ref() == place {
            true => Ok(()),
            false => Err(StepError::Later("vault-moved")),
        }
    }

    /// What a certificate over these batches does not cover of loads that came to nothing: rows of them were in a database
    /// in plain, as far as they came.
    pub(in crate::engine) fn unmade_in_plain(&self, batches: &[BatchId]) -> Vec<InBoth> {
        let unmade = |batch: &BatchId| {
            let copies = self.view.copies_of(*batch);
            let unmade = copies.filter(|(_, row)| {
                row.kind == CopyKind::Vault
                    && row.state == CopyState::Destroyed
                    && row.assurance.is_none()
            });
            let told = unmade.filter_map(|(copy, row)| {
                row.plain.as_deref().map(|document| InBoth::unmade(*batch, copy, document))
            });
            told.collect::<Vec<_>>()
        };
        batches.iter().flat_map(unmade).collect()
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
