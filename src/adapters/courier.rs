//! The courier: processes of their own that talk to SFTP servers and take notices to mail and webhooks, so that the one that
//! holds keys has no network and no parser of SSH in it.
//!
//! The agent starts it before it confines itself, with a pair of sockets, no environment and no secret in its arguments
//! (`supervisor.rs`). For each connection the agent hands over one end of a new pair, and the courier starts a process for
//! it that can reach nothing of this machine but the server's port (`session.rs`): what a hostile server could take over
//! there is one connection and the account that it lets in anyway. The agent judges the host key itself, before it sends
//! the secret of the account; all other answers are a stranger's data.

mod errand;
mod own;
mod passing;
mod post;
mod session;
mod smtp;
mod supervisor;
mod telling;
mod wire;

use std::{
    collections::BTreeSet,
    io::{self, Read},
    net::{Shutdown, TcpStream},
    os::{fd::AsFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    process::Child,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use self::wire::{Answer, Ask};
pub use self::{
    supervisor::{serve, session},
    telling::Untold,
    wire::{Thing, ThingKind},
};
use super::files;
use crate::domain::{
    database::PasswordSource,
    known_hosts::{Pins, Verdict, fingerprint},
    limits::{
        REMOTE_CONNECT_SECONDS, REMOTE_LIST_SECONDS, REMOTE_PACE_SECONDS, REMOTE_READ_BYTES,
        REMOTE_READ_BYTES_OF_SEVERAL, SSH_FILE_BYTES_MAX,
    },
    source::{Endpoint, Login, SourceCode},
};

/// Bytes of one frame of a file that is put.
const PUT_BYTES: usize = 1 << 20;

/// Why a server could not be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {detail}", code.word())]
pub struct CourierError {
    /// What to do about it.
    pub code: SourceCode,
    /// For the person at the screen; may hold what a server said.
    pub detail: String,
    /// Fingerprint of the host key that the server showed, where that is it.
    pub shown: Option<String>,
    /// Fingerprints of those that it may have.
    pub known: Vec<String>,
}

impl CourierError {
    /// An error of this code.
    #[must_use]
    pub fn new(code: SourceCode, detail: impl Into<String>) -> Self {
        let detail: String = detail.into().chars().filter(|c| !c.is_control()).take(200).collect();
        Self { code, detail, shown: None, known: Vec::new() }
    }

    /// Whether it is about one delivery, and the server is as good as before.
    #[must_use]
    pub const fn is_of_a_delivery(&self) -> bool {
        matches!(
            self.code,
            SourceCode::Changed | SourceCode::Denied | SourceCode::NoFolder | SourceCode::Taken
        )
    }

    /// Whether the connection is over with it.
    #[must_use]
    pub const fn is_of_the_line(&self) -> bool {
        matches!(
            self.code,
            SourceCode::Unreachable
                | SourceCode::TimedOut
                | SourceCode::TooSlow
                | SourceCode::Protocol
                | SourceCode::Limit
        )
    }
}

type Result<T> = std::result::Result<T, CourierError>;

/// The courier of this agent.
#[derive(Debug)]
pub struct Courier {
    control: Mutex<UnixStream>,
    ports: BTreeSet<u16>,
    agent: Option<PathBuf>,
    child: Mutex<Child>,
}

impl Courier {
    /// Starts a courier for these servers and ports of others (a database, mail): to be called before the process confines
    /// itself. `program` is this program.
    ///
    /// # Errors
    /// It cannot be started, or cannot confine itself.
    pub fn start<'a>(
        program: &Path,
        servers: impl Iterator<Item = &'a Endpoint>,
        others: impl IntoIterator<Item = u16>,
    ) -> io::Result<Self> {
        let (mut ports, mut agent) = (BTreeSet::from_iter(others), None);
        for server in servers {
            ports.insert(server.port);
            if let Login::Agent(socket) = &server.login {
                agent = Some(socket.clone());
            }
        }
        let list: Vec<u16> = ports.iter().copied().collect();
        let (control, child) = supervisor::start(program, &list, agent.as_deref())?;
        Ok(Self { control: Mutex::new(control), ports, agent, child: Mutex::new(child) })
    }

    /// Connects and logs in; the host key is judged in between.
    ///
    /// # Errors
    /// [`CourierError`].
    pub fn connect(&self, to: &Endpoint) -> Result<Server> {
        self.connect_seeing(to, &mut None)
    }

    /// As [`Self::connect`], and gives the host key that the server showed, also where it is not let in.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn connect_seeing(&self, to: &Endpoint, seen: &mut Option<Vec<u8>>) -> Result<Server> {
        let asks_agent = |socket: &PathBuf| self.agent.as_ref() == Some(socket);
        let reached = self.ports.contains(&to.port)
            && match &to.login {
                Login::Agent(socket) => asks_agent(socket),
                _ => true,
            };
        if !reached {
            let what =
                "the courier was started before the configuration had this port or ssh-agent";
            return Err(CourierError::new(SourceCode::NoCourier, what));
        }
        let pins = pins(to)?;
        let mut server =
            Server { line: self.line()?, buffer: Vec::new(), piece: REMOTE_READ_BYTES };
        let key = server.open(to, &pins)?;
        *seen = Some(key.clone());
        let verdict = pins.judge(&key);
        let code = match verdict {
            Verdict::Known => {
                server.log_in(to)?;
                return Ok(server);
            }
            Verdict::Unknown => SourceCode::HostKeyUnknown,
            Verdict::Changed => SourceCode::HostKeyChanged,
        };
        Err(CourierError {
            shown: Some(fingerprint(&key)),
            known: pins.fingerprints(),
            ..CourierError::new(code, "the server is not let in")
        })
    }

    /// A connection to a database, which the agent speaks over itself.
    ///
    /// # Errors
    /// Nobody answers there, or the courier was started before it had this port.
    pub fn dial(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        let other = |error: CourierError| io::Error::other(error.detail);
        if !self.ports.contains(&port) {
            return Err(io::Error::other(
                "the courier was started before the database had this port",
            ));
        }
        let mut server = Server {
            line: self.line().map_err(other)?,
            buffer: Vec::new(),
            piece: REMOTE_READ_BYTES,
        };
        server.patience(REMOTE_CONNECT_SECONDS).map_err(other)?;
        let answer = server.ask(&Ask::Dial { host: host.to_owned(), port }, &[]).map_err(other)?;
        is_done(&answer).map_err(other)?;
        let socket = passing::receive(server.line.as_fd())?;
        let none = || io::Error::from(io::ErrorKind::ConnectionAborted);
        Ok(TcpStream::from(socket.ok_or_else(none)?))
    }

    fn line(&self) -> Result<UnixStream> {
        let lost = |error: io::Error| CourierError::new(SourceCode::NoCourier, error.to_string());
        let (ours, theirs) = UnixStream::pair().map_err(lost)?;
        let control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        passing::send(control.as_fd(), theirs.as_fd()).map_err(lost)?;
        Ok(ours)
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        let control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = control.shutdown(Shutdown::Both);
        // It ends by itself when the line does; who does not is not waited for.
        let _ = self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait();
    }
}

/// What the file of known hosts says of a server.
///
/// # Errors
/// It cannot be read.
pub fn pins(to: &Endpoint) -> Result<Pins> {
    let own = |error: files::FileError| CourierError::new(SourceCode::OwnFiles, error.to_string());
    let bytes = files::read(&to.known_hosts, SSH_FILE_BYTES_MAX).map_err(own)?;
    Ok(Pins::of(&String::from_utf8_lossy(&bytes), &to.host, to.port))
}

/// What is in a folder of a server.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Things, as many as are listed; sorted by name.
    pub things: Vec<Thing>,
    /// There is more.
    pub cut: bool,
    /// Things whose names are too long to be any.
    pub odd: u64,
}

/// A server that has let the account in.
#[derive(Debug)]
pub struct Server {
    line: UnixStream,
    buffer: Vec<u8>,
    piece: usize,
}

impl Server {
    fn open(&mut self, to: &Endpoint, pins: &Pins) -> Result<Vec<u8>> {
        self.patience(REMOTE_CONNECT_SECONDS * 12)?;
        let ask = Ask::Connect {
            host: to.host.clone(),
            port: to.port,
            kinds: pins.keys.iter().map(|key| key.kind.clone()).collect(),
            bytes_per_second: to.bytes_per_second,
        };
        match self.ask(&ask, &[])? {
            Answer::Connected {} => Ok(self.buffer.clone()),
            other => Err(unexpected(&other)),
        }
    }

    fn log_in(&mut self, to: &Endpoint) -> Result<()> {
        let user = to.user.clone();
        let done = match &to.login {
            Login::Key(path) => {
                let key = own::secret(path)?;
                self.ask(&Ask::Key { user }, key.expose())
            }
            Login::Agent(_) => self.ask(&Ask::Agent { user }, &[]),
            Login::PasswordFile(path) => {
                let password = own::word(&PasswordSource::File(path.clone()))?;
                self.ask(&Ask::Password { user }, &password)
            }
            Login::PasswordCredential(name) => {
                let password = own::word(&PasswordSource::Credential(name.clone()))?;
                self.ask(&Ask::Password { user }, &password)
            }
        };
        self.patience(REMOTE_LIST_SECONDS + REMOTE_PACE_SECONDS)?;
        done.and_then(|answer| is_done(&answer))
    }

    /// What is in a folder.
    ///
    /// # Errors
    /// [`CourierError`], `no-folder` where it is not there.
    pub fn list(&mut self, folder: &[u8]) -> Result<Listing> {
        match self.ask(&Ask::List {}, folder)? {
            Answer::Listed { mut things, cut, odd } => {
                things.sort_by(|one, other| one.name.cmp(&other.name));
                Ok(Listing { things, cut, odd })
            }
            other => Err(unexpected(&other)),
        }
    }

    /// What the thing of this path is; nothing where there is none.
    ///
    /// # Errors
    /// [`CourierError`].
    pub fn stat(&mut self, path: &[u8]) -> Result<Option<Thing>> {
        match self.ask(&Ask::Stat {}, path)? {
            Answer::Thing { thing } => Ok(thing),
            other => Err(unexpected(&other)),
        }
    }

    /// Whether it is one of several connections at a time: each asks for less ahead then.
    pub const fn of_several(&mut self, several: bool) {
        self.piece = if several { REMOTE_READ_BYTES_OF_SEVERAL } else { REMOTE_READ_BYTES };
    }

    /// Reads `bytes` of a file from `offset` on, and says how many came: fewer where the file is shorter.
    ///
    /// # Errors
    /// [`CourierError`], also of `take`.
    pub fn read(
        &mut self,
        path: &[u8],
        offset: u64,
        bytes: u64,
        take: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<u64> {
        self.tell(&Ask::Read { offset, bytes, piece: self.piece }, path)?;
        let mut came = 0;
        loop {
            match self.answer()? {
                Answer::Bytes {} => {
                    came += self.buffer.len() as u64;
                    if came > bytes || self.buffer.is_empty() {
                        let what = "more came than was asked for";
                        return Err(CourierError::new(SourceCode::Protocol, what));
                    }
                    take(&self.buffer)?;
                }
                Answer::End {} => return Ok(came),
                other => return Err(unexpected(&other)),
            }
        }
    }

    /// Gives a thing another name, which nothing has.
    ///
    /// # Errors
    /// [`CourierError`].
    pub fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<()> {
        let answer = self.ask(&Ask::Rename { first: from.len() }, &[from, to].concat())?;
        is_done(&answer)
    }

    /// Removes a file.
    ///
    /// # Errors
    /// [`CourierError`].
    pub fn remove(&mut self, path: &[u8]) -> Result<()> {
        let answer = self.ask(&Ask::Remove {}, path)?;
        is_done(&answer)
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    /// [`CourierError`].
    pub fn remove_folder(&mut self, path: &[u8]) -> Result<()> {
        let answer = self.ask(&Ask::RemoveFolder {}, path)?;
        is_done(&answer)
    }

    /// Makes a folder, which is not there.
    ///
    /// # Errors
    /// [`CourierError`].
    pub fn make_folder(&mut self, path: &[u8]) -> Result<()> {
        let answer = self.ask(&Ask::MakeFolder {}, path)?;
        is_done(&answer)
    }

    /// Makes a file of `bytes` of `from`, over one of its name; or goes on with it, where `offset` is not 0.
    ///
    /// # Errors
    /// [`CourierError`], also where `from` cannot be read or has not so much.
    pub fn put(&mut self, path: &[u8], offset: u64, bytes: u64, from: &mut dyn Read) -> Result<()> {
        let answer = self.ask(&Ask::Put { offset, bytes }, path)?;
        is_done(&answer)?;
        let room = usize::try_from(bytes).unwrap_or(PUT_BYTES).min(PUT_BYTES);
        let (mut piece, mut left) = (vec![0; room], bytes);
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(room).min(room);
            let own = |e: io::Error| CourierError::new(SourceCode::Inbox, e.to_string());
            from.read_exact(&mut piece[..most]).map_err(own)?;
            // Who gave up says why, and listens no more.
            if let Err(error) = self.tell(&Ask::More {}, &piece[..most]) {
                return Err(self.answer().err().unwrap_or(error));
            }
            left -= most as u64;
        }
        match self.answer()? {
            Answer::End {} => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    fn ask(&mut self, ask: &Ask, body: &[u8]) -> Result<Answer> {
        self.tell(ask, body)?;
        self.answer()
    }

    fn tell(&mut self, ask: &Ask, body: &[u8]) -> Result<()> {
        wire::send(&mut self.line, ask, body).map_err(|error| lost(&error))
    }

    fn answer(&mut self) -> Result<Answer> {
        match wire::receive_into::<Answer>(&mut self.line, &mut self.buffer) {
            Ok(Some(Answer::Failed { code, detail })) => Err(CourierError::new(code, detail)),
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => {
                Err(CourierError::new(SourceCode::Protocol, "the connection's process ended"))
            }
            Err(error) => Err(lost(&error)),
        }
    }

    fn patience(&self, seconds: u64) -> Result<()> {
        let limit = Some(Duration::from_secs(seconds));
        let set =
            self.line.set_read_timeout(limit).and_then(|()| self.line.set_write_timeout(limit));
        set.map_err(|error| lost(&error))
    }
}

fn lost(error: &io::Error) -> CourierError {
    let code = match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => SourceCode::TimedOut,
        _ => SourceCode::Protocol,
    };
    CourierError::new(code, error.to_string())
}

fn is_done(answer: &Answer) -> Result<()> {
    if *answer == (Answer::Done {}) { Ok(()) } else { Err(unexpected(answer)) }
}

fn unexpected(_: &Answer) -> CourierError {
    CourierError::new(SourceCode::Protocol, "the connection's process answered something else")
}
