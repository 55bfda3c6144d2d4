//! One connection: tokio inside, a plain call outside, a time limit on each.
//!
//! What the connection does between two calls it does not do: the runtime is one thread, and that is the caller's. A
//! session that is dropped closes its socket; the server then rolls back what was not committed.

use std::{future::Future, io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    runtime::{Builder, Runtime},
    time::timeout,
};
use tokio_postgres::{Client, Config, NoTls, config::SslMode, tls::TlsConnect};

use super::{DatabaseError, Dial, Place, Result, tls::Verified};
use crate::domain::{
    database::{Database, Server},
    limits::{DATABASE_CONNECT_SECONDS, DATABASE_STATEMENT_SECONDS},
    secret::Secret,
};

/// What holds for every session, whatever the role or the database would have by default. A client that is gone is
/// noticed also while a long statement runs.
const SETTINGS: &str = "SET search_path = pg_catalog; SET client_min_messages = warning; \
    SET standard_conforming_strings = on; SET synchronous_commit = on; SET row_security = on; \
    SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '10min'; \
    SET client_connection_check_interval = '5s'; SET statement_timeout = '60s'; \
    SET log_parameter_max_length_on_error = 0; SET max_parallel_workers_per_gather = 0; \
    SET synchronize_seqscans = off; SET jit = off";

/// A connection.
pub struct Session {
    pub(super) client: Client,
    runtime: Runtime,
}

impl Session {
    pub(super) fn open(
        database: &Database,
        password: Option<&Secret>,
        dial: &Dial,
    ) -> Result<Self> {
        let unreachable = |error: io::Error| DatabaseError::Unreachable { what: error.to_string() };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(unreachable)?;
        let mut config = Config::new();
        config.user(&database.user).dbname(&database.name).application_name("batchward");
        if let Some(password) = password {
            config.password(password.expose());
        }
        let client = match (&database.server, Place::roots(database)) {
            (Server::Network { host, .. }, Some((name, roots))) => {
                let own = |error: io::Error| DatabaseError::Own { what: error.to_string() };
                let tls = Verified::new(name, roots).map_err(own)?;
                let stream = dial(host, database.port).map_err(unreachable)?;
                config.ssl_mode(SslMode::Require);
                runtime.block_on(within("connect", DATABASE_CONNECT_SECONDS, async {
                    stream.set_nonblocking(true).map_err(unreachable)?;
                    let stream = TcpStream::from_std(stream).map_err(unreachable)?;
                    let _ = stream.set_nodelay(true);
                    log_in(&config, stream, tls).await
                }))?
            }
            (Server::Socket(folder), _) | (Server::Network { roots: folder, .. }, None) => {
                let path = folder.join(format!(".s.PGSQL.{}", database.port));
                config.ssl_mode(SslMode::Disable);
                runtime.block_on(within("connect", DATABASE_CONNECT_SECONDS, async {
                    let stream = UnixStream::connect(path).await.map_err(unreachable)?;
                    log_in(&config, stream, NoTls).await
                }))?
            }
        };
        let session = Self { client, runtime };
        session.run("prepare the session", SETTINGS)?;
        Ok(session)
    }

    /// Waits for what is asked, as long as a statement may take.
    pub(super) fn wait<T>(
        &self,
        doing: &'static str,
        asked: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        self.wait_long(doing, DATABASE_STATEMENT_SECONDS, asked)
    }

    /// Waits for what is asked, so many seconds.
    pub(super) fn wait_long<T>(
        &self,
        doing: &'static str,
        seconds: u64,
        asked: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        let asked = async { asked.await.map_err(|error| DatabaseError::of(doing, &error)) };
        self.runtime.block_on(within(doing, seconds, asked))
    }

    /// Client and runtime, for what has limits of its own.
    pub(super) const fn split(&mut self) -> (&mut Client, &Runtime) {
        (&mut self.client, &self.runtime)
    }

    /// Runs statements without values.
    pub(super) fn run(&self, doing: &'static str, sql: &str) -> Result<()> {
        self.wait(doing, self.client.batch_execute(sql))
    }

    /// Has statements of this session take as long as the building of a table may.
    pub(super) fn run_long(&self, doing: &'static str, seconds: u64, sql: &str) -> Result<()> {
        self.run(doing, &format!("SET statement_timeout = '{seconds}s'"))?;
        self.wait_long(doing, seconds + DATABASE_STATEMENT_SECONDS, self.client.batch_execute(sql))
    }

    /// Whether the server still holds the other end, as far as that is known.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.run("look whether it is there", "").is_ok()
    }
}

pub(super) async fn within<T>(
    doing: &'static str,
    seconds: u64,
    asked: impl Future<Output = Result<T>>,
) -> Result<T> {
    timeout(Duration::from_secs(seconds), asked).await.unwrap_or(Err(DatabaseError::Slow { doing }))
}

async fn log_in<S, T>(config: &Config, stream: S, tls: T) -> Result<Client>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: TlsConnect<S>,
    T::Stream: Send + 'static,
{
    let connected = config.connect_raw(stream, tls).await;
    let (client, connection) = connected.map_err(|error| DatabaseError::of("connect", &error))?;
    // Its end is seen by whoever asks next.
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}
