//! (to be written)

/// The parsed lines of an OpenSSH allowed_signers file.
#[derive(Clone, Debug, Default)]
pub struct AllowedSigners;
