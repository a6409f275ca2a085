//! Edits of the person's own files outside Reeve. One that may let more pass waits: what was agreed to stays in force, over a
//! restart too, until a person loads the newer version or takes it back. What tightens, or says the same, binds at once.
//!
//! It guards against what nobody looked at, not against hostile code of the same user, which can write the memory too.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reeve_domain::event::{Draft, EventBody};
use reeve_domain::settings::Preset;
use reeve_domain::verdict::{Layer, Risk};
use reeve_policy::diff::diff;
use reeve_policy::tools;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::draft::changes;
use super::history::{How, VersionFile};
use super::{InForce, Policies, PolicyFile, is_own, read_files, read_or_empty};
use crate::Engine;
use crate::error::EngineError;
use crate::loosening::Change;
use crate::presence::Person;

/// Where the agreed files are remembered, inside the folder of the configuration. No version, so it has not their ending.
const MEMORY: &str = "history/agreed";

/// A version on disk that may let more pass than what is in force, until a person says what becomes of it.
#[derive(Debug)]
pub struct Waiting {
    /// What an answer names: changes with what differs.
    pub revision: String,
    /// What differs, in force before and on disk after.
    pub files: Vec<VersionFile>,
    /// What would be in force.
    now: InForce,
    /// The person's files in force.
    agreed: Vec<PolicyFile>,
    /// And on disk.
    own: Vec<PolicyFile>,
}

impl Waiting {
    fn names(&self) -> String {
        self.files.iter().map(|file| format!("`{}`", file.file)).collect::<Vec<_>>().join(", ")
    }

    /// Why what is on disk is not in force.
    fn problem(&self) -> String {
        format!(
            "{} changed outside Reeve and may let more pass: what was in force before stays so until a person loads the new \
             version or takes it back",
            self.names()
        )
    }

    /// The files that differ, as they are on disk.
    fn said(&self) -> String {
        let one = |file: &VersionFile| match &file.after {
            Some(text) => format!("# {}\n{}", file.file, text.trim_end()),
            None => format!("# {} is gone", file.file),
        };
        self.files.iter().map(one).collect::<Vec<_>>().join("\n\n")
    }
}

/// The person's files as they were agreed to. What cannot be remembered waits again after a restart.
#[derive(Debug)]
pub(super) struct Agreed {
    config: PathBuf,
    files: Vec<PolicyFile>,
}

/// One of them in the memory, by its path below the configuration.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remembered {
    file: PathBuf,
    text: String,
}

impl Agreed {
    /// What was agreed to; where nothing is remembered, what is there now.
    pub fn open(config: &Path, now: Vec<PolicyFile>) -> Self {
        let read = read_or_empty(&config.join(MEMORY)).map_err(|error| error.to_string());
        let parse = |text: String| serde_json::from_str::<Vec<Remembered>>(&text).map_err(|error| error.to_string());
        let config = config.to_path_buf();
        match read.and_then(|text| if text.is_empty() { Ok(None) } else { parse(text).map(Some) }) {
            Ok(Some(remembered)) => {
                let file = |one: Remembered| {
                    let path = config.join(&one.file);
                    let layer = if one.file.starts_with("policies/team") { Layer::Team } else { Layer::Mine };
                    PolicyFile::new(&path, layer, one.text)
                };
                Self { files: remembered.into_iter().map(file).collect(), config }
            }
            found => {
                if let Err(error) = found {
                    tracing::warn!(%error, "which rules were agreed to is not known any more: those on disk are in force");
                }
                let mut agreed = Self { config, files: Vec::new() };
                agreed.set(now);
                agreed
            }
        }
    }

    /// Agrees to the rules of a draft, which were weighed as a whole. What is no part of one goes on waiting: limits, and what
    /// a team brings. Gives what was agreed to before.
    pub fn agree_to(&mut self, rules: &[PolicyFile], folder: &Path) -> Vec<PolicyFile> {
        let before = self.files.clone();
        let others = before.iter().filter(|file| !is_own(file, folder));
        self.set(others.chain(rules).cloned().collect());
        before
    }

    pub fn set(&mut self, mut files: Vec<PolicyFile>) {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        self.files = files;
        let one = |file: &PolicyFile| Remembered {
            file: file.path.strip_prefix(&self.config).unwrap_or(&file.path).to_path_buf(),
            text: file.text.clone(),
        };
        let all: Vec<Remembered> = self.files.iter().map(one).collect();
        let text = serde_json::to_string_pretty(&all).map_err(|error| EngineError::Refused(error.to_string()));
        let written = text.and_then(|text| crate::files::write_atomically(&self.config.join(MEMORY), text.as_bytes()));
        if let Err(error) = written {
            tracing::error!(%error, "which rules were agreed to is not remembered");
        }
    }
}

/// How grave it is that the one takes the other's place; `None`: nothing more may pass.
fn weight(before: &InForce, now: &InForce) -> Option<Risk> {
    let weights = [
        Change::Rules(&diff(&before.set.rules(), &now.set.rules())).weight(),
        Change::Tools(&tools::diff(before.set.tools(), now.set.tools())).weight(),
        Change::Limits { before: &before.limits, after: &now.limits }.weight(),
    ];
    weights.into_iter().flatten().max()
}

impl Policies {
    /// What these files put in force: all of them, or what was agreed to where they may let more pass.
    ///
    /// # Errors
    /// When they do not load.
    pub(super) fn settle(
        &self,
        preset: Preset,
        files: &[PolicyFile],
        agreed: Option<&mut Agreed>,
    ) -> Result<InForce, String> {
        let now = self.loaded(preset, files.to_vec())?;
        let Some(agreed) = agreed else { return Ok(now) };
        let own: Vec<PolicyFile> = files.iter().filter(|file| file.path.starts_with(&self.config)).cloned().collect();
        if agreed.files == own {
            return Ok(now);
        }
        // What is not the person's counts as it is on disk: it is not theirs to agree to.
        let others = files.iter().filter(|file| !file.path.starts_with(&self.config));
        let mut kept: Vec<PolicyFile> = agreed.files.iter().chain(others).cloned().collect();
        kept.sort_by(|a, b| a.path.cmp(&b.path));
        // What was agreed to may not load any more, with another preset or beside newer rules of the organisation.
        let before = self.loaded(preset, kept).unwrap_or_else(|_| InForce::clone(&self.in_force()));
        if weight(&before, &now).is_none() {
            agreed.set(own);
            return Ok(now);
        }
        let files = changes(&agreed.files, own.iter());
        let waiting = Waiting { revision: revision(&files), files, agreed: agreed.files.clone(), now, own };
        Ok(InForce { problem: Some(waiting.problem()), waiting: Some(Arc::new(waiting)), ..before })
    }

    /// These files as they would be in force; what is in force already is not read again.
    fn loaded(&self, preset: Preset, files: Vec<PolicyFile>) -> Result<InForce, String> {
        let live = self.in_force();
        if live.set.preset() == preset && *live.files == *files {
            return Ok(InForce { problem: None, waiting: None, ..InForce::clone(&live) });
        }
        InForce::load(preset, files)
    }

    /// The files that are in force, or would be at the next look.
    pub(super) fn effective(&self) -> Result<Vec<PolicyFile>, EngineError> {
        let in_force = self.in_force();
        match in_force.waiting {
            Some(_) => Ok(in_force.files.to_vec()),
            None => read_files(&self.config, self.managed.as_deref()),
        }
    }

    /// Writes one of the person's files, or removes it. It is a person's act, so it is agreed to.
    ///
    /// # Errors
    /// When it waits, because it was changed outside, or cannot be written; then it is as it was.
    pub(super) fn write_own(&self, path: &Path, text: Option<&str>) -> Result<(), EngineError> {
        let mut seen = self.seen.lock();
        let at = |files: &[PolicyFile]| files.iter().find(|file| file.path == path).cloned();
        if let Some(waiting) = &self.in_force().waiting
            && at(&waiting.own) != at(&waiting.agreed)
        {
            return Err(EngineError::Refused(waiting.problem()));
        }
        // Remembered first: after a crash in between, what is on disk is no looser than what is remembered.
        let before = seen.agreed.as_ref().map(|agreed| agreed.files.clone());
        if let Some(agreed) = &mut seen.agreed {
            let mut files = agreed.files.clone();
            files.retain(|file| file.path != path);
            files.extend(text.map(|text| PolicyFile::new(path, Layer::Mine, text.to_owned())));
            agreed.set(files);
        }
        let written = put(path, text);
        if let (Err(_), Some(agreed), Some(before)) = (&written, &mut seen.agreed, before) {
            agreed.set(before);
        }
        written
    }

    /// What a start says of what was loosened while no engine ran, or waits still.
    pub(crate) fn waits(&self) -> Option<EventBody> {
        self.in_force().waiting.as_ref().map(|waiting| EventBody::PolicyWaiting { problem: waiting.problem() })
    }

    /// What waits, where it is what was shown.
    fn waiting(&self, revision: &str) -> Result<Arc<Waiting>, EngineError> {
        let waiting = self.in_force().waiting.clone();
        let Some(waiting) = waiting else {
            let why = "there is nothing to agree to: what is on disk is in force, or does not load";
            return Err(EngineError::Refused(why.to_owned()));
        };
        if waiting.revision != revision {
            let why = "the files changed since they were shown: look at them again, then agree to what is there now";
            return Err(EngineError::Refused(why.to_owned()));
        }
        Ok(waiting)
    }

    /// The next look puts in force what waits.
    fn load_waiting(&self, waiting: &Waiting) {
        let mut seen = self.seen.lock();
        if let Some(agreed) = &mut seen.agreed {
            agreed.set(waiting.own.clone());
        }
        seen.files.clear();
    }

    /// Writes the files as they are in force; the version that goes stays among those of the person's rules.
    fn drop_waiting(&self, waiting: &Waiting, by: &str, at: chrono::DateTime<chrono::Utc>) -> Result<(), EngineError> {
        let _seen = self.seen.lock();
        let folder = self.folder();
        let mine = |files: &[PolicyFile]| -> Vec<PolicyFile> {
            files.iter().filter(|file| is_own(file, &folder)).cloned().collect()
        };
        let back = changes(&mine(&waiting.own), mine(&waiting.agreed).iter());
        if let Some(history) = self.history.get().filter(|_| !back.is_empty()) {
            history.keep(back, at, How::Saved, Some(by.to_owned()), None)?;
        }
        for file in waiting.agreed.iter().filter(|file| !waiting.own.contains(file)) {
            put(&file.path, Some(&file.text))?;
        }
        let there = |file: &&PolicyFile| waiting.agreed.iter().any(|known| known.path == file.path);
        waiting.own.iter().filter(|file| !there(file)).try_for_each(|file| put(&file.path, None))
    }
}

impl Engine {
    /// A person loads what waits, with the proof that saving it would need.
    ///
    /// # Errors
    /// When it is not what the revision stands for, a human is to be proven first, or it cannot be recorded; then it goes on
    /// waiting.
    pub async fn load_outside(&self, revision: &str, person: &Person) -> Result<(), EngineError> {
        let policies = self.policies();
        let _one_at_a_time = policies.alone().await;
        self.reload().await?;
        let waiting = policies.waiting(revision)?;
        let weight = weight(&policies.in_force(), &waiting.now);
        let set = Arc::clone(&waiting.now.set);
        self.proven_for_rules("loading rules that were loosened outside", weight, set, person).await?;
        // The proof took its time.
        self.reload().await?;
        policies.waiting(revision)?;
        let what = format!("a looser version made outside was loaded by {}: {}", person.name, waiting.names());
        self.gate().record(Draft::engine(EventBody::PolicyChanged { what, text: waiting.said() })).await?;
        policies.load_waiting(&waiting);
        self.reload().await.map(|_| ())
    }

    /// A person takes back what waits: the files are again what is in force.
    ///
    /// # Errors
    /// When it is not what the revision stands for, or a file cannot be written. That it could not be recorded is said too;
    /// it is taken back all the same.
    pub async fn drop_outside(&self, revision: &str, person: &Person) -> Result<(), EngineError> {
        let policies = self.policies();
        let _one_at_a_time = policies.alone().await;
        self.reload().await?;
        let waiting = policies.waiting(revision)?;
        policies.drop_waiting(&waiting, &person.name, self.now())?;
        self.reload().await?;
        let what = format!("a looser version made outside was taken back by {}: {}", person.name, waiting.names());
        self.gate().record(Draft::engine(EventBody::PolicyChanged { what, text: waiting.said() })).await
    }
}

/// A digest of what differs.
fn revision(files: &[VersionFile]) -> String {
    let mut digest = sha2::Sha256::new();
    for file in files {
        for part in [Some(&file.file), file.before.as_ref(), file.after.as_ref()] {
            let length = part.map_or(u64::MAX, |text| text.len() as u64);
            digest.update(length.to_be_bytes());
            digest.update(part.map(String::as_bytes).unwrap_or_default());
        }
    }
    hex::encode(digest.finalize()).chars().take(16).collect()
}

/// Writes a file, or removes it; one that is not there is removed already.
pub(super) fn put(path: &Path, text: Option<&str>) -> Result<(), EngineError> {
    match text {
        Some(text) => crate::files::write_atomically(path, text.as_bytes()),
        None => match std::fs::remove_file(path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(EngineError::Write { path: path.to_path_buf(), source })
            }
            _ => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "@id(\"no\")\n@reason(\"r\")\nforbid (principal, action, resource == Host::\"a.example\");\n";

    /// An engine's rules as they are after a start.
    fn started(home: &Path) -> Policies {
        let policies = Policies::load(Preset::Balanced, home, None).unwrap();
        policies.keep_history().unwrap();
        policies
    }

    fn binds(policies: &Policies) -> bool {
        policies.in_force().set.rules().iter().any(|rule| rule.id.as_str() == "no")
    }

    #[test]
    fn what_was_loosened_while_no_engine_ran_waits_at_its_start() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("policies/mine.cedar");
        std::fs::create_dir_all(home.path().join("policies")).unwrap();
        std::fs::write(&file, RULE).unwrap();
        assert!(binds(&started(home.path())), "the first start knows nothing else");
        std::fs::write(&file, "").unwrap();
        let policies = started(home.path());
        assert!(binds(&policies) && policies.in_force().waiting.is_some());
        assert!(!binds(&Policies::load(Preset::Balanced, home.path(), None).unwrap()), "a check looks at the disk");
        // A memory that is lost or damaged is as good as none.
        std::fs::write(home.path().join(MEMORY), "[{").unwrap();
        let policies = started(home.path());
        assert!(!binds(&policies) && policies.in_force().waiting.is_none());
    }

    #[test]
    fn files_of_a_team_wait_too_and_keep_their_layer_in_the_memory() {
        let home = tempfile::tempdir().unwrap();
        let team = home.path().join("policies/team");
        std::fs::create_dir_all(&team).unwrap();
        std::fs::write(team.join("rules.cedar"), RULE).unwrap();
        std::fs::write(team.join("tools.yaml"), "tool_policies:\n  t: { max_row_count: 5 }\n").unwrap();
        drop(started(home.path()));
        assert!(started(home.path()).in_force().waiting.is_none());
        std::fs::remove_file(team.join("tools.yaml")).unwrap();
        let policies = started(home.path());
        let waiting = policies.in_force().waiting.clone().unwrap();
        assert_eq!(waiting.files.iter().map(|file| &*file.file).collect::<Vec<_>>(), ["team/tools.yaml"]);
    }
}
