//! The composition root: the only place that names adapters and hands them to the engine.

mod calendars;
mod configuration;
mod confine;
mod database;
mod doctor;
mod files;
mod intake;
mod keys;
mod log;
mod look;
pub mod media;
mod monitor;
mod notices;
mod outbox;
mod owed;
mod packing;
mod papers;
mod places;
mod policies;
mod receipts;
mod refusal;
mod resident;
mod site;
mod sources;
mod store;
mod trying;
mod unit;
mod witness;

/// Lists that people bring to `match`.
pub use crate::adapters::sheets::{TextCode, read as read_list};
pub use confine::{Confined, confine, harden};
pub use database::{install, install_script};
pub use doctor::{Examined, Placed, examine};
pub use look::{help_device, state_of, uid_of};
pub use notices::{NoticeTest, test_notice};
pub use packing::{Lock, Packed, PackedFile, Packing, pack, passphrase_from};
pub use policies::{
    Asked, ClauseLine, DiffLine, ExceptionLine, PolicyLine, PolicyPage, RuleLine, SideLine,
    check_policy, diff, explain, policies, resting,
};
pub use resident::{Control, Settings, control, now, resident, settings};
pub use site::{Hooks, Made, init, once, open};
pub use sources::{Remote, courier, serve_courier};
pub use trying::{SourceTest, Tried, test_server};
pub use witness::{cosign, new_witness};

use crate::{
    adapters::{files::FileError, fonts, machine::Machine},
    engine::ports::PortError,
};

/// Fonts of this machine for printed forms, the best first; each file is read only when it is asked for.
pub fn fonts() -> impl Iterator<Item = Vec<u8>> {
    fonts::bytes(fonts::found(&Machine::default()))
}

/// A file error, by what to do about it.
fn file(error: &FileError) -> PortError {
    let message = described(error);
    match error {
        FileError::Full { .. } => PortError::Later { code: "disk-full", message },
        _ => PortError::Stuck { code: "file", message },
    }
}

/// An error with its causes.
fn described(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// The rules of a configuration, for tests of what files say.
#[cfg(test)]
pub(crate) fn rules_for_tests(config: &crate::config::Config) -> crate::engine::rules::Rules {
    configuration::rules(config, crate::domain::digest::Digest::of(b"synthetic"))
}
