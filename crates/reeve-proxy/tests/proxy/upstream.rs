//! A fake upstream behind TLS: logs what it receives and answers by a script.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Response;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use parking_lot::Mutex;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use reeve_proxy::framing::body::{BodyDecoder, of_request};
use reeve_proxy::framing::reader::Reader;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: String,
    pub target: String,
    pub headers: http::HeaderMap,
    pub body: Vec<u8>,
    pub http2: bool,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|v| v.to_str().unwrap())
    }
}

/// What it does with a request.
#[derive(Clone)]
pub enum Reply {
    /// Status, headers and pieces of the body, each after a pause in milliseconds.
    Pieces(u16, Vec<(&'static str, String)>, Vec<(u64, Bytes)>),
    /// Over HTTP/1 only: these bytes, then the connection stays open.
    Raw(Vec<u8>),
    /// Never answers.
    Silent,
    /// 200 and a body without end, in pieces of 64 KiB.
    Endless,
}

impl Reply {
    pub fn text(text: &str) -> Self {
        Self::Pieces(200, vec![("content-type", "text/plain".to_owned())], vec![(0, Bytes::from(text.to_owned()))])
    }
}

pub struct Upstream {
    pub address: SocketAddr,
    pub root: String,
    pub received: Arc<Mutex<Vec<Received>>>,
    /// Connections that were accepted and are still open.
    pub open: Arc<AtomicUsize>,
    pub accepted: Arc<AtomicUsize>,
}

type Script = Arc<dyn Fn(&Received) -> Reply + Send + Sync>;

impl Upstream {
    pub async fn start(
        names: &[&str],
        http2: bool,
        script: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let (root, acceptor) = acceptor(names, http2);
        Self::serve(root, Some(acceptor), Arc::new(script)).await
    }

    pub async fn plain(script: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let (root, _) = acceptor(&["unused.example"], false);
        Self::serve(root, None, Arc::new(script)).await
    }

    async fn serve(root: String, acceptor: Option<TlsAcceptor>, script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = Self {
            address: listener.local_addr().unwrap(),
            root,
            received: Arc::default(),
            open: Arc::default(),
            accepted: Arc::default(),
        };
        let (received, open, accepted) = (upstream.received.clone(), upstream.open.clone(), upstream.accepted.clone());
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                accepted.fetch_add(1, Ordering::SeqCst);
                let (script, received, open, acceptor) =
                    (script.clone(), received.clone(), open.clone(), acceptor.clone());
                tokio::spawn(async move {
                    open.fetch_add(1, Ordering::SeqCst);
                    match acceptor {
                        None => http1(tcp, script, received).await,
                        Some(acceptor) => {
                            if let Ok(tls) = acceptor.accept(tcp).await {
                                if tls.get_ref().1.alpn_protocol() == Some(b"h2") {
                                    serve_http2(tls, script, received).await;
                                } else {
                                    http1(tls, script, received).await;
                                }
                            }
                        }
                    }
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        upstream
    }

    pub fn count(&self) -> usize {
        self.received.lock().len()
    }

    pub fn last(&self) -> Received {
        self.received.lock().last().expect("nothing arrived upstream").clone()
    }

    /// Waits until no connection is open any more.
    pub async fn closed_within(&self, limit: Duration) -> bool {
        let end = tokio::time::Instant::now() + limit;
        while self.open.load(Ordering::SeqCst) > 0 {
            if tokio::time::Instant::now() > end {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        true
    }
}

/// A root, and what serves these names under it.
pub fn acceptor(names: &[&str], http2: bool) -> (String, TlsAcceptor) {
    let root_key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_certificate = root.self_signed(&root_key).unwrap();
    let issuer = Issuer::new(root, root_key);
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], der)
        .unwrap();
    config.alpn_protocols = if http2 { vec![b"h2".to_vec(), b"http/1.1".to_vec()] } else { vec![b"http/1.1".to_vec()] };
    (root_certificate.pem(), TlsAcceptor::from(Arc::new(config)))
}

async fn http1<IO: AsyncRead + AsyncWrite + Unpin>(io: IO, script: Script, received: Arc<Mutex<Vec<Received>>>) {
    let (read, mut write) = tokio::io::split(io);
    let mut reader = Reader::new(read, BytesMut::new());
    while let Ok(Some(head)) = reader.request_head().await {
        let mut decoder = BodyDecoder::new(of_request(&head.headers, head.version).unwrap());
        let mut body = Vec::new();
        loop {
            match std::future::poll_fn(|cx| reader.poll_body(cx, &mut decoder)).await {
                Ok(Some(frame)) => body.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new())),
                Ok(None) => break,
                Err(_) => return,
            }
        }
        let request = Received { method: head.method, target: head.target, headers: head.headers, body, http2: false };
        let reply = script(&request);
        received.lock().push(request);
        tokio::select! {
            written = write_reply(&mut write, reply) => if written.is_err() { return },
            () = reader.gone() => return,
        }
    }
}

async fn write_reply<W: AsyncWrite + Unpin>(write: &mut W, reply: Reply) -> std::io::Result<()> {
    match reply {
        Reply::Raw(bytes) => write.write_all(&bytes).await?,
        Reply::Silent => std::future::pending::<()>().await,
        Reply::Endless => {
            write.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
            let chunk = [b"10000\r\n".as_slice(), &[b'x'; 65536], b"\r\n"].concat();
            loop {
                write.write_all(&chunk).await?;
            }
        }
        Reply::Pieces(status, headers, pieces) => {
            let mut head = format!("HTTP/1.1 {status} Whatever\r\n");
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            head.push_str("transfer-encoding: chunked\r\n\r\n");
            write.write_all(head.as_bytes()).await?;
            for (pause, piece) in pieces {
                write.flush().await?;
                tokio::time::sleep(Duration::from_millis(pause)).await;
                write.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await?;
                write.write_all(&piece).await?;
                write.write_all(b"\r\n").await?;
            }
            write.write_all(b"0\r\n\r\n").await?;
        }
    }
    write.flush().await
}

async fn serve_http2<IO>(io: IO, script: Script, received: Arc<Mutex<Vec<Received>>>)
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let (script, received) = (script.clone(), received.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map(|b| b.to_bytes().to_vec()).unwrap_or_default();
            let request = Received {
                method: head.method.to_string(),
                target: head.uri.path_and_query().unwrap().to_string(),
                headers: head.headers,
                body,
                http2: true,
            };
            let reply = script(&request);
            received.lock().push(request);
            let Reply::Pieces(status, headers, pieces) = reply else { return std::future::pending().await };
            let pieces = futures_util::stream::unfold(pieces.into_iter(), |mut pieces| async move {
                let (pause, piece) = pieces.next()?;
                // Even a sleep of nothing lasts until the next tick of the clock.
                if pause > 0 {
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                Some((Ok::<_, std::convert::Infallible>(Frame::data(piece)), pieces))
            });
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            Ok::<_, std::convert::Infallible>(response.body(StreamBody::new(Box::pin(pieces))).unwrap())
        }
    });
    let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(io), service)
        .await;
}
