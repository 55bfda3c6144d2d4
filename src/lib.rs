//! Batchward: custody of batch extracts of household-registration data, from the drop to the proof that no copy is left.

pub mod adapters;
pub mod config;
pub mod domain;
pub mod verify;
