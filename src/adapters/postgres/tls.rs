//! TLS to a database: verified by the roots that are named, for the host that is named, or nothing is said.

use std::{
    fs::File,
    future::Future,
    io::{self, BufReader},
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsConnect};
use tokio_rustls::TlsConnector;

use crate::adapters::tls;

/// Verifies one server.
pub(super) struct Verified {
    connector: TlsConnector,
    server: ServerName<'static>,
}

impl Verified {
    /// For this host, by the certificates of this file.
    pub(super) fn new(host: &str, roots: &Path) -> io::Result<Self> {
        let bad = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
        let shown = roots.display();
        let file = File::open(roots)
            .map_err(|error| io::Error::new(error.kind(), format!("'{shown}': {error}")))?;
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_reader_iter(BufReader::new(file)) {
            let certificate = certificate.map_err(|error| bad(format!("'{shown}': {error:?}")))?;
            store.add(certificate).map_err(|error| bad(format!("'{shown}': {error}")))?;
        }
        if store.is_empty() {
            return Err(bad(format!("'{shown}' holds no certificate")));
        }
        let config = tls::client(store)?;
        let server = ServerName::try_from(host.to_owned())
            .map_err(|_| bad(format!("'{host}' is no name of a host")))?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), server })
    }
}

impl<S> TlsConnect<S> for Verified
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Stream<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move { Ok(Stream(self.connector.connect(self.server, stream).await?)) })
    }
}

/// A verified connection.
pub(super) struct Stream<S>(tokio_rustls::client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> tokio_postgres::tls::TlsStream for Stream<S> {
    /// The server is known by its certificate already; the password's proof is not bound to it.
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}
