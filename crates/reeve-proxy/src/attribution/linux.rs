//! Linux: `/proc/net/tcp` names the socket by its inode, `/proc/<pid>/fd` names its holder.

use std::fs;
use std::io::{BufRead, BufReader, Read as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reeve_domain::session::ProcessMark;

use super::{Owner, ancestors};

/// Rows, processes and descriptors looked at in one look-up at most.
const MOST_ROWS: usize = 200_000;
const MOST_PROCESSES: usize = 32_768;
const MOST_DESCRIPTORS: usize = 65_536;
/// Bytes of an environment looked at; the kernel allows more only for the largest stacks.
const MOST_ENVIRONMENT: u64 = 4 * 1024 * 1024;
const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

pub(super) fn find(peer: SocketAddr, local: SocketAddr, likely: &[u32]) -> Option<Owner> {
    let inode = TABLES.iter().find_map(|table| Some(row_in(table, peer, local)?.inode))?;
    let link = format!("socket:[{inode}]");
    let pid = likely.iter().copied().find(|pid| holds(*pid, &link)).or_else(|| {
        let all = fs::read_dir("/proc").ok()?.take(MOST_PROCESSES).filter_map(Result::ok);
        let mut pids: Vec<u32> = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        // Young processes first: an agent is younger than the desktop it runs in.
        pids.sort_unstable_by(|a, b| b.cmp(a));
        pids.into_iter().filter(|pid| !likely.contains(pid)).find(|pid| holds(*pid, &link))
    })?;
    Some(Owner { pid, exe: fs::read_link(format!("/proc/{pid}/exe")).ok(), ancestors: ancestors(pid) })
}

pub(super) fn parent(pid: u32) -> Option<u32> {
    stat(pid, 1)?.try_into().ok()
}

/// A number of `/proc/<pid>/stat`, counted from the state behind the program's name.
fn stat(pid: u32, field: usize) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name stands in parentheses and may hold anything, also parentheses.
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(field)?.parse().ok()
}

pub(super) fn mark(pid: u32) -> Option<ProcessMark> {
    let exe = fs::read_link(format!("/proc/{pid}/exe")).ok();
    Some(ProcessMark { pid, started: stat(pid, 19)?, exe: exe.map(|exe| exe.display().to_string()) })
}

pub(super) fn user_of_process(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

pub(super) fn environment(pid: u32) -> Option<Vec<Vec<u8>>> {
    let mut bytes = Vec::new();
    fs::File::open(format!("/proc/{pid}/environ")).ok()?.take(MOST_ENVIRONMENT).read_to_end(&mut bytes).ok()?;
    Some(bytes.split(|byte| *byte == 0).filter(|pair| !pair.is_empty()).map(<[u8]>::to_vec).collect())
}

pub(super) fn user(peer: SocketAddr, local: SocketAddr) -> Option<u32> {
    TABLES.iter().find_map(|table| Some(row_in(table, peer, local)?.uid))
}

fn holds(pid: u32, link: &str) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    let mut descriptors = descriptors.take(MOST_DESCRIPTORS).filter_map(Result::ok);
    descriptors.any(|entry| fs::read_link(entry.path()).is_ok_and(|target| target.as_os_str() == link))
}

/// A socket of the kernel's table.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    local: SocketAddr,
    remote: SocketAddr,
    uid: u32,
    inode: u64,
}

fn row_in(table: &str, own: SocketAddr, other: SocketAddr) -> Option<Row> {
    let rows = BufReader::new(fs::File::open(table).ok()?).lines().skip(1).take(MOST_ROWS).map_while(Result::ok);
    // A socket that is being closed belongs to nobody any more.
    let is_it = |row: &Row| same(row.local, own) && same(row.remote, other) && row.inode != 0;
    rows.filter_map(|row| read_row(&row)).find(is_it)
}

fn same(a: SocketAddr, b: SocketAddr) -> bool {
    a.port() == b.port() && a.ip().to_canonical() == b.ip().to_canonical()
}

fn read_row(row: &str) -> Option<Row> {
    let mut fields = row.split_ascii_whitespace().skip(1);
    let (local, remote) = (read_address(fields.next()?)?, read_address(fields.next()?)?);
    let uid = fields.nth(4)?.parse().ok()?;
    Some(Row { local, remote, uid, inode: fields.nth(1)?.parse().ok()? })
}

/// `0100007F:1F90`: 32-bit words in the machine's byte order, then the port.
fn read_address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let word = |at: usize| u32::from_str_radix(address.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    let ip: IpAddr = match address.len() {
        8 => Ipv4Addr::from(word(0)?).into(),
        32 => {
            let bytes: Vec<u8> = [word(0)?, word(8)?, word(16)?, word(24)?].concat();
            Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn rows_of_the_kernel_are_read() {
        let row =
            "   1: 0100007F:8FF8 0100007F:01BB 01 00000000:00000000 00:00000000 00000000  1000        0 130383 1 0 21";
        let (local, remote) = ("127.0.0.1:36856".parse().unwrap(), "127.0.0.1:443".parse().unwrap());
        assert_eq!(read_row(row), Some(Row { local, remote, uid: 1000, inode: 130_383 }));
        let mapped = read_address("0000000000000000FFFF00000100007F:0050").unwrap();
        assert!(same(mapped, "127.0.0.1:80".parse().unwrap()));
        assert_eq!(read_address("00000000000000000000000001000000:0001"), "[::1]:1".parse().ok());
        for bad in ["", "x", "1: 2: 3", "0: 0100007F:ZZZZ 0100007F:01BB", "0: 01:1 02:2 01 0 0 0 0 0 5"] {
            assert_eq!(read_row(bad), None, "{bad}");
        }
    }
}
