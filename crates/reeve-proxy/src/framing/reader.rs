//! The framer on a socket: heads with a time limit, bodies piece by piece, one bounded buffer.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::Frame;
use tokio::io::{AsyncRead, ReadBuf};

use super::body::{BodyDecoder, Step};
use super::head::{HeadScanner, RequestHead, ResponseHead, parse_request, parse_response};
use super::{FramingError, MAX_HEAD_BYTES};

/// Bytes asked of the socket at once.
const READ_BYTES: usize = 16 * 1024;

/// Why a message could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Framing(#[from] FramingError),
    #[error("the connection broke")]
    Io(#[from] io::Error),
}

/// Reads HTTP/1 messages from one side of a connection.
#[derive(Debug)]
pub struct Reader<R> {
    io: R,
    buffer: BytesMut,
    scanner: HeadScanner,
    closed: bool,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub fn new(io: R, buffer: BytesMut) -> Self {
        Self { io, buffer, scanner: HeadScanner::default(), closed: false }
    }

    /// The socket, and what was read from it and not yet taken.
    pub fn into_parts(self) -> (R, BytesMut) {
        (self.io, self.buffer)
    }

    /// Whether the next message begins exactly where the last one ended.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.buffer.is_empty() && !self.closed
    }

    /// Waits until at least one byte of the next message is here; `false` when the peer closed first.
    ///
    /// # Errors
    /// When the connection broke.
    pub async fn wait(&mut self) -> io::Result<bool> {
        while self.buffer.is_empty() && !self.closed {
            poll_fn(|cx| self.poll_fill(cx)).await?;
        }
        Ok(!self.buffer.is_empty())
    }

    /// The next request head; `None` when the peer closed between messages.
    ///
    /// # Errors
    /// When it is malformed, cut short, or the connection broke.
    pub async fn request_head(&mut self) -> Result<Option<RequestHead>, ReadError> {
        match self.head_bytes().await? {
            Some(bytes) => Ok(Some(parse_request(&bytes)?)),
            None => Ok(None),
        }
    }

    /// The next response head; `None` when the peer closed before it.
    ///
    /// # Errors
    /// As for requests.
    pub async fn response_head(&mut self) -> Result<Option<ResponseHead>, ReadError> {
        match self.head_bytes().await? {
            Some(bytes) => Ok(Some(parse_response(&bytes)?)),
            None => Ok(None),
        }
    }

    async fn head_bytes(&mut self) -> Result<Option<BytesMut>, ReadError> {
        loop {
            if let Some(end) = self.scanner.scan(&self.buffer)? {
                return Ok(Some(self.buffer.split_to(end)));
            }
            if self.closed {
                return if self.buffer.is_empty() { Ok(None) } else { Err(FramingError::Truncated.into()) };
            }
            poll_fn(|cx| self.poll_fill(cx)).await?;
        }
    }

    /// The next piece of a body; `None` when it is complete.
    ///
    /// # Errors
    /// When its framing is broken or the connection is.
    pub fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        decoder: &mut BodyDecoder,
    ) -> Poll<Result<Option<Frame<Bytes>>, ReadError>> {
        loop {
            match decoder.step(&mut self.buffer, self.closed)? {
                Step::Data(data) => return Poll::Ready(Ok(Some(Frame::data(data)))),
                Step::Trailers(trailers) => return Poll::Ready(Ok(Some(Frame::trailers(trailers)))),
                Step::Done => return Poll::Ready(Ok(None)),
                Step::More => ready!(self.poll_fill(cx))?,
            }
        }
    }

    /// Resolves when the peer closes or the connection breaks. Bytes of a next message are kept, up to one head.
    pub async fn gone(&mut self) {
        while !self.closed {
            if self.buffer.len() >= MAX_HEAD_BYTES {
                return std::future::pending().await;
            }
            if poll_fn(|cx| self.poll_fill(cx)).await.is_err() {
                return;
            }
        }
    }

    /// Reads and forgets everything until the peer closes or the connection breaks.
    pub async fn drain(&mut self) {
        while !self.closed && poll_fn(|cx| self.poll_fill(cx)).await.is_ok() {
            self.buffer.clear();
        }
    }

    /// Whether an idle connection can carry another message: open, and nothing arrived unasked.
    pub fn poll_idle(&mut self, cx: &mut Context<'_>) -> bool {
        self.is_clean() && self.poll_fill(cx).is_pending()
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // On the stack, so that a connection that waits holds no buffer.
        let mut chunk = [std::mem::MaybeUninit::uninit(); READ_BYTES];
        let mut chunk = ReadBuf::uninit(&mut chunk);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut chunk))?;
        self.closed = chunk.filled().is_empty();
        self.buffer.extend_from_slice(chunk.filled());
        Poll::Ready(Ok(()))
    }
}
