//! The person's case files: which there are, how a draft leaves them, and how they come out.

use std::collections::BTreeMap;

use reeve_policy::cases::{self, CaseResult};
use reeve_policy::{PolicySet, Problem};

use super::draft::{FileChange, Part};
use super::history::VersionFile;
use super::{Policies, is_plain};
use crate::error::EngineError;

/// Folder of the case files, inside the one of the rules.
const FOLDER: &str = "cases";

/// Case files by name, such as `cases/mine.yaml`, with their text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct CaseFiles(BTreeMap<String, String>);

/// How the case files came out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cases {
    pub results: Vec<CaseResult>,
    /// Case files that do not load.
    pub problems: Vec<Problem>,
}

impl Cases {
    #[must_use]
    pub fn pass(&self) -> bool {
        self.problems.is_empty() && self.results.iter().all(CaseResult::passed)
    }
}

/// Whether a change is one of a case file.
pub(super) fn is_case_file(name: &str) -> bool {
    name.strip_prefix(FOLDER).is_some_and(|rest| rest.starts_with('/'))
}

impl CaseFiles {
    /// The files with one more change.
    ///
    /// # Errors
    /// When it names no case file, or replaces a part of one.
    pub fn change(&mut self, change: &FileChange) -> Result<(), EngineError> {
        let name = change.file.strip_prefix(FOLDER).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
        if !is_plain(name, ".yaml") {
            return Err(EngineError::Refused(format!(
                "`{}` is not the name of a case file, such as `cases/mine.yaml`",
                change.file
            )));
        }
        match change.part {
            Part::File => {
                self.0.insert(change.file.clone(), change.text.clone());
                Ok(())
            }
            Part::Gone => {
                self.0.remove(&change.file);
                Ok(())
            }
            Part::Rule(_) | Part::New => {
                Err(EngineError::Refused(format!("`{}` holds no rules: it is changed as a whole", change.file)))
            }
        }
    }

    /// What differs from these files in others.
    pub fn changes(&self, after: &Self) -> Vec<VersionFile> {
        let names = self.0.keys().chain(after.0.keys().filter(|name| !self.0.contains_key(*name)));
        let version = |name: &String| VersionFile {
            file: name.clone(),
            before: self.0.get(name).cloned(),
            after: after.0.get(name).cloned(),
        };
        names.map(version).filter(|file| file.before != file.after).collect()
    }

    /// Every file with its text, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }

    /// Judges every case.
    pub fn run(&self, set: &PolicySet) -> Cases {
        let mut out = Cases::default();
        for (name, text) in &self.0 {
            match cases::run(set, text, name) {
                Ok(results) => out.results.extend(results),
                Err(error) => out.problems.extend(error.problems().iter().cloned()),
            }
        }
        out
    }
}

impl Policies {
    /// The person's case files as they are on disk.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(super) fn case_files(&self) -> Result<CaseFiles, EngineError> {
        let folder = self.folder().join(FOLDER);
        let unread = |source| EngineError::Read { path: folder.clone(), source };
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => return Ok(CaseFiles::default()),
            Err(source) => return Err(unread(source)),
        };
        let mut files = BTreeMap::new();
        for entry in entries {
            let path = entry.map_err(unread)?.path();
            if path.extension().is_some_and(|e| e == "yaml") {
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                files.insert(format!("{FOLDER}/{name}"), super::read_or_empty(&path)?);
            }
        }
        Ok(CaseFiles(files))
    }
}
