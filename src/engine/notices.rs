//! Notices, as the engine's port: what is to be told to people outside, kept until it is sent.
//!
//! Nothing waits for it: what cannot be kept or sent is told by `status`, and everything else goes on.

use std::sync::Arc;

use super::ports::Result;
use crate::domain::notice::{Notice, Turn, Unsent, Wanted};

/// What sends notices.
pub trait Notices: Send + Sync {
    /// What is wanted from now on.
    fn want(&self, wanted: Option<Wanted>);
    /// What is wanted; nothing where nobody is told, or this process reaches no server.
    fn wanted(&self) -> Option<Arc<Wanted>>;
    /// What is known since the last planning; nothing before there was one.
    ///
    /// # Errors
    /// It cannot be read, or what was begun then cannot be finished.
    fn turn(&self) -> Result<Option<Turn>>;
    /// Keeps a planning and its notices, all of it or nothing, over a stop anywhere. A digest takes the place of one that
    /// waits for the same reader.
    ///
    /// # Errors
    /// It cannot be written; the same planning is made again.
    fn keep(&self, turn: &Turn, notices: &[Notice]) -> Result<()>;
    /// Sends what waits and may be tried now. In an agent that stays it goes on by itself.
    fn send(&self);
    /// What waits to be sent, a row for each channel.
    fn unsent(&self) -> Vec<Unsent>;
}
