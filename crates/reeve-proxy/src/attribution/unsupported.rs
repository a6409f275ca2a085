//! Systems where Reeve does not ask who owns a connection yet; sessions are told apart by their tokens alone.

use std::net::SocketAddr;

use reeve_domain::session::ProcessMark;

use super::Owner;

pub(super) fn find(_peer: SocketAddr, _local: SocketAddr, _likely: &[u32]) -> Option<Owner> {
    None
}

pub(super) fn parent(_pid: u32) -> Option<u32> {
    None
}

pub(super) fn mark(_pid: u32) -> Option<ProcessMark> {
    None
}

pub(super) fn user_of_process(_pid: u32) -> Option<u32> {
    None
}

pub(super) fn environment(_pid: u32) -> Option<Vec<Vec<u8>>> {
    None
}

pub(super) fn user(_peer: SocketAddr, _local: SocketAddr) -> Option<u32> {
    None
}
