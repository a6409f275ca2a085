//! The local socket on Windows: a named pipe of the user's own. Written against the documentation, not run there.

use std::io;
use std::path::Path;

use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions};

pub type ReadHalf = tokio::io::ReadHalf<Pipe>;
pub type WriteHalf = tokio::io::WriteHalf<Pipe>;
pub type Pipe = tokio_util::either::Either<NamedPipeServer, NamedPipeClient>;

/// Makes pipe instances one after the other.
#[derive(Debug)]
pub struct Listener {
    name: String,
    next: tokio::sync::Mutex<NamedPipeServer>,
}

fn name(path: &Path) -> String {
    let hash = reeve_domain::operation::Digest::of(path.as_os_str().as_encoded_bytes());
    format!(r"\\.\pipe\reeve-{}", hash.as_str())
}

/// Listens; fails when another process owns the name.
///
/// # Errors
/// When the pipe cannot be made.
pub fn listen(path: &Path) -> io::Result<Listener> {
    let name = name(path);
    let first = ServerOptions::new().first_pipe_instance(true).reject_remote_clients(true).create(&name)?;
    Ok(Listener { name, next: tokio::sync::Mutex::new(first) })
}

/// Accepts one client. Windows does not tell its process here.
///
/// # Errors
/// When accepting fails.
pub async fn accept(listener: &Listener) -> io::Result<Option<(ReadHalf, WriteHalf, Option<u32>)>> {
    let mut next = listener.next.lock().await;
    next.connect().await?;
    let fresh = ServerOptions::new().reject_remote_clients(true).create(&listener.name)?;
    let connected = std::mem::replace(&mut *next, fresh);
    let (read, write) = tokio::io::split(Pipe::Left(connected));
    Ok(Some((read, write, None)))
}

/// Connects to a running engine.
///
/// # Errors
/// When nothing listens there.
pub async fn connect(path: &Path) -> io::Result<(ReadHalf, WriteHalf)> {
    let client = ClientOptions::new().open(name(path))?;
    Ok(tokio::io::split(Pipe::Right(client)))
}
