//! The only error that surfaces print: what, a hint, and an exit code.

use std::fmt;

use crate::engine::{EngineError, ports::PortError};

/// Exit codes, after sysexits.h (DESIGN 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Failed.
    Failed = 1,
    /// The command line is wrong.
    Usage = 64,
    /// The data are bad.
    Data = 65,
    /// Something needed is not there: no agent, a state held by another.
    Unavailable = 69,
    /// Try again later: a full disk, a clock that went back.
    Later = 75,
    /// Refused: an unknown actor, a missing right, a missing second person.
    Refused = 77,
    /// Configuration.
    Config = 78,
}

impl Exit {
    /// The exit of a code.
    #[must_use]
    pub fn of(code: u8) -> Option<Self> {
        let all = [
            Self::Failed,
            Self::Usage,
            Self::Data,
            Self::Unavailable,
            Self::Later,
            Self::Refused,
            Self::Config,
        ];
        all.into_iter().find(|exit| *exit as u8 == code)
    }
}

/// What a surface prints: lower case, no full stop, names quoted.
#[derive(Debug)]
pub struct Error {
    /// What is wrong, and which thing.
    pub what: String,
    /// The next move.
    pub hint: Option<String>,
    /// Exit code.
    pub exit: Exit,
}

impl Error {
    /// An error without a hint.
    #[must_use]
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None, exit }
    }

    /// With a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Refused, exit 77.
    #[must_use]
    pub fn refused(what: impl Into<String>) -> Self {
        Self::new(Exit::Refused, what)
    }

    /// Wrong usage, exit 64.
    #[must_use]
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Port(port) => port.into(),
            EngineError::ClockBack { .. } => Self::new(Exit::Later, error.to_string())
                .hint("set the clock right, then run the command again; nothing was written"),
            EngineError::Fold(_) => {
                Self::new(Exit::Data, format!("the register cannot be read: {error}"))
                    .hint("run 'batchward register verify' to see which entry is bad")
            }
            EngineError::Entry(_) => Self::new(Exit::Data, error.to_string()),
        }
    }
}

impl From<PortError> for Error {
    fn from(error: PortError) -> Self {
        let exit = match &error {
            PortError::Later { .. } => Exit::Later,
            PortError::Stuck { .. } => Exit::Failed,
        };
        let hint = match error.code() {
            "disk-full" => {
                Some("free space on that filesystem, then run the command again; nothing was lost")
            }
            _ => None,
        };
        Self { what: error.to_string(), hint: hint.map(str::to_owned), exit }
    }
}
