//! One engine per user and profile: a lock file that the running engine holds, and an owner-only socket.

use std::fs::File;

use fd_lock::{RwLock, RwLockWriteGuard};

use crate::home::Home;

/// The lock on a profile; released when the process ends, however it ends.
#[derive(Debug)]
pub struct Lease {
    // The guard borrows the lock, and both live as long as the process: leaked on purpose.
    _guard: RwLockWriteGuard<'static, File>,
}

impl Lease {
    /// Takes the lock, or says `None` when another engine holds it.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn take(home: &Home) -> std::io::Result<Option<Self>> {
        let file = File::options().create(true).truncate(false).read(true).write(true).open(home.lock_file())?;
        let lock: &'static mut RwLock<File> = Box::leak(Box::new(RwLock::new(file)));
        match lock.try_write() {
            Ok(guard) => Ok(Some(Self { _guard: guard })),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether no engine holds the lock right now.
    ///
    /// # Errors
    /// As [`Lease::take`].
    pub fn is_free(home: &Home) -> std::io::Result<bool> {
        Ok(Self::take(home)?.is_some())
    }
}
