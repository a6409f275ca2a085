//! The policy set and the limits in force: read from files, reloaded when they change, kept when a new version is broken.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use reeve_domain::settings::Preset;
use reeve_domain::verdict::Layer;
use reeve_policy::limits::{self, Limits};
use reeve_policy::tools::{self, ToolRules, ToolsSource};
use reeve_policy::{PolicyError, PolicySet, Problem, Source};

use crate::error::EngineError;

mod case_files;
pub mod draft;
pub mod history;
pub mod outside;
mod projects;
pub mod propose;
pub mod replay;
mod save;
pub mod what_if;

pub use projects::ProjectProblem;

/// File that *Always* writes standing approvals to, inside the policies folder.
pub const STANDING_FILE: &str = "standing.cedar";
/// The person's own limits; never rewritten.
pub const LIMITS_FILE: &str = "limits.yaml";
/// Limits that console and CLI set; rewritten whole.
pub const MINE_LIMITS_FILE: &str = "mine.limits.yaml";
/// Rules for tools: what each may change, in which shape and how often.
pub const TOOLS_FILE: &str = "tools.yaml";

/// What is in force, and what is wrong with what is on disk.
#[derive(Debug, Clone)]
pub struct InForce {
    pub set: Arc<PolicySet>,
    pub limits: Arc<Limits>,
    /// The rules for tools that the set judges by.
    pub tools: Arc<ToolRules>,
    /// Why the files on disk are not what is in force.
    pub problem: Option<String>,
    /// What is on disk instead, where only a person's word is missing.
    pub waiting: Option<Arc<outside::Waiting>>,
    /// What it was made from.
    files: Arc<[PolicyFile]>,
}

impl InForce {
    fn load(preset: Preset, files: Vec<PolicyFile>) -> Result<Self, String> {
        let (set, limits) = build(preset, &files)?;
        let tools = Arc::clone(set.tools());
        Ok(Self {
            set: Arc::new(set),
            limits: Arc::new(limits),
            tools,
            problem: None,
            waiting: None,
            files: files.into(),
        })
    }
}

/// Owner of the policy set.
#[derive(Debug)]
pub struct Policies {
    preset: ArcSwap<Preset>,
    /// Folder of the person's configuration: `policies/*.cedar`, `limits.yaml`, `mine.limits.yaml`.
    config: PathBuf,
    /// Folder managed by the organisation, where there is one.
    managed: Option<PathBuf>,
    in_force: ArcSwap<InForce>,
    seen: Mutex<Seen>,
    projects: projects::Projects,
    /// Held by whoever changes the person's rules.
    saving: tokio::sync::Mutex<()>,
    /// Revisions in force and proposed that were found to be critical last: whoever tries another passphrase does not have
    /// them weighed again.
    critical: Mutex<Option<(String, String)>>,
    /// Versions of the person's rules; only an engine keeps them.
    history: OnceLock<history::History>,
}

/// The files at the last look.
#[derive(Debug)]
struct Seen {
    files: Vec<PolicyFile>,
    /// Only an engine remembers what was agreed to.
    agreed: Option<outside::Agreed>,
}

/// One file of rules, or of the person's cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInfo {
    /// As shown to people.
    pub file: String,
    pub layer: Layer,
    /// `None` for what ships with Reeve.
    pub path: Option<PathBuf>,
    /// As it is on disk, also where that does not load.
    pub text: String,
    /// Reeve may write it: it is one of the person's own.
    pub own: bool,
    /// Why it does not load as it is on disk.
    pub problems: Vec<Problem>,
    /// What loads and should be seen.
    pub notices: Vec<Problem>,
}

/// What loading says of files.
#[derive(Debug, Clone, Default)]
struct Told {
    problems: Vec<Problem>,
    notices: Vec<Problem>,
}

impl FileInfo {
    /// Not one of the person's own.
    fn of(file: PolicyFile, told: &Told) -> Self {
        let about = |all: &[Problem]| all.iter().filter(|one| one.file == file.shown).cloned().collect();
        let (problems, notices) = (about(&told.problems), about(&told.notices));
        Self {
            file: file.shown,
            layer: file.layer,
            path: Some(file.path),
            text: file.text,
            own: false,
            problems,
            notices,
        }
    }
}

/// What a look at the files found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reload {
    Unchanged,
    Loaded {
        revision: String,
        files: Vec<String>,
    },
    /// The last good set stays in force.
    Rejected {
        problem: String,
    },
    /// It may let more pass, so what was agreed to stays in force until a person loads it.
    Waiting {
        problem: String,
    },
}

impl Policies {
    /// # Errors
    /// When the files do not load: at start there is no last good set to keep, so nothing may pass.
    pub fn load(preset: Preset, config: &Path, managed: Option<&Path>) -> Result<Self, EngineError> {
        let files = read_files(config, managed)?;
        let in_force = InForce::load(preset, files.clone()).map_err(EngineError::Policy)?;
        Ok(Self {
            preset: ArcSwap::from_pointee(preset),
            config: config.to_path_buf(),
            managed: managed.map(Path::to_path_buf),
            in_force: ArcSwap::from_pointee(in_force),
            seen: Mutex::new(Seen { files, agreed: None }),
            projects: projects::Projects::default(),
            saving: tokio::sync::Mutex::default(),
            critical: Mutex::default(),
            history: OnceLock::new(),
        })
    }

    #[must_use]
    pub fn in_force(&self) -> Arc<InForce> {
        self.in_force.load_full()
    }

    /// The shipped policy that everything else stands on.
    #[must_use]
    pub fn preset(&self) -> Preset {
        **self.preset.load()
    }

    /// The files with another shipped policy, not in force.
    ///
    /// # Errors
    /// When they do not load with it.
    pub(crate) fn try_preset(&self, preset: Preset) -> Result<Arc<PolicySet>, EngineError> {
        InForce::load(preset, self.effective()?).map(|in_force| in_force.set).map_err(EngineError::Policy)
    }

    /// Stands on another shipped policy from now on.
    ///
    /// # Errors
    /// When the files do not load with it; then nothing changed.
    pub(crate) fn set_preset(&self, preset: Preset) -> Result<(), EngineError> {
        // As in a refresh: of two changes at the same time the older one must not win.
        let mut seen = self.seen.lock();
        let files = read_files(&self.config, self.managed.as_deref())?;
        let in_force = self.settle(preset, &files, seen.agreed.as_mut()).map_err(EngineError::Policy)?;
        seen.files = files;
        self.preset.store(Arc::new(preset));
        self.in_force.store(Arc::new(in_force));
        Ok(())
    }

    /// Folder the person's own policies live in.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.config.join("policies")
    }

    #[must_use]
    pub(crate) fn config_folder(&self) -> &Path {
        &self.config
    }

    /// Looks at the files and applies what changed. Cheap when nothing did.
    pub fn refresh(&self) -> Reload {
        // Held to the end: of two looks at the same time the older one must not win.
        let mut seen = self.seen.lock();
        let files = match read_files(&self.config, self.managed.as_deref()) {
            Ok(files) => files,
            Err(error) => return self.reject(error.to_string()),
        };
        if seen.files == files {
            return Reload::Unchanged;
        }
        seen.files.clone_from(&files);
        // A version that cannot be kept is no reason to run on old rules.
        if let Some(history) = self.history.get()
            && let Err(error) = history.notice(&self.versioned(&files), touched(&files), history::How::Outside)
        {
            tracing::error!(%error, "the new version of the rules is not kept");
        }
        let shown = files.iter().map(|f| f.shown.clone()).collect();
        match self.settle(self.preset(), &files, seen.agreed.as_mut()) {
            Ok(in_force) => {
                let revision = in_force.set.revision().to_owned();
                let waits = in_force.waiting.as_ref().map(|waiting| waiting.revision.clone());
                let problem = in_force.problem.clone().filter(|_| waits.is_some());
                let before = self.in_force.swap(Arc::new(in_force));
                match problem {
                    Some(problem) if before.waiting.as_ref().map(|waiting| &waiting.revision) != waits.as_ref() => {
                        Reload::Waiting { problem }
                    }
                    _ => Reload::Loaded { revision, files: shown },
                }
            }
            Err(problem) => self.reject(problem),
        }
    }

    /// Keeps versions of the person's rules from now on, and remembers what was agreed to: a looser version that was made
    /// while no engine ran waits too.
    ///
    /// # Errors
    /// When they cannot be read or written.
    pub(crate) fn keep_history(&self) -> Result<(), EngineError> {
        let mut seen = self.seen.lock();
        let files = seen.files.clone();
        let history = history::History::open(self.config.join("history"), &self.versioned(&files), touched(&files))?;
        // A second call finds the first one's history, which is the same.
        _ = self.history.set(history);
        let own = files.iter().filter(|file| file.path.starts_with(&self.config)).cloned().collect();
        let agreed = seen.agreed.get_or_insert_with(|| outside::Agreed::open(&self.config, own));
        let in_force = self.settle(self.preset(), &files, Some(agreed)).map_err(EngineError::Policy)?;
        self.in_force.store(Arc::new(in_force));
        Ok(())
    }

    /// Versions of the person's rules, newest first.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn versions(&self) -> Result<Vec<history::Version>, EngineError> {
        let mut versions = self.history.get().map_or(Ok(Vec::new()), history::History::all)?;
        versions.reverse();
        Ok(versions)
    }

    /// Every file that rules come from: what ships with Reeve, then by layer and name; then those of projects in which
    /// somebody works, and last the person's case files. Each with what is to be said of it.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn files(&self) -> Result<Vec<FileInfo>, EngineError> {
        let shipped = reeve_policy::preset_source(self.preset());
        let preset = PolicyFile {
            path: PathBuf::new(),
            shown: shipped.file.clone(),
            layer: Layer::Preset,
            text: shipped.text.clone(),
        };
        let mut out = vec![FileInfo { path: None, ..FileInfo::of(preset, &Told::default()) }];
        let mut files = read_files(&self.config, self.managed.as_deref())?;
        let told = self.told(&files);
        files.sort_by(|a, b| (a.layer, &a.path).cmp(&(b.layer, &b.path)));
        let folder = self.folder();
        out.extend(files.into_iter().filter(|file| !file.is_limits()).map(|file| {
            let own = is_own(&file, &folder);
            FileInfo { own, ..FileInfo::of(file, &told) }
        }));
        out.extend(self.project_files());
        out.extend(self.case_files().iter().map(|(name, text)| {
            let (path, shown) = (folder.join(name), name.clone());
            let file = PolicyFile { path, shown, layer: Layer::Mine, text: text.clone() };
            FileInfo { own: true, ..FileInfo::of(file, &Told::default()) }
        }));
        Ok(out)
    }

    /// What loading says of these files.
    fn told(&self, files: &[PolicyFile]) -> Told {
        let live = self.in_force();
        if live.problem.is_none() && *live.files == *files {
            return Told { problems: Vec::new(), notices: live.set.notices().to_vec() };
        }
        match rules(self.preset(), files).and_then(|set| limits_in(files).map(|_| set)) {
            Ok(set) => Told { problems: Vec::new(), notices: set.notices().to_vec() },
            Err(error) => Told { problems: error.problems().to_vec(), notices: Vec::new() },
        }
    }

    /// What versions are kept of: the person's own rules and cases.
    fn versioned(&self, files: &[PolicyFile]) -> Vec<history::VersionFile> {
        let folder = self.folder();
        let own = files.iter().filter(|file| is_own(file, &folder));
        let version = |file: &PolicyFile| history::VersionFile {
            file: file.shown.clone(),
            before: None,
            after: Some(file.text.clone()),
        };
        let cases = case_files::CaseFiles::default().changes(&self.case_files());
        own.map(version).chain(cases).collect()
    }

    fn reject(&self, problem: String) -> Reload {
        let old = self.in_force.load_full();
        if old.problem.as_ref() == Some(&problem) {
            return Reload::Unchanged;
        }
        let kept = InForce { problem: Some(problem.clone()), waiting: None, ..InForce::clone(&old) };
        self.in_force.store(Arc::new(kept));
        Reload::Rejected { problem }
    }

    /// The set as it would be with one more standing approval.
    ///
    /// # Errors
    /// When it does not load with the new text.
    pub fn with_standing(&self, text: &str) -> Result<PolicySet, EngineError> {
        let path = self.folder().join(STANDING_FILE);
        let old = read_or_empty(&path)?;
        let separator = if old.is_empty() || old.ends_with('\n') { "" } else { "\n" };
        let mut files = self.effective()?;
        files.retain(|f| f.path != path);
        files.push(PolicyFile::new(&path, Layer::Mine, format!("{old}{separator}{text}\n")));
        files.sort_by(|a, b| a.path.cmp(&b.path));
        build(self.preset(), &files).map(|(set, _)| set).map_err(EngineError::Policy)
    }

    /// Appends a standing approval to the person's file, after proving that the whole still loads with it.
    ///
    /// # Errors
    /// When the file cannot be read or written, or the set does not load with the new text; then nothing was written.
    pub(crate) fn append_standing(&self, text: &str) -> Result<(), EngineError> {
        let path = self.folder().join(STANDING_FILE);
        let old = read_or_empty(&path)?;
        let separator = if old.is_empty() || old.ends_with('\n') { "" } else { "\n" };
        self.replace(&path, &format!("{old}{separator}{}\n", text.trim_end()))
    }

    /// Held by whoever reads a file of rules, changes it and writes it.
    pub(crate) async fn alone(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.saving.lock().await
    }

    /// The standing file without one rule; all else stays, byte for byte. `None` where it does not stand there as written.
    pub(crate) fn without_standing(&self, text: &str) -> Result<Option<String>, EngineError> {
        let old = read_or_empty(&self.folder().join(STANDING_FILE))?;
        let parts = old.split_once(text.trim_end());
        Ok(parts.map(|(before, after)| format!("{before}{}", after.strip_prefix('\n').unwrap_or(after))))
    }

    /// Writes the standing file as it is given; an empty one is none.
    pub(crate) fn write_standing_file(&self, text: &str) -> Result<(), EngineError> {
        self.write_own(&self.folder().join(STANDING_FILE), Some(text).filter(|text| !text.is_empty()))
    }

    /// Replaces one file of the person's own atomically, after proving that the whole loads with it.
    ///
    /// # Errors
    /// As [`Policies::append_standing`].
    pub fn replace(&self, path: &Path, text: &str) -> Result<(), EngineError> {
        let mut files = read_files(&self.config, self.managed.as_deref())?;
        files.retain(|f| f.path != path);
        files.push(PolicyFile::new(path, Layer::Mine, text.to_owned()));
        files.sort_by(|a, b| a.path.cmp(&b.path));
        build(self.preset(), &files).map_err(EngineError::Policy)?;
        self.write_own(path, Some(text))
    }
}

/// One file as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PolicyFile {
    path: PathBuf,
    shown: String,
    layer: Layer,
    text: String,
}

impl PolicyFile {
    fn new(path: &Path, layer: Layer, text: String) -> Self {
        let name = path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
        // Every layer has one of this name.
        let shown = match layer {
            _ if name != TOOLS_FILE => name,
            Layer::Organisation => format!("organisation/{name}"),
            Layer::Team => format!("team/{name}"),
            Layer::Project => format!(".reeve/policies/{name}"),
            Layer::Mine | Layer::Preset | Layer::Reeve => name,
        };
        Self { path: path.to_path_buf(), shown, layer, text }
    }

    fn is_limits(&self) -> bool {
        self.path.extension().is_some_and(|e| e == "yaml") && !self.is_tools()
    }

    fn is_tools(&self) -> bool {
        self.path.file_name().is_some_and(|name| name == TOOLS_FILE)
    }

    fn is_rules(&self) -> bool {
        !self.is_limits() && !self.is_tools()
    }

    fn is_standing(&self) -> bool {
        self.path.file_name().is_some_and(|name| name == STANDING_FILE)
    }
}

/// A file of rules in the person's own folder, or the rules for tools beside it.
fn is_own(file: &PolicyFile, folder: &Path) -> bool {
    let place = if file.is_tools() { folder.parent() } else { Some(folder) };
    file.layer == Layer::Mine && !file.is_limits() && file.path.parent() == place
}

/// Whether this is the name of a file of this ending, which cannot lead out of its folder.
fn is_plain(name: &str, ending: &str) -> bool {
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let stem = name.strip_suffix(ending).unwrap_or_default();
    letters && name.len() <= 100 && !stem.is_empty() && !stem.starts_with('.')
}

/// When the newest of these files was written; now, where the system does not say.
fn touched(files: &[PolicyFile]) -> chrono::DateTime<chrono::Utc> {
    let written = |file: &PolicyFile| std::fs::metadata(&file.path).and_then(|data| data.modified()).ok();
    files.iter().filter_map(written).max().map_or_else(chrono::Utc::now, Into::into)
}

fn read_or_empty(path: &Path) -> Result<String, EngineError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(EngineError::Read { path: path.to_path_buf(), source }),
    }
}

/// Every policy and limits file, in a fixed order.
fn read_files(config: &Path, managed: Option<&Path>) -> Result<Vec<PolicyFile>, EngineError> {
    let mut files = Vec::new();
    for (folder, layer) in
        managed.map(|m| (m, Layer::Organisation)).into_iter().chain(std::iter::once((config, Layer::Mine)))
    {
        read_folder(&folder.join("policies"), layer, &mut files)?;
        let team = folder.join("policies").join("team");
        read_folder(&team, Layer::Team, &mut files)?;
        let tools = team.join(TOOLS_FILE);
        if tools.exists() {
            let text = read_or_empty(&tools)?;
            files.push(PolicyFile::new(&tools, Layer::Team, text));
        }
        for name in [LIMITS_FILE, MINE_LIMITS_FILE, TOOLS_FILE] {
            let path = folder.join(name);
            if path.exists() {
                let text = read_or_empty(&path)?;
                files.push(PolicyFile::new(&path, layer, text));
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn read_folder(folder: &Path, layer: Layer, into: &mut Vec<PolicyFile>) -> Result<(), EngineError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(EngineError::Read { path: folder.to_path_buf(), source }),
    };
    for entry in entries {
        let path = entry.map_err(|source| EngineError::Read { path: folder.to_path_buf(), source })?.path();
        if path.extension().is_some_and(|e| e == "cedar") {
            let text =
                std::fs::read_to_string(&path).map_err(|source| EngineError::Read { path: path.clone(), source })?;
            into.push(PolicyFile::new(&path, layer, text));
        }
    }
    Ok(())
}

fn rules(preset: Preset, files: &[PolicyFile]) -> Result<PolicySet, PolicyError> {
    let source = |f: &PolicyFile| Source { layer: f.layer, file: f.shown.clone(), text: f.text.clone() };
    let (standing, rules): (Vec<_>, Vec<_>) = files.iter().filter(|f| f.is_rules()).partition(|f| f.is_standing());
    let rules: Vec<Source> = rules.into_iter().map(source).collect();
    let standing: Vec<Source> = standing.into_iter().map(source).collect();
    let tools = tools::load(&for_tools(files))?;
    Ok(PolicySet::load(preset, &rules, &standing)?.with_tools(Arc::new(tools)))
}

fn for_tools(files: &[PolicyFile]) -> Vec<ToolsSource> {
    let source = |f: &PolicyFile| ToolsSource { layer: f.layer, file: f.shown.clone(), text: f.text.clone() };
    files.iter().filter(|f| f.is_tools()).map(source).collect()
}

fn build(preset: Preset, files: &[PolicyFile]) -> Result<(PolicySet, Limits), String> {
    let set = rules(preset, files).map_err(|e| e.to_string())?;
    let limits = limits_in(files).map_err(|e| e.to_string())?;
    Ok((set, limits))
}

fn limits_in(files: &[PolicyFile]) -> Result<Limits, PolicyError> {
    let texts: Vec<(String, String)> =
        files.iter().filter(|f| f.is_limits()).map(|f| (f.shown.clone(), f.text.clone())).collect();
    limits::load_with(&texts, &for_tools(files))
}
