//! Servers for notices as children of the tests, certificates that are made on the spot, and a site that tells people.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use data_encoding::BASE64;

use super::support::{self, People, Ran, Site};

/// An authority, certificates of it for two names, and one that nobody vouches for.
pub(crate) struct Certificates(PathBuf);

impl Certificates {
    fn new(dir: PathBuf) -> Self {
        fs::create_dir(&dir).unwrap();
        let openssl = |words: &[&str]| {
            support::done(Command::new("openssl").args(words).current_dir(&dir));
        };
        let new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        for name in ["ca", "other"] {
            let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
            let ends =
                ["-days", "2", "-subj", "/CN=synthetic", "-keyout", &key, "-out", &certificate];
            openssl(&[&["req", "-x509"], new.as_slice(), ends.as_slice()].concat());
        }
        for (name, host) in [("right", "localhost"), ("wrong", "elsewhere.example")] {
            let [key, request, certificate, ext] =
                ["key", "csr", "crt", "ext"].map(|ending| format!("{name}.{ending}"));
            fs::write(dir.join(&ext), format!("subjectAltName=DNS:{host}")).unwrap();
            let ends = ["-subj", "/CN=synthetic", "-keyout", &key, "-out", &request];
            openssl(&[&["req"], new.as_slice(), ends.as_slice()].concat());
            openssl(&[
                "x509",
                "-req",
                "-in",
                &request,
                "-CA",
                "ca.crt",
                "-CAkey",
                "ca.key",
                "-CAcreateserial",
                "-days",
                "2",
                "-extfile",
                &ext,
                "-out",
                &certificate,
            ]);
        }
        Self(dir)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// A server, gone when it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    pub(crate) folder: PathBuf,
}

impl Server {
    /// `kind` is `mail-tls`, `mail-starttls` or `webhook`; port 0 for any.
    pub(crate) fn start(
        certificates: &Certificates,
        kind: &str,
        name: &str,
        folder: &Path,
        port: u16,
    ) -> Self {
        fs::create_dir_all(folder).unwrap();
        let mut child = Command::new("/usr/bin/python3")
            .arg(support::root().join("tests/notices/server.py"))
            .arg(kind)
            .arg("--box")
            .arg(folder)
            .arg("--certificate")
            .arg(certificates.file(&format!("{name}.crt")))
            .arg("--key")
            .arg(certificates.file(&format!("{name}.key")))
            .args(["--port", &port.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("the server says its port");
        Self { child, port, folder: folder.to_owned() }
    }

    /// What it does from the next connection on.
    pub(crate) fn behave(&self, how: &str) {
        fs::write(self.folder.join("behaviour"), how).unwrap();
    }

    /// What it has taken, in that order.
    pub(crate) fn taken(&self) -> Vec<String> {
        taken(&self.folder)
    }

    /// How many came to it.
    pub(crate) fn connected(&self) -> usize {
        fs::read_to_string(self.folder.join("connected")).unwrap_or_default().lines().count()
    }

    /// What it has heard.
    pub(crate) fn heard(&self) -> String {
        fs::read_to_string(self.folder.join("heard")).unwrap_or_default()
    }
}

pub(crate) fn taken(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = entries
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("taken-"))
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A mail that was taken.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) to: String,
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) raw: String,
}

impl Letter {
    pub(crate) fn of(raw: &str) -> Self {
        let (head, body) = raw.split_once("\r\n\r\n").unwrap();
        let field = |name: &str| {
            let unfolded = head.replace("\r\n ", " ");
            let line =
                unfolded.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            line.unwrap_or_else(|| panic!("no '{name}' in {head}")).to_owned()
        };
        let subject = field("Subject");
        let subject = subject
            .split(' ')
            .map(|word| match word.strip_prefix("=?UTF-8?B?").and_then(|w| w.strip_suffix("?=")) {
                Some(coded) => String::from_utf8(BASE64.decode(coded.as_bytes()).unwrap()).unwrap(),
                None => format!("{word} "),
            })
            .collect();
        let text = BASE64.decode(body.replace("\r\n", "").as_bytes()).unwrap();
        Self {
            to: field("To"),
            id: field("Message-ID"),
            subject,
            text: String::from_utf8(text).unwrap().replace("\r\n", "\n"),
            raw: raw.to_owned(),
        }
    }
}

/// A site that tells people, and what its servers are made from.
pub(crate) struct Scene<'p> {
    pub(crate) site: Site<'p>,
    pub(crate) certificates: Certificates,
    top: PathBuf,
}

impl<'p> Scene<'p> {
    pub(crate) fn new(people: &'p People) -> Self {
        let site = Site::in_memory(people);
        let top = site.dir.parent().unwrap().to_owned();
        for (name, secret) in
            [("mail.password", "synthetic-password\n"), ("hook.token", "synthetic-token\n")]
        {
            let path = site.dir.join(name);
            fs::write(&path, secret).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let certificates = Certificates::new(top.join("certificates"));
        Self { site, certificates, top }
    }

    pub(crate) fn server(&self, kind: &str) -> Server {
        Server::start(&self.certificates, kind, "right", &self.top.join(kind), 0)
    }

    /// `notices:` with these fields of `mail:` and these further fields; relative paths begin at the site.
    pub(crate) fn tells(&self, security: &str, port: u16, more: &str) {
        self.writes(&format!(
            "  mail:\n    host: localhost\n    port: {port}\n    security: {security}\n    user: batchward\n    \
             password: file:mail.password\n    from: batchward@agency.example\n    ca: {}\n  to:\n    \
             alice: alice@agency.example\n    sue: sue@agency.example\n    admin: it@agency.example\n{more}",
            self.certificates.file("ca.crt").display()
        ));
    }

    /// `webhook:` alone.
    pub(crate) fn posts(&self, port: u16) {
        self.writes(&format!(
            "  webhook:\n    url: https://localhost:{port}/hook?x=y\n    token: file:hook.token\n    ca: {}\n",
            self.certificates.file("ca.crt").display()
        ));
    }

    fn writes(&self, fields: &str) {
        let path = self.site.dir.join("agent.yaml");
        let text = fs::read_to_string(&path).unwrap();
        let before = text.split("notices:\n").next().unwrap();
        fs::write(&path, format!("{before}notices:\n{fields}")).unwrap();
    }

    pub(crate) fn found(&self) {
        self.site.init();
        self.site.accounts("幼兒托育科");
    }

    /// `run --once` on this day and time in Taipei.
    pub(crate) fn once_at(&self, at: &str) -> Ran {
        let ran = self.site.run_at(&format!("{at}:00+08:00"), &["run", "--once"], &[], b"");
        ran.ok()
    }

    /// Alarms of this code at this time.
    pub(crate) fn alarms_at(&self, at: &str, code: &str) -> Vec<serde_json::Value> {
        let ran = self.site.run_at(&format!("{at}:00+08:00"), &["status", "--json"], &[], b"");
        let mut alarms = ran.json()["alarms"].as_array().unwrap().clone();
        alarms.retain(|alarm| alarm["code"] == code);
        alarms
    }

    /// `notices test NAME --json`: the code and what was said.
    pub(crate) fn tries(&self, words: &[&str]) -> (Option<String>, String) {
        let ran = self.site.run(&[&["notices", "test"], words, &["--json"]].concat());
        let said = ran.json();
        let code = said["trouble"].as_str().map(str::to_owned);
        assert_eq!(ran.status, Some(i32::from(code.is_some())), "{ran:?}");
        (code, said["detail"].as_str().unwrap_or_default().to_owned())
    }
}
