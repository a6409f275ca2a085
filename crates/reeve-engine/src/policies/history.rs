//! Every version of the person's rules: what changed, who changed it and when. One JSON file each, beside the policies.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::error::EngineError;
use crate::presence::Person;

/// Most versions kept; the oldest go first.
const KEPT: usize = 200;

/// How a version came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The files as they were when Reeve began to keep versions.
    Found,
    /// Saved on the screen.
    Saved,
    /// `reeve policy apply`.
    Applied,
    /// Written by the answer to a held action, or by an edit outside Reeve.
    Outside,
}

/// Who changes rules, and what they say about it.
#[derive(Debug, Clone)]
pub struct Author {
    pub person: Person,
    pub how: How,
    /// A sentence of theirs.
    pub note: Option<String>,
}

/// One file of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionFile {
    pub file: String,
    /// `None`: it was not there.
    pub before: Option<String>,
    /// `None`: it is gone.
    pub after: Option<String>,
}

/// One change of the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Sorts by time.
    pub id: String,
    pub at: DateTime<Utc>,
    /// Not known for what was edited outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    pub how: How,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    pub files: Vec<VersionFile>,
}

/// The versions of one profile.
#[derive(Debug)]
pub(super) struct History {
    folder: PathBuf,
    /// Each file as the newest version left it.
    latest: Mutex<HashMap<String, Option<String>>>,
}

impl History {
    /// Opens the versions; files that differ from the newest version were edited while nobody looked.
    ///
    /// # Errors
    /// When the folder cannot be read or a version not written.
    pub fn open(folder: PathBuf, now: &[VersionFile], at: DateTime<Utc>) -> Result<Self, EngineError> {
        let history = Self { folder, latest: Mutex::default() };
        let versions = history.all()?;
        let begun = !versions.is_empty();
        {
            let mut latest = history.latest.lock();
            for file in versions.into_iter().flat_map(|version| version.files) {
                latest.insert(file.file, file.after);
            }
        }
        let how = if begun { How::Outside } else { How::Found };
        history.notice(now, at, how)?;
        Ok(history)
    }

    /// Every version, oldest first. One that cannot be read (cut off, or of a newer Reeve) is left out: what binds is in the
    /// policy files, and a lost version must keep nobody from it.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn all(&self) -> Result<Vec<Version>, EngineError> {
        let mut versions = Vec::new();
        for path in self.paths()? {
            let read = super::read_or_empty(&path).map_err(|error| error.to_string());
            match read.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string())) {
                Ok(version) => versions.push(version),
                Err(error) => tracing::warn!(%error, path = %path.display(), "left out a version of the policies"),
            }
        }
        Ok(versions)
    }

    fn paths(&self) -> Result<Vec<PathBuf>, EngineError> {
        let unread = |source| EngineError::Read { path: self.folder.clone(), source };
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(unread(source)),
        };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(unread)?.path();
            if path.extension().is_some_and(|e| e == "json") {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }

    /// Keeps what is on disk as a version where no version says so yet. Files that are not named are gone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn notice(&self, now: &[VersionFile], at: DateTime<Utc>, how: How) -> Result<(), EngineError> {
        let mut files: Vec<VersionFile> = Vec::new();
        {
            let latest = self.latest.lock();
            for file in now {
                let before = latest.get(&file.file).cloned().flatten();
                if before != file.after {
                    files.push(VersionFile { before, ..file.clone() });
                }
            }
            for (file, text) in latest.iter().filter(|(name, _)| !now.iter().any(|file| file.file == **name)) {
                if text.is_some() {
                    files.push(VersionFile { file: file.clone(), before: text.clone(), after: None });
                }
            }
        }
        if files.is_empty() {
            return Ok(());
        }
        files.sort_by(|a, b| a.file.cmp(&b.file));
        self.keep(files, at, how, None, None).map(|_| ())
    }

    /// Keeps a version.
    ///
    /// # Errors
    /// When it cannot be written; then nothing may be changed.
    pub fn keep(
        &self,
        files: Vec<VersionFile>,
        at: DateTime<Utc>,
        how: How,
        by: Option<String>,
        note: Option<String>,
    ) -> Result<Version, EngineError> {
        let mut latest = self.latest.lock();
        let id = free_id(&self.folder, at);
        let version = Version { id: id.clone(), at, by, how, note, files };
        let text = serde_json::to_string_pretty(&version).map_err(|error| EngineError::Refused(error.to_string()))?;
        crate::files::write_atomically(&self.folder.join(format!("{id}.json")), text.as_bytes())?;
        for file in &version.files {
            latest.insert(file.file.clone(), file.after.clone());
        }
        let paths = self.paths()?;
        for old in paths.iter().take(paths.len().saturating_sub(KEPT)) {
            std::fs::remove_file(old).map_err(|source| EngineError::Write { path: old.clone(), source })?;
        }
        Ok(version)
    }

    /// Forgets a version that did not come about.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget(&self, version: &Version) -> Result<(), EngineError> {
        let path = self.folder.join(format!("{}.json", version.id));
        std::fs::remove_file(&path).map_err(|source| EngineError::Write { path, source })?;
        let mut latest = self.latest.lock();
        for file in &version.files {
            latest.insert(file.file.clone(), file.before.clone());
        }
        Ok(())
    }
}

/// A number that sorts by time and that no version has.
fn free_id(folder: &Path, at: DateTime<Utc>) -> String {
    let begin = at.format("%Y%m%dT%H%M%S%3fZ").to_string();
    let mut id = format!("{begin}-00");
    let mut next = 1;
    while next < 100 && folder.join(format!("{id}.json")).exists() {
        id = format!("{begin}-{next:02}");
        next += 1;
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, after: Option<&str>) -> VersionFile {
        VersionFile { file: name.to_owned(), before: None, after: after.map(str::to_owned) }
    }

    fn at(second: u32) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_000_000 + i64::from(second), 0).unwrap()
    }

    #[test]
    fn what_was_found_is_the_first_version_and_only_changes_make_new_ones() {
        let folder = tempfile::tempdir().unwrap();
        let open = |files: &[VersionFile], second| History::open(folder.path().join("h"), files, at(second)).unwrap();
        let history = open(&[file("mine.cedar", Some("a"))], 0);
        history.notice(&[file("mine.cedar", Some("a"))], at(1), How::Outside).unwrap();
        let all = history.all().unwrap();
        assert!(matches!(all.as_slice(), [found] if found.how == How::Found && found.files[0].before.is_none()));
        drop(history);
        let history = open(&[file("mine.cedar", Some("b"))], 2);
        let all = history.all().unwrap();
        assert_eq!((all.len(), all[1].how, all[1].files[0].before.as_deref()), (2, How::Outside, Some("a")));
        history.notice(&[], at(3), How::Outside).unwrap();
        assert_eq!(history.all().unwrap()[2].files[0].after, None);
    }

    #[test]
    fn a_version_that_cannot_be_read_is_left_out_and_stops_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let versions = folder.path().join("h");
        let open = |second| History::open(versions.clone(), &[file("mine.cedar", Some("a"))], at(second)).unwrap();
        drop(open(0));
        std::fs::write(versions.join("20990101T000000000Z-00.json"), "{\"id\": \"2099").unwrap();
        std::fs::write(versions.join("20990101T000000000Z-01.json"), [0xff, 0xfe]).unwrap();
        assert_eq!(open(1).all().unwrap().len(), 1);
    }

    #[test]
    fn a_version_that_did_not_come_about_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(folder.path().join("h"), &[file("mine.cedar", Some("a"))], at(0)).unwrap();
        let change = VersionFile { file: "mine.cedar".to_owned(), before: Some("a".to_owned()), after: None };
        let kept = history.keep(vec![change], at(0), How::Saved, Some("dana".to_owned()), None).unwrap();
        history.forget(&kept).unwrap();
        history.notice(&[file("mine.cedar", Some("a"))], at(1), How::Outside).unwrap();
        assert_eq!(history.all().unwrap().len(), 1);
    }

    #[test]
    fn only_so_many_versions_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(folder.path().join("h"), &[], at(0)).unwrap();
        for n in 0..(KEPT + 5) {
            let change = file("mine.cedar", Some(&n.to_string()));
            history.keep(vec![change], at(u32::try_from(n).unwrap()), How::Saved, None, None).unwrap();
        }
        let all = history.all().unwrap();
        assert_eq!((all.len(), all[0].files[0].after.as_deref()), (KEPT, Some("5")));
    }
}
