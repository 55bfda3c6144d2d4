//! The end of whoever asks: one connection, one request after the other, blocking.

use std::{
    io::{ErrorKind, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Serialize;
use zeroize::Zeroizing;

use super::{
    Buffer, CommandRequest, HEAD_BYTES, Hello, InspectRequest, ReadRequest, Request, Response,
    SignedBy, VERSION, frame, length, message,
};
use crate::{
    domain::limits,
    error::{Error, Exit},
    service::{
        Answer, Query, Reply, Result,
        reading::{Rows, Served},
    },
};

/// [`Request::Query`], of a query that its owner goes on with.
#[derive(Serialize)]
struct Asked<'a> {
    query: &'a Query,
}

/// A resident agent at the other end of its socket.
pub struct Remote {
    stream: UnixStream,
    path: PathBuf,
    hello: Hello,
    identified: bool,
}

impl Remote {
    /// Connects to the agent whose socket is `path`; nothing where none answers there. `owner` is the user that the
    /// agent runs as, where that is known: anybody else at the other end is sent nothing.
    ///
    /// # Errors
    /// The socket is not open to this user, or who answers is not the agent.
    pub fn connect(path: &Path, owner: Option<u32>) -> Result<Option<Self>> {
        let stream = match UnixStream::connect(path) {
            Ok(stream) => stream,
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                let what = format!("the control socket '{}' is not open to you", path.display());
                return Err(Error::refused(what).hint(
                    "members of the group 'batchward' may use it: usermod -aG batchward NAME",
                ));
            }
            // Nobody listens, or there is none.
            Err(_) => return Ok(None),
        };
        let peer = rustix::net::sockopt::socket_peercred(&stream)
            .map_err(|errno| lost(path, &std::io::Error::from(errno)))?;
        if owner.is_some_and(|owner| owner != peer.uid.as_raw()) {
            let what = format!(
                "who answers at '{}' is not the agent: it is the user with number {}",
                path.display(),
                peer.uid.as_raw()
            );
            return Err(
                Error::refused(what).hint("nothing was sent; tell the admin of this machine")
            );
        }
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        stream
            .set_read_timeout(seconds(limits::ANSWER_SECONDS_MAX))
            .and_then(|()| stream.set_write_timeout(seconds(limits::CONNECTION_IDLE_SECONDS)))
            .map_err(|error| lost(path, &error))?;
        let hello =
            Hello { batchward: 0, origin: String::new(), challenge: String::new(), known: false };
        let mut remote = Self { stream, path: path.to_owned(), hello, identified: false };
        let body = remote.receive()?;
        // An agent with too many guests says so instead of its hello.
        match message::<Hello>(&body) {
            Ok(hello) if hello.batchward == VERSION => remote.hello = hello,
            Ok(_) => return Err(other_version()),
            Err(_) => {
                return match message::<Response>(&body)? {
                    Response::Error { what, hint, exit } => Err(error_of(what, hint, exit)),
                    _ => Err(other_version()),
                };
            }
        }
        Ok(Some(remote))
    }

    /// What the agent said first.
    #[must_use]
    pub const fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Whether the agent answers queries on this connection already.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.hello.known || self.identified
    }

    /// Proves an account with its signature of the challenge.
    ///
    /// # Errors
    /// It does not count.
    pub fn identify(&mut self, by: SignedBy) -> Result<()> {
        match self.call(&Request::Identify(by))? {
            Response::Identified => {
                self.identified = true;
                Ok(())
            }
            other => Err(unexpected(other)),
        }
    }

    /// Looks something up.
    ///
    /// # Errors
    /// As the service says.
    pub fn ask(&mut self, query: &Query) -> Result<Answer> {
        match self.call(&Asked { query })? {
            Response::Answer(answer) => Ok(answer),
            other => Err(unexpected(other)),
        }
    }

    /// Does one thing; with what else there is to tell.
    ///
    /// # Errors
    /// As the service says.
    pub fn act(&mut self, request: CommandRequest) -> Result<(Reply, Vec<String>)> {
        match self.call(&Request::Command(Box::new(request)))? {
            Response::Done { reply, notes } => Ok((reply, notes)),
            other => Err(unexpected(other)),
        }
    }

    /// Reads rows as they come.
    ///
    /// # Errors
    /// As the service says, or the output is closed.
    pub fn read(&mut self, request: ReadRequest, rows: &mut dyn Rows) -> Result<Served> {
        self.rows(&Request::Read(Box::new(request)), rows)
    }

    /// Reads lines of the access log as they come.
    ///
    /// # Errors
    /// As the service says, or the output is closed.
    pub fn inspect(&mut self, request: InspectRequest, rows: &mut dyn Rows) -> Result<Served> {
        self.rows(&Request::Inspect(Box::new(request)), rows)
    }

    fn rows(&mut self, request: &Request, rows: &mut dyn Rows) -> Result<Served> {
        let closed = |_| Error::new(Exit::Failed, "the output was closed");
        let mut response = self.call(request)?;
        loop {
            match response {
                Response::Fields(fields) => rows.begin(&fields).map_err(closed)?,
                Response::Rows(part) => {
                    for values in part {
                        let values = Zeroizing::new(values);
                        rows.row(&values).map_err(closed)?;
                    }
                }
                Response::End { rows, row_cap } => {
                    return Ok(Served { rows, ended: row_cap.then_some("row-cap") });
                }
                other => return Err(unexpected(other)),
            }
            response = self.next_rows()?;
        }
    }

    /// The next part of rows. A frame that was on its way when the reading ended is filled up with blanks and holds
    /// nothing; the next one says why.
    fn next_rows(&mut self) -> Result<Response> {
        let body = self.receive()?;
        match message(&body) {
            Err(_) if body.ends_with(b" ") => self.response(),
            Ok(Response::Error { what, hint, exit }) => Err(error_of(what, hint, exit)),
            response => response,
        }
    }

    fn call<T: Serialize>(&mut self, request: &T) -> Result<Response> {
        let bytes = frame(request, limits::REQUEST_BYTES_MAX)?;
        self.stream.write_all(&bytes).map_err(|error| lost(&self.path, &error))?;
        self.response()
    }

    fn response(&mut self) -> Result<Response> {
        match message(&self.receive()?)? {
            Response::Error { what, hint, exit } => Err(error_of(what, hint, exit)),
            response => Ok(response),
        }
    }

    fn receive(&mut self) -> Result<Buffer> {
        let failed = |error: std::io::Error| lost(&self.path, &error);
        let mut head = [0; HEAD_BYTES];
        self.stream.read_exact(&mut head).map_err(failed)?;
        let mut body = Zeroizing::new(vec![0; length(head, limits::RESPONSE_BYTES_MAX)?]);
        self.stream.read_exact(&mut body).map_err(failed)?;
        Ok(body)
    }
}

fn error_of(what: String, hint: Option<String>, exit: u8) -> Error {
    Error { what, hint, exit: Exit::of(exit).unwrap_or(Exit::Failed) }
}

fn unexpected(response: Response) -> Error {
    match response {
        Response::Error { what, hint, exit } => error_of(what, hint, exit),
        _ => Error::new(Exit::Failed, "the agent answered another question"),
    }
}

fn other_version() -> Error {
    Error::new(Exit::Unavailable, "the agent that runs is of another version than this command")
        .hint("start the agent again after an upgrade: systemctl restart batchward")
}

fn lost(path: &Path, error: &std::io::Error) -> Error {
    let what = match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => "does not answer".to_owned(),
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
            "ended the connection".to_owned()
        }
        _ => format!("is out of reach: {error}"),
    };
    Error::new(Exit::Unavailable, format!("the agent at '{}' {what}", path.display())).hint(
        "whether the command counted, 'batchward register show' says; then run it again if it did not",
    )
}
