//! Deliveries over SFTP, from servers that the tests start: OpenSSH's `sshd` and one on asyncssh, honest and hostile,
//! over links that are cut and links that are long.
//!
//! Everything is synthetic: throw-away keys, people who do not exist, servers on loopback only. First the fixtures are
//! shown to be what they say, with the stock `sftp` and a plain client; only then is the agent let near them.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[path = "sftp/fixtures.rs"]
mod fixtures;
#[path = "sftp/proxy.rs"]
mod proxy;
#[path = "sftp/servers.rs"]
mod servers;
