//! `notices:` of agent.yaml: who is told by mail and webhook, of what, and by which servers.
//!
//! Whatever it says is said to somebody outside, by an account that has a password; so each change of it waits for a second
//! person, also the first. Passwords and tokens themselves are never here.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    agent::plain,
    node::{Node, Value},
    paths::lexical,
    reader::{Form, Reader, form},
    source_files,
};
use crate::{
    adapters::files,
    doctor::{Finding, Severity},
    domain::{
        accounts::Role,
        database::PasswordSource,
        expected::Every,
        limits,
        notice::{Mail, Security, Tongue, Url, Wanted, Webhook, is_address, is_host},
    },
};

const SELF: Form<'_> = form("fields", "{ mail: {…}, to: { supervisor: head@agency.example } }");
const MAIL: Form<'_> = form(
    "the fields of a server",
    "{ host: mail.agency.example, security: tls, user: batchward, password: credential:batchward.mail, \
     from: batchward@agency.example }",
);
const HOST: Form<'_> = form("a host name or an address", "mail.agency.example");
const PORT: Form<'_> = form("a number from 1 to 65535", "465");
const SECURITY: Form<'_> = form("tls or starttls", "tls");
const USER: Form<'_> = form("the name of an account, without spaces", "batchward");
const SECRET: Form<'_> = form("'file:PATH' or 'credential:NAME'", "credential:batchward.mail");
const ADDRESS: Form<'_> = form("an address of mail", "batchward@agency.example");
const CA: Form<'_> = form("the path of a file of certificates", "certs/mail.pem");
const HOOK: Form<'_> = form(
    "the fields 'url' and 'token'",
    "{ url: 'https://hooks.agency.example/batchward', token: credential:batchward.hook }",
);
const URL: Form<'_> =
    form("a URL of https, without a user in it", "https://hooks.agency.example/batchward");
const TO: Form<'_> = form(
    "addresses by account or role",
    "{ anna: anna@agency.example, supervisor: head@agency.example }",
);
const DIGEST: Form<'_> =
    form("a rhythm and a time of day, as in 'expect:' of a link", "working day 08:00");
const TRUTH: Form<'_> = form("true or false", "true");
const TONGUE: Form<'_> = form("zh-TW or en", "zh-TW");

/// Ports where none is named (RFC 8314, RFC 6409).
const TLS_PORT: u16 = 465;
const STARTTLS_PORT: u16 = 587;
/// When digests are made where nothing is said: at eight, each day.
const EVERY: &str = "day 08:00";

/// Reads the field, where it is there; paths below `base`.
pub(super) fn read(reader: &mut Reader, base: &Path) -> Option<Wanted> {
    let node = reader.node("notices")?;
    let Some(mut inner) = reader.inner("notices", &node) else {
        reader.wrong(node.at, "notices", "has no fields", SELF);
        return None;
    };
    let mail = inner.node("mail");
    let has_mail = mail.is_some();
    let mail = mail.and_then(|node| server(&inner, &node, base));
    let hook = inner.node("webhook");
    let has_hook = hook.is_some();
    let webhook = hook.and_then(|node| webhook(&inner, &node, base));
    let to = inner.node("to");
    if !has_mail && !has_hook {
        let what = "'notices' names no way to tell anybody";
        inner.faults().add(node.at, what, Some("add 'mail:' or 'webhook:', or leave it out"));
    }
    let to = match to {
        Some(node) if !has_mail => {
            let what = "'notices.to' names addresses, and 'mail' no server for them";
            inner.faults().add(node.at, what, Some("add 'mail:', or leave 'to' out"));
            BTreeMap::new()
        }
        Some(node) => addresses(&inner, &node),
        None if has_mail => {
            inner.wrong(node.at, "to", "is missing", TO);
            BTreeMap::new()
        }
        None => BTreeMap::new(),
    };
    let digest = inner.maybe("digest", DIGEST, Every::parse);
    let alarms = inner.maybe("alarms", TRUTH, |text| text.parse().ok());
    let tongue = inner.maybe("language", TONGUE, Tongue::parse);
    inner.finish();
    Some(Wanted {
        mail,
        webhook,
        to,
        digest: digest.map(|one| one.value).or_else(|| Every::parse(EVERY))?,
        alarms: alarms.is_none_or(|one| one.value),
        tongue: tongue.map_or(Tongue::Chinese, |one| one.value),
    })
}

fn server(outer: &Reader, node: &Node, base: &Path) -> Option<Mail> {
    if !matches!(node.value, Value::Map(_)) {
        outer.wrong(node.at, "mail", "has no fields", MAIL);
        return None;
    }
    let mut reader = outer.inner("mail", node)?;
    let host = reader.parsed("host", HOST, |text| is_host(text).then(|| text.to_owned()));
    let port = reader.maybe("port", PORT, |text| text.parse().ok().filter(|port| *port > 0));
    let security = reader.maybe("security", SECURITY, Security::parse);
    let security = security.map_or(Security::Tls, |one| one.value);
    let one_of_two = reader.has("user") != reader.has("password");
    let user = reader.maybe("user", USER, user);
    let password = secret(&mut reader, "password", base);
    let from = reader.parsed("from", ADDRESS, |text| is_address(text).then(|| text.to_owned()));
    let ca = ca(&mut reader, base);
    if one_of_two {
        let what = "'notices.mail' has one of 'user' and 'password': expected both, or none";
        reader.faults().add(reader.place(), what, Some("password: credential:batchward.mail"));
    }
    reader.finish();
    Some(Mail {
        host: host?.value,
        port: port.map_or_else(
            || if security == Security::Tls { TLS_PORT } else { STARTTLS_PORT },
            |port| port.value,
        ),
        security,
        login: user.zip(password).map(|(user, password)| (user.value, password)),
        from: from?.value,
        ca,
    })
}

fn webhook(outer: &Reader, node: &Node, base: &Path) -> Option<Webhook> {
    if !matches!(node.value, Value::Map(_)) {
        outer.wrong(node.at, "webhook", "has no fields", HOOK);
        return None;
    }
    let mut reader = outer.inner("webhook", node)?;
    // What stands there is not repeated: somebody may have put a password into it.
    let text = reader.text("url", URL);
    let url = text.and_then(|text| {
        let url = Url::parse(&text.value);
        if url.is_none() {
            reader.wrong(text.at, "url", "has no known form", URL);
        }
        url
    });
    let there = reader.has("token");
    let token = secret(&mut reader, "token", base);
    if !there {
        reader.wrong(reader.place(), "token", "is missing", SECRET);
    }
    let ca = ca(&mut reader, base);
    reader.finish();
    Some(Webhook { url: url?, token: token?, ca })
}

/// Where a secret is. What stands there is not repeated: it may be the secret itself.
fn secret(reader: &mut Reader, name: &'static str, base: &Path) -> Option<PasswordSource> {
    let text = reader.maybe(name, SECRET, |text| Some(text.to_owned()))?;
    let source = PasswordSource::parse(&text.value);
    if source.is_none() {
        reader.wrong(text.at, name, "has no known form", SECRET);
    }
    source.map(|source| source.beneath(|path| lexical(&base.join(path))))
}

fn ca(reader: &mut Reader, base: &Path) -> Option<PathBuf> {
    reader.maybe("ca", CA, plain).map(|path| lexical(&base.join(path.value)))
}

fn user(text: &str) -> Option<String> {
    let good = |c: char| !c.is_control() && !c.is_whitespace();
    ((1..=128).contains(&text.chars().count()) && text.chars().all(good)).then(|| text.to_owned())
}

fn addresses(outer: &Reader, node: &Node) -> BTreeMap<String, String> {
    let mut to = BTreeMap::new();
    let Value::Map(pairs) = &node.value else {
        outer.wrong(node.at, "to", "has no fields", TO);
        return to;
    };
    if pairs.is_empty() || pairs.len() > limits::NOTICE_READERS_MAX {
        let what = format!("'notices.to' has {} addresses", pairs.len());
        let hint = format!("from 1 to {} addresses", limits::NOTICE_READERS_MAX);
        outer.faults().add(node.at, what, Some(&hint));
    }
    for (name, at, node) in pairs {
        let name_is_good = Role::parse(name).is_some()
            || ((1..=64).contains(&name.chars().count()) && !name.contains(char::is_control));
        match &node.value {
            Value::Scalar { text, .. } if name_is_good && is_address(text) => {
                to.insert(name.clone(), text.clone());
            }
            Value::Alias => {}
            _ => {
                let what = "'notices.to' holds something that is no address of an account or role";
                let hint = format!("for example  {}", TO.example);
                outer.faults().add(*at, what, Some(&hint));
            }
        }
    }
    to
}

/// What `check` says of the files that it names.
pub(super) fn findings(wanted: &Wanted) -> Vec<Finding> {
    let mut found = Vec::new();
    for secret in wanted.secrets() {
        if let PasswordSource::File(path) = secret {
            source_files::secret("notices", path, &mut found);
        }
    }
    for path in wanted.roots() {
        if let Err(error) = files::read(path, limits::ROOTS_BYTES_MAX) {
            let what = format!(
                "the certificates '{}' of 'notices' cannot be read: {error}",
                path.display()
            );
            let why = "a server that nobody vouches for is told nothing";
            let fix = "docs/notices.md says which file that is; Debian's 'ca-certificates' has the system's";
            found.push(Finding::new(Severity::Fault, "notice-files", what, why).fix(fix));
        }
    }
    found
}

/// It among what was agreed to.
#[derive(Serialize, Deserialize)]
struct Agreed {
    mail: Option<AgreedMail>,
    webhook: Option<(String, String, Option<PathBuf>)>,
    to: BTreeMap<String, String>,
    digest: String,
    alarms: bool,
    language: String,
}

#[derive(Serialize, Deserialize)]
struct AgreedMail {
    host: String,
    port: u16,
    security: Security,
    login: Option<(String, String)>,
    from: String,
    ca: Option<PathBuf>,
}

/// The line of it among what was agreed to; none where there is none.
pub(super) fn agreed(wanted: Option<&Wanted>) -> String {
    let Some(wanted) = wanted else { return String::new() };
    let mail = wanted.mail.as_ref().map(|mail| AgreedMail {
        host: mail.host.clone(),
        port: mail.port,
        security: mail.security,
        login: mail.login.as_ref().map(|(user, password)| (user.clone(), password.to_string())),
        from: mail.from.clone(),
        ca: mail.ca.clone(),
    });
    let webhook = wanted
        .webhook
        .as_ref()
        .map(|hook| (hook.url.to_string(), hook.token.to_string(), hook.ca.clone()));
    let agreed = Agreed {
        mail,
        webhook,
        to: wanted.to.clone(),
        digest: wanted.digest.to_string(),
        alarms: wanted.alarms,
        language: wanted.tongue.word().to_owned(),
    };
    // Names and paths are texts: this is always JSON, on one line.
    format!("notices={}\n", serde_json::to_string(&agreed).unwrap_or_default())
}

/// Reads that line's value.
pub(super) fn read_agreed(text: &str) -> Option<Wanted> {
    let agreed: Agreed = serde_json::from_str(text).ok()?;
    let mail = match agreed.mail {
        None => None,
        Some(mail) => Some(Mail {
            login: match mail.login {
                None => None,
                Some((user, password)) => Some((user, PasswordSource::parse(&password)?)),
            },
            host: mail.host,
            port: mail.port,
            security: mail.security,
            from: mail.from,
            ca: mail.ca,
        }),
    };
    let webhook = match agreed.webhook {
        None => None,
        Some((url, token, ca)) => {
            Some(Webhook { url: Url::parse(&url)?, token: PasswordSource::parse(&token)?, ca })
        }
    };
    Some(Wanted {
        mail,
        webhook,
        to: agreed.to,
        digest: Every::parse(&agreed.digest)?,
        alarms: agreed.alarms,
        tongue: Tongue::parse(&agreed.language)?,
    })
}
