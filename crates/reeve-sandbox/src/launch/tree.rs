//! Which processes descend from which. Read from `/proc` on Linux, from `ps` elsewhere (not run on macOS so far).

use std::collections::{BTreeMap, BTreeSet};

/// The direct children of a process, zombies not counted.
pub(super) fn children_of(pid: u32) -> Vec<u32> {
    parents().into_iter().filter(|(_, parent)| *parent == pid).map(|(child, _)| child).collect()
}

/// Everything that descends from a process, zombies not counted, without the branches that begin at `except`.
pub(super) fn descendants_of(pid: u32, except: &[u32]) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (child, parent) in parents() {
        children.entry(parent).or_default().push(child);
    }
    let mut found = BTreeSet::new();
    let mut open = vec![pid];
    while let Some(parent) = open.pop() {
        for child in children.get(&parent).into_iter().flatten() {
            if !except.contains(child) && found.insert(*child) {
                open.push(*child);
            }
        }
    }
    found.into_iter().collect()
}

/// Every living process with its parent.
#[cfg(target_os = "linux")]
fn parents() -> Vec<(u32, u32)> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            parse_stat(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?).map(|parent| (pid, parent))
        })
        .collect()
}

/// The parent in a line of `/proc/PID/stat`; `None` for a zombie. The program's name stands in brackets and may hold brackets.
#[cfg(target_os = "linux")]
fn parse_stat(line: &str) -> Option<u32> {
    let mut fields = line.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some(parent)
}

#[cfg(not(target_os = "linux"))]
fn parents() -> Vec<(u32, u32)> {
    let Ok(out) = std::process::Command::new("ps").args(["-A", "-o", "pid=,ppid=,state="]).output() else {
        return Vec::new();
    };
    String::from_utf8_lossy(&out.stdout)
        .lines()
        .filter_map(|line| {
            let mut fields = line.split_ascii_whitespace();
            let (pid, parent) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
            fields.next().filter(|state| !state.starts_with('Z')).map(|_| (pid, parent))
        })
        .collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_read_past_any_name_and_zombies_do_not_count() {
        assert_eq!(parse_stat("12 (sh) S 7 12 12 0 -1"), Some(7));
        assert_eq!(parse_stat("12 (a) Z 1 (b)) R 9 12"), Some(9));
        assert_eq!(parse_stat("12 (sh) Z 7 12 12"), None);
        assert_eq!(parse_stat("nonsense"), None);
    }

    #[test]
    fn a_grandchild_is_found_and_a_branch_can_be_left_out() {
        let mut child = std::process::Command::new("sh").args(["-c", "sleep 30 & wait"]).spawn().unwrap();
        let begun = std::time::Instant::now();
        let mine = std::process::id();
        while children_of(child.id()).is_empty() {
            assert!(begun.elapsed().as_secs() < 10, "the shell started nothing");
        }
        let grandchild = children_of(child.id())[0];
        let found = descendants_of(mine, &[]);
        let without = descendants_of(mine, &[child.id()]);
        child.kill().unwrap();
        child.wait().unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(grandchild.cast_signed()), nix::sys::signal::SIGKILL)
            .unwrap();
        assert!(found.contains(&child.id()) && found.contains(&grandchild));
        assert!(!without.contains(&child.id()) && !without.contains(&grandchild));
    }
}
