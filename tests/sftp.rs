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
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

#[path = "daemon/agent.rs"]
#[allow(dead_code, reason = "the tests of the agent that stays use all of it")]
mod agent;
#[path = "sftp/arriving.rs"]
mod arriving;
#[path = "sftp/cuts.rs"]
mod cuts;
#[path = "sftp/fixtures.rs"]
mod fixtures;
#[path = "sftp/hostile.rs"]
mod hostile;
#[path = "sftp/kills.rs"]
mod kills;
#[path = "sftp/proxy.rs"]
mod proxy;
#[path = "sftp/pushing.rs"]
mod pushing;
#[path = "sftp/putting.rs"]
mod putting;
#[path = "sftp/resident.rs"]
mod resident;
#[path = "sftp/scene.rs"]
mod scene;
#[path = "sftp/servers.rs"]
mod servers;

use support::{People, Ran, Site, provider::Provider};

const UNIT: &str = "幼兒托育科";
