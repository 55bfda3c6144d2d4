//! Batchward keeps batch extracts of household-registration data in custody: from the moment a provider drops them,
//! to the proof that no copy is left.
//!
//! Read in this order:
//!
//! - [`domain`]: pure values and decisions. [`domain::lifecycle`] holds the tables that everything moves by,
//!   [`domain::entry`] what is written for ever, [`domain::view`] how the state follows from it.
//! - [`engine`]: orders effects: plan, intent, apply, outcome; recovery is the ordinary start. It knows
//!   [`engine::ports`], no adapter.
//! - [`service`]: the only way to change anything: who may, and who must be a second person.
//! - [`adapters`]: one file for each thing outside. [`wiring`] alone hands them to the engine.
//! - [`daemon`]: the agent that stays: one thread that owns all of the above, and the edges around it. [`protocol`] is
//!   what goes over its socket.
//! - [`paper`]: the printed forms, laid out as PDF, spreadsheet, CSV and HTML.
//! - [`cli`]: translates to commands, shows replies. [`verify`] checks a register without any of the above.
//!
//! `docs/ARCHITECTURE.md` has the map with its invariants.

pub mod adapters;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod demo;
pub mod doctor;
pub mod domain;
pub mod engine;
pub mod error;
pub mod paper;
pub mod protocol;
pub mod service;
pub mod verify;
pub mod wiring;
