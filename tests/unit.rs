//! The service units: what the service manager makes of them, and whether the agent lives under their restrictions.
//!
//! systemd itself reads the units here (`systemd-analyze`, and the manager in its test mode, which starts nothing), so
//! what is compared is what a machine would do. Where it is not the running service manager, `bwrap` and libseccomp
//! put the same restrictions on the real binary; what they are is taken from systemd's reading, never repeated by
//! hand. All data are synthetic.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

#[path = "unit/device.rs"]
mod device;
#[path = "unit/dropin.rs"]
mod dropin;
#[path = "unit/fragments.rs"]
mod fragments;
#[path = "unit/life.rs"]
mod life;
#[path = "unit/manager.rs"]
mod manager;
#[path = "unit/resident.rs"]
mod resident;
#[path = "unit/root_key.rs"]
mod root_key;
#[path = "unit/sandbox.rs"]
mod sandbox;
#[path = "unit/score.rs"]
mod score;
