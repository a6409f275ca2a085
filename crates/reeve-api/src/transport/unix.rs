//! The local socket on Linux and macOS: a path socket with mode 0600; the peer's process is asked of the kernel.

use std::io;
use std::path::Path;

use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};

pub type Listener = UnixListener;
pub type ReadHalf = OwnedReadHalf;
pub type WriteHalf = OwnedWriteHalf;

/// Listens; a stale socket of an engine that is gone is replaced (the caller holds the lease).
///
/// # Errors
/// When the path cannot be bound.
pub fn listen(path: &Path) -> io::Result<Listener> {
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(listener)
}

/// Accepts one client: its halves, and its process where the kernel tells. Another user's process is refused.
///
/// # Errors
/// When accepting fails.
pub async fn accept(listener: &Listener) -> io::Result<Option<(ReadHalf, WriteHalf, Option<u32>)>> {
    let (stream, _) = listener.accept().await?;
    let peer = stream.peer_cred()?;
    if peer.uid() != nix::unistd::getuid().as_raw() {
        return Ok(None);
    }
    let pid = peer.pid().and_then(|pid| u32::try_from(pid).ok());
    let (read, write) = stream.into_split();
    Ok(Some((read, write, pid)))
}

/// Connects to a running engine.
///
/// # Errors
/// When nothing listens there.
pub async fn connect(path: &Path) -> io::Result<(ReadHalf, WriteHalf)> {
    Ok(UnixStream::connect(path).await?.into_split())
}
