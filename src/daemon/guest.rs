//! One connection to the control socket: a request, its answer, the next request.
//!
//! The peer's user id comes from the kernel. Limits come before receiving: a frame's length is looked at before its
//! first byte is taken, long ones only a few at a time, and silence ends the connection. Requests are never logged.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::Sender,
    },
    time::Duration,
};

use data_encoding::HEXLOWER;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    sync::{Semaphore, mpsc, oneshot, watch},
    time::timeout,
};
use zeroize::Zeroizing;

use super::{
    crew::Crew,
    writer::{Answering, Message},
};
use crate::{
    domain::limits,
    error::{Error, Exit},
    protocol::{
        self, Buffer, CommandRequest, HEAD_BYTES, Hello, InspectRequest, ReadRequest, Request,
        Response, VERSION,
    },
    service::{
        Result,
        onlooker::Onlooker,
        serving::{Declared, Gate, Rows, Served},
    },
};

/// What every connection shares.
pub(super) struct House {
    /// To the engine's thread.
    pub(super) engine: Sender<Message>,
    /// Origin of the register.
    pub(super) origin: String,
    /// The user that the agent runs as.
    pub(super) owner: u32,
    /// Long requests that may be received and answered at a time.
    pub(super) long: Arc<Semaphore>,
    /// Questions of services that may be looked up at a time.
    pub(super) verifying: Arc<Semaphore>,
    /// Becomes true when the agent ends.
    pub(super) ending: watch::Receiver<bool>,
    pub(super) crew: Crew,
}

impl House {
    /// Asks the engine's thread.
    pub(super) async fn ask<T>(&self, message: impl FnOnce(Answering<T>) -> Message) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        self.engine.send(message(answer)).map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }
}

/// What rows answer.
enum Rowed {
    Read(ReadRequest),
    Inspect(InspectRequest),
}

struct Guest {
    stream: UnixStream,
    uid: u32,
    who: Onlooker,
    challenge: String,
    house: Arc<House>,
}

/// Tells somebody that there is no room, and ends the connection.
pub(super) async fn turn_away(mut stream: UnixStream) {
    let full = Error::new(Exit::Later, "the agent has too many connections")
        .hint("run the command again in a moment");
    if let Ok(bytes) = protocol::frame(&Response::error(full), limits::RESPONSE_BYTES_MAX) {
        let _ = timeout(Duration::from_secs(1), stream.write_all(&bytes)).await;
    }
}

/// Serves one connection to its end.
pub(super) async fn serve(stream: UnixStream, house: Arc<House>) {
    let Ok(peer) = stream.peer_cred() else { return };
    let mut nonce = [0; 16];
    if getrandom::fill(&mut nonce).is_err() {
        return;
    }
    let uid = peer.uid();
    let who = if uid == house.owner { Onlooker::Owner } else { Onlooker::User { uid } };
    let mut guest = Guest { stream, uid, who, challenge: HEXLOWER.encode(&nonce), house };
    // A connection that breaks is no event: whoever it was may come again.
    let _ = guest.stay().await;
}

impl Guest {
    async fn stay(&mut self) -> io::Result<()> {
        let known = self.ask(|answer| Message::Known(self.who.clone(), answer)).await;
        let known = match known {
            Ok(known) => known,
            Err(error) => return self.say(&Response::error(error)).await,
        };
        let (origin, challenge) = (self.house.origin.clone(), self.challenge.clone());
        self.say(&Hello { batchward: VERSION, origin, challenge, known }).await?;
        let mut ending = self.house.ending.clone();
        loop {
            let mut head = [0; HEAD_BYTES];
            let idle = Duration::from_secs(limits::CONNECTION_IDLE_SECONDS);
            tokio::select! {
                read = timeout(idle, self.stream.read_exact(&mut head)) => { read??; }
                _ = ending.changed() => return Ok(()),
            }
            let length = match protocol::length(head, limits::REQUEST_BYTES_MAX) {
                Ok(length) => length,
                // What follows cannot be told from the next request: this connection is over.
                Err(error) => return self.say(&Response::error(error)).await,
            };
            let long = Arc::clone(&self.house.long);
            let _permit = if length > limits::SHORT_REQUEST_BYTES {
                Some(timeout(idle, long.acquire()).await?.map_err(io::Error::other)?)
            } else {
                None
            };
            let mut body = Zeroizing::new(vec![0; length]);
            timeout(idle, self.stream.read_exact(&mut body)).await??;
            self.request(body).await?;
        }
    }

    async fn request(&mut self, body: Buffer) -> io::Result<()> {
        let request = protocol::message::<Request>(&body);
        drop(body);
        let response = match request {
            Err(error) => Err(error),
            Ok(Request::Query(query)) => {
                let who = self.who.clone();
                let answer = self.ask(|answer| Message::Look(who, Box::new(query), answer)).await;
                answer.map(Response::Answer)
            }
            Ok(Request::Identify(by)) => {
                let challenge = self.challenge.clone();
                let who = self.ask(|answer| Message::Identify(by, challenge, answer)).await;
                who.map(|who| {
                    self.who = who;
                    Response::Identified
                })
            }
            Ok(Request::Command(request)) => self.command(*request).await,
            Ok(Request::Read(request)) => self.rows(Rowed::Read(*request)).await?,
            Ok(Request::Inspect(request)) => self.rows(Rowed::Inspect(*request)).await?,
        };
        self.say(&response.unwrap_or_else(Response::error)).await
    }

    async fn rows(&mut self, request: Rowed) -> io::Result<Result<Response>> {
        let served = self.read(request).await?;
        Ok(served
            .map(|served| Response::End { rows: served.rows, row_cap: served.ended.is_some() }))
    }

    async fn command(&self, request: CommandRequest) -> Result<Response> {
        let CommandRequest { mut command, secret: sent, by } = request;
        match (command.secret_mut(), sent) {
            (Some(secret), Some(sent)) => *secret = sent.secret()?,
            (Some(_), None) => return Err(Error::usage("there is no key")),
            (None, Some(_)) => return Err(Error::usage("this command takes no key")),
            (None, None) => {}
        }
        let caller = protocol::caller(by, self.uid);
        let done = self.ask(|answer| Message::Act(caller, Box::new(command), answer)).await;
        done.map(|(reply, notes)| Response::Done { reply, notes })
    }

    /// Rows go out as they are read, on a thread of their own that waits for a slow reader; the engine does not.
    async fn read(&mut self, request: Rowed) -> io::Result<Result<Served>> {
        let declared = match request {
            Rowed::Read(ReadRequest { reading, by }) => {
                let caller = protocol::caller(by, self.uid);
                self.ask(|answer| Message::Declare(caller, Box::new(reading), answer)).await
            }
            Rowed::Inspect(InspectRequest { inspection, by }) => {
                let caller = protocol::caller(by, self.uid);
                self.ask(|answer| Message::Inspect(caller, Box::new(inspection), answer)).await
            }
        };
        let declared = match declared {
            Ok(declared) => declared,
            Err(error) => return Ok(Err(error)),
        };
        let (gate, mut kept) = (declared.gate(), false);
        let (parts, mut waiting) = mpsc::channel(limits::ROWS_WAITING_MAX);
        let (answer, shown) = oneshot::channel();
        let engine = self.house.engine.clone();
        let crew = &self.house.crew;
        let handed = Arc::new(AtomicU64::new(0));
        let (writing, written) = oneshot::channel();
        let way = Way { parts, handed: Arc::clone(&handed), written };
        crew.start("reading", move || show(declared, way, &engine, answer))?;
        let mut broken = Ok(());
        while let Some(part) = waiting.recv().await {
            let said = match part {
                Response::Rows(_) => self.say_rows(&part, &gate, &mut waiting, &handed).await,
                _ => self.say(&part).await.map(|()| true),
            };
            match said {
                Ok(whole) => kept |= !whole,
                Err(error) => {
                    broken = Err(error);
                    break;
                }
            }
        }
        // The thread finds its output closed, and what was handed over is logged.
        drop(waiting);
        drop(writing);
        let served = shown.await.unwrap_or_else(|_| Err(gone()));
        broken.map(|()| if kept { Err(gate.over()) } else { served })
    }

    async fn ask<T>(&self, message: impl FnOnce(Answering<T>) -> Message) -> Result<T> {
        self.house.ask(message).await
    }

    /// Rows, if they may still go when the peer takes them. A frame that is on its way when the reading ends is filled
    /// up with blanks; whether it went whole. What has gone is counted as it goes.
    async fn say_rows(
        &self,
        part: &Response,
        gate: &Gate,
        waiting: &mut mpsc::Receiver<Response>,
        handed: &AtomicU64,
    ) -> io::Result<bool> {
        let before = handed.load(Ordering::SeqCst);
        let mut bytes =
            protocol::frame(part, limits::RESPONSE_BYTES_MAX).map_err(io::Error::other)?;
        let look = Duration::from_millis(limits::ROWS_LOOK_MS);
        let bound = Duration::from_secs(limits::RESPONSE_SECONDS_MAX);
        let (mut sent, mut whole) = (0, true);
        let out = async {
            while let Some(left) = bytes.get_mut(sent..).filter(|left| !left.is_empty()) {
                let ready = timeout(look, self.stream.writable()).await;
                if whole && gate.is_over() {
                    // Whoever reads finds nobody to read for: the vaults are closed, and their keys are gone.
                    waiting.close();
                    whole = false;
                    if sent == 0 {
                        break;
                    }
                    left.fill(b' ');
                }
                let Ok(ready) = ready else { continue };
                ready?;
                match self.stream.try_write(left) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(count) => {
                        sent += count;
                        handed.store(before + begun(&bytes[..sent]), Ordering::SeqCst);
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        };
        timeout(bound, out).await??;
        Ok(whole)
    }

    async fn say<T: serde::Serialize>(&mut self, message: &T) -> io::Result<()> {
        let bytes = match protocol::frame(message, limits::RESPONSE_BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(error) => protocol::frame(&Response::error(error), limits::RESPONSE_BYTES_MAX)
                .map_err(io::Error::other)?,
        };
        let bound = Duration::from_secs(limits::RESPONSE_SECONDS_MAX);
        timeout(bound, self.stream.write_all(&bytes)).await?
    }
}

fn gone() -> Error {
    Error::new(Exit::Unavailable, "the agent is gone").hint("journalctl -u batchward says why")
}

/// Rows of which a part of a frame holds the beginning: `{"rows":[[…],[…]]}`. One that was cut has been seen in part, and counts.
fn begun(frame: &[u8]) -> u64 {
    let (mut depth, mut rows, mut text, mut escaped) = (0_u32, 0, false, false);
    for byte in frame.iter().skip(HEAD_BYTES) {
        match (text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => text = !text,
            (false, b'[') => {
                depth += 1;
                rows += u64::from(depth == 2);
            }
            (false, b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    rows
}

/// The way of rows to a connection.
struct Way {
    parts: mpsc::Sender<Response>,
    /// Rows that the socket has taken.
    handed: Arc<AtomicU64>,
    /// Ends when nothing more goes, for whichever reason.
    written: oneshot::Receiver<()>,
}

/// Reads all rows of what was declared.
fn show(declared: Declared, way: Way, engine: &Sender<Message>, answer: Answering<Served>) {
    let Way { parts, handed, written } = way;
    let mut rows = Parts { parts, rows: Vec::new(), bytes: 0 };
    let mut shown = declared.run(&mut rows, &mut |_| false);
    // What is left goes out before the end is told.
    let _ = rows.flush();
    drop(rows);
    // Rows that were read and never left the agent were shown to nobody: the log says how many the socket took.
    let _ = written.blocking_recv();
    shown.handed(handed.load(Ordering::SeqCst));
    if let Err(std::sync::mpsc::SendError(message)) = engine.send(Message::Shown(shown, answer))
        && let Message::Shown(_, answer) = message
    {
        let _ = answer.send(Err(gone()));
    }
}

/// Gathers rows into responses.
struct Parts {
    parts: mpsc::Sender<Response>,
    rows: Vec<Vec<String>>,
    bytes: usize,
}

impl Parts {
    fn flush(&mut self) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.bytes = 0;
        let rows = std::mem::take(&mut self.rows);
        self.send(Response::Rows(rows))
    }

    fn send(&self, response: Response) -> io::Result<()> {
        self.parts.blocking_send(response).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Rows for Parts {
    fn begin(&mut self, fields: &[String]) -> io::Result<()> {
        self.send(Response::Fields(fields.to_vec()))
    }

    fn row(&mut self, values: &[String]) -> io::Result<()> {
        self.bytes += values.iter().map(String::len).sum::<usize>();
        self.rows.push(values.to_vec());
        if self.bytes >= limits::ROWS_BYTES { self.flush() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_row_counts_from_its_first_byte_whatever_it_says() {
        let row = |text: &str| vec![text.to_owned(), "[[\"\\".to_owned()];
        let rows = vec![row("一"), row("]],["), row("\"")];
        let frame = protocol::frame(&Response::Rows(rows), limits::RESPONSE_BYTES_MAX).unwrap();
        assert_eq!(begun(&frame), 3);
        let counts: Vec<u64> = (0..=frame.len()).map(|sent| begun(&frame[..sent])).collect();
        assert!(counts.is_sorted() && counts.first() == Some(&0));
        assert_eq!(begun(&frame[..HEAD_BYTES + r#"{"rows":["#.len()]), 0);
        assert_eq!(begun(&frame[..HEAD_BYTES + r#"{"rows":[["#.len()]), 1);
        let mut cut = frame.clone();
        let half = cut.len() / 2;
        cut[half..].fill(b' ');
        assert_eq!(begun(&cut), begun(&frame[..half]), "blanks are no rows");
    }
}
