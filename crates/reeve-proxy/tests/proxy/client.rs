//! A client that says exactly the bytes a test wants.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use reeve_proxy::framing::body::{BodyDecoder, of_response};
use reeve_proxy::framing::head::ResponseHead;
use reeve_proxy::framing::reader::Reader;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::world::World;

pub const PATIENCE: Duration = Duration::from_secs(20);

/// Headers of a WebSocket handshake: the sample of RFC 6455.
pub const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
/// What answers them.
pub const ACCEPT: &str = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }
}

pub fn authorization(token: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("tester:{token}")))
}

/// Connects to the proxy.
pub async fn connect(world: &World) -> TcpStream {
    let tcp = TcpStream::connect(world.address()).await.unwrap();
    tcp.set_nodelay(true).unwrap();
    tcp
}

/// Opens a tunnel and says nothing in it yet.
pub async fn tunnel(world: &World, target: &str) -> TcpStream {
    let mut tcp = connect(world).await;
    let auth = authorization(&world.token);
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nProxy-Authorization: {auth}\r\n\r\n");
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut reader = Reader::new(&mut tcp, BytesMut::new());
    let head = timeout(PATIENCE, reader.response_head()).await.unwrap().unwrap().unwrap();
    assert_eq!(head.status, 200);
    tcp
}

/// TLS in a tunnel, with the session's certificate trusted and nothing else.
pub async fn tls(world: &World, target: &str, sni: &str, alpn: &[&[u8]]) -> std::io::Result<TlsStream<TcpStream>> {
    let tcp = tunnel(world, target).await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(world.ca.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|p| p.to_vec()).collect();
    let name = ServerName::try_from(sni.to_owned()).unwrap();
    timeout(PATIENCE, TlsConnector::from(Arc::new(config)).connect(name, tcp)).await.unwrap()
}

/// An HTTP/1.1 connection inside TLS to `host:443`.
pub async fn https(world: &World, host: &str) -> TlsStream<TcpStream> {
    tls(world, &format!("{host}:443"), host, &[]).await.unwrap()
}

/// Writes a request and reads the whole answer.
pub async fn exchange<IO: AsyncRead + AsyncWrite + Unpin>(io: &mut IO, request: impl AsRef<[u8]>) -> Reply {
    io.write_all(request.as_ref()).await.unwrap();
    io.flush().await.unwrap();
    let method = String::from_utf8_lossy(request.as_ref()).split(' ').next().unwrap().to_owned();
    timeout(PATIENCE, read(io, &method)).await.expect("no answer in time").expect("no whole answer")
}

pub async fn read<IO: AsyncRead + Unpin>(io: &mut IO, method: &str) -> Option<Reply> {
    let mut reader = Reader::new(io, BytesMut::new());
    let head = reader.response_head().await.ok()??;
    let body = rest(&mut reader, &head, method).await?;
    Some(Reply { status: head.status, headers: head.headers, body })
}

async fn rest<IO: AsyncRead + Unpin>(reader: &mut Reader<IO>, head: &ResponseHead, method: &str) -> Option<Vec<u8>> {
    let mut decoder = BodyDecoder::new(of_response(head, method).ok()?);
    let mut body = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| reader.poll_body(cx, &mut decoder)).await.ok()? {
        body.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new()));
    }
    Some(body)
}

/// Whether the other side closes within the limit, whatever it says before.
pub async fn closes<IO: AsyncRead + Unpin>(io: &mut IO, limit: Duration) -> bool {
    let mut rest = Vec::new();
    timeout(limit, io.read_to_end(&mut rest)).await.is_ok()
}

/// `GET path` on a fresh connection.
pub async fn get(world: &World, host: &str, path: &str) -> Reply {
    let mut io = https(world, host).await;
    exchange(&mut io, format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await
}

/// `POST path` with headers and a body on a fresh connection.
pub async fn post(world: &World, host: &str, path: &str, headers: &str, body: &str) -> Reply {
    let mut io = https(world, host).await;
    let length = body.len();
    let request = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
    exchange(&mut io, request).await
}

/// An HTTP/2 connection inside TLS.
pub async fn http2(world: &World, host: &str) -> SendRequest<Full<Bytes>> {
    let tls = tls(world, &format!("{host}:443"), host, &[b"h2", b"http/1.1"]).await.unwrap();
    assert_eq!(tls.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(tls)).await.unwrap();
    tokio::spawn(connection);
    sender
}

pub async fn over_http2(sender: &mut SendRequest<Full<Bytes>>, request: http::Request<Full<Bytes>>) -> Reply {
    let response = timeout(PATIENCE, sender.send_request(request)).await.unwrap().unwrap();
    let (head, body) = response.into_parts();
    let body = timeout(PATIENCE, body.collect()).await.unwrap().unwrap().to_bytes().to_vec();
    Reply { status: head.status.as_u16(), headers: head.headers, body }
}
