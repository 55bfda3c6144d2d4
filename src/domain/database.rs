//! A database as the place of loaded data: what its URL says, and nothing secret.
//!
//! Over a network the server is always verified, by roots that are named: no other mode can be written. A password never
//! stands in a URL, which lies in files and logs.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::words::words;

/// The port of PostgreSQL where none is named.
const PORT: u16 = 5432;
/// Bytes of a name that PostgreSQL keeps whole.
const NAME_BYTES_MAX: usize = 63;

words! {
    /// Who may log in to a database, and what holds grants there.
    Profile {
        /// Nobody but the agent: readers ask the agent, which is the only door.
        AgentOnly = "agent-only",
    }
}

/// Where a database is, and who asks there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// The server.
    pub server: Server,
    /// Port, or the number in the name of its socket.
    pub port: u16,
    /// The role that logs in.
    pub user: String,
    /// The database.
    pub name: String,
}

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// Over TCP, by TLS that is verified.
    Network {
        /// Name or address, which its certificate has to bear.
        host: String,
        /// File of the certificates that vouch for it.
        roots: PathBuf,
    },
    /// Over a socket in this folder.
    Socket(PathBuf),
}

/// Where the password of a role is; itself it is nowhere in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordSource {
    /// A file of mode 0600.
    File(PathBuf),
    /// A systemd credential.
    Credential(String),
}

impl PasswordSource {
    /// Reads `file:PATH` or `credential:NAME`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |text: &str| !text.is_empty() && !text.contains(char::is_control);
        match text.split_once(':')? {
            ("file", path) if plain(path) => Some(Self::File(path.into())),
            ("credential", name) if plain(name) && !name.contains('/') => {
                Some(Self::Credential(name.to_owned()))
            }
            _ => None,
        }
    }

    /// The same, with its path under another.
    #[must_use]
    pub fn beneath(self, place: impl FnOnce(PathBuf) -> PathBuf) -> Self {
        match self {
            Self::File(path) => Self::File(place(path)),
            Self::Credential(_) => self,
        }
    }
}

impl fmt::Display for PasswordSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Credential(name) => write!(f, "credential:{name}"),
        }
    }
}

/// Why a text is no URL of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseFault {
    /// Another kind of URL.
    #[error("it does not begin with 'postgres://'")]
    Scheme,
    /// It holds a password.
    #[error("a password stands in it")]
    Password,
    /// No role.
    #[error("it names no role to log in as")]
    User,
    /// No database.
    #[error("it names no database")]
    Name,
    /// No host that can be one.
    #[error("its host, folder or port is none")]
    Host,
    /// Roots are missing, or named for a socket.
    #[error("over a network it needs 'sslrootcert', and over a socket none")]
    Roots,
    /// TLS that is not verified.
    #[error("'sslmode' can only be 'verify-full', which holds anyway")]
    Mode,
    /// A parameter that there is not, or twice.
    #[error("it has a parameter that is not known, or one twice")]
    Parameter,
}

impl DatabaseFault {
    /// What to do about it.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Password => {
                "take it out and change it, for others may have read it: 'vault_password: file:PATH' or 'credential:NAME'"
            }
            _ => {
                "over a network 'postgres://ROLE@HOST/DATABASE?sslrootcert=FILE', on this machine \
                 'postgres://ROLE@/DATABASE?host=/run/postgresql'"
            }
        }
    }
}

impl Database {
    /// Reads a URL: `postgres://ROLE@HOST[:PORT]/DATABASE?sslrootcert=FILE`, or
    /// `postgres://ROLE@/DATABASE?host=FOLDER[&port=PORT]`.
    ///
    /// # Errors
    /// [`DatabaseFault`].
    pub fn parse(text: &str) -> Result<Self, DatabaseFault> {
        let rest = ["postgres://", "postgresql://"].iter().find_map(|s| text.strip_prefix(s));
        let rest = rest.ok_or(DatabaseFault::Scheme)?;
        let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        if place
            .split('/')
            .next()
            .is_some_and(|head| head.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')))
            || has_password(parameters)
        {
            return Err(DatabaseFault::Password);
        }
        let (head, name) = place.split_once('/').ok_or(DatabaseFault::Name)?;
        let (user, host) = head.split_once('@').ok_or(DatabaseFault::User)?;
        let parameters = Parameters::read(parameters)?;
        let user = is_name(user).then(|| user.to_owned()).ok_or(DatabaseFault::User)?;
        let name = is_name(name).then(|| name.to_owned()).ok_or(DatabaseFault::Name)?;
        let (server, port) = parameters.server(host)?;
        Ok(Self { server, port, user, name })
    }
}

impl Database {
    /// The port, where it is reached over a network.
    #[must_use]
    pub const fn network_port(&self) -> Option<u16> {
        match self.server {
            Server::Network { .. } => Some(self.port),
            Server::Socket(_) => None,
        }
    }

    /// Which database it is, whoever asks there and whatever vouches for it: host or folder, port and name.
    #[must_use]
    pub fn identity(&self) -> String {
        let Self { server, port, name, .. } = self;
        match server {
            Server::Network { host, .. } if host.contains(':') => format!("[{host}]:{port}/{name}"),
            Server::Network { host, .. } => format!("{}:{port}/{name}", host.to_ascii_lowercase()),
            Server::Socket(folder) => format!("{}:{port}/{name}", folder.display()),
        }
    }

    /// The file of what vouches for the server, where it is reached over a network.
    #[must_use]
    pub fn roots(&self) -> Option<&Path> {
        match &self.server {
            Server::Network { roots, .. } => Some(roots),
            Server::Socket(_) => None,
        }
    }
}

/// A name of a role or database: one that can stand anywhere unquoted but for its case.
fn is_name(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.starts_with(first) && text.chars().all(good)
}

fn has_password(parameters: &str) -> bool {
    parameters.split('&').any(|one| one.starts_with("password=") || one.starts_with("passfile="))
}

fn is_host(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    (1..=253).contains(&text.len()) && text.chars().all(good)
}

/// A path as it is written: percent signs would have to be told from escapes.
fn path(text: &str) -> Result<PathBuf, DatabaseFault> {
    let bad = |c: char| c.is_control() || c == '%';
    (!text.is_empty() && !text.contains(bad)).then(|| text.into()).ok_or(DatabaseFault::Host)
}

fn port(text: &str) -> Result<u16, DatabaseFault> {
    text.parse().ok().filter(|port| *port > 0).ok_or(DatabaseFault::Host)
}

#[derive(Default)]
struct Parameters<'a> {
    host: Option<&'a str>,
    port: Option<&'a str>,
    roots: Option<&'a str>,
}

impl<'a> Parameters<'a> {
    fn read(text: &'a str) -> Result<Self, DatabaseFault> {
        let mut read = Self::default();
        let mut mode = None;
        for one in text.split('&').filter(|one| !one.is_empty()) {
            let (name, value) = one.split_once('=').ok_or(DatabaseFault::Parameter)?;
            let field = match name {
                "host" => &mut read.host,
                "port" => &mut read.port,
                "sslrootcert" => &mut read.roots,
                "sslmode" => &mut mode,
                _ => return Err(DatabaseFault::Parameter),
            };
            if field.replace(value).is_some() {
                return Err(DatabaseFault::Parameter);
            }
        }
        if mode.is_some_and(|mode| mode != "verify-full") {
            return Err(DatabaseFault::Mode);
        }
        Ok(read)
    }

    fn server(self, head: &str) -> Result<(Server, u16), DatabaseFault> {
        if head.is_empty() {
            let folder = self.host.filter(|folder| folder.starts_with('/'));
            let folder = path(folder.ok_or(DatabaseFault::Host)?)?;
            if self.roots.is_some() {
                return Err(DatabaseFault::Roots);
            }
            return Ok((Server::Socket(folder), self.port.map_or(Ok(PORT), port)?));
        }
        if self.host.is_some() || self.port.is_some() {
            return Err(DatabaseFault::Parameter);
        }
        let (host, number) = match head.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => head.split_once(':').map_or((head, None), |(host, port)| (host, Some(port))),
        };
        if !is_host(host) {
            return Err(DatabaseFault::Host);
        }
        let roots = path(self.roots.ok_or(DatabaseFault::Roots)?)?;
        Ok((Server::Network { host: host.to_owned(), roots }, number.map_or(Ok(PORT), port)?))
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, port, user, name } = self;
        match server {
            Server::Network { host, roots } if host.contains(':') => {
                write!(
                    f,
                    "postgres://{user}@[{host}]:{port}/{name}?sslrootcert={}",
                    roots.display()
                )
            }
            Server::Network { host, roots } => {
                write!(f, "postgres://{user}@{host}:{port}/{name}?sslrootcert={}", roots.display())
            }
            Server::Socket(folder) => {
                write!(f, "postgres://{user}@/{name}?host={}&port={port}", folder.display())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_url_says_what_it_says_again() {
        for (text, again) in [
            (
                "postgres://agent@db.example/batchward?sslrootcert=/etc/ca.pem",
                "postgres://agent@db.example:5432/batchward?sslrootcert=/etc/ca.pem",
            ),
            (
                "postgresql://agent@[::1]:5433/b?sslmode=verify-full&sslrootcert=ca.pem",
                "postgres://agent@[::1]:5433/b?sslrootcert=ca.pem",
            ),
            (
                "postgres://agent@/b?host=/run/postgresql",
                "postgres://agent@/b?host=/run/postgresql&port=5432",
            ),
        ] {
            let database = Database::parse(text).unwrap();
            assert_eq!(database.to_string(), again);
            assert_eq!(Database::parse(again).unwrap(), database);
        }
    }

    #[test]
    fn what_weakens_a_connection_or_holds_a_secret_is_no_url() {
        use DatabaseFault::{Host, Mode, Name, Parameter, Password, Roots, Scheme, User};
        for (text, fault) in [
            ("mysql://a@h/b", Scheme),
            ("postgres://a:secret@h/b?sslrootcert=c", Password),
            ("postgres://a@h/b?sslrootcert=c&password=x", Password),
            ("postgres://h/b?sslrootcert=c", User),
            ("postgres://a@h?sslrootcert=c", Name),
            ("postgres://a@h/?sslrootcert=c", Name),
            ("postgres://a@h/b", Roots),
            ("postgres://a@h/b?sslmode=require&sslrootcert=c", Mode),
            ("postgres://a@h/b?sslmode=disable", Mode),
            ("postgres://a@h:0/b?sslrootcert=c", Host),
            ("postgres://a@/b", Host),
            ("postgres://a@/b?host=relative", Host),
            ("postgres://a@/b?host=/run&sslrootcert=c", Roots),
            ("postgres://a@h/b?sslrootcert=c&sslrootcert=d", Parameter),
            ("postgres://a@h/b?sslrootcert=c&options=-c%20x", Parameter),
            ("postgres://a@h/b\";drop?sslrootcert=c", Name),
        ] {
            assert_eq!(Database::parse(text), Err(fault), "{text}");
        }
    }
}
