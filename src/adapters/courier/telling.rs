//! Sending notices, on the agent's side: secrets and certificates are read here at each one, and go with it to a process
//! that can reach nothing else.

use zeroize::Zeroizing;

use super::{
    Courier, CourierError, Server, own,
    wire::{Answer, Ask, Errand},
};
use crate::{
    adapters::files,
    domain::{
        limits::{NOTICE_SECONDS, REMOTE_CONNECT_SECONDS, REMOTE_READ_BYTES, ROOTS_BYTES_MAX},
        notice::{self, Mail, NoticeCode, Security, Webhook},
        source::SourceCode,
    },
};

/// Why a notice was not sent.
#[derive(Debug, thiserror::Error)]
#[error("{}: {detail}", code.word())]
pub struct Untold {
    /// What to do about it.
    pub code: NoticeCode,
    /// For the person at the screen; may hold what a server said.
    pub detail: String,
}

impl Untold {
    fn new(code: NoticeCode, detail: &str) -> Self {
        Self { code, detail: CourierError::new(SourceCode::Protocol, detail).detail }
    }

    fn of(error: &CourierError) -> Self {
        let code = match error.code {
            SourceCode::OwnFiles => NoticeCode::OwnFiles,
            SourceCode::NoCourier => NoticeCode::NoCourier,
            SourceCode::TimedOut => NoticeCode::TimedOut,
            // The process that spoke to the server is gone.
            _ => NoticeCode::Protocol,
        };
        Self::new(code, &error.detail)
    }
}

impl Courier {
    /// Hands a mail to a server; once it has taken it, this is done.
    ///
    /// # Errors
    /// [`Untold`]; whether the server took it before the line broke is not known then.
    pub fn mail(&self, server: &Mail, to: &str, mail: &[u8]) -> Result<(), Untold> {
        let secret = server.login.as_ref().map(|(_, password)| own::word(password)).transpose();
        let secret = secret.map_err(|error| Untold::of(&error))?.unwrap_or_default();
        let errand = Errand::Mail {
            host: server.host.clone(),
            port: server.port,
            starttls: server.security == Security::Starttls,
            user: server.login.as_ref().map(|(user, _)| user.clone()),
            from: server.from.clone(),
            to: to.to_owned(),
        };
        self.run(errand, server.port, &secret, server.ca.as_deref(), mail)
    }

    /// Posts a text to a webhook; once it has answered 2xx, this is done.
    ///
    /// # Errors
    /// As [`Self::mail`].
    pub fn post(&self, hook: &Webhook, text: &[u8]) -> Result<(), Untold> {
        let secret = own::word(&hook.token).map_err(|error| Untold::of(&error))?;
        let errand = Errand::Post {
            host: hook.url.host.clone(),
            port: hook.url.port,
            authority: hook.url.authority(),
            path: hook.url.path.clone(),
        };
        self.run(errand, hook.url.port, &secret, hook.ca.as_deref(), text)
    }

    fn run(
        &self,
        errand: Errand,
        port: u16,
        secret: &[u8],
        ca: Option<&std::path::Path>,
        text: &[u8],
    ) -> Result<(), Untold> {
        if !self.ports.contains(&port) {
            let what = "the courier was started before the configuration had this port";
            return Err(Untold::new(NoticeCode::NoCourier, what));
        }
        let roots = files::read(notice::roots(ca), ROOTS_BYTES_MAX)
            .map_err(|error| Untold::new(NoticeCode::OwnFiles, &error.to_string()))?;
        let body = Zeroizing::new([secret, &roots, text].concat());
        let ask = Ask::Tell { errand, secret: secret.len(), roots: roots.len() };
        let of = |error: CourierError| Untold::of(&error);
        let mut server =
            Server { line: self.line().map_err(of)?, buffer: Vec::new(), piece: REMOTE_READ_BYTES };
        // Names are looked up and addresses tried before its own time begins.
        server.patience(NOTICE_SECONDS + 5 * REMOTE_CONNECT_SECONDS).map_err(of)?;
        match server.ask(&ask, &body).map_err(of)? {
            Answer::Done {} => Ok(()),
            Answer::Untold { code, detail } => Err(Untold::new(code, &detail)),
            _ => Err(Untold::new(NoticeCode::Protocol, "the courier answered something else")),
        }
    }
}
