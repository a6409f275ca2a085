//! The load: keep-alive HTTP/1.1 connections, direct or through the proxy, that send one request after the other.

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

use crate::figures::Times;
use crate::upstream::{PLAN, SENT, now};

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
    /// What the requests carry as their key.
    pub key: String,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Ask {
    pub method: &'static str,
    pub path: &'static str,
    /// What the upstream is to answer.
    pub plan: String,
    pub body: Bytes,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Heard {
    /// To the first byte of the body.
    pub first: Duration,
    /// To its end.
    pub whole: Duration,
    pub bytes: u64,
    /// How long each event was on its way.
    pub events: Times,
}

/// One connection.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    key: String,
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
        Ok(Self { sender, host: target.host.clone(), key: target.key.clone() })
    }

    /// Sends a request and gives the answer once its head is there.
    pub async fn send(&mut self, ask: &Ask) -> anyhow::Result<hyper::Response<hyper::body::Incoming>> {
        let request = hyper::Request::builder()
            .method(ask.method)
            .uri(ask.path)
            .header("host", &self.host)
            .header("content-type", "application/json")
            .header("anthropic-version", "2023-06-01")
            .header("x-api-key", &self.key)
            .header(PLAN, &ask.plan)
            .body(Full::new(ask.body.clone()))?;
        self.sender.ready().await?;
        Ok(self.sender.send_request(request).await?)
    }

    /// One request and its whole answer.
    pub async fn call(&mut self, ask: &Ask) -> anyhow::Result<Heard> {
        let begun = Instant::now();
        let response = self.send(ask).await?;
        let status = response.status();
        let mut body = response.into_body();
        let mut heard = Heard::default();
        let mut refusal = Vec::new();
        let mut line = Vec::new();
        // Sending times only mean something where events are apart.
        let timed = ask.plan.contains("gap=");
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            if heard.bytes == 0 {
                heard.first = begun.elapsed();
            }
            heard.bytes += data.len() as u64;
            if !status.is_success() {
                refusal.extend_from_slice(&data);
            } else if timed {
                arrivals(&mut line, &data, &mut heard.events);
            }
        }
        anyhow::ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&refusal));
        heard.whole = begun.elapsed();
        Ok(heard)
    }
}

/// Reads the sending time out of each line that is complete.
fn arrivals(line: &mut Vec<u8>, data: &[u8], into: &mut Times) {
    let arrived = now();
    for byte in data {
        if *byte != b'\n' {
            line.push(*byte);
            continue;
        }
        let text = String::from_utf8_lossy(line);
        let digits =
            text.split_once(SENT).map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
        if let Some(sent) = digits.and_then(|digits| digits.parse::<u64>().ok()) {
            into.push(Duration::from_nanos(arrived.saturating_sub(sent)));
        }
        line.clear();
    }
}
