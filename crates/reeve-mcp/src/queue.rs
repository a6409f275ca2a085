//! What waits between two ends, bounded by messages and by their bytes: a message may be large, and an end that does not read
//! must not make this process hold all that the other one says.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Bytes that may wait in one queue before whoever sends them has to. Twice the largest message.
pub const BYTES: usize = 2 * crate::message::MAX_MESSAGE;

/// What takes room while it waits.
pub trait Weigh {
    /// In bytes.
    fn weight(&self) -> usize;
}

impl Weigh for Bytes {
    fn weight(&self) -> usize {
        self.len()
    }
}

impl Weigh for Vec<u8> {
    fn weight(&self) -> usize {
        self.len()
    }
}

impl<C, T: Weigh> Weigh for (C, T) {
    fn weight(&self) -> usize {
        self.1.weight()
    }
}

/// The other end is gone, or there was no room for one who does not wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotTaken;

/// A queue of so many messages and of [`BYTES`].
#[must_use]
pub fn queue<T: Weigh>(messages: usize) -> (Sender<T>, Receiver<T>) {
    let (tx, rx) = mpsc::channel(messages);
    let room = Arc::new(Semaphore::new(BYTES));
    (Sender { tx, room: Arc::clone(&room) }, Receiver { rx, room })
}

#[derive(Debug)]
pub struct Sender<T> {
    tx: mpsc::Sender<(T, OwnedSemaphorePermit)>,
    room: Arc<Semaphore>,
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { tx: self.tx.clone(), room: Arc::clone(&self.room) }
    }
}

impl<T: Weigh> Sender<T> {
    /// Waits for room. May be cancelled; the message is lost then.
    ///
    /// # Errors
    /// When the other end is gone.
    pub async fn send(&self, message: T) -> Result<(), NotTaken> {
        self.reserve(message.weight()).await?.send(message);
        Ok(())
    }

    /// Sends where there is room now.
    ///
    /// # Errors
    /// When there is none, or the other end is gone.
    pub fn try_send(&self, message: T) -> Result<(), NotTaken> {
        let room = Arc::clone(&self.room).try_acquire_many_owned(permits(message.weight())).map_err(|_| NotTaken)?;
        self.tx.try_send((message, room)).map_err(|_| NotTaken)
    }

    /// Waits for room for a message of so many bytes. May be cancelled.
    ///
    /// # Errors
    /// When the other end is gone.
    pub async fn reserve(&self, weight: usize) -> Result<Room<'_, T>, NotTaken> {
        let bytes = Arc::clone(&self.room).acquire_many_owned(permits(weight)).await.map_err(|_| NotTaken)?;
        let place = self.tx.reserve().await.map_err(|_| NotTaken)?;
        Ok(Room { place, bytes })
    }
}

/// Room for one message.
#[derive(Debug)]
pub struct Room<'a, T> {
    place: mpsc::Permit<'a, (T, OwnedSemaphorePermit)>,
    bytes: OwnedSemaphorePermit,
}

impl<T> Room<'_, T> {
    pub fn send(self, message: T) {
        self.place.send((message, self.bytes));
    }
}

#[derive(Debug)]
pub struct Receiver<T> {
    rx: mpsc::Receiver<(T, OwnedSemaphorePermit)>,
    room: Arc<Semaphore>,
}

impl<T> Receiver<T> {
    /// The next message, whose room is free again; `None` when nobody can send one any more. May be cancelled.
    pub async fn recv(&mut self) -> Option<T> {
        Some(self.rx.recv().await?.0)
    }

    /// The next message, where one waits already.
    ///
    /// # Errors
    /// When none does.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        Ok(self.rx.try_recv()?.0)
    }

    /// Takes no more than waits already; whoever waits for room hears so.
    pub fn close(&mut self) {
        self.rx.close();
        self.room.close();
    }
}

/// One that is larger than the whole queue takes all of it.
fn permits(weight: usize) -> u32 {
    u32::try_from(weight.min(BYTES)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_end_that_does_not_read_is_sent_no_more_bytes_than_a_queue_holds() {
        let (to, mut from) = queue::<Bytes>(1024);
        let large = Bytes::from(vec![b'x'; BYTES / 2]);
        assert!(to.try_send(large.clone()).is_ok() && to.try_send(large.clone()).is_ok());
        assert_eq!(to.try_send(Bytes::from_static(b"x")), Err(NotTaken));
        let waits = tokio::spawn({
            let (to, large) = (to.clone(), large.clone());
            async move { to.send(large).await }
        });
        tokio::task::yield_now().await;
        assert!(!waits.is_finished());
        assert!(from.recv().await.is_some(), "what was read makes room");
        assert_eq!(waits.await.unwrap(), Ok(()));
        assert!(from.recv().await.is_some() && from.recv().await.is_some());
        // More than there can ever be room for passes alone.
        assert!(to.try_send(Bytes::from(vec![0; BYTES + 1])).is_ok());
        assert!(to.try_send(large).is_err() && from.try_recv().is_ok());
    }

    #[tokio::test]
    async fn whoever_waits_for_room_hears_that_the_other_end_is_gone() {
        for closes in [true, false] {
            let (to, mut from) = queue::<Vec<u8>>(8);
            assert!(to.try_send(vec![0; BYTES]).is_ok());
            let waits = tokio::spawn(async move { to.send(vec![0]).await });
            tokio::task::yield_now().await;
            assert!(!waits.is_finished());
            if closes {
                from.close();
            } else {
                drop(from);
            }
            assert_eq!(waits.await.unwrap(), Err(NotTaken));
        }
    }
}
