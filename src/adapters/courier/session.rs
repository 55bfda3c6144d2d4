//! One connection to one server, on the courier's side: libssh2 talks to the server, and here alone.
//!
//! Nothing of ours is in reach of this process but the secret of its one account. What the server says is passed on as
//! it is, within limits; the agent judges it.

use std::{
    cell::Cell,
    ffi::OsStr,
    io::{Read, Seek, SeekFrom, Write},
    net::{TcpStream, ToSocketAddrs},
    os::unix::{ffi::OsStrExt, net::UnixStream},
    path::Path,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, poll};
use ssh2::{ErrorCode, FileStat, FileType, MethodType, OpenFlags, OpenType, Session, Sftp};

use super::{
    errand,
    wire::{self, Answer, Ask, Thing, ThingKind},
};
use crate::domain::{
    limits::{
        REMOTE_CONNECT_SECONDS, REMOTE_ENTRIES_MAX, REMOTE_IDLE_SECONDS, REMOTE_LIST_SECONDS,
        REMOTE_NAME_BYTES_MAX, REMOTE_PACE_BYTES, REMOTE_PACE_SECONDS, REMOTE_READ_BYTES,
    },
    source::SourceCode,
};

/// What is believed of algorithms (RFC 8731, 5656, 8332, 9142; OpenSSH's own for AES-GCM): nothing with SHA-1 or CBC.
const KEX: &str = "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group14-sha256,ext-info-c,kex-strict-c-v00@openssh.com";
const CIPHERS: &str =
    "aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr";
const MACS: &str =
    "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512";
const HOST_KEYS: [&str; 6] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
];

/// A buffer for which the library asks one question at a time: four of them fit into the longest.
const ONE_QUESTION_BYTES: usize = 7_000;
/// A buffer for which the library asks nothing while it waits for answers: it asks four times as much ahead.
const DRAIN_BYTES: usize = 4_096;
/// Bytes that are read at once while little came over a line.
const FIRST_READ_BYTES: usize = 8 << 10;
/// The share of what came over a line that is read at once.
const EARNED_BY: u64 = 16;
/// Codes of SFTP (draft-ietf-secsh-filexfer-02, 7).
const NO_SUCH_FILE: i32 = 2;
const PERMISSION_DENIED: i32 = 3;

/// Why something failed: a code, and what the library says for whoever looks closer.
struct Failure(SourceCode, String);

type Result<T> = std::result::Result<T, Failure>;

/// What others may do with what is put: the group reads it.
const FILE_MODE: i32 = 0o640;
const FOLDER_MODE: i32 = 0o750;

/// How far a connection has come.
#[derive(Default)]
struct Line {
    tcp: Option<TcpStream>,
    session: Option<Session>,
    sftp: Option<Sftp>,
    rate: Option<u64>,
    /// Bytes of files that came over it so far.
    came: Cell<u64>,
}

/// Answers the agent until it is gone, or says something that is no question.
pub(super) fn answer_all(agent: &mut UnixStream) {
    let mut line = Line::default();
    while let Ok(Some((ask, body))) = wire::receive::<Ask>(agent) {
        if matches!(ask, Ask::Dial { .. } | Ask::Tell { .. }) {
            return errand::alone(agent, &ask, &body);
        }
        let done = match &ask {
            Ask::Read { offset, bytes, piece } => {
                line.read(agent, path(&body), (*offset, *bytes), *piece)
            }
            Ask::Put { offset, bytes } => line.put(agent, path(&body), (*offset, *bytes)),
            _ => line.answer(&ask, &body).map(|(answer, bytes)| Some((answer, bytes))),
        };
        let sent = match done {
            // The agent is gone.
            Ok(None) => return,
            Ok(Some((answer, bytes))) => wire::send(agent, &answer, &bytes),
            Err(Failure(code, detail)) => wire::send(agent, &Answer::Failed { code, detail }, &[]),
        };
        if sent.is_err() {
            return;
        }
    }
}

fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

impl Line {
    fn answer(&mut self, ask: &Ask, body: &[u8]) -> Result<(Answer, Vec<u8>)> {
        let plain = |answer| Ok((answer, Vec::new()));
        match ask {
            Ask::Connect { host, port, kinds, bytes_per_second } => {
                self.rate = *bytes_per_second;
                let key = self.connect(host, *port, kinds)?;
                Ok((Answer::Connected {}, key))
            }
            Ask::Key { .. } | Ask::Password { .. } | Ask::Agent { .. } => {
                self.log_in(ask, body)?;
                plain(Answer::Done {})
            }
            Ask::List {} => plain(self.list(path(body))?),
            Ask::Stat {} => {
                let thing = match self.sftp()?.lstat(path(body)) {
                    Ok(stat) => Some(thing(b"", &stat)),
                    Err(error) if is_missing(&error) => None,
                    Err(error) => return Err(failure(&error)),
                };
                plain(Answer::Thing { thing })
            }
            Ask::Rename { first } => {
                let (from, to) = body.split_at_checked(*first).ok_or_else(no_question)?;
                // Without flags: over nothing that is there.
                let renamed =
                    self.sftp()?.rename(path(from), path(to), Some(ssh2::RenameFlags::empty()));
                renamed.map_err(|error| failure(&error))?;
                plain(Answer::Done {})
            }
            Ask::MakeFolder {} => {
                self.sftp()?.mkdir(path(body), FOLDER_MODE).map_err(|error| failure(&error))?;
                plain(Answer::Done {})
            }
            Ask::Remove {} => {
                self.sftp()?.unlink(path(body)).map_err(|error| failure(&error))?;
                plain(Answer::Done {})
            }
            Ask::RemoveFolder {} => {
                self.sftp()?.rmdir(path(body)).map_err(|error| failure(&error))?;
                plain(Answer::Done {})
            }
            _ => Err(no_question()),
        }
    }

    fn connect(&mut self, host: &str, port: u16, kinds: &[String]) -> Result<Vec<u8>> {
        let limit = Duration::from_secs(REMOTE_CONNECT_SECONDS);
        let unreachable = |error: std::io::Error| {
            let code = match error.kind() {
                std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock => {
                    SourceCode::TimedOut
                }
                std::io::ErrorKind::PermissionDenied => SourceCode::NoCourier,
                _ => SourceCode::Unreachable,
            };
            Failure(code, error.to_string())
        };
        let found = (host, port).to_socket_addrs().map_err(unreachable)?;
        let mut tcp = Err(std::io::ErrorKind::NotFound.into());
        for address in found.take(8) {
            tcp = TcpStream::connect_timeout(&address, limit);
            if tcp.is_ok() {
                break;
            }
        }
        let tcp = tcp.map_err(unreachable)?;
        tcp.set_nodelay(true).map_err(unreachable)?;
        let mut session = Session::new().map_err(|error| failure(&error))?;
        session.set_timeout(millis(REMOTE_CONNECT_SECONDS));
        self.tcp = Some(tcp.try_clone().map_err(unreachable)?);
        session.set_tcp_stream(tcp);
        let known = |kind: &&str| {
            let is = |known: &String| {
                known == kind || (known == "ssh-rsa" && kind.starts_with("rsa-sha2-"))
            };
            kinds.iter().any(is)
        };
        // What is known of the server comes first, so that it shows that key if it has it.
        let mut keys = HOST_KEYS.to_vec();
        keys.sort_by_key(|kind| !known(kind));
        for (kind, list) in [
            (MethodType::HostKey, keys.join(",")),
            (MethodType::CryptCs, CIPHERS.to_owned()),
            (MethodType::CryptSc, CIPHERS.to_owned()),
            (MethodType::MacCs, MACS.to_owned()),
            (MethodType::MacSc, MACS.to_owned()),
            (MethodType::CompCs, "none".to_owned()),
            (MethodType::CompSc, "none".to_owned()),
            (MethodType::Kex, KEX.to_owned()),
        ] {
            session.method_pref(kind, &list).map_err(|error| failure(&error))?;
        }
        session.handshake().map_err(|error| failure(&error))?;
        let (key, _) = session.host_key().ok_or_else(no_question)?;
        let key = key.to_vec();
        session.set_timeout(millis(REMOTE_IDLE_SECONDS));
        self.session = Some(session);
        Ok(key)
    }

    fn log_in(&mut self, ask: &Ask, secret: &[u8]) -> Result<()> {
        let session = self.session.as_ref().ok_or_else(no_question)?;
        let text = || {
            std::str::from_utf8(secret)
                .map_err(|_| Failure(SourceCode::OwnFiles, "not UTF-8".to_owned()))
        };
        let done = match ask {
            Ask::Key { user } => session.userauth_pubkey_memory(user, None, text()?, None),
            Ask::Password { user } => session.userauth_password(user, text()?),
            Ask::Agent { user } => by_agent(session, user),
            _ => return Err(no_question()),
        };
        done.map_err(|error| match error.code() {
            // LIBSSH2_ERROR_FILE: the key is none, or has a passphrase.
            ErrorCode::Session(-16) => Failure(SourceCode::OwnFiles, error.to_string()),
            ErrorCode::Session(-18 | -19 | -42 | -48 | -49) => {
                Failure(SourceCode::LoginRefused, error.to_string())
            }
            _ => failure(&error),
        })?;
        if !session.authenticated() {
            return Err(Failure(SourceCode::LoginRefused, "not authenticated".to_owned()));
        }
        self.sftp = Some(session.sftp().map_err(|error| failure(&error))?);
        Ok(())
    }

    fn sftp(&self) -> Result<&Sftp> {
        self.sftp.as_ref().ok_or_else(no_question)
    }

    fn list(&self, folder: &Path) -> Result<Answer> {
        let begun = Instant::now();
        let mut dir = self.sftp()?.opendir(folder).map_err(|error| failure(&error))?;
        let (mut things, mut odd, mut ends, mut cut) = (Vec::new(), 0_u64, 0, false);
        loop {
            if begun.elapsed() > Duration::from_secs(REMOTE_LIST_SECONDS) {
                return Err(Failure(SourceCode::TimedOut, "listing".to_owned()));
            }
            match dir.readdir() {
                Ok((name, stat)) => {
                    // What looked like the end was an empty name.
                    odd += std::mem::take(&mut ends);
                    let name = name.as_os_str().as_bytes();
                    if matches!(name, b"." | b"..") {
                        continue;
                    }
                    if things.len() as u64 + odd >= REMOTE_ENTRIES_MAX as u64 {
                        // The rest is not asked for.
                        return Ok(Answer::Listed { things, cut: true, odd });
                    }
                    if name.len() > REMOTE_NAME_BYTES_MAX {
                        odd += 1;
                    } else {
                        things.push(thing(name, &stat));
                    }
                }
                // LIBSSH2_ERROR_FILE: the end of the folder, or an empty name: the end is told twice.
                Err(error) if error.code() == ErrorCode::Session(-16) => {
                    ends += 1;
                    if ends == 2 {
                        break;
                    }
                }
                // LIBSSH2_ERROR_PROTO: a name that fits nowhere, with which the library drops the others that came with it.
                Err(error)
                    if error.code() == ErrorCode::Session(-14)
                        && odd < REMOTE_ENTRIES_MAX as u64 =>
                {
                    (odd, cut) = (odd + 1, true);
                }
                Err(error) => return Err(failure(&error)),
            }
        }
        Ok(Answer::Listed { things, cut, odd })
    }

    /// Sends a piece of a file, as fast as it comes and may come. Nothing where the agent is gone.
    fn read(
        &self,
        agent: &mut UnixStream,
        path: &Path,
        (offset, bytes): (u64, u64),
        piece: usize,
    ) -> Result<Option<(Answer, Vec<u8>)>> {
        let mut file = self.open(path, offset)?;
        // As much as the buffer holds is asked for ahead, and more: not beyond what is wanted.
        let room = usize::try_from(bytes)
            .unwrap_or(usize::MAX)
            .clamp(1, piece.clamp(1, REMOTE_READ_BYTES));
        let mut buffer = vec![0; room];
        let mut pace = Pace::new(self.rate);
        let (mut left, mut one_by_one) = (bytes, false);
        while left > 0 {
            // On a line that is cut nothing more is asked, which would fail, before all that came over it is read.
            // What is asked ahead when it is cut is lost, and that is four times what is read at once: never more than
            // a quarter of what came over it.
            let earned = usize::try_from(self.came.get() / EARNED_BY).unwrap_or(usize::MAX);
            let room = buffer.len().min(earned.max(FIRST_READ_BYTES));
            let room = if self.is_cut() { DRAIN_BYTES } else { room };
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(room).min(buffer.len());
            let at = offset + (bytes - left);
            let read = file.read(&mut buffer[..most]);
            let came = match &read {
                Ok(came) => *came,
                Err(_) => came_before(&mut file, at, most),
            };
            if came > 0 {
                left -= came as u64;
                self.came.set(self.came.get() + came as u64);
                if wire::send(agent, &Answer::Bytes {}, &buffer[..came]).is_err() {
                    return Ok(None);
                }
                pace.went(came as u64)?;
            }
            match read {
                Ok(0) => break,
                Ok(_) => {}
                // A server may answer less than it was asked, which the library takes from one question at a time
                // only. Where the line is broken, opening the file says so.
                Err(error) if !one_by_one && error.kind() == std::io::ErrorKind::Other => {
                    drop(file);
                    file = self.open(path, offset + (bytes - left))?;
                    buffer.truncate(ONE_QUESTION_BYTES);
                    one_by_one = true;
                }
                Err(error) => return Err(io_failure(&error)),
            }
        }
        Ok(Some((Answer::End {}, Vec::new())))
    }

    /// Whether the other side has ended the line; what it had sent may still be there.
    fn is_cut(&self) -> bool {
        let Some(tcp) = &self.tcp else { return true };
        let mut polled = [PollFd::new(tcp, PollFlags::RDHUP)];
        let at_once = rustix::time::Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut polled, Some(&at_once)).is_ok() && !polled[0].revents().is_empty()
    }

    fn open(&self, path: &Path, offset: u64) -> Result<ssh2::File> {
        let mut file = self.sftp()?.open(path).map_err(|error| failure(&error))?;
        if offset > 0 {
            file.seek(SeekFrom::Start(offset)).map_err(|error| io_failure(&error))?;
        }
        Ok(file)
    }

    /// Makes a file of what the agent sends, or goes on with one. Nothing where the agent is gone.
    fn put(
        &self,
        agent: &mut UnixStream,
        path: &Path,
        (offset, bytes): (u64, u64),
    ) -> Result<Option<(Answer, Vec<u8>)>> {
        let made = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
        let flags = if offset == 0 { made } else { OpenFlags::WRITE };
        let file = self.sftp()?.open_mode(path, flags, FILE_MODE, OpenType::File);
        let mut file = file.map_err(|error| failure(&error))?;
        file.seek(SeekFrom::Start(offset)).map_err(|error| io_failure(&error))?;
        if wire::send(agent, &Answer::Done {}, &[]).is_err() {
            return Ok(None);
        }
        let mut pace = Pace::new(self.rate);
        let mut left = bytes;
        while left > 0 {
            let Ok(Some((Ask::More {}, piece))) = wire::receive::<Ask>(agent) else {
                return Ok(None);
            };
            left = left.checked_sub(piece.len() as u64).ok_or_else(no_question)?;
            file.write_all(&piece).map_err(|error| io_failure(&error))?;
            pace.went(piece.len() as u64)?;
        }
        // Where the server can (fsync@openssh.com); where not, reading back is what there is.
        let _ = file.fsync();
        Ok(Some((Answer::End {}, Vec::new())))
    }
}

/// What a reading that failed had put into the buffer: the library counts every piece that it copies there.
fn came_before(file: &mut ssh2::File, at: u64, most: usize) -> usize {
    let now = file.stream_position().ok();
    let came = now.and_then(|now| usize::try_from(now.checked_sub(at)?).ok());
    came.filter(|came| *came <= most).unwrap_or(0)
}

fn by_agent(session: &Session, user: &str) -> std::result::Result<(), ssh2::Error> {
    let mut agent = session.agent()?;
    agent.connect()?;
    agent.list_identities()?;
    let mut last = ssh2::Error::new(ErrorCode::Session(-18), "the agent holds no key");
    for identity in agent.identities()? {
        match agent.userauth(user, &identity) {
            Ok(()) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Holds a connection to its rate, and ends one that hardly moves.
struct Pace {
    rate: Option<u64>,
    begun: Instant,
    bytes: u64,
    looked: Instant,
    since: u64,
}

impl Pace {
    fn new(rate: Option<u64>) -> Self {
        let now = Instant::now();
        Self { rate, begun: now, bytes: 0, looked: now, since: 0 }
    }

    fn went(&mut self, bytes: u64) -> Result<()> {
        self.bytes += bytes;
        self.since += bytes;
        if self.looked.elapsed() > Duration::from_secs(REMOTE_PACE_SECONDS) {
            let least = self.rate.map_or(REMOTE_PACE_BYTES, |rate| rate.min(REMOTE_PACE_BYTES));
            if self.since < least {
                return Err(Failure(SourceCode::TooSlow, "hardly anything comes".to_owned()));
            }
            (self.looked, self.since) = (Instant::now(), 0);
        }
        if let Some(rate) = self.rate {
            let due = Duration::from_millis(self.bytes.saturating_mul(1000) / rate.max(1));
            std::thread::sleep(
                due.saturating_sub(self.begun.elapsed()).min(Duration::from_secs(60)),
            );
        }
        Ok(())
    }
}

fn thing(name: &[u8], stat: &FileStat) -> Thing {
    let kind = match stat.perm.map(|_| stat.file_type()) {
        Some(FileType::RegularFile) => ThingKind::File,
        Some(FileType::Directory) => ThingKind::Folder,
        _ => ThingKind::Other,
    };
    Thing {
        name: name.to_vec(),
        kind,
        bytes: stat.size.unwrap_or(0),
        changed: stat.mtime.unwrap_or(0),
    }
}

fn millis(seconds: u64) -> u32 {
    u32::try_from(seconds * 1000).unwrap_or(u32::MAX)
}

fn is_missing(error: &ssh2::Error) -> bool {
    error.code() == ErrorCode::SFTP(NO_SUCH_FILE)
}

fn no_question() -> Failure {
    Failure(SourceCode::Protocol, "out of turn".to_owned())
}

/// The library's errors of reading and writing have lost their codes, but for these kinds.
fn io_failure(error: &std::io::Error) -> Failure {
    let code = match error.kind() {
        std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock => SourceCode::TimedOut,
        std::io::ErrorKind::NotFound => SourceCode::NoFolder,
        _ => SourceCode::Unreachable,
    };
    Failure(code, error.to_string())
}

/// Codes of libssh2 (libssh2.h), by what to do about them.
fn failure(error: &ssh2::Error) -> Failure {
    let code = match error.code() {
        ErrorCode::SFTP(NO_SUCH_FILE) => SourceCode::NoFolder,
        ErrorCode::SFTP(PERMISSION_DENIED) => SourceCode::Denied,
        ErrorCode::SFTP(11) => SourceCode::Taken,
        ErrorCode::SFTP(_) => SourceCode::Denied,
        // TIMEOUT, SOCKET_TIMEOUT.
        ErrorCode::Session(-9 | -30) => SourceCode::TimedOut,
        // SOCKET_NONE, SOCKET_SEND, SOCKET_DISCONNECT, SOCKET_RECV, CHANNEL_CLOSED, CHANNEL_EOF_SENT, BAD_SOCKET.
        ErrorCode::Session(-1 | -7 | -13 | -43 | -26 | -27 | -45) => SourceCode::Unreachable,
        // KEX_FAILURE, METHOD_NONE, METHOD_NOT_SUPPORTED, ALGO_UNSUPPORTED.
        ErrorCode::Session(-5 | -17 | -33 | -51) => SourceCode::NoAlgorithm,
        // ALLOC, OUT_OF_BOUNDARY.
        ErrorCode::Session(-6 | -41) => SourceCode::Limit,
        ErrorCode::Session(_) => SourceCode::Protocol,
    };
    Failure(code, error.to_string())
}
