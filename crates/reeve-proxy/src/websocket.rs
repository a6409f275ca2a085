//! Upgraded connections: the handshake is checked on both sides, and after `101` frames are looked through, relayed and
//! counted. A side that closes is closed towards the other; the other may still finish what it is saying.

pub mod frame;
pub mod guard;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use http::HeaderMap;
use http::header::{
    CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use reeve_domain::id::CredentialId;
use sha1::{Digest, Sha1};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

/// How long the second side may go on after the first has closed.
const GRACE: Duration = Duration::from_secs(30);
const BUFFER: usize = 16 * 1024;
/// How long a client may take to hear why its connection ends.
const FAREWELL: Duration = Duration::from_secs(1);
/// RFC 6455 section 1.3.
const ACCEPT_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A handshake that is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UpgradeError {
    #[error("`{0}` is missing or given more than once")]
    Once(&'static str),
    #[error("`connection` does not name `upgrade`")]
    Connection,
    #[error("`upgrade` names another protocol than was asked for")]
    Protocol,
    #[error("`sec-websocket-version` is not 13")]
    Version,
    #[error("`sec-websocket-key` is not 16 bytes in base64")]
    Key,
    #[error("`sec-websocket-accept` does not answer the key")]
    Accept,
    #[error("an extension was agreed on that was not asked for")]
    Extension,
}

fn once<'a>(headers: &'a HeaderMap, name: &HeaderName, shown: &'static str) -> Result<&'a str, UpgradeError> {
    let mut values = headers.get_all(name).iter();
    match (values.next().map(|value| value.to_str()), values.next()) {
        (Some(Ok(value)), None) => Ok(value.trim()),
        _ => Err(UpgradeError::Once(shown)),
    }
}

fn check_protocol(headers: &HeaderMap, protocol: &str) -> Result<(), UpgradeError> {
    if !once(headers, &UPGRADE, "upgrade")?.eq_ignore_ascii_case(protocol) {
        return Err(UpgradeError::Protocol);
    }
    let lines = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    if lines.flat_map(|line| line.split(',')).any(|word| word.trim().eq_ignore_ascii_case("upgrade")) {
        Ok(())
    } else {
        Err(UpgradeError::Connection)
    }
}

/// Checks a client's request for an upgrade to `protocol` (lower case). Of `websocket` the key and version are checked
/// too. To be called on the headers as they came, and before anything is sent.
///
/// # Errors
/// Names the header that is wrong.
pub fn check_request(headers: &HeaderMap, protocol: &str) -> Result<(), UpgradeError> {
    check_protocol(headers, protocol)?;
    if protocol == "websocket" {
        let key = once(headers, &SEC_WEBSOCKET_KEY, "sec-websocket-key")?;
        if !STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16) {
            return Err(UpgradeError::Key);
        }
        if once(headers, &SEC_WEBSOCKET_VERSION, "sec-websocket-version")? != "13" {
            return Err(UpgradeError::Version);
        }
    }
    Ok(())
}

/// Checks the upstream's `101` against the request that was sent.
///
/// # Errors
/// Names the header that is wrong.
pub fn check_response(request: &HeaderMap, response: &HeaderMap, protocol: &str) -> Result<(), UpgradeError> {
    check_protocol(response, protocol)?;
    if protocol == "websocket" {
        let key = once(request, &SEC_WEBSOCKET_KEY, "sec-websocket-key")?;
        let digest = Sha1::new().chain_update(key).chain_update(ACCEPT_SUFFIX).finalize();
        if once(response, &SEC_WEBSOCKET_ACCEPT, "sec-websocket-accept")? != STANDARD.encode(digest) {
            return Err(UpgradeError::Accept);
        }
        if response.contains_key(SEC_WEBSOCKET_EXTENSIONS) {
            return Err(UpgradeError::Extension);
        }
    }
    Ok(())
}

/// How a relay ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayEnd {
    /// Both sides closed, or one did and the other had nothing more to say in time.
    Closed,
    Client(String),
    Upstream(String),
    /// A placeholder or secret was on its way out.
    Leak(CredentialId),
    Cancelled,
}

/// What passed through a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relayed {
    /// Bytes that were handed on to the upstream.
    pub from_client: u64,
    /// Bytes that were handed on to the client.
    pub from_upstream: u64,
    pub end: RelayEnd,
}

/// What becomes of the bytes of one direction.
pub trait Passage {
    /// What of these bytes goes on now.
    ///
    /// # Errors
    /// When nothing more may.
    fn pass(&mut self, bytes: &[u8], out: &mut BytesMut) -> Result<(), Fault>;
}

impl Passage for guard::Outward {
    fn pass(&mut self, bytes: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        self.feed(bytes, out).map_err(|stopped| match stopped {
            guard::Stopped::Leak(leak) => Fault::Leak(leak.credential),
            guard::Stopped::Frame(error) => Fault::Frame(error),
        })
    }
}

impl Passage for guard::Inward {
    fn pass(&mut self, bytes: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        self.feed(bytes, out).map_err(Fault::Frame)
    }
}

/// Relays bytes both ways until both sides have closed, one breaks off or may not go on, or it is cancelled. Memory is two
/// small buffers and what the passages hold.
pub async fn relay<C, U>(
    client: C,
    upstream: U,
    (outward, inward): (&mut impl Passage, &mut impl Passage),
    cancel: &CancellationToken,
) -> Relayed
where
    C: AsyncRead + AsyncWrite,
    U: AsyncRead + AsyncWrite,
{
    let (from_client, from_upstream) = (AtomicU64::new(0), AtomicU64::new(0));
    let (client_read, mut client_write) = tokio::io::split(client);
    let (upstream_read, mut upstream_write) = tokio::io::split(upstream);
    let both = async {
        let up = pump(client_read, &mut upstream_write, outward, &from_client);
        let down = pump(upstream_read, &mut client_write, inward, &from_upstream);
        tokio::pin!(up, down);
        let (first_was_up, first) = tokio::select! {
            end = &mut up => (true, end),
            end = &mut down => (false, end),
        };
        let named = |up: bool, fault| match (up, fault) {
            (true, Fault::Reading(e)) | (false, Fault::Writing(e)) => RelayEnd::Client(e.to_string()),
            (true, Fault::Writing(e)) | (false, Fault::Reading(e)) => RelayEnd::Upstream(e.to_string()),
            (_, Fault::Leak(credential)) => RelayEnd::Leak(credential),
            (true, Fault::Frame(error)) => RelayEnd::Client(error.to_string()),
            (false, Fault::Frame(error)) => RelayEnd::Upstream(error.to_string()),
        };
        if let Err(fault) = first {
            return named(first_was_up, fault);
        }
        let second =
            if first_was_up { tokio::time::timeout(GRACE, down).await } else { tokio::time::timeout(GRACE, up).await };
        match second {
            Ok(Err(fault)) => named(!first_was_up, fault),
            Ok(Ok(())) | Err(_) => RelayEnd::Closed,
        }
    };
    let end = tokio::select! {
        biased;
        () = cancel.cancelled() => RelayEnd::Cancelled,
        end = both => end,
    };
    if let RelayEnd::Leak(_) = end {
        // 1008, policy violation. The upstream is left without a word: it may have half a frame.
        let farewell = guard::close(1008, "Reeve: a stored credential was on its way to a place it is not bound to");
        let told = async { client_write.write_all(&farewell).await.is_ok() && client_write.shutdown().await.is_ok() };
        let _ = tokio::time::timeout(FAREWELL, told).await;
    }
    Relayed {
        from_client: from_client.load(Ordering::Relaxed),
        from_upstream: from_upstream.load(Ordering::Relaxed),
        end,
    }
}

/// Why one direction ends before its side has closed.
#[derive(Debug)]
pub enum Fault {
    Reading(io::Error),
    Writing(io::Error),
    Leak(CredentialId),
    Frame(frame::FrameError),
}

async fn pump<R, W>(mut from: R, to: &mut W, passage: &mut impl Passage, passed: &AtomicU64) -> Result<(), Fault>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut buffer = vec![0; BUFFER];
    let mut out = BytesMut::new();
    loop {
        let read = match from.read(&mut buffer).await {
            Ok(read) => read,
            // Many servers end TLS without saying so; after an upgrade the close frame has said it.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            Err(error) => return Err(Fault::Reading(error)),
        };
        let chunk = buffer.get(..read).unwrap_or_default();
        if chunk.is_empty() {
            // A side that is gone already needs no goodbye.
            let _ = to.shutdown().await;
            return Ok(());
        }
        let may_go_on = passage.pass(chunk, &mut out);
        if !out.is_empty() {
            to.write_all(&out).await.map_err(Fault::Writing)?;
            to.flush().await.map_err(Fault::Writing)?;
            passed.fetch_add(u64::try_from(out.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
            out.clear();
        }
        may_go_on?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use tokio::io::duplex;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        map
    }

    // The example of RFC 6455 section 1.3.
    const KEY: (&str, &str) = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    const ACCEPT: (&str, &str) = ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    const UPGRADE_TO: (&str, &str) = ("upgrade", "WebSocket");
    const CONNECTION_UPGRADE: (&str, &str) = ("connection", "keep-alive, Upgrade");
    const VERSION: (&str, &str) = ("sec-websocket-version", "13");

    /// Bytes as they are.
    struct AsTheyAre;

    impl Passage for AsTheyAre {
        fn pass(&mut self, bytes: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
            out.extend_from_slice(bytes);
            Ok(())
        }
    }

    #[test]
    fn the_handshake_of_the_rfc_is_accepted() {
        let request = headers(&[KEY, UPGRADE_TO, CONNECTION_UPGRADE, VERSION]);
        assert_eq!(check_request(&request, "websocket"), Ok(()));
        let response = headers(&[ACCEPT, UPGRADE_TO, CONNECTION_UPGRADE]);
        assert_eq!(check_response(&request, &response, "websocket"), Ok(()));
    }

    #[test]
    fn bad_requests_are_named() {
        use UpgradeError as E;
        let table: [(&[(&'static str, &'static str)], UpgradeError); 9] = [
            (&[UPGRADE_TO, CONNECTION_UPGRADE, VERSION], E::Once("sec-websocket-key")),
            (&[KEY, KEY, UPGRADE_TO, CONNECTION_UPGRADE, VERSION], E::Once("sec-websocket-key")),
            (&[("sec-websocket-key", "short"), UPGRADE_TO, CONNECTION_UPGRADE, VERSION], E::Key),
            (&[("sec-websocket-key", "AAAA"), UPGRADE_TO, CONNECTION_UPGRADE, VERSION], E::Key),
            (&[KEY, CONNECTION_UPGRADE, VERSION], E::Once("upgrade")),
            (&[KEY, ("upgrade", "h2c"), CONNECTION_UPGRADE, VERSION], E::Protocol),
            (&[KEY, UPGRADE_TO, ("connection", "keep-alive"), VERSION], E::Connection),
            (&[KEY, UPGRADE_TO, CONNECTION_UPGRADE], E::Once("sec-websocket-version")),
            (&[KEY, UPGRADE_TO, CONNECTION_UPGRADE, ("sec-websocket-version", "8")], E::Version),
        ];
        for (pairs, error) in table {
            assert_eq!(check_request(&headers(pairs), "websocket"), Err(error), "{pairs:?}");
        }
    }

    #[test]
    fn bad_answers_are_named() {
        let request = headers(&[KEY]);
        let wrong = ("sec-websocket-accept", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        for (pairs, error) in [
            (&[wrong, UPGRADE_TO, CONNECTION_UPGRADE][..], UpgradeError::Accept),
            (&[UPGRADE_TO, CONNECTION_UPGRADE], UpgradeError::Once("sec-websocket-accept")),
            (&[ACCEPT, ("upgrade", "tcp"), CONNECTION_UPGRADE], UpgradeError::Protocol),
            (&[ACCEPT, UPGRADE_TO], UpgradeError::Connection),
            (
                &[ACCEPT, UPGRADE_TO, CONNECTION_UPGRADE, ("sec-websocket-extensions", "permessage-deflate")],
                UpgradeError::Extension,
            ),
        ] {
            assert_eq!(check_response(&request, &headers(pairs), "websocket"), Err(error), "{pairs:?}");
        }
    }

    #[tokio::test]
    async fn bytes_pass_both_ways_and_are_counted_until_both_close() {
        let (mut client, ours) = duplex(1024);
        let (theirs, mut upstream) = duplex(1024);
        let cancel = CancellationToken::new();
        let relaying =
            tokio::spawn(async move { relay(ours, theirs, (&mut AsTheyAre, &mut AsTheyAre), &cancel).await });
        let sent = vec![7; 100_000];
        let (mut read_half, mut write_half) = tokio::io::split(&mut client);
        let mut back = Vec::new();
        let mut got = Vec::new();
        let talk = async {
            write_half.write_all(&sent).await.unwrap();
            write_half.shutdown().await.unwrap();
            read_half.read_to_end(&mut back).await.unwrap();
        };
        let answer = async {
            upstream.read_to_end(&mut got).await.unwrap();
            upstream.write_all(b"after your close").await.unwrap();
            upstream.shutdown().await.unwrap();
        };
        tokio::join!(talk, answer);
        assert!(got == sent && back == b"after your close");
        let relayed = relaying.await.unwrap();
        assert_eq!(relayed, Relayed { from_client: 100_000, from_upstream: 16, end: RelayEnd::Closed });
    }

    #[tokio::test]
    async fn cancelling_cuts_at_once_and_keeps_the_count() {
        let (mut client, ours) = duplex(1024);
        let (theirs, mut upstream) = duplex(1024);
        let cancel = CancellationToken::new();
        let child = cancel.clone();
        let relaying = tokio::spawn(async move { relay(ours, theirs, (&mut AsTheyAre, &mut AsTheyAre), &child).await });
        client.write_all(b"hello").await.unwrap();
        let mut got = [0; 5];
        upstream.read_exact(&mut got).await.unwrap();
        cancel.cancel();
        let relayed = relaying.await.unwrap();
        assert_eq!((relayed.from_client, relayed.end), (5, RelayEnd::Cancelled));
        assert_eq!(client.read(&mut got).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_side_that_breaks_off_is_blamed() {
        let (mut client, ours) = duplex(64);
        let upstream = failing::broken();
        client.write_all(b"hello").await.unwrap();
        let relayed = relay(ours, upstream, (&mut AsTheyAre, &mut AsTheyAre), &CancellationToken::new()).await;
        assert!(matches!(relayed.end, RelayEnd::Upstream(_)), "{relayed:?}");
        assert_eq!(relayed.from_client, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_side_that_stays_silent_after_the_other_closed_is_let_go() {
        let (client, ours) = duplex(64);
        let (theirs, _upstream) = duplex(64);
        drop(client);
        let relayed = relay(ours, theirs, (&mut AsTheyAre, &mut AsTheyAre), &CancellationToken::new()).await;
        assert_eq!(relayed.end, RelayEnd::Closed);
    }

    /// A stream whose writes fail and whose reads never end.
    mod failing {
        use std::pin::Pin;
        use std::task::{Context, Poll};

        use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

        pub(super) fn broken() -> impl AsyncRead + AsyncWrite {
            Broken
        }

        struct Broken;

        impl AsyncRead for Broken {
            fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
                Poll::Pending
            }
        }

        impl AsyncWrite for Broken {
            fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<std::io::Result<usize>> {
                Poll::Ready(Err(std::io::ErrorKind::ConnectionReset.into()))
            }
            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
                Poll::Ready(Ok(()))
            }
            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
                Poll::Ready(Ok(()))
            }
        }
    }
}
