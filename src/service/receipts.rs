//! Receipts as they are looked at: what was told to the provider of a batch.

use serde::{Deserialize, Serialize};

use super::{Result, Service};
use crate::{
    domain::ids::BatchId,
    error::{Error, Exit},
};

/// A receipt and its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReceiptText {
    /// The batch.
    pub batch: BatchId,
    /// The bytes of its file, which are JSON.
    pub receipt: String,
    /// The armored SSHSIG over them.
    pub signature: String,
}

impl Service {
    /// `receipt show`.
    ///
    /// # Errors
    /// There is none, or it is not the one that the register has.
    pub(super) fn receipt_text(&self, batch: BatchId) -> Result<ReceiptText> {
        let row = self.row(batch)?;
        let none = || {
            Error::usage(format!("there is no receipt of '{batch}'"))
                .hint("one is made when the batch is verified, loaded, quarantined or rejected")
        };
        let known = row.receipt.ok_or_else(none)?;
        let (bytes, signature) = self.engine.kept_receipt(batch)?.ok_or_else(none)?;
        if crate::domain::digest::Digest::of(&bytes) != known.sha256 {
            let what = format!("the receipt of '{batch}' is not the one that the register has");
            return Err(
                Error::new(Exit::Data, what).hint("keep the file as it is, and tell the auditor")
            );
        }
        let receipt = String::from_utf8(bytes)
            .map_err(|_| Error::new(Exit::Data, "the receipt is not UTF-8"))?;
        Ok(ReceiptText { batch, receipt, signature })
    }
}
