//! One file for each thing outside: the only layer that touches the world.
#![allow(clippy::disallowed_methods, reason = "the only layer that may touch the world")]

pub mod age_files;
pub mod ahead;
pub mod archive;
pub mod carrier;
pub mod case_store;
pub mod clock;
pub mod courier;
pub mod device;
pub mod disk;
pub mod entropy;
pub mod fault;
pub mod fetch;
pub mod files;
mod firsts;
pub mod fold_cache;
pub mod fonts;
pub mod inbox;
pub mod journal;
pub mod keybox;
pub mod keystore;
pub mod landlock;
pub mod lock;
pub mod machine;
pub mod outbox;
pub mod packing;
pub mod postgres;
pub mod process;
pub mod receipts;
pub mod root_key;
pub mod sheets;
#[cfg(test)]
mod small_disk;
pub mod terminal;
pub mod tiles;
pub mod timestamps;
mod tls;
pub mod vault;
pub mod vault_view;
pub mod wipe;
