//! PostgreSQL as the place of loaded data, on a real server that the tests start on loopback with TLS.
//!
//! `postgres/tables.rs` asks the adapter itself: loads, readings and ends of tables, and what a server that is not to be
//! trusted meets. `postgres/life.rs` lives whole lives of batches through the program, `postgres/stops.rs`
//! stops it and the server on the way.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests"
)]

mod support;

#[path = "postgres/life.rs"]
mod life;
#[path = "postgres/stops.rs"]
mod stops;
#[path = "postgres/tables.rs"]
mod tables;
