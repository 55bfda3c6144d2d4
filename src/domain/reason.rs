//! Why a delivery waits or was refused: the closed list of codes that people, receipts and `--json` show.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident => $code:literal,)*) => {
        /// A reason code. The order of the variants is not the order of judgement; see [`crate::domain::judge`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "kebab-case")]
        pub enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            /// Every code, for tests and documents.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as it is written.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }
    };
}

reasons! {
    /// The manifest, a listed file or a part of one has not come.
    Incomplete => "incomplete",
    /// Everything is there but the signature.
    Unsigned => "unsigned",
    /// No key for this batch has come.
    AwaitingKey => "awaiting-key",
    /// The signature is malformed, over other bytes, or for another namespace.
    BadSignature => "bad-signature",
    /// A good signature by a key that the link does not list, or lists for another time or namespace.
    UnknownSigner => "unknown-signer",
    /// Not the contract's fields, or sums that do not agree.
    ManifestInvalid => "manifest-invalid",
    /// A listed name has a path, is a manifest name, or holds control characters.
    UnsafeName => "unsafe-name",
    /// Something in the delivery is a link, has a second link, or is no regular file.
    UnsafeFile => "unsafe-file",
    /// Something in the delivery is not in the manifest.
    UnlistedFile => "unlisted-file",
    /// A key or passphrase came through the data channel.
    KeyWithData => "key-with-data",
    /// A file is longer than the manifest says.
    SizeMismatch => "size-mismatch",
    /// A file's SHA-256 differs from the manifest's.
    ChecksumMismatch => "checksum-mismatch",
    /// The manifest names another link than the inbox it came to.
    WrongLink => "wrong-link",
    /// The manifest names another table number than the link.
    WrongTable => "wrong-table",
    /// The link is suspended or terminated.
    LinkInactive => "link-inactive",
    /// The link's `approved_until` has passed.
    UseExpired => "use-expired",
    /// A rule of the link's policy refuses the batch.
    PolicyRefused => "policy-refused",
    /// The batch number is spent on this link.
    DuplicateBatch => "duplicate-batch",
    /// The same content was loaded before on this link.
    DuplicateContent => "duplicate-content",
    /// A change file is not the next one.
    SequenceGap => "sequence-gap",
    /// Over a limit of size, files, records or space.
    LimitExceeded => "limit-exceeded",
    /// A listed file does not begin as an age file.
    NotAge => "not-age",
    /// A listed file is not in the link's container, or holds what it may not: a file without encryption, a folder, an
    /// archive.
    WrongContainer => "wrong-container",
    /// Plain files that did not come on a medium that was handed over in person.
    NotByHand => "not-by-hand",
    /// The key that came does not open this batch.
    WrongKey => "wrong-key",
    /// Damaged or cut short within age's format, or too much scrypt work asked.
    DecryptFailed => "decrypt-failed",
    /// The decrypted bytes differ from `plaintext_sha256`.
    PlaintextMismatch => "plaintext-mismatch",
    /// Record length, terminator, encoding, header or number of cells is not what the layout says.
    LayoutError => "layout-error",
    /// A column that the layout does not know.
    UnapprovedColumn => "unapproved-column",
    /// A file or the whole holds another number of records than declared.
    CountMismatch => "count-mismatch",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
