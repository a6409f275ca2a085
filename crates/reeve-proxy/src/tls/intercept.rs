//! Ends the agent's TLS with a leaf of its session's authority, once the name it asks for is the name it was tunnelled to.

use std::sync::Arc;
use std::time::Duration;

use reeve_domain::host::Host;
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::authority::{AuthorityError, SessionAuthority};

/// A handshake that takes longer is given up.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// TLS record: fatal alert `unrecognized_name`.
const UNRECOGNIZED_NAME: [u8; 7] = [0x15, 3, 3, 0, 2, 2, 112];

/// Why the agent's TLS was not accepted. Nothing was sent anywhere.
#[derive(Debug, thiserror::Error)]
pub enum InterceptError {
    #[error("the TLS handshake took longer than 10 seconds")]
    Slow,
    #[error("the client sent no TLS that parses")]
    Hello(#[source] std::io::Error),
    #[error("the client asked by SNI for `{asked}`, but its tunnel leads to `{target}`")]
    OtherName { asked: String, target: String },
    #[error("the client sent no SNI for `{target}`")]
    NoName { target: String },
    #[error("the client broke off the TLS handshake; it may not trust this session's certificate")]
    Handshake(#[source] std::io::Error),
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

/// Performs the handshake for a tunnel to `target`, and offers HTTP/1.1 alone or HTTP/2 too.
///
/// # Errors
/// When the name asked for is another one, is missing for a target that is a name, or the handshake fails.
pub async fn accept<IO>(
    io: IO,
    authority: &SessionAuthority,
    target: &Host,
    http2: bool,
) -> Result<TlsStream<IO>, InterceptError>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    timeout(HANDSHAKE, handshake(io, authority, target, http2)).await.unwrap_or(Err(InterceptError::Slow))
}

async fn handshake<IO>(
    io: IO,
    authority: &SessionAuthority,
    target: &Host,
    http2: bool,
) -> Result<TlsStream<IO>, InterceptError>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let mut start = LazyConfigAcceptor::new(Acceptor::default(), io).await.map_err(InterceptError::Hello)?;
    if let Err(refused) = check_name(start.client_hello().server_name(), target) {
        let _ = start.io.write_all(&UNRECOGNIZED_NAME).await;
        let _ = start.io.shutdown().await;
        return Err(refused);
    }
    let mut config = authority.config(target)?;
    if !http2 {
        Arc::make_mut(&mut config).alpn_protocols = vec![b"http/1.1".to_vec()];
    }
    start.into_stream(config).await.map_err(InterceptError::Handshake)
}

fn check_name(asked: Option<&str>, target: &Host) -> Result<(), InterceptError> {
    match (asked, target) {
        (Some(asked), _) if Host::parse(asked).as_ref() == Ok(target) => Ok(()),
        (Some(asked), _) => Err(InterceptError::OtherName { asked: asked.to_owned(), target: target.to_string() }),
        (None, Host::Ip(_)) => Ok(()),
        (None, Host::Name(name)) => Err(InterceptError::NoName { target: name.clone() }),
    }
}
