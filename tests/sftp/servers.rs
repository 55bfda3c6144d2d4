//! Servers of SFTP as children of whoever tests or measures: OpenSSH's `sshd`, and one on asyncssh that can be hostile.
//!
//! They listen on loopback, on ports that the kernel chooses, with throw-away keys that were made on the spot, and are
//! gone when they are dropped. Tests share this with `benches/sftp`; it asks nothing of the program under test.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    os::{fd::OwnedFd, unix::fs::PermissionsExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver},
    },
    time::Duration,
};

use serde_json::Value;

/// Debian's own: it has Debian's asyncssh.
pub(crate) const PYTHON: &str = "/usr/bin/python3";
/// `sshd` wants to be called by its whole name.
const SSHD: &str = "/usr/sbin/sshd";
/// How long a server may take to start, and to come to the request that is held.
const PATIENCE: Duration = Duration::from_secs(60);

/// Throw-away keys of a server and of who comes to it.
pub(crate) struct Keys(PathBuf);

impl Keys {
    /// Makes them in a new folder.
    pub(crate) fn new(dir: PathBuf) -> Self {
        fs::create_dir_all(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
        let keys = Self(dir);
        for name in ["host", "other-host", "user"] {
            keys.make(name, "ed25519");
        }
        keys
    }

    /// A key of another kind.
    pub(crate) fn make(&self, name: &str, kind: &str) {
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", kind, "-N", "", "-C", "synthetic", "-f"]).arg(self.file(name));
        assert!(keygen.status().unwrap().success());
    }

    /// The private key of this name.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The line of a `known_hosts` file for a server on this port.
    pub(crate) fn known(&self, name: &str, port: u16) -> String {
        let public = fs::read_to_string(self.0.join(format!("{name}.pub"))).unwrap();
        let mut words = public.split(' ');
        format!("[127.0.0.1]:{port} {} {}\n", words.next().unwrap(), words.next().unwrap())
    }
}

/// The unix user of this process: the one that `sshd` lets in where it does not run as root.
pub(crate) fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// OpenSSH's server: one `sshd -i` for each connection, as inetd would start it, so that the port is ours from the start.
pub(crate) struct OpenSsh {
    pub(crate) port: u16,
    ends: Arc<AtomicBool>,
    children: Arc<Mutex<Vec<Child>>>,
}

impl OpenSsh {
    pub(crate) fn start(keys: &Keys) -> Self {
        // sshd's own empty folder, which the service manager makes otherwise.
        let _ = fs::create_dir_all("/run/sshd");
        let config = keys.file("sshd_config");
        let text = format!(
            "HostKey {}\nAuthorizedKeysFile {}.pub\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPidFile none\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nLogLevel ERROR\nSubsystem sftp internal-sftp\n",
            keys.file("host").display(),
            keys.file("user").display()
        );
        fs::write(&config, text).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { port, ends: Arc::default(), children: Arc::default() };
        let (ends, children) = (Arc::clone(&server.ends), Arc::clone(&server.children));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let _ = stream.set_nodelay(true);
                let mut sshd = Command::new(SSHD);
                sshd.args(["-i", "-e", "-f"]).arg(&config).stderr(Stdio::null());
                let output = OwnedFd::from(stream.try_clone().unwrap());
                let child = sshd.stdin(OwnedFd::from(stream)).stdout(output).spawn().unwrap();
                let mut children = children.lock().unwrap();
                children.retain_mut(|child| child.try_wait().unwrap().is_none());
                children.push(child);
            }
        });
        server
    }
}

impl Drop for OpenSsh {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        for child in self.children.lock().unwrap().iter_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The server on asyncssh (`server.py`).
pub(crate) struct AsyncSsh {
    pub(crate) port: u16,
    child: Child,
    /// Its end is the server's.
    words: Option<ChildStdin>,
    said: Receiver<String>,
    log: PathBuf,
}

impl AsyncSsh {
    /// Serves a folder, with further words of its command line.
    pub(crate) fn start(keys: &Keys, root: &Path, words: &[&str]) -> Self {
        Self::start_as(keys, "host", root, words)
    }

    /// The same with another key of the server.
    pub(crate) fn start_as(keys: &Keys, host: &str, root: &Path, words: &[&str]) -> Self {
        let log = tempfile::Builder::new().prefix("requests").tempfile_in(&keys.0).unwrap();
        let log = log.into_temp_path().keep().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sftp/server.py");
        let mut python = Command::new(PYTHON);
        python.args(["-W", "ignore"]).arg(script).arg("--root").arg(root);
        python.arg("--host-key").arg(keys.file(host)).arg("--log").arg(&log);
        python.arg("--authorized").arg(keys.0.join("user.pub")).args(words);
        python.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn().unwrap();
        let stdin = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (tell, said) = mpsc::channel();
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
        });
        let mut server = Self { port: 0, child, words: stdin, said, log };
        let first = server.said.recv_timeout(PATIENCE).expect("the server starts");
        server.port = first.strip_prefix("port ").unwrap().parse().unwrap();
        server
    }

    /// Waits until the request is held that `--stop` named; not when `ends` first.
    pub(crate) fn holds(&self, ends: impl Fn() -> bool) -> bool {
        let began = std::time::Instant::now();
        while began.elapsed() < PATIENCE {
            if self.said.recv_timeout(Duration::from_millis(5)).is_ok() {
                return true;
            }
            if ends() {
                return self.said.try_recv().is_ok();
            }
        }
        panic!("neither held nor ended:\n{}", fs::read_to_string(&self.log).unwrap())
    }

    /// Lets the request go that is held.
    pub(crate) fn go(&mut self) {
        self.words.as_mut().unwrap().write_all(b"go\n").unwrap();
    }

    /// Requests so far, in order.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let text = fs::read_to_string(&self.log).unwrap();
        let rows = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut found: Vec<Request> = Vec::new();
        for row in rows {
            let n = row["n"].as_u64().unwrap();
            if row["done"] == true {
                found
                    .iter_mut()
                    .filter(|request| request.n == n)
                    .for_each(|request| request.done = true);
                continue;
            }
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            found.push(Request { n, act: text("act"), path: text("path"), done: false });
        }
        found
    }

    /// How often something that lay here was moved away.
    pub(crate) fn moved(&self, name: &str) -> usize {
        let from = format!("/outgoing/{name} ");
        let requests = self.requests();
        let moves = requests.iter().filter(|r| r.done && r.act.ends_with("rename"));
        moves.filter(|request| request.path.starts_with(&from)).count()
    }
}

/// A request that came to the server.
#[derive(Debug)]
pub(crate) struct Request {
    n: u64,
    pub(crate) act: String,
    /// One path or two, with a blank between.
    pub(crate) path: String,
    /// It was carried out.
    pub(crate) done: bool,
}

impl Drop for AsyncSsh {
    fn drop(&mut self) {
        drop(self.words.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The stock client: runs a batch of its commands. Debian's `sftp` with nothing of the user's configuration.
pub(crate) fn stock(keys: &Keys, port: u16, options: &[&str], commands: &str) -> Output {
    let batch = tempfile::NamedTempFile::new().unwrap();
    fs::write(batch.path(), commands).unwrap();
    let mut sftp = Command::new("timeout");
    sftp.args(["-k", "1", "600", "sftp", "-q", "-F", "none", "-o", "StrictHostKeyChecking=no"]);
    sftp.args(["-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=5", "-i"]);
    sftp.arg(keys.file("user")).arg("-P").arg(port.to_string()).args(options).arg("-b");
    sftp.arg(batch.path()).arg(format!("{}@127.0.0.1", user())).output().unwrap()
}

/// What the plain client on asyncssh sees (`look.py`).
pub(crate) fn look(keys: &Keys, port: u16, words: &[&str]) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sftp/look.py");
    let mut python = Command::new(PYTHON);
    python.args(["-W", "ignore"]).arg(script).arg(port.to_string()).arg(keys.file("user"));
    let output = python.args(words).output().unwrap();
    let trouble = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {trouble}"))
}
