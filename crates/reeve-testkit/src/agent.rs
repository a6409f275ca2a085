//! A scripted client for journeys: what an agent does on the network, request by request, through a proxy with a token
//! and a CA.

use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use reeve_demo::agent::tunnel::{self, ProxyAddress};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// HTTP version to speak inside the tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speak {
    H1,
    H2,
}

/// Somebody with a proxy address, a token in it, and a CA to believe.
#[derive(Debug, Clone)]
pub struct Agent {
    proxy: ProxyAddress,
    roots: String,
}

/// An answer read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// All of it, or what came before it broke off.
    pub body: Bytes,
    /// Whether the body ended as its framing says.
    pub whole: bool,
}

impl Reply {
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// An open connection to one host.
pub enum Channel {
    H1(http1::SendRequest<Full<Bytes>>),
    H2(http2::SendRequest<Full<Bytes>>),
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::H1(_) => "Channel::H1",
            Self::H2(_) => "Channel::H2",
        })
    }
}

impl Channel {
    /// Sends a request and gives the head of its answer; the body can be read piece by piece.
    ///
    /// # Errors
    /// When the connection ends before.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>> {
        Ok(match self {
            Self::H1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Self::H2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
        })
    }
}

impl Agent {
    /// `proxy` is `http://user:token@host:port`, `roots` the PEM of what to believe.
    ///
    /// # Errors
    /// When the address has another form.
    pub fn new(proxy: &str, roots: &str) -> Result<Self> {
        Ok(Self { proxy: ProxyAddress::parse(proxy)?, roots: roots.to_owned() })
    }

    /// A tunnel before any TLS, for bytes of the test's own.
    ///
    /// # Errors
    /// When the proxy does not open it.
    pub async fn tunnel(&self, host: &str, port: u16) -> Result<TcpStream> {
        Ok(self.proxy.connect(host, port).await?)
    }

    /// TLS inside a tunnel. An empty `alpn` offers none.
    ///
    /// # Errors
    /// When the tunnel or the handshake fails.
    pub async fn tls(&self, host: &str, port: u16, sni: &str, alpn: &[&str]) -> Result<TlsStream<TcpStream>> {
        let config = Arc::new(tunnel::client_config(self.roots.as_bytes(), "roots", alpn)?);
        Ok(tunnel::tls(self.tunnel(host, port).await?, sni, &config).await?)
    }

    /// A connection to a host, ready for requests.
    ///
    /// # Errors
    /// When the tunnel, the handshake or the protocol fails.
    pub async fn open(&self, host: &str, port: u16, speak: Speak) -> Result<Channel> {
        match speak {
            Speak::H1 => {
                let stream = self.tls(host, port, host, &["http/1.1"]).await?;
                let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
                tokio::spawn(connection.with_upgrades());
                Ok(Channel::H1(sender))
            }
            Speak::H2 => {
                let stream = self.tls(host, port, host, &["h2"]).await?;
                let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
                tokio::spawn(connection);
                Ok(Channel::H2(sender))
            }
        }
    }

    /// One `https` request on a connection of its own, its answer not yet read.
    ///
    /// # Errors
    /// When the URI has no host, or the exchange fails before the head of an answer.
    pub async fn begin(&self, speak: Speak, mut request: Request<Full<Bytes>>) -> Result<Response<Incoming>> {
        let uri = request.uri().clone();
        let host = uri.host().context("the URI has no host")?;
        let mut channel = self.open(host, uri.port_u16().unwrap_or(443), speak).await?;
        if speak == Speak::H1 {
            let authority = uri.authority().context("the URI has no authority")?;
            request.headers_mut().entry(header::HOST).or_insert(authority.as_str().parse()?);
            *request.uri_mut() = uri.path_and_query().map_or("/", |p| p.as_str()).parse()?;
        }
        channel.send(request).await
    }

    /// One `https` request, read to the end of its answer.
    ///
    /// # Errors
    /// As [`Agent::begin`]; a body that breaks off is no error, see [`Reply::whole`].
    pub async fn send(&self, speak: Speak, request: Request<Full<Bytes>>) -> Result<Reply> {
        Ok(read(self.begin(speak, request).await?).await)
    }

    /// One `http` request in absolute form, as clients send it without TLS.
    ///
    /// # Errors
    /// When the exchange fails before the head of an answer.
    pub async fn send_plain(&self, mut request: Request<Full<Bytes>>) -> Result<Reply> {
        let stream = TcpStream::connect(self.proxy.place()).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let authority = request.uri().authority().context("the URI has no authority")?.as_str().parse()?;
        request.headers_mut().insert(header::HOST, authority);
        if let Some(authorization) = self.proxy.authorization() {
            request.headers_mut().insert(header::PROXY_AUTHORIZATION, authorization.parse()?);
        }
        Ok(read(sender.send_request(request).await?).await)
    }
}

/// Reads an answer to its end, or to where it breaks off.
pub async fn read(response: Response<Incoming>) -> Reply {
    let (head, mut incoming) = response.into_parts();
    let (mut body, mut whole) = (Vec::new(), true);
    while let Some(frame) = incoming.frame().await {
        match frame {
            Ok(frame) => body.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
            Err(_) => {
                whole = false;
                break;
            }
        }
    }
    Reply { status: head.status, headers: head.headers, body: body.into(), whole }
}
