//! Which process is at the other end of a loopback connection: socket to process to program and parents.
//! At assurance level L0 a mismatch is recorded and warned of, because another process of the user may act in between.

#[cfg(target_os = "linux")]
#[path = "attribution/linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "attribution/unsupported.rs"]
mod system;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use reeve_domain::session::{Opener, ProcessMark};
use tokio::sync::Semaphore;

/// Whether this system tells who owns a connection.
pub const SUPPORTED: bool = cfg!(target_os = "linux");

/// Processes looked at first, because they were found lately.
const REMEMBERED: usize = 32;
/// A look-up that does not get its turn within this time is given up: the answer would come too late to be of use.
const PATIENCE: Duration = Duration::from_secs(2);
/// Parents followed at most.
const MOST_ANCESTORS: usize = 64;

/// The process that holds the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub pid: u32,
    /// Its program; `None` when it may not be read or is gone.
    pub exe: Option<PathBuf>,
    /// Its parent, that one's parent and so on, nearest first.
    pub ancestors: Vec<u32>,
}

impl Owner {
    /// Whether it is this process or descends from it.
    #[must_use]
    pub fn descends_from(&self, pid: u32) -> bool {
        self.pid == pid || self.ancestors.contains(&pid)
    }
}

/// The owner of the socket whose own address is `peer` and whose other end is `local`. Reads the process table: to be
/// called where blocking is allowed. `None`: gone, of another user, or not supported here.
#[must_use]
pub fn owner_of(peer: SocketAddr, local: SocketAddr) -> Option<Owner> {
    system::find(peer, local, &[])
}

/// Parents of a process, nearest first; empty when it is gone or this is not supported here.
#[must_use]
pub fn ancestors(pid: u32) -> Vec<u32> {
    let parents = std::iter::successors(system::parent(pid), |pid| system::parent(*pid));
    parents.take_while(|pid| *pid != 0).take(MOST_ANCESTORS).collect()
}

/// User of the process whose own address is `peer` and whose other end is `local`, also where that process itself may not
/// be looked at. `None`: gone, or not supported here. Reads the table of sockets: to be called where blocking is allowed.
#[must_use]
pub fn user_of(peer: SocketAddr, local: SocketAddr) -> Option<u32> {
    system::user(peer, local)
}

/// Who opens a session: the process, its user, and what started it. To be called while it waits for an answer. `None`:
/// gone, or not supported here.
#[must_use]
pub fn opener(pid: u32) -> Option<Opener> {
    let parent = system::parent(pid).filter(|parent| *parent != 0).and_then(system::mark);
    Some(Opener { uid: system::user_of_process(pid)?, process: system::mark(pid)?, parent })
}

/// Whether the very process that was marked still runs.
#[must_use]
pub fn still_runs(mark: &ProcessMark) -> bool {
    system::mark(mark.pid).is_some_and(|now| now.started == mark.started)
}

/// What a process was started with, as `NAME=value` each; `None` where that may not be read. What it set for itself later
/// is not among it, and what a hostile process wrote over it is.
#[must_use]
pub fn environment(pid: u32) -> Option<Vec<Vec<u8>>> {
    system::environment(pid)
}

/// Looks owners up off the async threads, one at a time, and first among the processes that were found lately.
#[derive(Debug)]
pub struct Attributor {
    turn: Semaphore,
    recent: Arc<Mutex<VecDeque<u32>>>,
}

impl Default for Attributor {
    fn default() -> Self {
        Self { turn: Semaphore::new(1), recent: Arc::default() }
    }
}

impl Attributor {
    /// As [`owner_of`]; also `None` when too many others wait.
    pub async fn owner_of(&self, peer: SocketAddr, local: SocketAddr) -> Option<Owner> {
        let _turn = tokio::time::timeout(PATIENCE, self.turn.acquire()).await.ok()?.ok()?;
        let recent = Arc::clone(&self.recent);
        let look = tokio::task::spawn_blocking(move || {
            let likely: Vec<u32> = recent.lock().iter().copied().collect();
            let owner = system::find(peer, local, &likely)?;
            let mut recent = recent.lock();
            recent.retain(|pid| *pid != owner.pid);
            recent.push_front(owner.pid);
            recent.truncate(REMEMBERED);
            Some(owner)
        });
        look.await.ok().flatten()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::process::Command;

    use super::*;

    #[test]
    fn a_connection_of_this_process_is_traced_to_it() {
        for bind in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(bind) else { continue };
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (server, peer) = listener.accept().unwrap();
            let owner = owner_of(peer, server.local_addr().unwrap()).unwrap();
            assert_eq!(owner.pid, std::process::id());
            assert_eq!(owner.exe, std::env::current_exe().ok());
            assert_eq!(owner.ancestors.first().copied(), Some(std::os::unix::process::parent_id()));
            drop(client);
        }
    }

    #[tokio::test]
    async fn a_connection_of_a_child_is_traced_to_the_child_and_its_parents() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; read -r line <&3");
        let mut child = Command::new("bash").args(["-c", &script]).spawn().unwrap();
        let (server, peer) = listener.accept().unwrap();
        let attributor = Attributor::default();
        for _ in 0..2 {
            let owner = attributor.owner_of(peer, server.local_addr().unwrap()).await.unwrap();
            assert_eq!(owner.pid, child.id());
            assert!(owner.descends_from(std::process::id()) && owner.descends_from(child.id()));
            assert!(owner.exe.is_some_and(|exe| exe.ends_with("bash")));
        }
        assert_eq!(attributor.recent.lock().len(), 1);
        drop(server);
        child.wait().unwrap();
    }

    #[test]
    fn nobody_owns_a_connection_that_is_not_there() {
        assert_eq!(owner_of("127.0.0.1:1".parse().unwrap(), "127.0.0.1:2".parse().unwrap()), None);
    }

    #[test]
    fn the_user_of_a_connection_is_told_without_looking_at_its_process() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, peer) = listener.accept().unwrap();
        let opener = opener(std::process::id()).unwrap();
        assert_eq!(user_of(peer, server.local_addr().unwrap()), Some(opener.uid));
        drop(client);
    }

    #[test]
    fn a_process_is_marked_so_that_a_later_one_of_its_number_is_another() {
        let opener = opener(std::process::id()).unwrap();
        assert_eq!(opener.parent.as_ref().map(|p| p.pid), Some(std::os::unix::process::parent_id()));
        assert!(still_runs(&opener.process));
        assert!(!still_runs(&ProcessMark { started: opener.process.started + 1, ..opener.process }));
        assert!(environment(std::process::id()).unwrap().iter().any(|pair| pair.starts_with(b"PATH=")));
    }

    #[test]
    fn ancestors_end_at_the_first_process() {
        let chain = ancestors(std::process::id());
        assert_eq!(chain.first().copied(), Some(std::os::unix::process::parent_id()));
        assert!(!chain.contains(&0) && chain.len() <= MOST_ANCESTORS);
        assert!(ancestors(u32::MAX).is_empty());
    }
}
