//! The load: keep-alive HTTP/1.1 connections, direct or through the proxy, that send one LLM call after the other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Where requests go.
#[derive(Debug, Clone)]
pub struct Target {
    pub host: String,
    /// The upstream itself, or the proxy.
    pub address: SocketAddr,
    /// `Some`: through the proxy, with this token.
    pub token: Option<String>,
    /// Roots that are trusted, PEM.
    pub roots: String,
}

/// One connection.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Connection {
    pub async fn open(target: &Target) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(target.address).await?;
        stream.set_nodelay(true)?;
        if let Some(token) = &target.token {
            let credentials = base64::engine::general_purpose::STANDARD.encode(format!("reeve:{token}"));
            let head = format!(
                "CONNECT {0}:443 HTTP/1.1\r\nHost: {0}:443\r\nProxy-Authorization: Basic {credentials}\r\n\r\n",
                target.host
            );
            stream.write_all(head.as_bytes()).await?;
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\n") {
                answer.push(stream.read_u8().await?);
            }
            anyhow::ensure!(answer.starts_with(b"HTTP/1.1 200"), "the proxy refused the CONNECT");
        }
        let mut roots = rustls::RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(target.roots.as_bytes()) {
            roots.add(root?)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(target.host.clone())?;
        let tls = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tls)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, host: target.host.clone() })
    }

    /// One call; gives the time to the first byte of the body and to the end.
    pub async fn call(&mut self, path: &str, key: (&str, &str), body: &Bytes) -> anyhow::Result<(Duration, Duration)> {
        let request = hyper::Request::post(path)
            .header("host", &self.host)
            .header("content-type", "application/json")
            .header("anthropic-version", "2023-06-01")
            .header(key.0, key.1)
            .body(Full::new(body.clone()))?;
        self.sender.ready().await?;
        let begun = Instant::now();
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let mut body = response.into_body();
        let mut first = None;
        let mut text = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame?;
            first.get_or_insert_with(|| begun.elapsed());
            if !status.is_success()
                && let Some(data) = frame.data_ref()
            {
                text.extend_from_slice(data);
            }
        }
        anyhow::ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&text));
        let whole = begun.elapsed();
        Ok((first.unwrap_or(whole), whole))
    }
}
