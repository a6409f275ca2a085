//! A change of the person's rules before it is made: put together, checked, run against the case files.

use std::path::PathBuf;
use std::sync::Arc;

use reeve_domain::verdict::Layer;
use reeve_policy::limits::Limits;
use reeve_policy::tools::{self, ToolDifference};
use reeve_policy::{PolicySet, Problem};

use super::case_files::{CaseFiles, is_case_file};
use super::history::VersionFile;
use super::{InForce, Policies, PolicyFile, TOOLS_FILE, is_own, is_plain, limits_in, read_files, rules};
use crate::error::EngineError;

pub use super::case_files::Cases;

/// What of a file a change replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// All of it; it comes to be where it is not there.
    File,
    /// The rule of this id, as it stands in force. With an empty text the rule is removed.
    Rule(String),
    /// Nothing: the text is put at the end.
    New,
    /// The file goes.
    Gone,
}

/// A change of one of the person's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// A plain name such as `mine.cedar`, that of a case file such as `cases/mine.yaml`, or `tools.yaml`.
    pub file: String,
    pub part: Part,
    pub text: String,
}

/// A change of the person's rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    pub changes: Vec<FileChange>,
    /// The changes are the person's rules in Cedar whole: files of those that they do not name go.
    pub complete: bool,
}

/// Where the text of a draft stands in the file it is part of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stands {
    file: String,
    /// 1-based.
    first_line: u32,
    last_line: u32,
    /// Characters before it on its first line.
    indent: u32,
}

/// The rules as they would be.
#[derive(Debug)]
pub struct Candidate {
    /// What changes on disk.
    pub(super) changed: Vec<VersionFile>,
    /// The person's rules whole.
    pub(super) own: Vec<PolicyFile>,
    stands: Vec<Stands>,
    cases: CaseFiles,
    /// The set, or everything that is wrong with it.
    pub set: Result<Arc<PolicySet>, Vec<Problem>>,
    /// The limits beside it, where they load.
    pub(super) limits: Option<Limits>,
}

/// What is wrong, seen from the text that was drafted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Line and column count from the drafted text when `here`, from the file otherwise.
    pub problem: Problem,
    /// It lies in the drafted text.
    pub here: bool,
}

impl Candidate {
    /// A problem as whoever drafted the text sees it.
    #[must_use]
    pub fn seen(&self, problem: &Problem) -> Finding {
        let inside = self
            .stands
            .iter()
            .find(|part| part.file == problem.file && (part.first_line..=part.last_line).contains(&problem.line));
        let Some(part) = inside else { return Finding { problem: problem.clone(), here: false } };
        let indent = if problem.line == part.first_line { part.indent } else { 0 };
        let problem = Problem {
            line: problem.line - part.first_line + 1,
            column: problem.column.saturating_sub(indent).max(1),
            ..problem.clone()
        };
        Finding { problem, here: true }
    }

    /// Everything wrong, or else everything worth seeing.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        match &self.set {
            Ok(set) => set.notices().iter().map(|notice| self.seen(notice)).collect(),
            Err(problems) => problems.iter().map(|problem| self.seen(problem)).collect(),
        }
    }

    /// The set.
    ///
    /// # Errors
    /// Everything that is wrong with it, as one text.
    pub fn whole(&self) -> Result<Arc<PolicySet>, EngineError> {
        self.set.clone().map_err(|problems| {
            EngineError::Policy(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        })
    }

    /// Runs the person's case files, as the draft leaves them, against a set.
    #[must_use]
    pub fn cases(&self, set: &PolicySet) -> Cases {
        self.cases.run(set)
    }

    /// Whether the same draft, put together anew, still changes the same files from and to the same, among the same rules.
    pub(super) fn is_still(&self, again: &Self) -> bool {
        let revision = |one: &Self| one.set.as_ref().map(|set| set.revision().to_owned()).ok();
        self.changed == again.changed && self.cases == again.cases && revision(self) == revision(again)
    }

    /// Rules for tools that differ from those in force, and the limits of sessions where they do.
    #[must_use]
    pub fn tools_since(&self, live: &InForce, set: &PolicySet) -> Vec<ToolDifference> {
        let sessions = self.limits.as_ref().and_then(|limits| limits.sessions_since(&live.limits));
        sessions.into_iter().chain(tools::diff(live.set.tools(), set.tools())).collect()
    }

    /// What would change on disk.
    #[must_use]
    pub fn changed(&self) -> &[VersionFile] {
        &self.changed
    }
}

impl Policies {
    /// The rules as they would be with a draft. That they do not load is no error but the answer.
    ///
    /// # Errors
    /// When the files cannot be read, or the draft names what cannot be changed.
    pub fn candidate(&self, draft: &Draft) -> Result<Candidate, EngineError> {
        let mut files = read_files(&self.config, self.managed.as_deref())?;
        let folder = self.folder();
        let before: Vec<PolicyFile> = files.iter().filter(|file| is_own(file, &folder)).cloned().collect();
        if draft.complete {
            files.retain(|file| !is_own(file, &folder) || file.is_tools() || draft.names(&file.shown));
        }
        let on_disk = self.case_files();
        let mut cases = on_disk.clone();
        let mut stands = Vec::new();
        for change in &draft.changes {
            if is_case_file(&change.file) {
                cases.change(change)?;
                stands.extend(self::stands(&change.file, "", &change.text));
                continue;
            }
            let path = self.own_path(&change.file)?;
            let old = files.iter().find(|file| file.path == path).map(|file| file.text.clone());
            files.retain(|file| file.path != path);
            if change.part == Part::Gone {
                continue;
            }
            let (text, part) = self.compose(change, old.as_deref().unwrap_or_default())?;
            stands.extend(part);
            files.push(PolicyFile::new(&path, Layer::Mine, text));
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let own: Vec<PolicyFile> = files.iter().filter(|file| is_own(file, &folder)).cloned().collect();
        let mut changed = changes(&before, own.iter());
        changed.extend(on_disk.changes(&cases));
        let limits = limits_in(&files);
        let set = match (rules(self.preset(), &files), &limits) {
            (Ok(set), Ok(_)) => Ok(Arc::new(set)),
            (Err(error), _) => Err(error.problems().to_vec()),
            (Ok(_), Err(error)) => Err(error.problems().to_vec()),
        };
        Ok(Candidate { changed, own, stands, cases, set, limits: limits.ok() })
    }

    /// The file's text with the change, and where the change stands in it.
    fn compose(&self, change: &FileChange, old: &str) -> Result<(String, Option<Stands>), EngineError> {
        let text = change.text.trim_end();
        match &change.part {
            Part::New | Part::Rule(_) if change.file == TOOLS_FILE => {
                Err(EngineError::Refused(format!("`{TOOLS_FILE}` holds no rules in Cedar: it is changed as a whole")))
            }
            Part::Gone => Ok((String::new(), None)),
            Part::File => Ok((change.text.clone(), stands(&change.file, "", &change.text))),
            Part::New => {
                let gap = match old.trim_end() {
                    "" => "",
                    _ => "\n\n",
                };
                let before = format!("{}{gap}", old.trim_end());
                let part = stands(&change.file, &before, text);
                Ok((format!("{before}{text}\n"), part))
            }
            Part::Rule(id) => {
                let known = self
                    .in_force()
                    .set
                    .rules()
                    .into_iter()
                    .find(|rule| rule.id.as_str() == id && rule.file == change.file && rule.layer == Layer::Mine);
                let rule = known.ok_or_else(|| EngineError::NotFound { what: "rule of yours", name: id.clone() })?;
                let Some((before, after)) = old.split_once(&rule.text) else {
                    return Err(EngineError::Refused(format!(
                        "`{}` was changed outside and `{id}` is not what is in force any more: edit the whole file",
                        change.file
                    )));
                };
                if text.is_empty() {
                    let kept = format!("{}{}", before.trim_end(), after.trim_end());
                    return Ok((if kept.is_empty() { kept } else { format!("{kept}\n") }, None));
                }
                Ok((format!("{before}{text}{after}"), stands(&change.file, before, text)))
            }
        }
    }
}

impl Policies {
    /// A file of the person's own, by a name that cannot lead out of their folders.
    fn own_path(&self, name: &str) -> Result<PathBuf, EngineError> {
        if name == TOOLS_FILE || is_plain(name, ".cedar") {
            return Ok(self.path_of(name));
        }
        let problem = format!("`{name}` is not the name of a policy file, such as `mine.cedar` or `{TOOLS_FILE}`");
        Err(EngineError::Refused(problem))
    }

    /// Where a file of the person's own is.
    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        if name == TOOLS_FILE { self.config.join(name) } else { self.folder().join(name) }
    }
}

impl Draft {
    fn names(&self, file: &str) -> bool {
        self.changes.iter().any(|change| change.file == file)
    }
}

fn stands(file: &str, before: &str, text: &str) -> Option<Stands> {
    let count = |text: &str| u32::try_from(text.matches('\n').count()).ok();
    let first_line = count(before)? + 1;
    let indent = before.rsplit('\n').next().unwrap_or_default().chars().count();
    Some(Stands {
        file: file.to_owned(),
        first_line,
        last_line: first_line + count(text)?,
        indent: u32::try_from(indent).ok()?,
    })
}

pub(super) fn changes<'a>(before: &[PolicyFile], after: impl Iterator<Item = &'a PolicyFile>) -> Vec<VersionFile> {
    let mut changed = Vec::new();
    let mut left: Vec<&PolicyFile> = before.iter().collect();
    for file in after {
        let old = left.iter().position(|old| old.path == file.path).map(|at| left.swap_remove(at).text.clone());
        if old.as_ref() != Some(&file.text) {
            changed.push(VersionFile { file: file.shown.clone(), before: old, after: Some(file.text.clone()) });
        }
    }
    let gone = left.into_iter().map(|old| VersionFile {
        file: old.shown.clone(),
        before: Some(old.text.clone()),
        after: None,
    });
    changed.extend(gone);
    changed.sort_by(|a, b| a.file.cmp(&b.file));
    changed
}

#[cfg(test)]
mod tests {
    use reeve_domain::settings::Preset;

    use super::*;

    const ONE: &str = "@id(\"one\")\n@reason(\"r\")\npermit (principal, action, resource == Host::\"a.example\");";
    const TWO: &str = "@id(\"two\")\n@reason(\"r\")\nforbid (principal, action, resource == Host::\"b.example\");";

    fn policies(text: &str) -> (tempfile::TempDir, Policies) {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join("policies")).unwrap();
        std::fs::write(home.path().join("policies/mine.cedar"), text).unwrap();
        let policies = Policies::load(Preset::Balanced, home.path(), None).unwrap();
        (home, policies)
    }

    fn draft(part: Part, text: &str) -> Draft {
        let change = FileChange { file: "mine.cedar".to_owned(), part, text: text.to_owned() };
        Draft { changes: vec![change], complete: false }
    }

    fn composed(policies: &Policies, part: Part, text: &str) -> Candidate {
        policies.candidate(&draft(part, text)).unwrap()
    }

    #[test]
    fn one_rule_is_replaced_added_and_removed_and_the_rest_stays_to_the_byte() {
        let text = format!("// before\n{ONE}\n\n// between\n{TWO}\n");
        let (_home, policies) = policies(&text);
        let longer = TWO.replace("b.example", "c.example");
        let candidate = composed(&policies, Part::Rule("two".to_owned()), &longer);
        assert_eq!(candidate.changed[0].after.as_deref(), Some(&*text.replace(TWO, &longer)));
        assert!(candidate.set.is_ok());
        let candidate = composed(&policies, Part::New, &TWO.replace("\"two\"", "\"three\""));
        assert!(candidate.changed[0].after.as_ref().unwrap().starts_with(text.trim_end()));
        assert!(candidate.whole().unwrap().rules().iter().any(|rule| rule.id.as_str() == "three"));
        let candidate = composed(&policies, Part::Rule("one".to_owned()), "");
        assert!(!candidate.whole().unwrap().rules().iter().any(|rule| rule.id.as_str() == "one"));
        assert!(composed(&policies, Part::Gone, "").changed[0].after.is_none());
        assert!(composed(&policies, Part::File, &text).changed.is_empty());
    }

    #[test]
    fn what_is_wrong_is_placed_in_the_text_that_was_drafted() {
        let (_home, policies) = policies(&format!("{ONE}\n\n{TWO}\n"));
        let bad = TWO.replace("resource ==", "resource =");
        let candidate = composed(&policies, Part::Rule("two".to_owned()), &bad);
        let findings = candidate.findings();
        assert!(findings.iter().any(|f| f.here && f.problem.line == 3 && f.problem.column > 10), "{findings:?}");
        let twice = composed(&policies, Part::New, ONE);
        assert!(twice.findings().iter().any(|f| f.here && f.problem.line == 1), "{:?}", twice.findings());
    }

    #[test]
    fn case_files_are_changed_with_the_rules_and_run_as_the_draft_leaves_them() {
        const CASE: &str = "cases:\n  - name: b is denied\n    http: { method: GET, url: \"https://b.example/\" }\n    expect: deny\n    rule: two\n";
        let (home, policies) = policies(&format!("{ONE}\n\n{TWO}\n"));
        let case = |part, text: &str| FileChange { file: "cases/mine.yaml".to_owned(), part, text: text.to_owned() };
        let with = |changes| policies.candidate(&Draft { changes, complete: false }).unwrap();
        let added = with(vec![case(Part::File, CASE)]);
        assert_eq!(added.changed()[0].file, "cases/mine.yaml");
        assert!(added.cases(&added.whole().unwrap()).pass());
        let rule =
            FileChange { file: "mine.cedar".to_owned(), part: Part::Rule("two".to_owned()), text: String::new() };
        let both = with(vec![case(Part::File, CASE), rule]);
        assert_eq!(both.changed().len(), 2);
        assert!(!both.cases(&both.whole().unwrap()).pass());
        let wrong = with(vec![case(Part::File, "cases:\n  - name: x\n    shiny: 1\n")]);
        let problems = wrong.cases(&wrong.whole().unwrap()).problems;
        let finding = wrong.seen(&problems[0]);
        assert!(finding.here && finding.problem.line == 3, "{finding:?}");
        std::fs::create_dir_all(home.path().join("policies/cases")).unwrap();
        std::fs::write(home.path().join("policies/cases/mine.yaml"), CASE).unwrap();
        let gone = with(vec![case(Part::Gone, "")]);
        assert_eq!((gone.changed()[0].before.as_deref(), gone.changed()[0].after.as_deref()), (Some(CASE), None));
        assert!(policies.files().unwrap().iter().any(|file| file.own && file.file == "cases/mine.yaml"));
        for name in ["cases/../x.yaml", "cases/x.cedar", "cases/.yaml", "cases//x.yaml", "cases/a/b.yaml"] {
            let change = FileChange { file: name.to_owned(), part: Part::File, text: CASE.to_owned() };
            assert!(policies.candidate(&Draft { changes: vec![change], complete: false }).is_err(), "{name}");
        }
        assert!(policies.candidate(&Draft { changes: vec![case(Part::New, CASE)], complete: false }).is_err());
    }

    #[test]
    fn a_draft_that_is_complete_lets_the_other_files_go_and_leads_nowhere_else() {
        let (home, policies) = policies(ONE);
        std::fs::write(home.path().join("policies/other.cedar"), TWO).unwrap();
        let whole = Draft { complete: true, ..draft(Part::File, ONE) };
        let candidate = policies.candidate(&whole).unwrap();
        assert_eq!(
            candidate.changed.iter().map(|c| (&*c.file, c.after.is_some())).collect::<Vec<_>>(),
            [("other.cedar", false)]
        );
        for name in ["../mine.cedar", "/etc/x.cedar", "a/b.cedar", ".cedar", "mine.yaml", "..cedar", "mine.cedar\0"] {
            let mut bad = draft(Part::File, ONE);
            bad.changes[0].file = name.to_owned();
            assert!(policies.candidate(&bad).is_err(), "{name}");
        }
    }

    #[test]
    fn rules_for_tools_are_drafted_as_a_whole_beside_the_folder() {
        let (home, policies) = policies(ONE);
        let tools = |part, text: &str| {
            let change = FileChange { file: TOOLS_FILE.to_owned(), part, text: text.to_owned() };
            policies.candidate(&Draft { changes: vec![change], complete: true })
        };
        let candidate = tools(Part::File, "tool_policies:\n  t:\n    max_row_count: 5\n").unwrap();
        assert_eq!(candidate.changed.iter().map(|one| &*one.file).collect::<Vec<_>>(), ["mine.cedar", TOOLS_FILE]);
        assert_eq!(candidate.whole().unwrap().tools().rules().len(), 1);
        let wrong = tools(Part::File, "tool_policies:\n  t:\n    max_rows: 5\n").unwrap();
        assert!(wrong.findings().iter().any(|one| one.here && one.problem.line == 3), "{:?}", wrong.findings());
        let limits = tools(Part::File, "policies:\n  session_limits: { max_cost: much }\n").unwrap();
        assert!(limits.findings().iter().any(|one| one.here && one.problem.line == 2), "{:?}", limits.findings());
        assert!(tools(Part::New, "x").is_err() && tools(Part::Rule("one".to_owned()), "x").is_err());
        std::fs::write(home.path().join(TOOLS_FILE), "tool_policies: {}\n").unwrap();
        let files = policies.files().unwrap();
        assert!(files.iter().any(|one| one.own && one.file == TOOLS_FILE && one.layer == Layer::Mine));
        // A candidate in Cedar that is complete says nothing of them.
        let cedar = FileChange { file: "mine.cedar".to_owned(), part: Part::File, text: ONE.to_owned() };
        let whole = policies.candidate(&Draft { changes: vec![cedar], complete: true }).unwrap();
        assert!(whole.changed.is_empty(), "{:?}", whole.changed);
    }

    #[test]
    fn a_case_file_that_cannot_be_read_fails_and_is_neither_kept_nor_replaced() {
        let (home, policies) = policies(ONE);
        let cases = home.path().join("policies/cases");
        std::fs::create_dir_all(cases.join("folder.yaml")).unwrap();
        std::fs::write(cases.join("latin.yaml"), b"cases: [] # caf\xe9\n").unwrap();
        policies.keep_history().unwrap();
        assert!(policies.files().unwrap().iter().all(|file| !file.file.starts_with("cases/")));
        let candidate = composed(&policies, Part::File, ONE);
        let problems = candidate.cases(&candidate.whole().unwrap()).problems;
        let files: Vec<&str> = problems.iter().map(|problem| &*problem.file).collect();
        assert_eq!(files, ["cases/folder.yaml", "cases/latin.yaml"]);
        let change = FileChange { file: "cases/latin.yaml".to_owned(), part: Part::Gone, text: String::new() };
        let refused = policies.candidate(&Draft { changes: vec![change], complete: false }).unwrap_err().to_string();
        assert!(refused.contains("cannot be read"), "{refused}");
    }

    #[test]
    fn a_candidate_is_another_as_soon_as_any_file_was_changed_outside() {
        let (home, policies) = policies(ONE);
        let candidate = composed(&policies, Part::New, TWO);
        assert!(candidate.is_still(&composed(&policies, Part::New, TWO)));
        let file = home.path().join("policies/mine.cedar");
        for outside in [format!("// mine\n{ONE}"), "broken (".to_owned(), ONE.replace("a.example", "z.example")] {
            std::fs::write(&file, outside).unwrap();
            assert!(!candidate.is_still(&composed(&policies, Part::New, TWO)));
        }
        std::fs::write(&file, ONE).unwrap();
        std::fs::write(home.path().join("policies/other.cedar"), TWO.replace("\"two\"", "\"three\"")).unwrap();
        assert!(!candidate.is_still(&composed(&policies, Part::New, TWO)));
    }

    #[test]
    fn a_rule_that_was_changed_outside_is_not_replaced_blindly() {
        let (home, policies) = policies(ONE);
        std::fs::write(home.path().join("policies/mine.cedar"), ONE.replace("a.example", "z.example")).unwrap();
        let error = policies.candidate(&draft(Part::Rule("one".to_owned()), TWO)).unwrap_err().to_string();
        assert!(error.contains("changed outside"), "{error}");
    }
}
