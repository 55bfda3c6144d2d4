//! The steps: what each one plans, and how it is applied as often as need be.

mod certify;
mod claim;
mod keys;
mod load;
mod verify;
mod wipe;

pub use certify::NAMESPACE as CERTIFICATE_NAMESPACE;
pub use keys::Arrival;
