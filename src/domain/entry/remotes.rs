//! What entries say of deliveries that were fetched from a server. Wire forms, as `entry.rs` says. Names of the server's
//! side stand here as HMAC under the link's key.

use serde::{Deserialize, Serialize};

use super::Signed;
use crate::domain::{digest::Digest, ids::RemoteId};

/// A remote delivery was fetched whole and is durable; it is put into the inbox next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteTaken {
    /// Its id.
    pub remote: RemoteId,
    /// The link.
    pub link: String,
    /// HMAC of its name under the link's key: also that of the folder in the inbox.
    pub name_mac: Digest,
    /// HMAC of what the server listed of it: names, sizes and times.
    pub listing: Digest,
    /// Files.
    pub files: u64,
    /// Bytes.
    pub bytes: u64,
}

/// What was fetched is not in the inbox any more, and was not claimed: it will be fetched again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteForgotten {
    /// The remote delivery.
    pub remote: RemoteId,
}

/// A person looked after a remote delivery that the agent could not release, and says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteSettled {
    /// The remote delivery.
    pub remote: RemoteId,
    /// What was done with it.
    pub reason: String,
    /// The signed decision.
    pub signed: Signed,
}
