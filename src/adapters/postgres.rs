//! PostgreSQL as the place of loaded data: one table a batch, a partition of its columns' table, in a schema of ours.
//!
//! The interface is synchronous; tokio runs inside of a [`session::Session`], on the thread that asks, and only while it
//! asks. Everything has a time limit. Over a network the server is verified or nothing is said to it. Values of persons
//! stand in no statement, only beside it, and no error that a server tells is repeated beyond its code and first line,
//! and not even that where it may quote a value.

mod encode;
mod examine;
mod install;
mod load;
mod merge;
mod read;
mod sealed;
mod session;
mod tls;
mod wipe;

use std::{
    io::{self, Read},
    net::{TcpStream, ToSocketAddrs},
    os::fd::AsFd,
    path::Path,
    sync::Arc,
    time::Duration,
};

use rustix::{fs::fstat, process::geteuid};
use tokio_postgres::error::SqlState;
use zeroize::Zeroizing;

pub use self::{
    examine::{Examined, Standing},
    install::{Migration, applied, apply, migrations, script},
    load::{Loaded, Loader},
    read::{Asked, Lying},
    session::Session,
    wipe::Dropped,
};
use super::{files, root_key::credential_file};
use crate::domain::{
    database::{Database, PasswordSource, Server},
    ids::CopyId,
    limits::{DATABASE_CONNECT_SECONDS, SSH_FILE_BYTES_MAX},
    secret::Secret,
};

/// The schema that everything of ours is in.
pub const SCHEMA: &str = "batchward";

/// Connects to a host and port: the agent itself cannot, and is handed a socket.
pub type Dial = dyn Fn(&str, u16) -> io::Result<TcpStream> + Send + Sync;

/// A database, and what it takes to reach it.
#[derive(Clone)]
pub struct Place {
    /// What the URL says.
    pub database: Database,
    /// The password; none where the server knows the role by the user of the process.
    pub password: Option<PasswordSource>,
    /// How a network is reached.
    pub dial: Arc<Dial>,
    /// The site whose data lie there.
    pub site: String,
}

/// Why a database could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Nobody answers, or the connection broke.
    #[error("the database cannot be reached: {what}")]
    Unreachable {
        /// What happened.
        what: String,
    },
    /// It did not answer in time.
    #[error("the database did not answer in time ({doing})")]
    Slow {
        /// What was asked.
        doing: &'static str,
    },
    /// Our own files are not as they should be.
    #[error("{what}")]
    Own {
        /// Which, and why.
        what: String,
    },
    /// It lets the role not in.
    #[error("the database does not let the role in: {what}")]
    Denied {
        /// What it said.
        what: String,
    },
    /// It has no room.
    #[error("the database has no room left ({doing})")]
    Full {
        /// What was asked.
        doing: &'static str,
    },
    /// Somebody else works on what is asked for.
    #[error("others hold what is asked for in the database ({doing})")]
    Busy {
        /// What was asked.
        doing: &'static str,
    },
    /// The time of a reading was over, by the database's own clock.
    #[error("the time of the reading was over in the database")]
    Over,
    /// It is not set up as it should be.
    #[error("the database is not set up: {what}")]
    Setup {
        /// What is missing.
        what: String,
    },
    /// What is there is not what was put there.
    #[error("the database holds something else than was put there: {what}")]
    Differs {
        /// What.
        what: String,
    },
    /// Its rows cannot be looked up by what the rules go by today.
    #[error(
        "{copy} was loaded when look-ups went by another item than '{key}': no view can be made of it"
    )]
    OtherMark {
        /// The copy.
        copy: CopyId,
        /// What they go by today.
        key: String,
    },
    /// More records than can be put in the order of a list.
    #[error("more records have the values of the list than are put in its order at once")]
    TooMany,
    /// A value or name that a table cannot hold.
    #[error("{what}")]
    Value {
        /// Which kind.
        what: &'static str,
    },
    /// It refused a statement.
    #[error("the database refused ({doing}): {code}{}", shown(.said))]
    Refused {
        /// What was asked.
        doing: &'static str,
        /// Its code (SQLSTATE).
        code: String,
        /// Its first line, where that cannot hold a value.
        said: Option<String>,
    },
}

fn shown(said: &Option<String>) -> String {
    said.as_ref().map_or_else(String::new, |said| format!(" ({said})"))
}

type Result<T> = std::result::Result<T, DatabaseError>;

impl DatabaseError {
    fn of(doing: &'static str, error: &tokio_postgres::Error) -> Self {
        let Some(told) = error.as_db_error() else {
            return Self::Unreachable { what: cause(error) };
        };
        let code = told.code();
        let class = code.code().get(..2).unwrap_or_default();
        // A value may stand in the message of a data exception, and in nothing that is repeated here else.
        let said = (class != "22" && class != "23").then(|| plain(told.message()));
        let what = || said.clone().unwrap_or_default();
        match code {
            c if *c == SqlState::DISK_FULL || *c == SqlState::OUT_OF_MEMORY => Self::Full { doing },
            c if *c == SqlState::LOCK_NOT_AVAILABLE || *c == SqlState::OBJECT_IN_USE => {
                Self::Busy { doing }
            }
            c if c.code() == EXPIRED => Self::Over,
            c if *c == SqlState::QUERY_CANCELED => Self::Slow { doing },
            _ => match class {
                "08" | "57" | "53" => Self::Unreachable { what: what() },
                // A deadlock that the server ended, and what else is rolled back for others' sake.
                "40" => Self::Busy { doing },
                "28" => Self::Denied { what: what() },
                _ => Self::Refused { doing, code: code.code().to_owned(), said },
            },
        }
    }

    /// Whether trying again later may do, without anybody's help.
    #[must_use]
    pub const fn passes(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::Slow { .. } | Self::Full { .. } | Self::Busy { .. }
        )
    }
}

/// What our own functions raise when a reading's time is over.
const EXPIRED: &str = "BW001";

fn cause(error: &dyn std::error::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(inner) = last.source() {
        last = inner;
    }
    plain(&last.to_string())
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// An identifier in quotes.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The table of a batch's vault.
fn table(copy: CopyId) -> String {
    format!("{SCHEMA}.{}", quoted(&table_name(copy)))
}

fn table_name(copy: CopyId) -> String {
    format!("vault_{}", copy.to_string().replace('-', "_"))
}

/// The column of an item.
fn column(item: &str) -> String {
    quoted(&format!("c_{item}"))
}

fn number(copy: CopyId) -> i64 {
    copy.number().cast_signed()
}

/// Connects directly: for a process that has a network of its own.
///
/// # Errors
/// The host has no address, or none of them answers in time.
pub fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    let limit = Duration::from_secs(DATABASE_CONNECT_SECONDS);
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for at in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&at, limit) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

impl Place {
    /// Connects and logs in, and looks whether this is the site's own database, set up, and trustworthy.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub fn open(&self) -> Result<Session> {
        let session = self.connect()?;
        let found = session.standing()?;
        found.usable(&self.site)?;
        Ok(session)
    }

    /// Connects and logs in, whatever is there.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub fn connect(&self) -> Result<Session> {
        let password = self.password.as_ref().map(secret).transpose()?;
        Session::open(&self.database, password.as_ref(), &*self.dial)
    }

    /// What the certificate of the server is verified by.
    fn roots(database: &Database) -> Option<(&str, &Path)> {
        match &database.server {
            Server::Network { host, roots } => Some((host, roots)),
            Server::Socket(_) => None,
        }
    }
}

/// The password. What others could read is not used.
fn secret(source: &PasswordSource) -> Result<Secret> {
    let own = |what: String| DatabaseError::Own { what };
    let (path, guarded) = match source {
        PasswordSource::File(path) => (path.clone(), true),
        PasswordSource::Credential(name) => {
            let path = credential_file(name);
            (path.ok_or_else(|| own(format!("there is no credential '{name}'")))?, false)
        }
    };
    let shown = path.display();
    let file = files::open_regular(&path).map_err(|error| own(error.to_string()))?;
    if guarded {
        let stat = fstat(file.as_fd()).map_err(|errno| own(format!("'{shown}': {errno}")))?;
        if stat.st_uid != geteuid().as_raw() {
            return Err(own(format!("'{shown}' belongs to another user")));
        }
        if stat.st_mode & 0o077 != 0 {
            return Err(own(format!("'{shown}' can be read by others: chmod 600 '{shown}'")));
        }
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(1 << 10));
    let read = file.take(SSH_FILE_BYTES_MAX).read_to_end(&mut bytes);
    read.map_err(|error| own(format!("'{shown}': {error}")))?;
    let end = bytes.iter().rposition(|b| !matches!(b, b'\n' | b'\r')).map_or(0, |last| last + 1);
    Ok(Secret::new(bytes[..end].to_vec()))
}
