//! Notices by mail and webhook, to servers that the tests start: honest ones and others, over TLS that is verified or not at
//! all.
//!
//! Everything is synthetic: people who do not exist, addresses below `.example`, servers on loopback only, certificates
//! that are made on the spot.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[path = "daemon/agent.rs"]
#[allow(dead_code, reason = "the tests of the agent that stays use all of it")]
mod agent;
#[path = "notices/hostile.rs"]
mod hostile;
#[path = "notices/kept.rs"]
mod kept;
#[path = "notices/scene.rs"]
mod scene;
mod support;
#[path = "notices/told.rs"]
mod told;

use support::{People, Ran, Site, provider::Provider};

const UNIT: &str = "幼兒托育科";
