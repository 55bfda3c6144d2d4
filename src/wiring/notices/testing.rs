//! `notices test`: one notice at once, to an address of the configuration or to the webhook.

use std::path::Path;

use super::queue::Kept;
use crate::{
    adapters::{clock::SystemClock, courier::Courier},
    config,
    domain::{
        digest::Digest,
        notice::{Channel, NoticeCode},
    },
    error::{Error, Exit},
    service::Service,
};

/// `notices test`.
#[derive(Clone, Debug, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NoticeTest {
    /// Which way it went.
    pub channel: Channel,
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The name in `to:`; nothing for the webhook.
    pub to: Option<String>,
    /// The address that it was sent to; nothing for the webhook.
    pub address: Option<String>,
    /// Why it was not sent.
    pub trouble: Option<NoticeCode>,
    /// What the server or the system said.
    pub detail: Option<String>,
}

/// Sends one, by the configuration as it is found; `to` is a name of `to:`, or nothing for the webhook.
///
/// # Errors
/// There is no such name, no server for it, or nothing can be started.
pub fn test_notice(path: &Path, to: Option<&str>) -> crate::service::Result<NoticeTest> {
    let config = config::load(path).map_err(|list| super::super::site::faults(&list))?;
    let agent = &config.agent;
    let none = |what: String| {
        Error::usage(what).hint("docs/notices.md says how 'notices:' of agent.yaml is written")
    };
    let wanted = agent
        .notices
        .as_ref()
        .ok_or_else(|| none("nobody is told: there is no 'notices:'".to_owned()))?;
    let mut done = match to {
        Some(name) => {
            let address = wanted
                .to
                .get(name)
                .ok_or_else(|| none(format!("'notices.to' has no address for '{name}'")))?;
            let mail = wanted
                .mail
                .as_ref()
                .ok_or_else(|| none("there is no 'notices.mail'".to_owned()))?;
            NoticeTest {
                channel: Channel::Mail,
                host: mail.host.clone(),
                port: mail.port,
                to: Some(name.to_owned()),
                address: Some(address.clone()),
                trouble: None,
                detail: None,
            }
        }
        None => {
            let hook = wanted
                .webhook
                .as_ref()
                .ok_or_else(|| none("there is no 'notices.webhook'".to_owned()))?;
            NoticeTest {
                channel: Channel::Webhook,
                host: hook.url.host.clone(),
                port: hook.url.port,
                to: None,
                address: None,
                trouble: None,
                detail: None,
            }
        }
    };
    let courier = Courier::start(Path::new("/proc/self/exe"), std::iter::empty(), wanted.ports());
    let courier = courier.map_err(|error| {
        Error::new(Exit::Unavailable, format!("the courier cannot be started: {error}"))
    })?;
    let now = SystemClock.now();
    let digest = Service::test_notice(&agent.site, agent.timezone.name(), now);
    // By the millisecond, and by this process: two tests are two notices.
    let process = Digest::of(std::process::id().to_string().as_bytes()).to_string();
    let id = format!("{}.test.{}.{}", now.millis(), &process[..8], agent.site);
    let kept = Kept::made(&digest, id, to, wanted.tongue);
    if let Some(Err(untold)) = kept.send(wanted, &courier) {
        done.trouble = Some(untold.code);
        done.detail = Some(untold.detail).filter(|detail| !detail.is_empty());
    }
    Ok(done)
}
