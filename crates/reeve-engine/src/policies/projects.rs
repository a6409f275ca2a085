//! Rules that a project brings along (`.reeve/policies/*.cedar` in the folder of a session or one above it), on top of
//! the set in force. A broken version keeps the last good one.

use std::collections::HashMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use reeve_domain::settings::Preset;
use reeve_domain::verdict::Layer;
use reeve_policy::PolicySet;

use super::{InForce, Policies, PolicyFile, Reload, build};
use crate::error::EngineError;

/// Most bytes of one file.
const LARGEST: u64 = 256 * 1024;

/// What a look at a project's rules found.
#[derive(Debug, Clone)]
pub struct ProjectLook {
    /// The set with the project's own rules on top; `None` where the project has none.
    pub set: Option<Arc<PolicySet>>,
    /// Why the files on disk are not what is in force.
    pub problem: Option<String>,
    /// What changed in the project's files since the last look.
    pub reload: Reload,
}

#[derive(Debug, Default)]
pub(super) struct Projects(Mutex<HashMap<PathBuf, Project>>);

#[derive(Debug)]
struct Project {
    /// What the files said at the last look, or why they could not be read.
    seen: Result<Vec<PolicyFile>, String>,
    /// Revision of the set below.
    base: String,
    /// The last rules that loaded.
    good: Vec<PolicyFile>,
    set: Option<Arc<PolicySet>>,
    problem: Option<String>,
}

impl Policies {
    /// Looks at the rules of the project that `cwd` belongs to. A project may only forbid. Cheap when nothing changed.
    ///
    /// # Errors
    /// When the files do not load and there is no last good version that does: a session there would run without rules
    /// that its project asks for.
    pub fn project(&self, cwd: &Path) -> Result<ProjectLook, EngineError> {
        let in_force = self.in_force();
        let base = in_force.set.revision();
        // Held to the end: of two looks at the same time the older one must not win.
        let mut projects = self.projects.0.lock();
        let seen = read(cwd).map_err(|error| error.to_string());
        let before = projects.get(cwd);
        let changed = before.is_some_and(|before| before.seen != seen);
        if let Some(before) = before
            && !changed
            && before.base == base
        {
            return Ok(before.look(Reload::Unchanged));
        }
        let built = seen.clone().and_then(|files| Ok((on_top(self.preset(), &in_force, &files)?, files)));
        let (set, good, problem) = match (built, before) {
            (Ok((set, good)), _) => (set, good, None),
            (Err(problem), Some(before)) => {
                let kept = on_top(self.preset(), &in_force, &before.good).map_err(EngineError::Policy)?;
                (kept, before.good.clone(), Some(format!("{}: {problem}", cwd.display())))
            }
            (Err(problem), None) => return Err(EngineError::Policy(format!("{}: {problem}", cwd.display()))),
        };
        let reload = match (&problem, changed) {
            (_, false) => Reload::Unchanged,
            (Some(problem), true) => Reload::Rejected { problem: problem.clone() },
            (None, true) => Reload::Loaded {
                revision: set.as_ref().map_or(base, |set| set.revision()).to_owned(),
                files: good.iter().map(|file| file.path.display().to_string()).collect(),
            },
        };
        let project = Project { seen, base: base.to_owned(), good, set, problem };
        let look = project.look(reload);
        projects.insert(cwd.to_path_buf(), project);
        Ok(look)
    }

    /// Forgets the projects in which nobody works any more.
    pub fn keep_projects(&self, used: impl Fn(&Path) -> bool) {
        self.projects.0.lock().retain(|cwd, _| used(cwd));
    }
}

impl Project {
    fn look(&self, reload: Reload) -> ProjectLook {
        ProjectLook { set: self.set.clone(), problem: self.problem.clone(), reload }
    }
}

/// The rules of every folder from `cwd` up: a nearer one adds to those further out and takes nothing away.
fn read(cwd: &Path) -> Result<Vec<PolicyFile>, EngineError> {
    let mut files = Vec::new();
    for folder in cwd.ancestors().map(|folder| folder.join(".reeve").join("policies")).filter(|p| p.is_dir()) {
        let unread = |source| EngineError::Read { path: folder.clone(), source };
        for entry in std::fs::read_dir(&folder).map_err(unread)? {
            let path = entry.map_err(unread)?.path();
            if path.extension().is_some_and(|e| e == "cedar") {
                let text = read_plain(&path).map_err(|source| EngineError::Read { path: path.clone(), source })?;
                files.push(PolicyFile::new(&path, Layer::Project, text));
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The agent that is governed here can write this folder: only a plain file of a sane size is read, and never waited for.
fn read_plain(path: &Path) -> io::Result<String> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(i32::try_from(flags.bits()).map_err(io::Error::other)?);
    }
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a plain file"));
    }
    let mut text = String::new();
    file.take(LARGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(io::Error::other(format!("larger than {LARGEST} bytes")));
    }
    Ok(text)
}

fn on_top(preset: Preset, in_force: &InForce, project: &[PolicyFile]) -> Result<Option<Arc<PolicySet>>, String> {
    if project.is_empty() {
        return Ok(None);
    }
    let files: Vec<PolicyFile> = in_force.files.iter().chain(project).cloned().collect();
    let (set, _) = build(preset, &files)?;
    Ok(Some(Arc::new(set)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(id: &str) -> String {
        format!("@id(\"{id}\")\n@reason(\"not from this project\")\nforbid (principal, action, resource);\n")
    }

    fn has(look: &ProjectLook, id: &str) -> bool {
        look.set.as_ref().is_some_and(|set| set.rules().iter().any(|rule| rule.id.as_str() == id))
    }

    struct Place {
        _home: tempfile::TempDir,
        policies: Policies,
        inner: PathBuf,
        file: PathBuf,
    }

    fn place() -> Place {
        let home = tempfile::tempdir().unwrap();
        let (config, outer) = (home.path().join("config"), home.path().join("work"));
        let inner = outer.join("app");
        std::fs::create_dir_all(&config).unwrap();
        std::fs::create_dir_all(inner.join(".reeve/policies")).unwrap();
        std::fs::create_dir_all(outer.join(".reeve/policies")).unwrap();
        let policies = Policies::load(Preset::Balanced, &config, None).unwrap();
        Place { _home: home, policies, inner, file: outer.join(".reeve/policies/rules.cedar") }
    }

    #[test]
    fn a_nearer_folder_hides_nothing_of_those_further_out() {
        let place = place();
        std::fs::write(&place.file, rule("project-no")).unwrap();
        assert!(has(&place.policies.project(&place.inner).unwrap(), "project-no"));
        std::fs::write(place.inner.join(".reeve/policies/own.cedar"), rule("own-no")).unwrap();
        let look = place.policies.project(&place.inner).unwrap();
        assert!(has(&look, "project-no") && has(&look, "own-no"));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_plain_file_is_not_read() {
        let place = place();
        std::os::unix::fs::symlink("/dev/zero", &place.file).unwrap();
        assert!(place.policies.project(&place.inner).is_err());
        std::fs::remove_file(&place.file).unwrap();
        std::fs::write(&place.file, "/".repeat(300_000)).unwrap();
        assert!(place.policies.project(&place.inner).is_err());
    }

    #[test]
    fn a_broken_version_keeps_the_last_good_one_and_says_where_it_is_broken() {
        let place = place();
        std::fs::write(&place.file, rule("project-no")).unwrap();
        place.policies.project(&place.inner).unwrap();
        std::fs::write(&place.file, "forbid (principal, action\n").unwrap();
        let look = place.policies.project(&place.inner).unwrap();
        assert!(has(&look, "project-no"));
        assert!(matches!(&look.reload, Reload::Rejected { problem } if problem.contains("rules.cedar")), "{look:?}");
        let again = place.policies.project(&place.inner).unwrap();
        assert_eq!(again.reload, Reload::Unchanged);
        assert!(again.problem.is_some());
    }

    #[test]
    fn a_changed_version_is_told_once() {
        let place = place();
        std::fs::write(&place.file, rule("project-no")).unwrap();
        place.policies.project(&place.inner).unwrap();
        std::fs::write(&place.file, rule("project-never")).unwrap();
        let look = place.policies.project(&place.inner).unwrap();
        assert!(has(&look, "project-never") && !has(&look, "project-no"));
        assert!(matches!(look.reload, Reload::Loaded { .. }));
        assert_eq!(place.policies.project(&place.inner).unwrap().reload, Reload::Unchanged);
    }

    #[test]
    fn a_project_that_never_loaded_lets_nobody_in() {
        let place = place();
        std::fs::write(&place.file, "permit (principal").unwrap();
        assert!(place.policies.project(&place.inner).is_err());
    }
}
