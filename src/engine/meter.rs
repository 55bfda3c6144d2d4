//! How far a running step is: a counter that its thread moves and that anybody may read.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Bytes that a running step has done so far.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<AtomicU64>);

impl Meter {
    /// Adds bytes.
    pub fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
