//! A project's policy files on disk. The agent that is governed here can write their folders and they are looked at at every
//! tick: what is read is bounded, never waited for, and not read again while nothing says that it changed.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use reeve_domain::verdict::Layer;

use crate::error::EngineError;
use crate::files::read_plain;
use crate::policies::{PolicyFile, TOOLS_FILE};

/// Most bytes of one file.
const LARGEST: u64 = 256 * 1024;
/// Most bytes of one project's files together.
const LARGEST_TOGETHER: usize = 1024 * 1024;
/// Most policy files of one project.
pub(super) const MOST_FILES: usize = 64;
/// Most things of any kind in one folder of policies.
pub(super) const MOST_ENTRIES: usize = 1024;

/// A file that was written less than this before it was read may be written once more without looking any different:
/// clocks of file systems are coarse.
const COARSE: Duration = Duration::from_secs(2);

/// The policy files that a project has, and what tells without reading them that they are what they were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listing(Vec<(PathBuf, Stamp)>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    #[cfg(unix)]
    node: (u64, u64),
    /// Of whatever is done to the file; who writes it cannot set it.
    #[cfg(unix)]
    changed: (i64, i64),
}

impl Stamp {
    fn of(data: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt as _;
        Self {
            bytes: data.len(),
            modified: data.modified().ok(),
            #[cfg(unix)]
            node: (data.dev(), data.ino()),
            #[cfg(unix)]
            changed: (data.ctime(), data.ctime_nsec()),
        }
    }
}

impl Listing {
    /// The files of every folder from `cwd` up: a nearer one adds to those further out and takes nothing away.
    pub fn of(cwd: &Path) -> Result<Self, EngineError> {
        let mut files = Vec::new();
        for folder in cwd.ancestors().map(|folder| folder.join(".reeve").join("policies")).filter(|p| p.is_dir()) {
            let unread = |source| EngineError::Read { path: folder.clone(), source };
            let too_many = |problem: String| EngineError::Config { path: folder.clone(), problem };
            for (number, entry) in std::fs::read_dir(&folder).map_err(unread)?.enumerate() {
                let path = entry.map_err(unread)?.path();
                if number >= MOST_ENTRIES {
                    return Err(too_many(format!("more than {MOST_ENTRIES} files")));
                }
                let is_tools = path.file_name().is_some_and(|name| name == TOOLS_FILE);
                if !is_tools && path.extension().is_none_or(|ending| ending != "cedar") {
                    continue;
                }
                if files.len() >= MOST_FILES {
                    return Err(too_many(format!("more than {MOST_FILES} policy files in this project")));
                }
                match std::fs::symlink_metadata(&path) {
                    Ok(data) => files.push((path, Stamp::of(&data))),
                    // Gone since it was listed.
                    Err(gone) if gone.kind() == io::ErrorKind::NotFound => {}
                    Err(source) => return Err(EngineError::Read { path, source }),
                }
            }
        }
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(Self(files))
    }

    /// Whether files that were read at this time and look the same now are the same.
    pub fn tells(&self, read_at: SystemTime) -> bool {
        let old = |at: SystemTime| at.checked_add(COARSE).is_some_and(|end| end <= read_at);
        self.0.iter().all(|(_, stamp)| stamp.modified.is_some_and(old))
    }

    pub fn read(&self) -> Result<Vec<PolicyFile>, EngineError> {
        let mut files = Vec::new();
        let mut together = 0;
        for (path, _) in &self.0 {
            let text = read_plain(path, LARGEST).map_err(|source| EngineError::Read { path: path.clone(), source })?;
            together += text.len();
            if together > LARGEST_TOGETHER {
                let problem = format!("more than {LARGEST_TOGETHER} bytes of policy files in this project");
                return Err(EngineError::Config { path: path.clone(), problem });
            }
            files.push(PolicyFile::new(path, Layer::Project, text));
        }
        Ok(files)
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    /// An hour ago: nobody is writing it any more.
    fn settle(path: &Path) -> SystemTime {
        let at = SystemTime::now() - Duration::from_secs(3600);
        std::fs::File::options().append(true).open(path).unwrap().set_modified(at).unwrap();
        at
    }

    #[test]
    fn a_file_that_was_written_again_looks_different_whatever_its_writer_says_of_the_time() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".reeve/policies");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("a.cedar");
        let listing = || Listing::of(home.path()).unwrap();
        let nothing = listing();
        std::fs::write(&file, "one").unwrap();
        assert_ne!(listing(), nothing);
        assert!(!listing().tells(SystemTime::now()), "it may be written once more in the same moment");
        let at = settle(&file);
        let one = listing();
        assert_eq!(listing(), one);
        assert!(one.tells(SystemTime::now()) && nothing.tells(SystemTime::now()));
        // The same length and the same time, as far as its writer can set it.
        std::fs::write(&file, "two").unwrap();
        std::fs::File::options().append(true).open(&file).unwrap().set_modified(at).unwrap();
        let two = listing();
        assert_ne!(two, one);
        // Another file in its place.
        let other = folder.join("other");
        std::fs::write(&other, "two").unwrap();
        settle(&other);
        std::fs::rename(&other, &file).unwrap();
        assert_ne!(listing(), two);
    }
}
