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
pub(super) struct CaseFiles {
    texts: BTreeMap<String, String>,
    /// What is there and cannot be read, the folder among it: it fails, and is neither kept nor replaced.
    unread: Vec<Problem>,
}

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
    /// When it names no case file, replaces a part of one, or one that cannot be read.
    pub fn change(&mut self, change: &FileChange) -> Result<(), EngineError> {
        let name = change.file.strip_prefix(FOLDER).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
        if !is_plain(name, ".yaml") {
            return Err(EngineError::Refused(format!(
                "`{}` is not the name of a case file, such as `cases/mine.yaml`",
                change.file
            )));
        }
        if let Some(problem) = self.unread.iter().find(|one| one.file == change.file || one.file == FOLDER) {
            return Err(EngineError::Refused(problem.to_string()));
        }
        match change.part {
            Part::File => {
                self.texts.insert(change.file.clone(), change.text.clone());
                Ok(())
            }
            Part::Gone => {
                self.texts.remove(&change.file);
                Ok(())
            }
            Part::Rule(_) | Part::New => {
                Err(EngineError::Refused(format!("`{}` holds no rules: it is changed as a whole", change.file)))
            }
        }
    }

    /// What differs from these files in others.
    pub fn changes(&self, after: &Self) -> Vec<VersionFile> {
        let names = self.texts.keys().chain(after.texts.keys().filter(|name| !self.texts.contains_key(*name)));
        let version = |name: &String| VersionFile {
            file: name.clone(),
            before: self.texts.get(name).cloned(),
            after: after.texts.get(name).cloned(),
        };
        names.map(version).filter(|file| file.before != file.after).collect()
    }

    /// Every file that can be read, with its text, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.texts.iter()
    }

    /// Judges every case.
    pub fn run(&self, set: &PolicySet) -> Cases {
        let mut out = Cases { results: Vec::new(), problems: self.unread.clone() };
        for (name, text) in &self.texts {
            match cases::run(set, text, name) {
                Ok(results) => out.results.extend(results),
                Err(error) => out.problems.extend(error.problems().iter().cloned()),
            }
        }
        out
    }
}

impl Policies {
    /// The person's case files as they are on disk. They bind nothing, so one that cannot be read stops nothing.
    pub(super) fn case_files(&self) -> CaseFiles {
        let mut files = CaseFiles::default();
        let entries = match std::fs::read_dir(self.folder().join(FOLDER)) {
            Ok(entries) => entries,
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => return files,
            Err(error) => {
                files.unread.push(unread(FOLDER, &error));
                return files;
            }
        };
        for entry in entries {
            let path = match entry {
                Ok(entry) => entry.path(),
                Err(error) => {
                    files.unread.push(unread(FOLDER, &error));
                    continue;
                }
            };
            if path.extension().is_none_or(|e| e != "yaml") {
                continue;
            }
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let name = format!("{FOLDER}/{name}");
            match std::fs::read_to_string(&path) {
                Ok(text) => _ = files.texts.insert(name, text),
                Err(error) => files.unread.push(unread(&name, &error)),
            }
        }
        files.unread.sort();
        files
    }
}

fn unread(file: &str, error: &std::io::Error) -> Problem {
    Problem { file: file.to_owned(), line: 0, column: 0, length: 0, message: format!("cannot be read: {error}") }
}
