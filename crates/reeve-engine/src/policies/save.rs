//! Putting a draft in force: checked, run against the case files, kept as a version, written, read back and recorded.

use std::sync::Arc;

use reeve_domain::event::{Draft as Record, EventBody};
use reeve_domain::verdict::{Layer, Risk};
use reeve_policy::diff::diff;
use reeve_policy::limits::{Limits, SESSION_LIMITS};
use reeve_policy::{PolicySet, tools};

use super::draft::{Candidate, Draft};
use super::history::{Author, Version};
use super::outside::put;
use super::replay::WINDOW;
use super::{InForce, Policies, PolicyFile, Reload, TOOLS_FILE};
use crate::Engine;
use crate::error::EngineError;
use crate::loosening::Change;
use crate::presence::Person;

impl Engine {
    /// Puts a draft in force. `base` is the revision it was made on; `None` takes whatever is in force. Rules that may let
    /// more pass need the proof that *High* needs, or that of what was recorded and would pass.
    ///
    /// # Errors
    /// When the rules changed meanwhile, the draft does not load or fails a case, a human is to be proven first, or version,
    /// files or record cannot be written. Then nothing changed.
    pub async fn save_policies(
        &self,
        draft: &Draft,
        base: Option<&str>,
        author: &Author,
    ) -> Result<Version, EngineError> {
        let policies = self.policies();
        let _one_at_a_time = policies.alone().await;
        // What was changed outside a moment ago is in force first, or found broken: `base` is compared with what is there.
        self.reload().await?;
        let live = policies.in_force();
        if base.is_some_and(|base| base != live.set.revision()) {
            return Err(changed_meanwhile());
        }
        let candidate = policies.candidate(draft)?;
        let set = candidate.whole()?;
        let cases = candidate.cases(&set);
        if !cases.pass() {
            return Err(EngineError::Refused(failing(&cases)));
        }
        let weight = [
            Change::Rules(&diff(&live.set.rules(), &set.rules())).weight(),
            Change::Tools(&tools::diff(live.set.tools(), set.tools())).weight(),
            candidate.limits.as_ref().and_then(|after| Change::Sessions { before: &live.limits, after }.weight()),
        ];
        let weight = weight.into_iter().flatten().max();
        self.proven_for_rules("loosening the rules", weight, Arc::clone(&set), &author.person).await?;
        // The proof took its time: what was saved in an editor meanwhile was neither weighed nor is it to be lost.
        self.reload().await?;
        if policies.in_force().set.revision() != live.set.revision() || !candidate.is_still(&policies.candidate(draft)?)
        {
            return Err(changed_meanwhile());
        }
        let (version, agreed) = policies.write(&candidate, author, self.now())?;
        let told = match self.reload().await {
            Ok(Reload::Rejected { problem }) => Err(EngineError::Policy(problem)),
            Ok(Reload::Loaded { .. } | Reload::Waiting { .. } | Reload::Unchanged) => {
                let event = EventBody::PolicyChanged {
                    what: format!("rules saved by {}: {}", author.person.name, names(&version)),
                    text: said(&live, &set, &candidate),
                };
                self.gate().record(Record::engine(event)).await.map(|_| ())
            }
            Err(error) => Err(error),
        };
        if let Err(error) = told {
            policies.take_back(&version, agreed)?;
            self.reload().await?;
            return Err(error);
        }
        Ok(version)
    }

    /// Rules that loosen are as grave as the gravest recorded action of the last days that they newly let pass.
    pub(crate) async fn proven_for_rules(
        &self,
        what: &str,
        weight: Option<Risk>,
        candidate: Arc<PolicySet>,
        person: &Person,
    ) -> Result<(), EngineError> {
        let Some(least) = weight else { return self.proven(what, None, person).await };
        let policies = self.policies();
        let revisions = (policies.in_force().set.revision().to_owned(), candidate.revision().to_owned());
        // Nothing is graver, so what is recorded meanwhile makes no difference.
        let known = policies.critical.lock().as_ref() == Some(&revisions);
        let weight = match known {
            true => Risk::Critical,
            false => {
                self.replay(candidate, self.now() - WINDOW).await?.weight().map_or(least, |gravest| gravest.max(least))
            }
        };
        if weight == Risk::Critical {
            *policies.critical.lock() = Some(revisions);
        }
        self.proven(what, Some(weight), person).await
    }
}

impl Policies {
    /// Keeps a version, then writes its files; none where one cannot be written. Gives also what was agreed to before.
    fn write(
        &self,
        candidate: &Candidate,
        author: &Author,
        at: chrono::DateTime<chrono::Utc>,
    ) -> Result<(Version, Option<Vec<PolicyFile>>), EngineError> {
        let Some(history) = self.history.get() else {
            return Err(EngineError::Refused("versions of the rules are not kept here".to_owned()));
        };
        if candidate.changed.is_empty() {
            return Err(EngineError::Refused("nothing would change".to_owned()));
        }
        let (by, note) = (Some(author.person.name.clone()), author.note.clone());
        let version = history.keep(candidate.changed.clone(), at, author.how, by, note)?;
        // Held meanwhile: nobody looks at half of it.
        let mut seen = self.seen.lock();
        let agreed = seen.agreed.as_mut().map(|agreed| agreed.agree_to(&candidate.own, &self.folder()));
        let mut written = Ok(());
        for file in &version.files {
            written = written.and_then(|()| put(&self.path_of(&file.file), file.after.as_deref()));
        }
        drop(seen);
        if let Err(error) = written {
            self.take_back(&version, agreed)?;
            return Err(error);
        }
        Ok((version, agreed))
    }

    /// The files and what was agreed to as they were before a version, which is forgotten.
    fn take_back(&self, version: &Version, agreed: Option<Vec<PolicyFile>>) -> Result<(), EngineError> {
        let mut seen = self.seen.lock();
        for file in &version.files {
            put(&self.path_of(&file.file), file.before.as_deref())?;
        }
        if let (Some(known), Some(before)) = (&mut seen.agreed, agreed) {
            known.set(before);
        }
        drop(seen);
        self.history.get().map_or(Ok(()), |history| history.forget(version))
    }
}

fn changed_meanwhile() -> EngineError {
    EngineError::Refused("the rules changed meanwhile: look at them again".to_owned())
}

fn failing(cases: &super::draft::Cases) -> String {
    let problems = cases.problems.iter().map(ToString::to_string);
    let failed = cases.results.iter().filter(|result| !result.passed());
    let failed = failed.map(|result| format!("{}:{}: `{}`", result.file, result.line, result.name));
    let all: Vec<String> = problems.chain(failed).take(5).collect();
    format!("a case does not come out as it says, so nothing was saved:\n{}", all.join("\n"))
}

fn names(version: &Version) -> String {
    version.files.iter().map(|file| format!("`{}`", file.file)).collect::<Vec<_>>().join(", ")
}

/// The rules that differ, as the record keeps them.
fn said(live: &InForce, after: &PolicySet, candidate: &Candidate) -> String {
    let one = |difference: reeve_policy::diff::Difference| match (difference.before, difference.after) {
        (None, Some(new)) => format!("// new\n{}", new.text),
        (Some(old), None) => format!("// removed: {}", old.id),
        (_, Some(new)) => format!("// changed\n{}", new.text),
        (None, None) => String::new(),
    };
    let file = candidate.changed.iter().find(|file| file.file == TOOLS_FILE).and_then(|file| file.after.as_deref());
    let text = |name: &str| {
        if name == SESSION_LIMITS {
            return candidate.limits.as_ref().map(Limits::of_sessions).unwrap_or_default();
        }
        let mine = |rule: &&tools::ToolRule| rule.layer == Layer::Mine && rule.name() == name;
        let rule = after.tools().rules().iter().find(mine);
        file.zip(rule).map(|(file, rule)| entry(file, rule.line)).unwrap_or_default()
    };
    let tool = |difference: tools::ToolDifference| {
        let what = match (difference.before, difference.after) {
            (false, _) => "new",
            (_, false) => "removed",
            _ => "changed",
        };
        let text = Some(text(&difference.name)).filter(|text| difference.after && !text.is_empty());
        format!("# {what}: {}{}", difference.name, text.map(|text| format!("\n{text}")).unwrap_or_default())
    };
    let rules = diff(&live.set.rules(), &after.rules()).into_iter().map(one);
    let tools = candidate.tools_since(live, after).into_iter().map(tool);
    rules.chain(tools).collect::<Vec<_>>().join("\n\n")
}

/// An entry of a file as written: its line and those that stand deeper below it.
fn entry(file: &str, line: u32) -> String {
    let mut lines = file.lines().skip(usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1));
    let Some(first) = lines.next() else { return String::new() };
    let depth = |line: &str| line.len() - line.trim_start().len();
    let deeper = lines.take_while(|line| line.trim().is_empty() || depth(line) > depth(first));
    let all: Vec<&str> = std::iter::once(first).chain(deeper).collect();
    all.join("\n").trim_end().to_owned()
}
