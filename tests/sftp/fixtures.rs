//! The fixtures are what they say, seen by the stock `sftp` and by a plain client: a server that is not hostile would
//! prove nothing, and neither would a link that is not cut.

use std::{
    fs,
    io::Read,
    net::TcpStream,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    proxy::{Proxy, places},
    servers::{AsyncSsh, Keys, OpenSsh, look, stock},
};

const MIB: usize = 1 << 20;
const DATA: &str = "/outgoing/d-1/people.csv.age";

/// A server's folder with one file of so many bytes in one delivery, and keys.
struct Fixture {
    dir: tempfile::TempDir,
    keys: Keys,
}

impl Fixture {
    fn new(bytes: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("remote/outgoing/d-1")).unwrap();
        fs::create_dir_all(dir.path().join("remote/done")).unwrap();
        let mut noise = vec![0; bytes];
        getrandom::fill(&mut noise).unwrap();
        fs::write(dir.path().join(format!("remote{DATA}")), noise).unwrap();
        let keys = Keys::new(dir.path().join("keys"));
        Self { dir, keys }
    }

    fn server(&self, words: &[&str]) -> AsyncSsh {
        AsyncSsh::start(&self.keys, &self.dir.path().join("remote"), words)
    }

    fn hostile(&self, behaviour: &str) -> AsyncSsh {
        self.server(&["--behaviour", behaviour])
    }

    fn get(&self, port: u16, folder: &str) -> std::process::Output {
        let got = self.dir.path().join("got");
        stock(&self.keys, port, &[], &format!("get {folder}{DATA} {}\n", got.display()))
    }

    fn same(&self) -> bool {
        let got = fs::read(self.dir.path().join("got")).unwrap_or_default();
        got == fs::read(self.dir.path().join(format!("remote{DATA}"))).unwrap()
    }

    fn remote(&self) -> String {
        self.dir.path().join("remote").display().to_string()
    }
}

#[test]
fn the_stock_client_fetches_from_both_servers_and_moves_what_it_has() {
    let fixture = Fixture::new(MIB);
    let openssh = OpenSsh::start(&fixture.keys);
    let asyncssh = fixture.server(&[]);
    for (port, folder) in [(openssh.port, fixture.remote()), (asyncssh.port, String::new())] {
        let output = fixture.get(port, &folder);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(fixture.same());
        fs::remove_file(fixture.dir.path().join("got")).unwrap();
        let moves = format!("rename {folder}/outgoing/d-1 {folder}/done/d-1\n");
        assert!(stock(&fixture.keys, port, &[], &moves).status.success());
        let back = format!("rename {folder}/done/d-1 {folder}/outgoing/d-1\n");
        assert!(stock(&fixture.keys, port, &[], &back).status.success());
    }
    assert_eq!(asyncssh.moved("d-1"), 1);
}

#[test]
fn hostile_names_are_in_the_listings_as_they_are() {
    let fixture = Fixture::new(9);
    let names: &[(&str, &[u8])] = &[
        ("parent", b"../evil"),
        ("parents", b"../../../../../../../../tmp/evil"),
        ("dots", b"..evil/../../evil"),
        ("absolute", b"/tmp/evil"),
        ("newline", b"evil\nname"),
        ("nul", b"evil\0name"),
        ("long", &[b'e'; 4096]),
        ("not-utf-8", b"evil\xff\xfe"),
        ("empty", b""),
        ("escape", b"evil\x1b[2J"),
    ];
    for (word, name) in names {
        let hex = data_encoding::HEXLOWER.encode(name);
        for (kind, folder) in [("folder", "/outgoing"), ("file", "/outgoing/d-1")] {
            let server = fixture.hostile(&format!("{kind}-{word}"));
            let seen = look(&fixture.keys, server.port, &["list", folder]);
            let names = seen["first"].as_array().unwrap();
            assert!(names.iter().any(|name| *name == hex), "{kind}-{word}: {seen}");
        }
    }
}

#[test]
fn a_listing_has_a_million_entries_or_no_end() {
    let fixture = Fixture::new(9);
    let server = fixture.hostile("million-folders");
    let seen = look(&fixture.keys, server.port, &["list", "/outgoing"]);
    assert_eq!(seen["count"], 1_000_003);
    let server = fixture.hostile("million-files");
    let seen = look(&fixture.keys, server.port, &["list", "/outgoing/d-1", "20000"]);
    assert_eq!(seen["count"], 20_000);
    let server = fixture.hostile("endless-folders");
    let seen = look(&fixture.keys, server.port, &["list", "/outgoing", "20000"]);
    assert_eq!(seen["count"], 20_000);
    let server = fixture.hostile("repeated-folders");
    let seen = look(&fixture.keys, server.port, &["list", "/outgoing"]);
    assert_eq!(seen["count"], 1_003);
}

#[test]
fn files_lie_about_their_size_and_their_contents() {
    let fixture = Fixture::new(MIB);
    let size = MIB as u64;
    let seen = |behaviour: &str| {
        let server = fixture.hostile(behaviour);
        look(&fixture.keys, server.port, &["file", DATA, "3000000"])
    };
    let number = |seen: &Value, name: &str| seen[name].as_u64().unwrap();
    let grows = seen("grows");
    assert!(
        number(&grows, "later") > number(&grows, "size") && number(&grows, "bytes") >= 3_000_000
    );
    let shrinks = seen("shrinks");
    assert!(number(&shrinks, "later") < number(&shrinks, "size"));
    assert_eq!(number(&shrinks, "bytes"), size / 2);
    let changes = seen("changes");
    assert_eq!(number(&changes, "bytes"), size);
    assert_ne!(changes["digests"][0], changes["digests"][1]);
    for (behaviour, stated) in [
        ("size-more", 2 * size),
        ("size-less", size / 2),
        ("size-huge", (1 << 63) - 1),
        ("size-most", u64::MAX),
    ] {
        let seen = seen(behaviour);
        assert_eq!((number(&seen, "size"), number(&seen, "bytes")), (stated, size), "{behaviour}");
    }
    assert_eq!(seen("size-none")["size"], Value::Null);
    assert_eq!(number(&seen("other-kind"), "mode") & 0o170_000, 0o010_000);
    let shorter = seen("shorter-answers");
    assert_eq!((number(&shorter, "bytes"), number(&shorter, "longest")), (size, 2048));
    assert_eq!(number(&seen("longer-answers"), "longest"), 65_536);
}

#[test]
fn banners_are_a_mebibyte_and_silence_is_silence() {
    let fixture = Fixture::new(9);
    for behaviour in ["banner-of-lines", "banner-of-one-line"] {
        let server = fixture.hostile(behaviour);
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        let (mut all, mut piece) = (Vec::new(), [0; 65536]);
        while !all.windows(8).rev().take(200).any(|window| window == b"SSH-2.0-") {
            let length = stream.read(&mut piece).unwrap();
            assert!(length > 0, "{behaviour} ended at {}", all.len());
            all.extend_from_slice(&piece[..length]);
        }
        assert!(all.len() > MIB, "{behaviour}: {}", all.len());
        assert!(!fixture.get(server.port, "").status.success());
    }
    // The stock client does not read so long a banner.
    let server = fixture.hostile("banner-of-authentication");
    assert!(!fixture.get(server.port, "").status.success());
    for behaviour in
        ["silent-connection", "silent-authentication", "silent-listing", "silent-reading"]
    {
        let server = fixture.hostile(behaviour);
        let got = fixture.dir.path().join("got");
        let _ = fs::remove_file(&got);
        let batch = fixture.dir.path().join("batch");
        fs::write(&batch, format!("ls /outgoing\nget {DATA} {}\n", got.display())).unwrap();
        let mut sftp = std::process::Command::new("timeout");
        sftp.args(["3", "sftp", "-q", "-F", "none", "-o", "StrictHostKeyChecking=no", "-i"]);
        sftp.arg(fixture.keys.file("user")).args(["-o", "UserKnownHostsFile=/dev/null"]);
        sftp.arg("-P").arg(server.port.to_string()).arg("-b").arg(&batch);
        let output = sftp.arg("synthetic@127.0.0.1").output().unwrap();
        assert_eq!(output.status.code(), Some(124), "{behaviour} is not silent");
    }
}

#[test]
fn a_server_has_another_key_or_weak_algorithms_only() {
    let fixture = Fixture::new(9);
    let remote = fixture.dir.path().join("remote");
    let other = AsyncSsh::start_as(&fixture.keys, "other-host", &remote, &[]);
    let known = fixture.dir.path().join("known_hosts");
    fs::write(&known, fixture.keys.known("host", other.port)).unwrap();
    let option = format!("UserKnownHostsFile={}", known.display());
    let strict = ["-o", option.as_str(), "-o", "StrictHostKeyChecking=yes"];
    let mut sftp = std::process::Command::new("ssh");
    sftp.args(["-F", "none", "-p"]).arg(other.port.to_string()).args(strict).arg("-i");
    let output = sftp.arg(fixture.keys.file("user")).args(["127.0.0.1", "true"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("Host key verification failed"));
    fixture.keys.make("rsa-host", "rsa");
    for (behaviour, host, opens) in [
        ("weak-exchange", "host", "KexAlgorithms=+diffie-hellman-group1-sha1"),
        ("weak-cipher", "host", "Ciphers=+aes128-cbc"),
        ("weak-mac", "host", "Ciphers=aes128-ctr"),
        ("weak-host-key", "rsa-host", "HostKeyAlgorithms=+ssh-rsa"),
    ] {
        let words = ["--behaviour", behaviour];
        let server = AsyncSsh::start_as(&fixture.keys, host, &remote, &words);
        let refuse: &[&str] =
            if behaviour == "weak-mac" { &["-o", "MACs=hmac-sha2-256"] } else { &[] };
        assert!(!stock(&fixture.keys, server.port, refuse, "ls /\n").status.success());
        // Who takes it gets in: it is the algorithm that the stock client refused.
        let output = stock(&fixture.keys, server.port, &["-o", opens], "ls /\n");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{behaviour}: {said}");
    }
}

#[test]
fn a_request_is_held_carried_out_or_not() {
    let fixture = Fixture::new(9);
    for (moment, carried_out) in [("before", false), ("after", true)] {
        let mut server = fixture.server(&["--stop", &format!("1:{moment}")]);
        let port = server.port;
        std::thread::scope(|scope| {
            let moves = "rename /outgoing/d-1 /done/d-1\n";
            let moved = scope.spawn(|| stock(&fixture.keys, port, &[], moves).status.success());
            assert!(server.holds(|| moved.is_finished()));
            assert_eq!(fixture.dir.path().join("remote/done/d-1").exists(), carried_out);
            server.go();
            assert_eq!(moved.join().unwrap(), carried_out);
        });
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn a_link_is_cut_where_it_was_said_and_counts_what_came() {
    let fixture = Fixture::new(4 * MIB);
    let server = OpenSsh::start(&fixture.keys);
    let at = places(7, 5, 2 * MIB as u64);
    assert_eq!(at, places(7, 5, 2 * MIB as u64));
    let proxy = Proxy::cut(server.port, at);
    let mut tries = 0;
    while !fixture.get(proxy.port, &fixture.remote()).status.success() {
        tries += 1;
        assert!(tries < 20);
    }
    assert!(fixture.same());
    assert_eq!((proxy.cuts(), tries), (5, 5));
    assert_eq!(proxy.connections(), 6);
    assert!(proxy.down() > 4 * MIB as u64);
}

#[test]
fn a_long_link_is_long_and_not_narrow() {
    let fixture = Fixture::new(32 * MIB);
    let server = OpenSsh::start(&fixture.keys);
    let long = Proxy::long(server.port, Duration::from_millis(80));
    let began = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", long.port)).unwrap();
    let mut byte = [0];
    stream.read_exact(&mut byte).unwrap();
    // What the server says first comes over one way only.
    assert!(began.elapsed() >= Duration::from_millis(40));
    drop(stream);
    let began = Instant::now();
    let words = ["-B", "262144", "-R", "64"];
    let get =
        format!("get {}{DATA} {}\n", fixture.remote(), fixture.dir.path().join("got").display());
    assert!(stock(&fixture.keys, long.port, &words, &get).status.success());
    assert!(fixture.same());
    assert!(began.elapsed() >= Duration::from_millis(400), "a handshake takes several turns");
    assert_eq!(long.cuts(), 0);
}
