//! Rules that a project brings along (`.reeve/policies/*.cedar` and `tools.yaml` there, in the folder of a session or one
//! above it), on top of the set in force. A broken version keeps the last good one, and a weaker one the stricter one for those who work there.

mod files;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use reeve_domain::settings::Preset;
use reeve_domain::verdict::Layer;
use reeve_policy::limits::{Limits, SESSION_LIMITS};
use reeve_policy::{PolicySet, RuleInfo};
use sha2::Digest as _;

use self::files::Listing;
use super::{FileInfo, InForce, Policies, PolicyFile, Reload, Told, build, rules};
use crate::error::EngineError;

/// Most versions of one project's rules that are kept while somebody works there.
const MOST_KEPT: usize = 8;
/// Looks without anybody working there after which a project is forgotten: ten seconds of the engine's ticks.
const IDLE: u32 = 50;

/// What a look at a project's rules found.
#[derive(Debug, Clone)]
pub struct ProjectLook {
    /// Sets with the project's own rules on top, the version on disk first; none where the project has none. All of them
    /// bind.
    pub sets: Vec<Arc<PolicySet>>,
    /// Why the files on disk are not what is in force.
    pub problem: Option<String>,
    /// What changed in the project's files since the last look.
    pub reload: Reload,
}

/// A project whose rules on disk are not all that binds there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectProblem {
    /// Working directory of the sessions.
    pub folder: PathBuf,
    /// A sentence.
    pub problem: String,
    /// What an agreement names: changes with the rules on disk and those that bind beyond them. `None`: there is nothing to
    /// agree to, because what is on disk does not load.
    pub revision: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Projects(Mutex<HashMap<PathBuf, Project>>);

/// The agent that works here can write the rules that bind it: a version that was seen while somebody works here goes on
/// binding, beside newer ones that take something away, until a human acknowledges it or nobody works here any more.
#[derive(Debug)]
struct Project {
    /// What the files said when they were read last, or why they could not be.
    seen: Result<Vec<PolicyFile>, String>,
    /// How they looked then; `None` where that does not tell whether they changed since.
    looked: Option<Listing>,
    /// Revision of the set below.
    base: String,
    /// The last rules that loaded, and before them those that it does not contain; newest first.
    versions: Vec<Version>,
    problem: Option<String>,
    /// Looks in a row at which nobody worked here.
    idle: u32,
}

#[derive(Debug, Clone)]
struct Version {
    files: Vec<PolicyFile>,
    /// `None`: it has no rules.
    set: Option<Arc<PolicySet>>,
}

impl Version {
    /// Its own rules, each by its name and as written.
    fn rules(&self) -> Vec<(String, String)> {
        let Some(set) = &self.set else { return Vec::new() };
        let own = |rule: &RuleInfo| rule.layer == Layer::Project;
        let rules = set.rules().into_iter().filter(own).map(|rule| (rule.id.to_string(), rule.text));
        let tools = set.tools().rules().iter().filter(|rule| rule.layer == Layer::Project);
        let limits = set.tools().limits_of_projects();
        let limits = (*limits != Limits::default()).then(|| (SESSION_LIMITS.to_owned(), limits.said()));
        rules.chain(tools.map(|rule| (rule.name(), rule.said()))).chain(limits).collect()
    }

    /// Rules of this version that the other one has not, word for word.
    fn missing_in(&self, other: &Self) -> Vec<String> {
        let there = other.rules();
        let lost = self.rules().into_iter().filter(|rule| !there.contains(rule));
        lost.map(|(name, _)| format!("`{name}`")).collect()
    }
}

impl Policies {
    /// Looks at the rules of the project that `cwd` belongs to. A project may only forbid. Cheap when nothing changed.
    ///
    /// # Errors
    /// When the files do not load and there is no last good version that does, or they were weakened too often: a session
    /// there would run without rules that its project asks for.
    pub fn project(&self, cwd: &Path) -> Result<ProjectLook, EngineError> {
        let in_force = self.in_force();
        let base = in_force.set.revision();
        // Held to the end: of two looks at the same time the older one must not win.
        let mut projects = self.projects.0.lock();
        let listing = Listing::of(cwd).map_err(|error| error.to_string());
        if let Some(before) = projects.get_mut(cwd) {
            before.idle = 0;
            if before.base == base && before.looked.is_some() && before.looked.as_ref() == listing.as_ref().ok() {
                return Ok(before.look(Reload::Unchanged));
            }
        }
        let read_at = SystemTime::now();
        let read = |listing: &Listing| listing.read().map_err(|error| error.to_string());
        let seen = listing.as_ref().map_err(Clone::clone).and_then(read);
        let looked = listing.ok().filter(|listing| listing.tells(read_at));
        let changed = projects.get(cwd).is_some_and(|before| before.seen != seen);
        if let Some(before) = projects.get_mut(cwd)
            && !changed
            && before.base == base
        {
            before.looked = looked;
            return Ok(before.look(Reload::Unchanged));
        }
        let load = |files: Vec<PolicyFile>| on_top(self.preset(), &in_force, &files).map(|set| Version { set, files });
        let named = |problem: String| format!("{}: {problem}", cwd.display());
        let kept: Vec<Version> = match projects.get(cwd) {
            // What stands on the same rules as before is what it was.
            Some(before) if before.base == base => before.versions.clone(),
            Some(before) => {
                let again = before.versions.iter().map(|version| load(version.files.clone()));
                again.collect::<Result<_, _>>().map_err(EngineError::Policy)?
            }
            None => Vec::new(),
        };
        let (versions, problem) = match seen.clone().and_then(load) {
            Ok(newest) => with_newest(newest, kept).map_err(|problem| EngineError::Policy(named(problem)))?,
            Err(problem) if kept.is_empty() => return Err(EngineError::Policy(named(problem))),
            Err(problem) => (kept, Some(problem)),
        };
        let problem = problem.map(named);
        let reload = match (&problem, changed) {
            (_, false) => Reload::Unchanged,
            (Some(problem), true) => Reload::Rejected { problem: problem.clone() },
            (None, true) => {
                let newest = versions.first();
                let revision = newest.and_then(|version| version.set.as_ref()).map_or(base, |set| set.revision());
                let files = newest.into_iter().flat_map(|version| &version.files);
                Reload::Loaded {
                    revision: revision.to_owned(),
                    files: files.map(|file| file.path.display().to_string()).collect(),
                }
            }
        };
        let project = Project { seen, looked, base: base.to_owned(), versions, problem, idle: 0 };
        let look = project.look(reload);
        projects.insert(cwd.to_path_buf(), project);
        Ok(look)
    }

    /// Forgets the projects in which nobody works any more; not at once, because a session that is being opened has looked
    /// at its project and is not among the running ones yet.
    pub(crate) fn keep_projects(&self, used: impl Fn(&Path) -> bool) {
        self.projects.0.lock().retain(|cwd, project| {
            project.idle = if used(cwd) { 0 } else { project.idle.saturating_add(1) };
            project.idle < IDLE
        });
    }

    /// Projects where what is on disk is not what is in force, by their folders.
    #[must_use]
    pub fn project_problems(&self) -> Vec<ProjectProblem> {
        let projects = self.projects.0.lock();
        let told = |(folder, project): (&PathBuf, &Project)| {
            let problem = project.problem.clone()?;
            Some(ProjectProblem { folder: folder.clone(), problem, revision: project.beyond() })
        };
        let mut problems: Vec<ProjectProblem> = projects.iter().filter_map(told).collect();
        problems.sort_unstable_by(|a, b| a.folder.cmp(&b.folder));
        problems
    }

    /// The files of projects in which somebody works, as they were read last; each is named by where it is.
    pub(super) fn project_files(&self) -> Vec<FileInfo> {
        let in_force = self.in_force();
        // Copied: whoever opens a session must not wait until all of it is compiled.
        let seen: Vec<Vec<PolicyFile>> =
            self.projects.0.lock().values().filter_map(|project| project.seen.clone().ok()).collect();
        let mut out: Vec<FileInfo> = Vec::new();
        for mut files in seen {
            // By its name alone a file would get what is said of another one of that name.
            files.iter_mut().for_each(|file| file.shown = file.path.display().to_string());
            let all: Vec<PolicyFile> = in_force.files.iter().chain(&files).cloned().collect();
            let told = match rules(self.preset(), &all) {
                Ok(set) => Told { problems: Vec::new(), notices: set.notices().to_vec() },
                Err(error) => Told { problems: error.problems().to_vec(), notices: Vec::new() },
            };
            // Sessions in two folders of one project have some files together.
            files.retain(|file| !out.iter().any(|known| known.path.as_ref() == Some(&file.path)));
            out.extend(files.into_iter().map(|file| FileInfo::of(file, &told)));
        }
        out.sort_by(|a, b| a.file.cmp(&b.file));
        out
    }

    /// Names of the rules that a project does not have any more and that bind there all the same.
    ///
    /// # Errors
    /// When they are not those that the revision stands for: what is agreed to is what was shown.
    pub(crate) fn beyond_disk(&self, cwd: &Path, revision: &str) -> Result<Vec<String>, EngineError> {
        let mut projects = self.projects.0.lock();
        project_at(&mut projects, cwd, revision).map(|project| project.lost())
    }

    /// Lets go of these rules.
    ///
    /// # Errors
    /// As [`Policies::beyond_disk`].
    pub(crate) fn let_go(&self, cwd: &Path, revision: &str) -> Result<(), EngineError> {
        let mut projects = self.projects.0.lock();
        let project = project_at(&mut projects, cwd, revision)?;
        project.versions.truncate(1);
        project.problem = None;
        Ok(())
    }
}

fn project_at<'a>(
    projects: &'a mut HashMap<PathBuf, Project>,
    cwd: &Path,
    revision: &str,
) -> Result<&'a mut Project, EngineError> {
    let refused = |why: &str| EngineError::Refused(format!("{}: {why}", cwd.display()));
    let Some(project) = projects.get_mut(cwd) else {
        return Err(refused("nobody works there, so no rules are kept for it"));
    };
    match project.beyond() {
        None => Err(refused("there is nothing to agree to: its rules on disk do not load, or are what binds there")),
        Some(now) if now != revision => {
            Err(refused("its rules changed since they were shown: look at them again, then agree to what is there now"))
        }
        Some(_) => Ok(project),
    }
}

/// Puts the newest version before those that have rules which it has not.
fn with_newest(newest: Version, kept: Vec<Version>) -> Result<(Vec<Version>, Option<String>), String> {
    let mut versions: Vec<Version> = kept.into_iter().filter(|older| !older.missing_in(&newest).is_empty()).collect();
    if versions.len() >= MOST_KEPT {
        return Err(format!("its rules were taken back {MOST_KEPT} times while somebody works there"));
    }
    let lost = lost(&newest, &versions);
    let problem = (!lost.is_empty()).then(|| {
        format!(
            "{} changed or went away while somebody works there; they go on binding until the sessions there end or \
             somebody acknowledges it",
            lost.join(", ")
        )
    });
    versions.insert(0, newest);
    Ok((versions, problem))
}

fn lost(newest: &Version, kept: &[Version]) -> Vec<String> {
    let mut lost: Vec<String> = kept.iter().flat_map(|older| older.missing_in(newest)).collect();
    lost.sort_unstable();
    lost.dedup();
    lost
}

impl Project {
    /// Names of the rules that bind beside those on disk.
    fn lost(&self) -> Vec<String> {
        self.versions.split_first().map(|(newest, kept)| lost(newest, kept)).unwrap_or_default()
    }

    /// A digest of what is on disk and of what binds beyond it; `None` where nothing does, or the disk holds no version that
    /// somebody could agree to.
    fn beyond(&self) -> Option<String> {
        if self.seen.is_err() || self.versions.len() < 2 {
            return None;
        }
        let mut digest = sha2::Sha256::new();
        for version in &self.versions {
            digest.update((version.files.len() as u64).to_be_bytes());
            for file in &version.files {
                for part in [file.path.as_os_str().as_encoded_bytes(), file.text.as_bytes()] {
                    digest.update((part.len() as u64).to_be_bytes());
                    digest.update(part);
                }
            }
        }
        Some(hex::encode(digest.finalize()).chars().take(16).collect())
    }

    fn look(&self, reload: Reload) -> ProjectLook {
        let sets = self.versions.iter().filter_map(|version| version.set.clone()).collect();
        ProjectLook { sets, problem: self.problem.clone(), reload }
    }
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
    use super::files::{MOST_ENTRIES, MOST_FILES};
    use super::*;

    fn rule(id: &str) -> String {
        format!("@id(\"{id}\")\n@reason(\"not from this project\")\nforbid (principal, action, resource);\n")
    }

    fn has(look: &ProjectLook, id: &str) -> bool {
        look.sets.iter().any(|set| set.rules().iter().any(|rule| rule.id.as_str() == id))
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
    fn too_many_or_too_large_files_are_not_read_and_the_last_good_set_stays() {
        let place = place();
        std::fs::write(&place.file, rule("project-no")).unwrap();
        place.policies.project(&place.inner).unwrap();
        let inner = place.inner.join(".reeve/policies");
        let refused = |what: &str| {
            let look = place.policies.project(&place.inner).unwrap();
            assert!(has(&look, "project-no"), "{what}");
            assert!(look.problem.as_ref().is_some_and(|problem| problem.contains("more than")), "{what} {look:?}");
            std::fs::remove_dir_all(&inner).unwrap();
            std::fs::create_dir_all(&inner).unwrap();
            assert_eq!(place.policies.project(&place.inner).unwrap().problem, None, "{what}");
        };
        (0..MOST_FILES).for_each(|n| std::fs::write(inner.join(format!("{n}.cedar")), "").unwrap());
        refused("many policies");
        (0..5).for_each(|n| std::fs::write(inner.join(format!("{n}.cedar")), "/".repeat(250_000)).unwrap());
        refused("large policies");
        (0..=MOST_ENTRIES).for_each(|n| std::fs::write(inner.join(format!("{n}.txt")), "").unwrap());
        refused("many files");
    }

    #[test]
    fn a_version_that_adds_is_told_once_and_replaces_the_older_one() {
        let place = place();
        std::fs::write(&place.file, rule("project-no")).unwrap();
        place.policies.project(&place.inner).unwrap();
        std::fs::write(&place.file, format!("{}{}", rule("project-no"), rule("project-never"))).unwrap();
        let look = place.policies.project(&place.inner).unwrap();
        assert!(has(&look, "project-never") && has(&look, "project-no") && look.sets.len() == 1);
        assert!(matches!(look.reload, Reload::Loaded { .. }));
        assert_eq!(place.policies.project(&place.inner).unwrap().reload, Reload::Unchanged);
    }

    #[test]
    fn a_rule_that_is_deleted_goes_on_binding_until_it_is_acknowledged_or_nobody_works_there() {
        let place = place();
        std::fs::write(&place.file, rule("project-no")).unwrap();
        place.policies.project(&place.inner).unwrap();
        std::fs::remove_file(&place.file).unwrap();
        let look = place.policies.project(&place.inner).unwrap();
        assert!(has(&look, "project-no"), "{look:?}");
        assert!(matches!(&look.reload, Reload::Rejected { problem } if problem.contains("`project-no`")), "{look:?}");
        assert_eq!(place.policies.project_problems().len(), 1);
        // Weaker in another way: both older versions bind, and the newest too.
        std::fs::write(&place.file, rule("project-less")).unwrap();
        let look = place.policies.project(&place.inner).unwrap();
        assert!(has(&look, "project-no") && has(&look, "project-less"), "{look:?}");
        let shown = place.policies.project_problems()[0].revision.clone().unwrap();
        // Between showing and agreeing the agent takes another rule away.
        std::fs::write(&place.file, rule("project-other")).unwrap();
        place.policies.project(&place.inner).unwrap();
        let refused = place.policies.let_go(&place.inner, &shown).unwrap_err();
        assert!(refused.to_string().contains("changed since they were shown"), "{refused}");
        let look = place.policies.project(&place.inner).unwrap();
        assert!(has(&look, "project-no") && has(&look, "project-less"), "{look:?}");
        std::fs::write(&place.file, rule("project-less")).unwrap();
        place.policies.project(&place.inner).unwrap();
        let shown = place.policies.project_problems()[0].revision.clone().unwrap();
        assert_eq!(place.policies.beyond_disk(&place.inner, &shown).unwrap(), ["`project-no`", "`project-other`"]);
        place.policies.let_go(&place.inner, &shown).unwrap();
        let look = place.policies.project(&place.inner).unwrap();
        assert!(!has(&look, "project-no") && has(&look, "project-less") && look.problem.is_none(), "{look:?}");
        std::fs::remove_file(&place.file).unwrap();
        assert!(has(&place.policies.project(&place.inner).unwrap(), "project-less"));
        place.policies.keep_projects(|_| false);
        assert!(has(&place.policies.project(&place.inner).unwrap(), "project-less"), "a session may be on its way");
        (0..IDLE).for_each(|_| place.policies.keep_projects(|_| false));
        assert!(!has(&place.policies.project(&place.inner).unwrap(), "project-less"));
    }

    #[test]
    fn who_takes_rules_back_again_and_again_does_not_get_rid_of_the_first() {
        let place = place();
        let results: Vec<_> = (0..MOST_KEPT + 3)
            .map(|number| {
                std::fs::write(&place.file, rule(&format!("project-{number}"))).unwrap();
                place.policies.project(&place.inner)
            })
            .collect();
        assert!(results.iter().flatten().all(|look| has(look, "project-0")));
        assert!(results.last().unwrap().is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn rules_are_read_again_only_when_something_says_that_they_changed() {
        /// Bytes that this thread has read so far.
        fn read() -> u64 {
            let io = std::fs::read_to_string("/proc/thread-self/io").unwrap();
            io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap().parse().unwrap()
        }
        let place = place();
        std::fs::write(&place.file, format!("{}//{}\n", rule("project-no"), " ".repeat(100_000))).unwrap();
        let long_ago = SystemTime::now() - std::time::Duration::from_secs(3600);
        std::fs::File::options().append(true).open(&place.file).unwrap().set_modified(long_ago).unwrap();
        place.policies.project(&place.inner).unwrap();
        let before = read();
        for _ in 0..20 {
            assert_eq!(place.policies.project(&place.inner).unwrap().reload, Reload::Unchanged);
        }
        assert!(read() - before < 100_000, "{} bytes", read() - before);
        std::fs::write(&place.file, format!("{}{}", rule("project-no"), rule("project-more"))).unwrap();
        assert!(has(&place.policies.project(&place.inner).unwrap(), "project-more"));
    }

    #[test]
    fn rules_for_tools_of_a_project_tighten_and_go_on_binding_when_they_are_taken_away() {
        let place = place();
        let file = place.inner.join(".reeve/policies/tools.yaml");
        let most = |look: &ProjectLook| {
            let all = look.sets.iter().filter_map(|set| set.tools().tool("db", "write")?.max_row_count);
            all.map(|max| max.value).min()
        };
        std::fs::write(&file, "tool_policies:\n  db/write: { max_row_count: 5, preview: { tool: x } }\n").unwrap();
        let look = place.policies.project(&place.inner).unwrap();
        assert_eq!(most(&look), Some(5));
        let files = place.policies.files().unwrap();
        let shown = files.iter().find(|one| one.file == file.display().to_string()).unwrap();
        assert!(shown.layer == Layer::Project && !shown.own && shown.problems.is_empty());
        assert!(shown.notices.iter().any(|notice| notice.message.contains("preview")), "{:?}", shown.notices);
        std::fs::write(&file, "tool_policies:\n  db/write: { max_row_count: 500 }\n").unwrap();
        let look = place.policies.project(&place.inner).unwrap();
        assert_eq!(most(&look), Some(5), "the weaker version does not take the stricter one away");
        assert!(look.problem.as_ref().is_some_and(|problem| problem.contains("tool_policies.db/write")), "{look:?}");
        std::fs::write(&file, "tool_policies:\n  db/write: { max_rows: 1 }\n").unwrap();
        let look = place.policies.project(&place.inner).unwrap();
        assert_eq!(most(&look), Some(5));
        let files = place.policies.files().unwrap();
        let shown = files.iter().find(|one| one.file == file.display().to_string()).unwrap();
        assert!(shown.problems.iter().any(|problem| problem.line == 2), "{:?}", shown.problems);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_not_said_of_another_one_of_its_name() {
        let place = place();
        let inner = place.inner.join(".reeve/policies/rules.cedar");
        std::fs::write(&place.file, rule("project-no")).unwrap();
        std::fs::write(&inner, rule("own-no")).unwrap();
        place.policies.project(&place.inner).unwrap();
        std::fs::write(&inner, "forbid (principal, action\n").unwrap();
        place.policies.project(&place.inner).unwrap();
        let files = place.policies.files().unwrap();
        let problems = |path: &Path| files.iter().find(|one| one.path.as_deref() == Some(path)).unwrap().problems.len();
        assert_eq!((problems(&inner), problems(&place.file)), (1, 0));
    }

    #[test]
    fn a_project_that_never_loaded_lets_nobody_in() {
        let place = place();
        std::fs::write(&place.file, "permit (principal").unwrap();
        assert!(place.policies.project(&place.inner).is_err());
    }
}
