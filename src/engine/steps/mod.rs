//! The steps: what each one plans, and how it is applied as often as need be.

mod access;
mod carrier;
mod certify;
mod claim;
mod discard;
mod keys;
mod load;
mod package;
mod receipt;
mod vault;
mod verify;
mod wipe;

pub(super) use discard::discarded;
pub use keys::Arrival;
pub(super) use load::{Halt, Streamed};
pub(super) use package::Packed;
pub use receipt::is_untold;
pub use verify::LinkLedger;
