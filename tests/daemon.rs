//! The agent that stays, through the real binary: its socket, its watchers, its signals, and what it tells.
//!
//! The deliveries are small synthetic ones; the keys are throw-away keys. The scan is an hour apart unless a test says
//! otherwise, so that what happens sooner happened by itself.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

#[path = "daemon/agent.rs"]
mod agent;
#[path = "daemon/commands.rs"]
mod commands;
#[path = "daemon/edges.rs"]
mod edges;
#[path = "daemon/events.rs"]
mod events;
#[path = "daemon/frames.rs"]
mod frames;
#[path = "daemon/manager.rs"]
mod manager;
#[path = "daemon/races.rs"]
mod races;
#[path = "daemon/seats.rs"]
mod seats;
#[path = "daemon/signals.rs"]
mod signals;

use agent::{Agent, laid_out, laid_out_for, replaced};
use support::{People, Ran, Site, provider::Provider};

const UNIT: &str = "幼兒托育科";
