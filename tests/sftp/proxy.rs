//! A link between two ends of TCP that can be cut and that can be long. It counts what comes over.
//!
//! Cutting: the link breaks when a chosen number of bytes, over all connections together, have come from the server:
//! every connection breaks at once, in the middle of whatever it was at, half of them by a reset. Length: every piece
//! is handed on when its time has come, nothing is lost and nothing is slowed; what is under way waits in memory. Two
//! threads for each connection and no work in them, so that it is not what limits a transfer.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

const PIECE_BYTES: usize = 128 << 10;
/// Pieces under way in one direction, at most: 80 ms of more than 3 GB/s.
const UNDER_WAY_MAX: usize = 2048;

/// A link to a server on loopback.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    to: u16,
    one_way: Duration,
    ends: AtomicBool,
    /// Bytes that came over from the server.
    down: AtomicU64,
    connections: AtomicU64,
    cuts: Mutex<Cuts>,
    /// Both ends of every open connection.
    open: Mutex<Vec<[TcpStream; 2]>>,
}

struct Cuts {
    /// Where it still breaks, the next one last.
    at: Vec<u64>,
    done: u64,
}

impl Proxy {
    /// A link that breaks at these numbers of bytes.
    pub(crate) fn cut(to: u16, at: Vec<u64>) -> Self {
        Self::start(to, Duration::ZERO, at)
    }

    /// A link on which a question and its answer take this much longer.
    pub(crate) fn long(to: u16, round_trip: Duration) -> Self {
        Self::start(to, round_trip / 2, Vec::new())
    }

    fn start(to: u16, one_way: Duration, mut at: Vec<u64>) -> Self {
        at.sort_unstable_by(|one, other| other.cmp(one));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            to,
            one_way,
            ends: AtomicBool::new(false),
            down: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            cuts: Mutex::new(Cuts { at, done: 0 }),
            open: Mutex::default(),
        });
        let inner = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if inner.ends.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                inner.connect(stream);
            }
        });
        Self { port, shared }
    }

    /// Bytes that came over from the server.
    pub(crate) fn down(&self) -> u64 {
        self.shared.down.load(Ordering::SeqCst)
    }

    /// How often it has broken.
    pub(crate) fn cuts(&self) -> u64 {
        self.shared.cuts.lock().unwrap().done
    }

    /// Connections that were made over it.
    pub(crate) fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        self.shared.break_all(false);
    }
}

impl Shared {
    fn connect(self: &Arc<Self>, client: TcpStream) {
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.to)) else { return };
        for stream in [&client, &server] {
            let _ = stream.set_nodelay(true);
        }
        self.connections.fetch_add(1, Ordering::SeqCst);
        let pair = [client.try_clone().unwrap(), server.try_clone().unwrap()];
        self.open.lock().unwrap().push(pair);
        let (up, down) = (Arc::clone(self), Arc::clone(self));
        let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        std::thread::spawn(move || up.hand_on(from, &to, false));
        std::thread::spawn(move || down.hand_on(server, &client, true));
    }

    /// Hands on one direction of one connection until it ends or breaks.
    fn hand_on(&self, mut from: TcpStream, to: &TcpStream, down: bool) {
        let (late, pieces) = mpsc::sync_channel::<(Instant, Vec<u8>)>(UNDER_WAY_MAX);
        std::thread::scope(|scope| {
            if !self.one_way.is_zero() {
                scope.spawn(move || {
                    for (due, piece) in pieces {
                        std::thread::sleep(due.saturating_duration_since(Instant::now()));
                        if { to }.write_all(&piece).is_err() {
                            break;
                        }
                    }
                    let _ = to.shutdown(Shutdown::Write);
                });
            }
            let mut piece = vec![0; PIECE_BYTES];
            while let Ok(length) = from.read(&mut piece) {
                let (over, breaks) = if down { self.count(length) } else { (length, false) };
                let came = &piece[..over];
                let written = if self.one_way.is_zero() {
                    { to }.write_all(came).is_ok()
                } else {
                    late.send((Instant::now() + self.one_way, came.to_vec())).is_ok()
                };
                if breaks {
                    let resets = self.cuts.lock().unwrap().done.is_multiple_of(2);
                    self.break_all(resets);
                }
                if length == 0 || !written || breaks {
                    break;
                }
            }
            drop(late);
            if self.one_way.is_zero() {
                let _ = to.shutdown(Shutdown::Write);
            }
        });
    }

    /// How much of a piece still comes over, and whether the link breaks then.
    fn count(&self, length: usize) -> (usize, bool) {
        let mut cuts = self.cuts.lock().unwrap();
        let sofar = self.down.load(Ordering::SeqCst);
        let left = cuts.at.last().map(|at| at.saturating_sub(sofar));
        let over = left.map_or(length, |left| length.min(usize::try_from(left).unwrap()));
        self.down.fetch_add(over as u64, Ordering::SeqCst);
        let breaks = left.is_some_and(|left| left <= length as u64);
        if breaks {
            cuts.at.pop();
            cuts.done += 1;
        }
        (over, breaks)
    }

    fn break_all(&self, reset: bool) {
        for pair in self.open.lock().unwrap().drain(..) {
            for stream in pair {
                if reset {
                    let at_once = Some(Duration::ZERO);
                    let _ = rustix::net::sockopt::set_socket_linger(&stream, at_once);
                }
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

/// Places at which to cut, chosen by a seed: the same seed, the same places (SplitMix64).
pub(crate) fn places(seed: u64, count: usize, below: u64) -> Vec<u64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    };
    (0..count).map(|_| next() % below).collect()
}
