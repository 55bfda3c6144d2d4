//! PostgreSQL as the place of loaded data, on a real server that the tests start on loopback with TLS.
//!
//! `postgres/tables.rs` asks the adapter itself: loads, readings and ends of tables, and what a server that is not to be
//! trusted meets. `postgres/life.rs` lives whole lives of batches through the program, `postgres/stops.rs`
//! stops it and the server on the way, and `postgres/cuts.rs` cuts the line between them;
//! `postgres/full.rs` takes its room away, and `postgres/sealed.rs` has the database without the keys.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests"
)]

#[path = "daemon/agent.rs"]
#[allow(dead_code, reason = "the tests of the agent use the rest")]
mod agent;
mod support;

#[path = "postgres/cuts.rs"]
mod cuts;
#[path = "postgres/full.rs"]
mod full;
#[path = "postgres/life.rs"]
mod life;
#[path = "postgres/sealed.rs"]
mod sealed;
#[path = "postgres/stops.rs"]
mod stops;
#[path = "postgres/tables.rs"]
mod tables;

use support::{People, Ran, Site, provider::Provider};

/// The unit of the people who read.
const UNIT: &str = "幼兒托育科";
