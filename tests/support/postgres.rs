//! A real PostgreSQL 15 (Debian's), started by a test on loopback with TLS, as a user that is not root. A machine without
//! it fails the test: nothing is skipped.
//!
//! Certificates and passwords are made on the spot, for this server alone. It keeps its `fsync`, without which the program
//! refuses it; its folder is in memory where there is room.

use std::{
    fs,
    io::Write,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

const BIN: &str = "/usr/lib/postgresql/15/bin";
/// Who the server is where the tests are root: it refuses to be that.
const USER: u32 = 65_534;
/// The password of the agent's role.
pub(crate) const PASSWORD: &str = "synthetic-password";

pub(crate) struct Server {
    dir: tempfile::TempDir,
    pub(crate) port: u16,
    child: Option<Child>,
}

impl Server {
    /// Starts one with these further settings.
    pub(crate) fn start(settings: &str) -> Self {
        assert!(
            Path::new(BIN).join("postgres").exists(),
            "postgresql-15 is missing: tests/run installs it"
        );
        let dir = super::memory();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let own = dir.path().join("server");
        fs::create_dir(&own).unwrap();
        let port = free_port();
        let mut server = Self { dir, port, child: None };
        certificates(&server.dir.path().join("tls"));
        own_by_server(&own);
        let data = own.join("data");
        let mut initdb = server.program("initdb");
        initdb.args([
            "--no-sync",
            "--no-locale",
            "-E",
            "UTF8",
            "-U",
            "postgres",
            "-A",
            "trust",
            "-D",
        ]);
        super::done(initdb.arg(&data));
        for name in ["server.crt", "server.key"] {
            let to = data.join(name);
            fs::copy(server.dir.path().join("tls").join(name), &to).unwrap();
            own_by_server(&to);
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let conf = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{}'\nssl = on\n\
             shared_buffers = 64MB\nmax_wal_size = 4GB\n{settings}\n",
            own.display()
        );
        append(&data.join("postgresql.conf"), &conf);
        fs::write(
            data.join("pg_hba.conf"),
            "local all postgres trust\nlocal all all scram-sha-256\n\
             hostssl all all 127.0.0.1/32 scram-sha-256\n",
        )
        .unwrap();
        server.up();
        server
    }

    /// Starts it, and waits until it answers.
    pub(crate) fn up(&mut self) {
        let data = self.folder().join("data");
        let log = fs::File::create(self.dir.path().join("server.log")).unwrap();
        let mut postgres = self.program("postgres");
        postgres.arg("-D").arg(data).stdout(Stdio::null()).stderr(log);
        self.child = Some(postgres.spawn().unwrap());
        for _ in 0..600 {
            if self.try_sql("postgres", "SELECT 1").is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("PostgreSQL does not answer:\n{}", self.log());
    }

    /// Stops it at once, as a power cut would: what it had not synced is lost, and it recovers at its next start.
    pub(crate) fn down(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let mut stop = self.program("pg_ctl");
        stop.args(["stop", "-s", "-m", "immediate", "-D"]).arg(self.folder().join("data"));
        let _ = stop.status();
        let _ = child.wait();
    }

    /// Its own folder, in which its socket is.
    pub(crate) fn folder(&self) -> PathBuf {
        self.dir.path().join("server")
    }

    /// What vouches for it.
    pub(crate) fn roots(&self) -> PathBuf {
        self.dir.path().join("tls/ca.crt")
    }

    /// What another authority vouches with.
    pub(crate) fn other_roots(&self) -> PathBuf {
        self.dir.path().join("tls/other.crt")
    }

    /// The URL of a database over the network.
    pub(crate) fn url(&self, name: &str) -> String {
        let (port, roots) = (self.port, self.roots());
        format!(
            "postgres://batchward_agent@localhost:{port}/{name}?sslrootcert={}",
            roots.display()
        )
    }

    /// The URL of a database over its socket.
    pub(crate) fn socket_url(&self, name: &str) -> String {
        let (port, folder) = (self.port, self.folder());
        format!("postgres://batchward_agent@/{name}?host={}&port={port}", folder.display())
    }

    /// A new database, and in it what the administrator puts there: this script.
    pub(crate) fn database(&self, name: &str, script: &str) {
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.sql(name, script);
        self.sql(name, &format!("ALTER ROLE batchward_agent PASSWORD '{PASSWORD}'"));
    }

    /// What `psql` of the administrator answers.
    #[track_caller]
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        self.try_sql(database, sql).unwrap_or_else(|error| panic!("{sql}\n{error}"))
    }

    /// As [`Self::sql`], with what it says where it fails.
    pub(crate) fn try_sql(&self, database: &str, sql: &str) -> Result<String, String> {
        let output = self.psql(database, sql).wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// The same, begun.
    pub(crate) fn psql(&self, database: &str, sql: &str) -> Child {
        let mut psql = Command::new("/usr/bin/psql");
        psql.env_clear().env("PATH", "/usr/bin:/bin").args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
        ]);
        psql.arg("-h").arg(self.folder()).args([
            "-p",
            &self.port.to_string(),
            "-U",
            "postgres",
            "-d",
            database,
        ]);
        psql.args(["-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = psql.spawn().unwrap();
        child.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
        child
    }

    /// What the server wrote.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("server.log")).unwrap_or_default()
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(Path::new(BIN).join(name));
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LANG", "C")
            .current_dir(self.folder());
        if rustix::process::geteuid().is_root() {
            command.uid(USER).gid(USER);
        }
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.down();
    }
}

fn own_by_server(path: &Path) {
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(path, Some(USER), Some(USER)).unwrap();
    }
    if path.is_dir() {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn append(path: &Path, text: &str) {
    fs::OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// An authority, a certificate of the server for `localhost`, and another authority.
fn certificates(dir: &Path) {
    fs::create_dir(dir).unwrap();
    let openssl = |arguments: &[&str]| {
        let mut command = Command::new("openssl");
        super::done(command.args(arguments).current_dir(dir));
    };
    for name in ["ca", "other"] {
        let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
        let subject = format!("/CN=synthetic {name}");
        openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            &subject,
            "-keyout",
            &key,
            "-out",
            &certificate,
        ]);
    }
    fs::write(dir.join("san"), "subjectAltName=DNS:localhost").unwrap();
    openssl(&[
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=localhost",
        "-keyout",
        "server.key",
        "-out",
        "server.csr",
    ]);
    openssl(&[
        "x509",
        "-req",
        "-in",
        "server.csr",
        "-CA",
        "ca.crt",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "2",
        "-extfile",
        "san",
        "-out",
        "server.crt",
    ]);
}
