//! Connections that break: a proxy between program and server lets so many bytes through and cuts the line.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use batchward::adapters::postgres::{Asked, DatabaseError, Lying};

use super::tables::{World, copy, key, load_as, read};

/// Forwards to the server, and cuts every line after so many bytes in both directions together.
struct Proxy {
    port: u16,
    left: Arc<AtomicU64>,
}

const WHOLE: u64 = u64::MAX / 2;

impl Proxy {
    fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let left = Arc::new(AtomicU64::new(WHOLE));
        let shared = Arc::clone(&left);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let left = Arc::clone(&shared);
                    thread::spawn(move || forward(from, to, &left));
                }
            }
        });
        Self { port, left }
    }

    /// The next bytes that come through.
    fn lets_through(&self, bytes: u64) {
        self.left.store(bytes, Ordering::SeqCst);
    }

    /// Bytes that have come since.
    fn came(&self) -> u64 {
        WHOLE - self.left.load(Ordering::SeqCst)
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, left: &AtomicU64) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let take = |left: u64| Some(left.saturating_sub(read as u64));
        let before = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).unwrap();
        let through = usize::try_from(before).unwrap_or(usize::MAX).min(read);
        if to.write_all(&buffer[..through]).is_err() || through < read {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn a_line_that_is_cut_anywhere_leaves_all_of_a_load_or_nothing_and_never_a_shorter_answer() {
    let world = World::new("");
    let proxy = Proxy::start(world.server.port);
    let direct = world.place();
    let url =
        world.server.url("b").replace(&world.server.port.to_string(), &proxy.port.to_string());
    let place = world.place_at(&url);
    let texts: Vec<(u64, String)> = (1..3_000).map(|n| (n, format!("A{n:09}"))).collect();
    let records: Vec<_> = texts.iter().map(|(n, id)| (*n, false, id.as_str(), "王")).collect();
    let columns = ["national_id".to_owned()];
    let rows = |place, n| {
        let key = key();
        let (vaults, all) = ([Lying { copy: copy(n), key: &key }], [vec![]]);
        let asked = Asked {
            vaults: &vaults,
            key: Some("national_id"),
            columns: &columns,
            sets: &all,
            single: false,
            remaining: Duration::from_secs(60),
        };
        read(place, &asked).map(|rows| rows.len())
    };
    // Whole once, to know how long each takes.
    let measured = |act: &dyn Fn() -> Result<(), DatabaseError>| {
        proxy.lets_through(WHOLE);
        act().unwrap();
        proxy.came()
    };
    // Every second one lies under its key.
    let load = |place, n: u64| load_as(place, copy(n), &records, n % 2 == 1);
    let load_bytes = measured(&|| load(&place, 1));
    let read_bytes = measured(&|| rows(&place, 1).map(drop));
    let drop_bytes = measured(&|| place.drop_table(copy(1)).map(drop));
    let (mut failed, mut tries) = (0, 0);
    for n in 2..26 {
        let part = |bytes: u64| bytes * (n - 1) / 24;
        proxy.lets_through(part(load_bytes));
        let mut seen = load(&place, n).is_ok();
        tries += 3;
        failed += u32::from(!seen);
        let committed =
            format!("SELECT count(*) FROM batchward.vault WHERE copy = {n} AND records = 2999");
        seen &= world.count(&committed) == 1;
        // Done again over a whole line, whatever came of the first try.
        load(&direct, n).unwrap();
        assert!(seen || world.count(&committed) == 1);
        proxy.lets_through(part(read_bytes));
        let shown = rows(&place, n);
        failed += u32::from(shown.is_err());
        assert!(shown.is_err() || shown.as_ref().is_ok_and(|rows| *rows == 2_999), "{shown:?}");
        assert_eq!(rows(&direct, n).unwrap(), 2_999);
        proxy.lets_through(part(drop_bytes));
        let dropped = place.drop_table(copy(n));
        failed += u32::from(dropped.is_err());
        let again = direct.drop_table(copy(n)).unwrap().unwrap();
        assert!(again.bytes > 0 && again.gone == Some(true));
    }
    assert!(failed > tries / 2, "only {failed} of {tries} lines were cut");
    let left = world.count("SELECT count(*) FROM pg_class WHERE relname LIKE 'vault_c%'");
    assert_eq!(left, 0);
}
