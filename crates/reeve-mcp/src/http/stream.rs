//! One event stream towards a client: what was said on it stays for a while, so that a client that lost its connection
//! takes it up where it was (`Last-Event-ID`).

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use parking_lot::Mutex;
use reeve_protocol::events::StreamEvent;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::http::Body;

/// What one stream keeps, in bytes and in messages; what was said before is forgotten.
const KEPT_BYTES: usize = 4 * 1024 * 1024;
const KEPT: usize = 1024;
/// A comment goes out after so much silence, so that nothing on the way takes the connection for dead.
const QUIET: Duration = Duration::from_secs(15);

/// The messages of one stream, in order.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub number: u64,
    log: Mutex<Log>,
    changed: Notify,
    readers: AtomicUsize,
    /// The last message that a reader took.
    taken: AtomicU64,
}

#[derive(Debug, Default)]
struct Log {
    said: VecDeque<Bytes>,
    bytes: usize,
    /// How many were forgotten.
    forgotten: u64,
    is_over: bool,
}

impl Stream {
    pub fn new(number: u64) -> Arc<Self> {
        Arc::new(Self { number, ..Self::default() })
    }

    /// Says something; `last`: and nothing after it.
    pub fn say(&self, message: Bytes, last: bool) {
        {
            let mut log = self.log.lock();
            log.bytes += message.len();
            log.said.push_back(message);
            log.is_over |= last;
            while log.said.len() > 1 && (log.said.len() > KEPT || log.bytes > KEPT_BYTES) {
                log.bytes -= log.said.pop_front().map_or(0, |gone| gone.len());
                log.forgotten += 1;
            }
        }
        self.changed.notify_waiters();
    }

    /// Nothing more will be said.
    pub fn close(&self) {
        self.log.lock().is_over = true;
        self.changed.notify_waiters();
    }

    pub fn is_read(&self) -> bool {
        self.readers.load(Ordering::Acquire) > 0
    }

    /// The number of the last message that a reader took: where a new one begins.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Acquire)
    }

    /// The only message that there will ever be, once there is one; `None` where others come before it.
    pub async fn only(&self) -> Option<Bytes> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Armed before looking, so that what is said meanwhile wakes it.
            changed.as_mut().enable();
            {
                let log = self.log.lock();
                if log.is_over || !log.said.is_empty() {
                    let alone = log.is_over && log.said.len() == 1 && log.forgotten == 0;
                    return log.said.front().filter(|_| alone).cloned();
                }
            }
            changed.await;
        }
    }

    /// What was said first of all that is kept.
    #[cfg(test)]
    pub fn first(&self) -> Option<Bytes> {
        self.log.lock().said.front().cloned()
    }

    /// The last message, once there is one.
    pub async fn last(&self) -> Option<Bytes> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let log = self.log.lock();
                if log.is_over {
                    return log.said.back().cloned();
                }
            }
            changed.await;
        }
    }

    /// What comes after the message of this number (counted from one), as soon as it is there. `None`: it is over.
    async fn after(&self, number: u64) -> Option<(u64, Bytes)> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let log = self.log.lock();
                let index = number.saturating_sub(log.forgotten);
                let next = usize::try_from(index).ok().and_then(|index| log.said.get(index));
                if let Some(message) = next {
                    return Some((log.forgotten.max(number) + 1, message.clone()));
                }
                if log.is_over {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// The stream as the body of an answer, beginning after the message of this number. `guard` is dropped with it.
    pub fn body(self: &Arc<Self>, after: u64, primed: bool, guard: impl Send + 'static) -> Body {
        let reader = Reader::new(Arc::clone(self));
        let priming = primed.then(|| Bytes::from(format!("id: {}-{after}\ndata: \n\n", self.number)));
        let start = (reader, after, priming, guard);
        let events = stream::unfold(start, |(reader, mut at, mut priming, guard)| async move {
            if let Some(priming) = priming.take() {
                return Some((Ok::<_, std::io::Error>(Frame::data(priming)), (reader, at, None, guard)));
            }
            let bytes = match timeout(QUIET, reader.0.after(at)).await {
                Ok(Some((number, message))) => {
                    at = number;
                    reader.0.taken.fetch_max(number, Ordering::AcqRel);
                    let text = String::from_utf8_lossy(&message);
                    StreamEvent::encode(Some(&format!("{}-{number}", reader.0.number)), &text)
                }
                Ok(None) => return None,
                Err(_) => Bytes::from_static(b": still here\n\n"),
            };
            Some((Ok(Frame::data(bytes)), (reader, at, None, guard)))
        });
        StreamBody::new(events).boxed_unsync()
    }
}

/// Counts as a reader while it lives.
struct Reader(Arc<Stream>);

impl Reader {
    fn new(stream: Arc<Stream>) -> Self {
        stream.readers.fetch_add(1, Ordering::AcqRel);
        Self(stream)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.readers.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(body: Body) -> String {
        String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_reader_that_comes_back_hears_what_it_missed_and_nothing_twice() {
        let stream = Stream::new(7);
        for message in ["1", "2", "3"] {
            stream.say(Bytes::from(message), message == "3");
        }
        let all = read(stream.body(0, false, ())).await;
        assert!(all.contains("id: 7-1\ndata: 1\n\n") && all.contains("id: 7-3\ndata: 3\n\n"), "{all}");
        let rest = read(stream.body(2, false, ())).await;
        assert_eq!(rest, "event: message\nid: 7-3\ndata: 3\n\n");
        assert_eq!(read(stream.body(3, false, ())).await, "");
        assert_eq!(stream.taken(), 3, "who comes anew hears nothing again");
    }

    #[tokio::test]
    async fn one_message_alone_needs_no_stream() {
        let stream = Stream::new(1);
        let waiting = tokio::spawn({
            let stream = Arc::clone(&stream);
            async move { stream.only().await }
        });
        stream.say(Bytes::from_static(b"answer"), true);
        assert_eq!(waiting.await.unwrap().as_deref(), Some(&b"answer"[..]));
        let two = Stream::new(2);
        two.say(Bytes::from_static(b"progress"), false);
        assert_eq!(two.only().await, None);
    }

    #[tokio::test]
    async fn a_flood_is_forgotten_from_its_beginning_and_its_last_word_stays() {
        let stream = Stream::new(1);
        for _ in 0..3000 {
            stream.say(Bytes::from_static(b"noise"), false);
        }
        stream.say(Bytes::from(vec![b'x'; KEPT_BYTES + 1]), true);
        let all = read(stream.body(0, false, ())).await;
        assert_eq!(all.matches("noise").count(), 0);
        assert!(all.len() > KEPT_BYTES && all.contains("id: 1-3001"), "{}", &all[..60]);
    }
}
