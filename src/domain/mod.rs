//! Pure values and decisions.
//!
//! No files, sockets, clock, randomness, async or logging: everything arrives as an argument, so that a decision can
//! be read, replayed and tested without a machine around it. `tests/architecture.rs` and `clippy.toml` hold this.

pub mod access;
pub mod accounts;
pub mod anchoring;
pub mod application;
pub mod audits;
pub mod calendar;
pub mod certificate;
pub mod checkpoint;
pub mod control;
pub mod cosignature;
pub mod cp950;
pub mod current_view;
pub mod database;
pub mod delimited;
pub mod digest;
pub mod duty;
pub mod entry;
pub mod expected;
pub mod findings;
pub mod fixed_width;
pub mod forms;
pub mod handover;
pub mod ids;
pub mod incidents;
pub mod inventory;
pub mod judge;
pub mod known_hosts;
pub mod layout;
pub mod lifecycle;
pub mod limits;
pub mod link;
pub mod manifest;
pub mod merkle;
pub mod national_id;
pub mod notice;
pub mod notified;
pub mod packing;
pub mod papers;
pub mod people;
pub mod plain;
pub mod policy;
pub mod proof;
pub mod reason;
pub mod receipt;
pub mod record;
pub mod roc_date;
pub mod sample_proof;
pub mod sampling;
#[cfg(test)]
mod schema;
pub mod secret;
pub mod serial;
pub mod signed;
pub mod signers;
pub mod source;
pub mod sshsig;
pub mod step;
pub mod time;
pub mod timestamp;
pub mod view;
pub mod wipe;
mod words;
