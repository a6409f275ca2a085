//! The body of an answer. What its reader leaves unread is taken out of h2 at once and kept in chunks: there a frame costs
//! its bytes and no more, where h2 keeps hundreds of bytes and a piece of its read buffer beside each.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use h2::{FlowControl, RecvStream};
use http::header::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::task::AbortHandle;

use super::{Place, Pouring, poll_pouring};
use crate::payload::PayloadError;

/// What is kept together, in bytes.
const CHUNK: usize = 8 * 1024;

/// What came and was not read yet; its stream's window bounds it.
#[derive(Default)]
struct Unread {
    pieces: VecDeque<Bytes>,
    /// Follows the pieces; never above its capacity.
    last: BytesMut,
    trailers: Option<HeaderMap>,
    failed: Option<h2::Error>,
    /// Nothing comes after what is here.
    complete: bool,
    reader: Option<Waker>,
}

impl Unread {
    fn put(&mut self, data: Bytes) {
        // A reader that keeps up gets each piece as it came.
        if self.pieces.is_empty() && self.last.is_empty() {
            self.pieces.push_back(data);
            return;
        }
        let mut data = data.as_ref();
        while !data.is_empty() {
            if self.last.len() == CHUNK {
                self.pieces.push_back(self.last.split().freeze());
            }
            if self.last.is_empty() {
                self.last = BytesMut::with_capacity(CHUNK);
            }
            let (now, rest) = data.split_at(data.len().min(CHUNK - self.last.len()));
            self.last.extend_from_slice(now);
            data = rest;
        }
    }

    fn take(&mut self) -> Option<Bytes> {
        self.pieces.pop_front().or_else(|| (!self.last.is_empty()).then(|| std::mem::take(&mut self.last).freeze()))
    }

    fn is_over(&self) -> bool {
        self.complete
            && self.pieces.is_empty()
            && self.last.is_empty()
            && self.trailers.is_none()
            && self.failed.is_none()
    }
}

/// The body of an answer; its connection has room again when it is dropped.
pub(super) struct Answer {
    unread: Arc<Mutex<Unread>>,
    keeping: AbortHandle,
    flow: FlowControl,
    pouring: Option<Pouring>,
    left: Option<u64>,
    over: bool,
    _place: Place,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

impl Answer {
    pub fn new(mut body: RecvStream, pouring: Option<Pouring>, left: Option<u64>, place: Place) -> Self {
        let flow = body.flow_control().clone();
        let complete = body.is_end_stream();
        let unread = Arc::new(Mutex::new(Unread { complete, ..Unread::default() }));
        let keeping = tokio::spawn(keep(body, Arc::clone(&unread))).abort_handle();
        Self { unread, keeping, flow, pouring, left, over: false, _place: place }
    }
}

/// Takes what comes out of h2, to the end. Makes no room for more: that is the reader's.
async fn keep(mut body: RecvStream, unread: Arc<Mutex<Unread>>) {
    let mut failed = None;
    while let Some(data) = body.data().await {
        match data {
            Ok(data) => {
                let mut unread = unread.lock();
                if !data.is_empty() {
                    unread.put(data);
                }
                // Together with its last piece: the reader settles before it hands that on.
                unread.complete = body.is_end_stream();
                if let Some(reader) = unread.reader.take() {
                    reader.wake();
                }
            }
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    let trailers = match failed {
        Some(error) => Err(error),
        None => body.trailers().await,
    };
    let mut unread = unread.lock();
    match trailers {
        Ok(trailers) => unread.trailers = trailers,
        Err(error) => unread.failed = Some(error),
    }
    unread.complete = true;
    if let Some(reader) = unread.reader.take() {
        reader.wake();
    }
}

impl Answer {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        let data = {
            let mut unread = self.unread.lock();
            match unread.take() {
                Some(data) => data,
                None if unread.complete => {
                    let failed = unread.failed.take().map(Err);
                    return Poll::Ready(failed.or_else(|| Some(Ok(Frame::trailers(unread.trailers.take()?)))));
                }
                None => {
                    unread.reader = Some(cx.waker().clone());
                    return Poll::Pending;
                }
            }
        };
        // What is handed on makes room for as much.
        self.flow.release_capacity(data.len())?;
        self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
        Poll::Ready(Some(Ok(Frame::data(data))))
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = PayloadError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, PayloadError>>> {
        let this = &mut *self;
        if this.over {
            return Poll::Ready(None);
        }
        if let Err(error) = poll_pouring(&mut this.pouring, cx) {
            this.over = true;
            return Poll::Ready(Some(Err(error)));
        }
        let piece = ready!(this.poll_piece(cx));
        this.over = !piece.as_ref().is_some_and(|piece| piece.as_ref().is_ok_and(Frame::is_data));
        Poll::Ready(piece.map(|piece| piece.map_err(|error| PayloadError::Upstream(error.to_string()))))
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.unread.lock().is_over()
    }

    fn size_hint(&self) -> SizeHint {
        match self.left {
            _ if self.is_end_stream() => SizeHint::with_exact(0),
            Some(left) => SizeHint::with_exact(left),
            None => SizeHint::default(),
        }
    }
}
