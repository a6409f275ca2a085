//! Upstreams that misbehave, byte by byte: what no HTTP library would send.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use parking_lot::Mutex;
use reeve_demo::provider::Certificates;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What it does with a connection once the head of a request is there.
#[derive(Debug, Clone)]
pub enum Manner {
    /// These bytes, then the connection ends.
    Raw(Bytes),
    /// These bytes, then silence on an open connection.
    Stall(Bytes),
    /// The head, then the piece again and again.
    Endless { head: Bytes, piece: Bytes },
    /// Each piece after the gap, then the connection ends.
    Drip { pieces: Vec<Bytes>, gap: Duration },
    /// `101`, then every byte comes back.
    Upgrade,
    /// Does not even read.
    Deaf,
}

impl Manner {
    /// A whole answer with these header lines (each ended by CRLF) and its body's true length.
    #[must_use]
    pub fn answer(status: &str, headers: &str, body: &str) -> Self {
        Self::Raw(format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()).into())
    }
}

/// A listener on loopback with that manner; it ends when this is dropped.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    root_pem: String,
    heads: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicU64>,
    sent: Arc<AtomicU64>,
    tasks: JoinSet<()>,
}

#[derive(Clone)]
struct Shared {
    manner: Manner,
    heads: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicU64>,
    sent: Arc<AtomicU64>,
    tls: Option<tokio_rustls::TlsAcceptor>,
}

impl Upstream {
    /// HTTP/1.1 over TLS under every host name.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn tls(manner: Manner) -> Result<Self> {
        Self::start(manner, true).await
    }

    /// Without TLS.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn plain(manner: Manner) -> Result<Self> {
        Self::start(manner, false).await
    }

    async fn start(manner: Manner, tls: bool) -> Result<Self> {
        let certificates = Arc::new(Certificates::new()?);
        let shared = Shared {
            manner,
            heads: Arc::default(),
            connections: Arc::default(),
            sent: Arc::default(),
            tls: if tls { Some(certificates.acceptor(&["http/1.1"])?) } else { None },
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let mut upstream = Self {
            address: listener.local_addr()?,
            root_pem: certificates.root_pem(),
            heads: Arc::clone(&shared.heads),
            connections: Arc::clone(&shared.connections),
            sent: Arc::clone(&shared.sent),
            tasks: JoinSet::new(),
        };
        upstream.tasks.spawn(accept(listener, shared));
        Ok(upstream)
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The root that its certificates chain to.
    #[must_use]
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// Heads of the requests so far.
    #[must_use]
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().clone()
    }

    /// Connections so far, also those that never sent a request.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Bytes that the other side took.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, shared: Shared) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::Relaxed);
        connections.spawn(serve(stream, shared.clone()));
    }
}

/// Whatever goes wrong ends this connection alone: the other side is what is tested.
async fn serve(stream: TcpStream, shared: Shared) {
    let _ = match shared.tls.clone() {
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => behave(stream, shared).await,
            Err(error) => Err(error),
        },
        None => behave(stream, shared).await,
    };
}

async fn behave(mut stream: impl AsyncRead + AsyncWrite + Unpin, shared: Shared) -> std::io::Result<()> {
    if matches!(shared.manner, Manner::Deaf) {
        std::future::pending::<()>().await;
    }
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    shared.heads.lock().push(String::from_utf8_lossy(&head).into_owned());
    let (mut read, write) = tokio::io::split(stream);
    let mut say = Voice { write, sent: shared.sent };
    match shared.manner {
        Manner::Deaf => {}
        Manner::Upgrade => {
            say.say(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n").await?;
            tokio::io::copy(&mut read, &mut say.write).await?;
        }
        Manner::Raw(bytes) => say.say(&bytes).await?,
        Manner::Stall(bytes) => {
            say.say(&bytes).await?;
            tokio::io::copy(&mut read, &mut tokio::io::sink()).await?;
            std::future::pending::<()>().await;
        }
        Manner::Endless { head, piece } => {
            say.say(&head).await?;
            loop {
                say.say(&piece).await?;
            }
        }
        Manner::Drip { pieces, gap } => {
            for piece in pieces {
                tokio::time::sleep(gap).await;
                say.say(&piece).await?;
            }
        }
    }
    say.write.shutdown().await?;
    // What is still unread when a socket closes makes the other side lose what it has not read yet.
    let mut rest = tokio::io::sink();
    let _ = tokio::time::timeout(Duration::from_secs(1), tokio::io::copy(&mut read, &mut rest)).await;
    Ok(())
}

/// The writing half, counting.
struct Voice<W> {
    write: W,
    sent: Arc<AtomicU64>,
}

impl<W: AsyncWrite + Unpin> Voice<W> {
    async fn say(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.write.write_all(bytes).await?;
        self.write.flush().await?;
        self.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(upstream: &Upstream, take: usize) -> String {
        let mut stream = TcpStream::connect(upstream.address()).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = vec![0; take];
        let mut have = 0;
        while have < take {
            match stream.read(&mut answer[have..]).await.unwrap() {
                0 => break,
                n => have += n,
            }
        }
        String::from_utf8(answer[..have].to_vec()).unwrap()
    }

    #[tokio::test]
    async fn raw_bytes_arrive_as_they_are_and_the_head_is_kept() {
        let upstream = Upstream::plain(Manner::answer("200 OK", "x-a: 1\r\n", "hi")).await.unwrap();
        assert_eq!(ask(&upstream, 1000).await, "HTTP/1.1 200 OK\r\nx-a: 1\r\ncontent-length: 2\r\n\r\nhi");
        assert_eq!(upstream.heads(), ["GET / HTTP/1.1\r\nhost: x\r\n\r\n"]);
        assert_eq!(upstream.connections(), 1);
    }

    #[tokio::test]
    async fn an_endless_body_goes_on_for_as_long_as_it_is_read() {
        let head = Bytes::from_static(b"HTTP/1.1 200 OK\r\n\r\n");
        let manner = Manner::Endless { head, piece: Bytes::from_static(&[b'x'; 1024]) };
        let upstream = Upstream::plain(manner).await.unwrap();
        assert_eq!(ask(&upstream, 1_000_000).await.len(), 1_000_000);
        assert!(upstream.sent() >= 1_000_000);
    }
}
