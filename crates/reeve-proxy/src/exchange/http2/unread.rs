//! What is unread between Reeve and its HTTP/2 clients, bounded for all of them together: what they send ahead by the
//! windows of so many connections, what is on its way to them piece by piece.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::payload::{Payload, PayloadError};

/// What a client may send ahead on one connection, in bytes, and how many such connections there are at once: 8 MiB in all…
const WIDE: (u32, usize) = (1024 * 1024, 8);
/// …and on those beyond them: another 8 MiB. Whoever comes then is offered HTTP/1.1 alone.
const NARROW: (u32, usize) = (64 * 1024, 128);
/// Streams that may stand still with a full window before they stop the others of their connection.
const STANDING: u32 = 16;
/// Bytes that are on their way to all clients together.
const AWAY: usize = 32 * 1024 * 1024;
/// What an answer may have on its way where those are used up, so that no reader waits for those that do not read.
const LITTLE: usize = 1024;

/// The room that all HTTP/2 connections of clients share.
pub(crate) struct Unread {
    wide: Arc<Semaphore>,
    narrow: Arc<Semaphore>,
    away: Arc<Semaphore>,
}

impl Default for Unread {
    fn default() -> Self {
        let [wide, narrow, away] = [WIDE.1, NARROW.1, AWAY].map(|room| Arc::new(Semaphore::new(room)));
        Self { wide, narrow, away }
    }
}

impl Unread {
    /// Room for one more connection.
    pub fn room(&self) -> Option<Room> {
        [(WIDE.0, &self.wide), (NARROW.0, &self.narrow)].into_iter().find_map(|(window, connections)| {
            let permit = Arc::clone(connections).try_acquire_owned().ok()?;
            Some(Room { window, _permit: permit })
        })
    }

    /// An answer whose pieces count from here until the last of each has left, also after the answer itself is gone.
    pub fn counted(&self, body: Payload) -> Payload {
        Counted { body, next: None, away: Arc::clone(&self.away), own: Arc::default() }.boxed_unsync()
    }
}

/// What a new connection may take.
pub(crate) struct Room {
    window: u32,
    _permit: OwnedSemaphorePermit,
}

impl Room {
    /// For the whole connection, in bytes.
    pub fn window(&self) -> u32 {
        self.window
    }

    pub fn stream_window(&self) -> u32 {
        self.window / STANDING
    }
}

struct Counted {
    body: Payload,
    /// Came and found no room.
    next: Option<Bytes>,
    away: Arc<Semaphore>,
    own: Arc<Own>,
}

/// What one answer has on its way.
#[derive(Default)]
struct Own {
    pieces: AtomicUsize,
    waiting: AtomicWaker,
}

/// Bytes on their way. The connection lets go of them when they are written.
struct Piece {
    data: Bytes,
    own: Arc<Own>,
    _room: Option<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.data
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.own.pieces.fetch_sub(1, Ordering::AcqRel);
        self.own.waiting.wake();
    }
}

impl Counted {
    fn send(&self, data: Bytes, room: Option<OwnedSemaphorePermit>) -> Frame<Bytes> {
        self.own.pieces.fetch_add(1, Ordering::AcqRel);
        Frame::data(Bytes::from_owner(Piece { data, own: Arc::clone(&self.own), _room: room }))
    }
}

impl Body for Counted {
    type Data = Bytes;
    type Error = PayloadError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, PayloadError>>> {
        let this = &mut *self;
        let mut data = match this.next.take() {
            Some(data) => data,
            None => match ready!(Pin::new(&mut this.body).poll_frame(cx)).transpose()?.map(Frame::into_data) {
                Some(Ok(data)) => data,
                Some(Err(trailers)) => return Poll::Ready(Some(Ok(trailers))),
                None => return Poll::Ready(None),
            },
        };
        let room = u32::try_from(data.len()).ok().and_then(|n| Arc::clone(&this.away).try_acquire_many_owned(n).ok());
        if room.is_some() {
            return Poll::Ready(Some(Ok(this.send(data, room))));
        }
        this.own.waiting.register(cx.waker());
        if this.own.pieces.load(Ordering::Acquire) > 0 {
            this.next = Some(data);
            return Poll::Pending;
        }
        let little = data.split_to(LITTLE.min(data.len()));
        this.next = Some(data).filter(|rest| !rest.is_empty());
        Poll::Ready(Some(Ok(this.send(little, None))))
    }

    fn is_end_stream(&self) -> bool {
        self.next.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let kept = self.next.as_ref().map_or(0, |data| data.len() as u64);
        let rest = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(kept));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(kept));
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::payload::full;

    fn next(body: &mut Payload) -> Poll<Option<Bytes>> {
        let mut cx = Context::from_waker(Waker::noop());
        Pin::new(body).poll_frame(&mut cx).map(|frame| Some(frame?.unwrap().into_data().unwrap()))
    }

    #[test]
    fn what_all_clients_leave_unread_is_bounded_and_none_waits_for_another_to_read() {
        const ANSWER: usize = 64 * 1024;
        let unread = Unread::default();
        let mut answers: Vec<Payload> = (0..600).map(|_| unread.counted(full(vec![b'x'; ANSWER]))).collect();
        let mut away: Vec<Bytes> = Vec::new();
        for answer in &mut answers {
            while let Poll::Ready(Some(piece)) = next(answer) {
                away.push(piece);
            }
        }
        let bytes: usize = away.iter().map(Bytes::len).sum();
        assert!(bytes > AWAY - ANSWER && bytes <= AWAY + answers.len() * LITTLE, "{bytes}");
        // Nobody reads but the last: piece by little piece it gets the whole.
        let mut last = answers.pop().unwrap();
        assert!(next(&mut last).is_pending(), "its piece is not written yet");
        let mut read = away.pop().map_or(0, |piece| piece.len());
        while let Poll::Ready(Some(piece)) = next(&mut last) {
            read += piece.len();
        }
        assert_eq!(read, ANSWER);
        // When the others are read or gone there is room again.
        away.clear();
        assert_eq!(
            next(&mut unread.counted(full(vec![b'x'; ANSWER]))).map(|piece| piece.unwrap().len()),
            Poll::Ready(ANSWER)
        );
    }

    #[test]
    fn what_an_answer_says_of_its_length_counts_what_waits() {
        let unread = Unread { away: Arc::new(Semaphore::new(0)), ..Unread::default() };
        let mut body = unread.counted(full(vec![b'x'; 3 * LITTLE]));
        let first = next(&mut body);
        assert!(matches!(&first, Poll::Ready(Some(piece)) if piece.len() == LITTLE));
        assert_eq!(body.size_hint().exact(), Some(2 * LITTLE as u64));
        assert!(!body.is_end_stream());
    }

    #[test]
    fn windows_are_bounded_for_all_connections_together() {
        let unread = Unread::default();
        let rooms: Vec<Room> = std::iter::from_fn(|| unread.room()).collect();
        let bytes: u32 = rooms.iter().map(Room::window).sum();
        assert_eq!((rooms.len(), bytes), (136, 16 * 1024 * 1024));
        drop(rooms);
        assert_eq!(unread.room().map(|room| room.window()), Some(1024 * 1024));
    }
}
