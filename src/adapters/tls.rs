//! TLS to servers: verified always, by roots that are given; no other client can be made here.

use std::{io, sync::Arc};

use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

/// A client that believes whom these roots vouch for, and nobody else.
pub(super) fn client(roots: RootCertStore) -> io::Result<ClientConfig> {
    Ok(ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
