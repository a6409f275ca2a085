//! The branch that a folder's git repository is on: whoever allows a push wants to know it. It is read from git's own files,
//! which the agent can write: foreign text, and a fact only as far as the folder is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::files::read_plain;

/// Most bytes of a file that names a branch or a folder.
const LARGEST: u64 = 4096;
/// Folders above the first that are looked into.
const HIGHEST: usize = 64;
/// Of a commit that no branch stands for, so many digits are shown.
const DIGITS: usize = 10;
const BRANCH: &str = "ref: refs/heads/";
/// Looks that go on at a time, and how long each is waited for.
const LOOKS: usize = 4;
const WITHIN: Duration = Duration::from_millis(200);

/// Looks for branches where a folder may be on a disk that does not answer: such a look never ends, and nobody waits for it.
#[derive(Debug)]
pub struct Branches(Arc<Semaphore>);

impl Default for Branches {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LOOKS)))
    }
}

impl Branches {
    /// What [`of`] finds. `None` also where that takes too long, or too many looks go on.
    pub async fn look(&self, folder: &Path) -> Option<String> {
        let place = Arc::clone(&self.0).try_acquire_owned().ok()?;
        let folder = folder.to_path_buf();
        let looked = tokio::task::spawn_blocking(move || {
            let found = of(&folder);
            drop(place);
            found
        });
        tokio::time::timeout(WITHIN, looked).await.ok()?.ok().flatten()
    }
}

/// The branch, else the beginning of the commit, that is checked out in this folder or the nearest one above it that git knows.
/// `None`: there is none, or it cannot be read.
fn of(folder: &Path) -> Option<String> {
    let head = folder.ancestors().take(HIGHEST).find_map(git_folder)?.join("HEAD");
    let text = read_plain(&head, LARGEST).ok()?;
    let line = text.lines().next()?.trim();
    match line.strip_prefix(BRANCH) {
        Some(branch) => (!branch.is_empty()).then(|| branch.to_owned()),
        None => {
            let is_commit = line.len() >= 40 && line.bytes().all(|byte| byte.is_ascii_hexdigit());
            line.get(..DIGITS).filter(|_| is_commit).map(str::to_owned)
        }
    }
}

/// Where git keeps what it knows of this folder: below it, or, for a second work tree, where a file says.
fn git_folder(folder: &Path) -> Option<PathBuf> {
    let git = folder.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let text = read_plain(&git, LARGEST).ok()?;
    Some(folder.join(text.strip_prefix("gitdir:")?.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn more_looks_than_may_go_on_find_nothing() {
        let (branches, there) = (Branches::default(), repository("ref: refs/heads/main\n"));
        assert_eq!(branches.look(there.path()).await.as_deref(), Some("main"));
        let _all = branches.0.acquire_many(4).await.unwrap();
        assert_eq!(branches.look(there.path()).await, None);
    }

    fn repository(head: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join(".git")).unwrap();
        std::fs::create_dir_all(folder.path().join("deep/down")).unwrap();
        std::fs::write(folder.path().join(".git/HEAD"), head).unwrap();
        folder
    }

    #[test]
    fn the_branch_is_that_of_the_nearest_repository_above() {
        let outer = repository("ref: refs/heads/feature/x\n");
        assert_eq!(of(outer.path()).as_deref(), Some("feature/x"));
        assert_eq!(of(&outer.path().join("deep/down")).as_deref(), Some("feature/x"));
        let tree = outer.path().join("deep/down/tree");
        std::fs::create_dir_all(outer.path().join(".git/worktrees/tree")).unwrap();
        std::fs::write(outer.path().join(".git/worktrees/tree/HEAD"), "ref: refs/heads/other\n").unwrap();
        std::fs::create_dir_all(&tree).unwrap();
        std::fs::write(tree.join(".git"), "gitdir: ../../../.git/worktrees/tree\n").unwrap();
        assert_eq!(of(&tree).as_deref(), Some("other"));
    }

    #[test]
    fn without_a_branch_the_commit_is_named_and_nothing_else_is_told() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(of(repository(commit).path()).as_deref(), Some("0123456789"));
        for head in ["", "ref: refs/heads/", "ref: refs/remotes/origin/main", "root:x:0:0", "0123456789"] {
            assert_eq!(of(repository(head).path()), None, "{head}");
        }
        assert_eq!(of(repository(&"x".repeat(5_000)).path()), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_or_a_link_in_its_place_is_not_waited_for() {
        let pipe = repository("");
        std::fs::remove_file(pipe.path().join(".git/HEAD")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(pipe.path().join(".git/HEAD")).status().unwrap();
        assert!(made.success());
        assert_eq!(of(pipe.path()), None);
        let link = repository("");
        std::fs::remove_file(link.path().join(".git/HEAD")).unwrap();
        std::fs::write(link.path().join("elsewhere"), "ref: refs/heads/main").unwrap();
        std::os::unix::fs::symlink(link.path().join("elsewhere"), link.path().join(".git/HEAD")).unwrap();
        assert_eq!(of(link.path()), None);
    }
}
