//! One notice to one server, on the courier's side: connect, verify, say it, end. What the server says is a stranger's: so
//! much is heard of it, for so long, and nothing of it decides more than whether the notice was taken.
//!
//! Mail and request are said here and by no library: one account says one text in six commands, or one request and hears
//! one line. A library for either brings a dozen packages, listens without a bound or keeps what came before TLS.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    os::unix::net::UnixStream,
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{
    CertificateError, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

use super::{
    passing, post, smtp,
    wire::{self, Answer, Ask, Errand},
};
use crate::{
    adapters::tls,
    domain::{
        limits::{NOTICE_HEARD_BYTES, NOTICE_SECONDS, REMOTE_CONNECT_SECONDS, REMOTE_IDLE_SECONDS},
        notice::NoticeCode,
    },
};

/// Why it was not taken, and what the server or the system says for whoever looks closer.
#[derive(Debug)]
pub(super) struct Failure(pub(super) NoticeCode, pub(super) String);

pub(super) type Result<T> = std::result::Result<T, Failure>;

/// A connection of which so much is heard, for so long.
pub(super) struct Heard {
    tcp: TcpStream,
    until: Instant,
    left: usize,
}

/// The same, verified.
pub(super) type Verified = StreamOwned<ClientConnection, Heard>;

/// What a process does once and then ends.
pub(super) fn alone(agent: &mut UnixStream, ask: &Ask, body: &[u8]) {
    match ask {
        Ask::Dial { host, port } => passing::hand_over(agent, host, *port),
        Ask::Tell { errand, secret, roots } => run(agent, errand, (*secret, *roots), body),
        _ => {}
    }
}

/// Runs one errand for the agent, and answers. The secret comes first in `body`, then the certificates, then the text.
fn run(agent: &mut UnixStream, errand: &Errand, lengths: (usize, usize), body: &[u8]) {
    let parts = body.split_at_checked(lengths.0).and_then(|(secret, rest)| {
        let (roots, text) = rest.split_at_checked(lengths.1)?;
        Some((secret, roots, text))
    });
    let done = match parts {
        Some((secret, roots, text)) => done(errand, secret, roots, text),
        None => Err(Failure(NoticeCode::Protocol, "out of turn".to_owned())),
    };
    let answer = match done {
        Ok(()) => Answer::Done {},
        Err(Failure(code, detail)) => Answer::Untold { code, detail },
    };
    // Who is gone is not told.
    let _ = wire::send(agent, &answer, &[]);
}

fn done(errand: &Errand, secret: &[u8], roots: &[u8], text: &[u8]) -> Result<()> {
    let (host, port) = match errand {
        Errand::Mail { host, port, .. } | Errand::Post { host, port, .. } => (host, *port),
    };
    let client = client(host, roots)?;
    let heard = Heard::connect(host, port)?;
    match errand {
        Errand::Mail { starttls, .. } => {
            let verified = if *starttls {
                verified(client, smtp::starttls(heard)?)?
            } else {
                verified(client, heard)?
            };
            smtp::send(verified, errand, secret, text)
        }
        Errand::Post { authority, path, .. } => {
            post::send(verified(client, heard)?, (authority, path), secret, text)
        }
    }
}

/// A client for this host. What is no certificate in the file is left out: that vouches for less.
fn client(host: &str, roots: &[u8]) -> Result<ClientConnection> {
    let own = |what: String| Failure(NoticeCode::OwnFiles, what);
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(roots).flatten() {
        let _ = store.add(certificate);
    }
    if store.is_empty() {
        return Err(own("the file of certificates holds none".to_owned()));
    }
    let config = tls::client(store).map_err(|error| own(error.to_string()))?;
    let name = ServerName::try_from(host.to_owned()).map_err(|error| own(error.to_string()))?;
    ClientConnection::new(Arc::new(config), name).map_err(|error| own(error.to_string()))
}

/// Nothing is said before the server has shown that it is the one of this name.
fn verified(mut client: ClientConnection, mut heard: Heard) -> Result<Verified> {
    while client.is_handshaking() {
        client.complete_io(&mut heard).map_err(|error| failure(&error))?;
    }
    Ok(StreamOwned::new(client, heard))
}

impl Heard {
    fn connect(host: &str, port: u16) -> Result<Self> {
        let limit = Duration::from_secs(REMOTE_CONNECT_SECONDS);
        let until = Instant::now() + Duration::from_secs(NOTICE_SECONDS);
        let found = (host, port)
            .to_socket_addrs()
            .map_err(|error| Failure(NoticeCode::Unreachable, error.to_string()))?;
        let mut tcp = Err(io::ErrorKind::NotFound.into());
        for address in found.take(4) {
            tcp = TcpStream::connect_timeout(&address, limit);
            if tcp.is_ok() {
                break;
            }
        }
        let tcp = tcp.map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => Failure(NoticeCode::NoCourier, error.to_string()),
            _ => failure(&error),
        })?;
        tcp.set_nodelay(true).map_err(|error| failure(&error))?;
        Ok(Self { tcp, until, left: NOTICE_HEARD_BYTES })
    }

    /// How long the next call may take.
    fn patience(&self) -> io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(left.min(Duration::from_secs(REMOTE_IDLE_SECONDS)))
    }
}

impl Read for Heard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        self.tcp.set_read_timeout(Some(self.patience()?))?;
        let most = buffer.len().min(self.left);
        let came = self.tcp.read(&mut buffer[..most])?;
        self.left -= came;
        Ok(came)
    }
}

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(Some(self.patience()?))?;
        self.tcp.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// What an error of the line means.
pub(super) fn failure(error: &io::Error) -> Failure {
    let of_tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let code = match (of_tls, error.kind()) {
        (Some(rustls::Error::InvalidCertificate(CertificateError::BadEncoding)), _) => {
            NoticeCode::Protocol
        }
        (Some(rustls::Error::InvalidCertificate(_)), _) => NoticeCode::Certificate,
        (Some(_), _) => NoticeCode::Protocol,
        (None, io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => NoticeCode::TimedOut,
        (None, io::ErrorKind::QuotaExceeded) => NoticeCode::Limit,
        (None, _) => NoticeCode::Unreachable,
    };
    Failure(code, error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
    use std::{net::TcpListener, thread};

    use super::*;

    /// A connection to somebody who says a byte now and then, and never ends.
    fn heard(until: Duration, left: usize) -> Heard {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            while stream.write_all(b"x").is_ok() {
                thread::park_timeout(Duration::from_millis(5));
            }
        });
        Heard { tcp, until: Instant::now() + until, left }
    }

    #[test]
    fn who_speaks_slowly_is_heard_for_so_long_and_who_speaks_on_for_so_much() {
        for (until, left, code) in [
            (Duration::from_millis(100), 1_000_000, NoticeCode::TimedOut),
            (Duration::from_secs(60), 10, NoticeCode::Limit),
        ] {
            let mut all = Vec::new();
            let error = heard(until, left).read_to_end(&mut all).unwrap_err();
            assert_eq!(failure(&error).0, code);
            assert!(all.len() <= left);
        }
    }
}
