//! `source:` of a link, the server that its deliveries are fetched from; `push:` of a recipient, the one that packages are put to.
//!
//! The files that it names (identity, password, known hosts) are read by the agent at each connection, not here: they are
//! looked at for who can read and write them, and never become part of what is agreed to.

use std::path::{Path, PathBuf};

use super::{
    agent::plain,
    node::{Node, Value},
    paths::lexical,
    reader::{Form, Reader, form, shown},
};
use crate::domain::{
    handover::same_channel,
    source::{Destination, Endpoint, Login, Release, Source, Window},
    time::Period,
};

const HOST: Form<'_> = form("a host name or an address", "sftp.moca.example");
const PORT: Form<'_> = form("a number from 1 to 65535", "22");
const USER: Form<'_> = form("the name of an account, without spaces", "batchward");
const IDENTITY: Form<'_> = form("the path of a private key, or 'agent'", "../ssh/moca");
const AGENT: Form<'_> = form("the path of an ssh-agent's socket", "/run/batchward-ssh/agent.sock");
const PASSWORD: Form<'_> = form("the path of a file, or credential:NAME", "../ssh/moca.password");
const HOSTS: Form<'_> = form("the path of a file of known hosts", "../ssh/known_hosts");
const REMOTE: Form<'_> = form("the path of a remote folder, from '/'", "/outgoing");
const INCOMING: Form<'_> = form("the path of a remote folder, from '/'", "/incoming");
const CHANNEL: Form<'_> = form("one of the recipient's channels", "sftp");
const EVERY: Form<'_> = form("a span of at least a second and at most a day", "5m");
const WINDOW: Form<'_> = form("two times of day", "22:00-06:00");
const RELEASE: Form<'_> =
    form("'keep', 'delete', {move: FOLDER} or {rename: ENDING}", "{move: /done}");
const REJECTED: Form<'_> = form("true or false", "false");
const ENDING: Form<'_> = form("what is put behind a name", ".taken");
const RATE: Form<'_> = form("a number of bytes, with KiB, MiB or GiB", "20MiB");

/// Seconds of `every:` where it is not said.
const EVERY_SECONDS: u32 = 300;

/// Reads `source:`; relative paths begin at the folder of links.
pub(super) fn parse(link: &mut Reader, links: &Path) -> Option<Box<Source>> {
    let mut reader = sftp(link, "source")?;
    let server = endpoint(&mut reader, links);
    let path = reader.parsed("path", REMOTE, remote);
    let every = reader.maybe("every", EVERY, every);
    let window = reader.maybe("window", WINDOW, Window::parse);
    let release = match reader.node("release") {
        None => Some(Release::Keep),
        Some(node) => release(&reader, &node),
    };
    let rejected = reader.maybe("release_rejected", REJECTED, truth);
    let receipts = reader.maybe("receipts", REMOTE, remote);
    let reports = reader.maybe("reports", REMOTE, remote);
    let at = reader.place();
    if let (Some(Release::Move(to)), Some(path)) = (&release, &path)
        && (to == &path.value || within(to, &path.value))
    {
        let what = "'source.sftp.release' moves deliveries into the folder that is looked into";
        reader.faults().add(at, what, Some("name a folder beside it: {move: /done}"));
    }
    reader.finish();
    Some(Box::new(Source {
        server: server?,
        path: path?.value,
        every: every.map_or(Period { seconds: EVERY_SECONDS, ..Period::ZERO }, |e| e.value),
        window: window.map(|window| window.value),
        release: release?,
        release_rejected: rejected.is_some_and(|said| said.value),
        receipts: receipts.map(|path| path.value),
        reports: reports.map(|path| path.value),
    }))
}

/// Reads `push:`; relative paths begin at the folder of links.
pub(super) fn destination(
    recipient: &mut Reader,
    links: &Path,
    channels: &[String],
) -> Option<Box<Destination>> {
    let mut reader = sftp(recipient, "push")?;
    let server = endpoint(&mut reader, links);
    let path = reader.parsed("path", INCOMING, remote);
    let channel = reader.maybe("channel", CHANNEL, |text| {
        let known = channels.iter().any(|one| same_channel(one, text));
        known.then(|| text.to_owned())
    });
    let channel = channel.map_or_else(|| CHANNEL.example.to_owned(), |channel| channel.value);
    if !channels.iter().any(|one| same_channel(one, &channel)) {
        let what = "no channel of the recipient is that of its server: nothing would go there";
        reader.faults().add(
            reader.place(),
            what,
            Some("add it:  channels: [sftp, registered-letter]"),
        );
    }
    reader.finish();
    Some(Box::new(Destination { server: server?, path: path?.value, channel }))
}

/// The fields of `NAME: { sftp: {…} }`.
fn sftp(of: &mut Reader, name: &'static str) -> Option<Reader> {
    let node = of.node(name)?;
    let mut outer = of.inner(name, &node)?;
    let node = outer.required("sftp", form("fields", "{host: …}"))?;
    let inner = outer.inner("sftp", &node);
    outer.finish();
    inner
}

fn endpoint(reader: &mut Reader, links: &Path) -> Option<Endpoint> {
    let beneath = |text: &str| lexical(&links.join(text));
    let host = reader.parsed("host", HOST, host);
    let port = reader.maybe("port", PORT, |text| text.parse().ok().filter(|port| *port > 0));
    let user = reader.parsed("user", USER, user);
    let login = login(reader, &beneath);
    let hosts = reader.parsed("known_hosts", HOSTS, plain);
    let rate = reader.maybe("bytes_per_second", RATE, bytes);
    Some(Endpoint {
        host: host?.value,
        port: port.map_or(22, |port| port.value),
        user: user?.value,
        login: login?,
        known_hosts: beneath(&hosts?.value),
        bytes_per_second: rate.map(|rate| rate.value),
    })
}

/// A folder directly or deeper in another.
fn within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
}

fn login(reader: &mut Reader, beneath: &impl Fn(&str) -> PathBuf) -> Option<Login> {
    let identity = reader.maybe("identity", IDENTITY, plain);
    let agent = reader.maybe("agent", AGENT, plain);
    let password = reader.maybe("password", PASSWORD, plain);
    match (identity, agent, password) {
        (Some(identity), Some(agent), None) if identity.value == "agent" => {
            Some(Login::Agent(beneath(&agent.value)))
        }
        (Some(identity), None, None) if identity.value != "agent" => {
            Some(Login::Key(beneath(&identity.value)))
        }
        (None, None, Some(password)) => {
            let text = password.value;
            Some(match text.strip_prefix("credential:") {
                Some(name) => Login::PasswordCredential(name.to_owned()),
                None => Login::PasswordFile(beneath(&text)),
            })
        }
        _ => {
            let hint = "identity: ../ssh/moca   or   identity: agent with agent: SOCKET   or   password: FILE";
            let what = "'sftp' has no one way to log in: expected a key, an agent or a password";
            reader.faults().add(reader.place(), what, Some(hint));
            None
        }
    }
}

fn release(reader: &Reader, node: &Node) -> Option<Release> {
    match &node.value {
        Value::Scalar { text, .. } if text == "keep" => Some(Release::Keep),
        Value::Scalar { text, .. } if text == "delete" => Some(Release::Delete),
        Value::Map(_) => {
            let mut inner = reader.inner("release", node)?;
            let to = inner.maybe("move", REMOTE, remote);
            let ending = inner.maybe("rename", ENDING, ending);
            inner.finish();
            match (to, ending) {
                (Some(to), None) => Some(Release::Move(to.value)),
                (None, Some(ending)) => Some(Release::Rename(ending.value)),
                _ => {
                    reader.wrong(node.at, "release", "names no one act", RELEASE);
                    None
                }
            }
        }
        Value::Scalar { text, .. } => {
            reader.wrong(node.at, "release", &format!("is '{}'", shown(text)), RELEASE);
            None
        }
        Value::List(_) => {
            reader.wrong(node.at, "release", "names no one act", RELEASE);
            None
        }
        Value::Alias => None,
    }
}

fn host(text: &str) -> Option<String> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'_');
    ((1..=253).contains(&text.len()) && text.bytes().all(good) && !text.starts_with('-'))
        .then(|| text.to_owned())
}

fn user(text: &str) -> Option<String> {
    let good = |c: char| !c.is_control() && !c.is_whitespace();
    ((1..=64).contains(&text.len()) && text.chars().all(good)).then(|| text.to_owned())
}

/// An absolute remote path without `.` and `..`; `/` itself too.
fn remote(text: &str) -> Option<String> {
    let plain = |part: &str| !matches!(part, "." | "..") && !part.contains(char::is_control);
    let trimmed = text.trim_end_matches('/');
    let good = text.starts_with('/') && text.len() <= 1024 && trimmed.split('/').all(plain);
    good.then(|| if trimmed.is_empty() { "/".to_owned() } else { trimmed.to_owned() })
}

fn ending(text: &str) -> Option<String> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    ((1..=32).contains(&text.len()) && text.bytes().all(good)).then(|| text.to_owned())
}

fn every(text: &str) -> Option<Period> {
    let whole = |p: &Period| u64::from(p.days) * 86_400 + u64::from(p.seconds);
    Period::parse(text).filter(|p| p.months == 0 && (1..=86_400).contains(&whole(p)))
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A number with a unit of bytes.
fn bytes(text: &str) -> Option<u64> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let (digits, shift) = units
        .iter()
        .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?.trim_end(), *shift)))
        .unwrap_or((text, 0));
    let number: u64 = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())??;
    number.checked_mul(1 << shift).filter(|rate| *rate >= 1024)
}

/// As it is written into the configuration in force; paths are absolute.
pub(super) fn render(source: &Source) -> String {
    let json = |text: &str| serde_json::Value::from(text).to_string();
    let path = |path: &Path| json(&path.to_string_lossy());
    let server = &source.server;
    let mut fields = vec![
        ("host", json(&server.host)),
        ("port", server.port.to_string()),
        ("user", json(&server.user)),
        ("known_hosts", path(&server.known_hosts)),
        ("path", json(&source.path)),
        ("every", format!("{}s", source.every.days * 86_400 + source.every.seconds)),
        ("release_rejected", source.release_rejected.to_string()),
    ];
    match &server.login {
        Login::Key(key) => fields.push(("identity", path(key))),
        Login::Agent(socket) => {
            fields.extend([("identity", json("agent")), ("agent", path(socket))]);
        }
        Login::PasswordFile(file) => fields.push(("password", path(file))),
        Login::PasswordCredential(name) => {
            fields.push(("password", json(&format!("credential:{name}"))));
        }
    }
    fields.push((
        "release",
        match &source.release {
            Release::Keep => "keep".to_owned(),
            Release::Delete => "delete".to_owned(),
            Release::Move(to) => format!("{{move: {}}}", json(to)),
            Release::Rename(ending) => format!("{{rename: {}}}", json(ending)),
        },
    ));
    fields.extend(source.window.map(|window| ("window", json(&window.text()))));
    fields.extend(source.reports.as_ref().map(|to| ("reports", json(to))));
    fields.extend(source.receipts.as_ref().map(|to| ("receipts", json(to))));
    fields.extend(server.bytes_per_second.map(|rate| ("bytes_per_second", rate.to_string())));
    let fields: Vec<String> =
        fields.into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!("{{sftp: {{{}}}}}", fields.join(", "))
}

/// The files of this machine that a server of ours names.
pub(crate) fn files(server: &Endpoint) -> Vec<&PathBuf> {
    let login = match &server.login {
        Login::Key(path) | Login::PasswordFile(path) => Some(path),
        Login::Agent(_) | Login::PasswordCredential(_) => None,
    };
    login.into_iter().chain([&server.known_hosts]).collect()
}
