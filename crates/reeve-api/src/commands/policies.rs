//! Policies: the rules in force, drafts of them, and their weight; checks and case files that need no engine.

mod drafts;
mod weighing;

use std::path::{Path, PathBuf};

use reeve_domain::verdict::Layer;
use reeve_engine::policies::{Policies, ProjectProblem};
use reeve_engine::settings::Settings;
use reeve_policy::cases;
use serde::Serialize;
use serde_json::Value;

use super::answer;
use crate::connection::Caller;
use crate::contract::calls::PoliciesCall;
use crate::contract::policies::{
    HitsDto, PolicyFileDto, PolicyStateDto, ProjectProblemDto, RuleDto, RuleHitsDto, RuleModeDto,
};
use crate::contract::{ApiCode, ApiError};
use crate::home::Home;
use crate::host::Host;

/// How far back hits are counted.
const HITS: chrono::Duration = chrono::Duration::days(7);

pub(crate) async fn run(host: &Host, caller: &Caller, call: PoliciesCall) -> Result<Value, ApiError> {
    match call {
        PoliciesCall::List => answer(&list(host)),
        PoliciesCall::State => answer(&state(host)),
        PoliciesCall::Files => answer(&files(host)?),
        PoliciesCall::Hits => answer(&hits(host).await?),
        PoliciesCall::Check(input) => answer(&drafts::check(host, &input.draft).await?),
        PoliciesCall::Format(input) => answer(&drafts::format(&input)),
        PoliciesCall::Complete(input) => answer(&drafts::complete(host, &input).await?),
        PoliciesCall::Replay(input) => answer(&weighing::replay(host, &input).await?),
        PoliciesCall::Propose(input) => answer(&weighing::propose(host, &input).await?),
        PoliciesCall::WhatIf(input) => answer(&weighing::what_if(host, &input).await?),
        PoliciesCall::Acknowledge(input) => {
            let person = super::approvals::person(caller, input.proof);
            if Path::new(&input.folder) == host.engine.policies().folder() {
                host.engine.load_outside(&input.revision, &person).await?;
            } else {
                host.engine.acknowledge_project(Path::new(&input.folder), &input.revision, &person).await?;
            }
            answer(&state(host))
        }
        PoliciesCall::TakeBack(input) => {
            let person = super::approvals::person(caller, None);
            host.engine.drop_outside(&input.revision, &person).await?;
            answer(&state(host))
        }
        PoliciesCall::History => answer(&drafts::history(host)?),
        PoliciesCall::Save(input) => {
            drafts::save(host, caller, input).await?;
            answer(&state(host))
        }
    }
}

/// The rules in force, with those that projects of running sessions bring along.
fn list(host: &Host) -> Vec<RuleDto> {
    let mut rules: Vec<RuleDto> = host.engine.policies().in_force().set.rules().iter().map(rule).collect();
    for live in host.engine.sessions().all() {
        let sets = live.project_rules();
        for info in sets.iter().flat_map(|set| set.rules()).filter(|info| info.layer == Layer::Project) {
            let project = Some(live.session.cwd.clone());
            if !rules.iter().any(|known| known.id == info.id.as_str() && known.project == project) {
                rules.push(RuleDto { project, ..rule(&info) });
            }
        }
    }
    rules
}

fn state(host: &Host) -> PolicyStateDto {
    let in_force = host.engine.policies().in_force();
    PolicyStateDto {
        revision: in_force.set.revision().to_owned(),
        preset: in_force.set.preset().into(),
        rules: u32::try_from(in_force.set.rules().len()).unwrap_or(u32::MAX),
        folder: host.engine.policies().folder().display().to_string(),
        problem: in_force.problem.clone(),
        waiting: in_force.waiting.as_deref().map(drafts::waiting),
        projects: Some(projects(host)).filter(|problems| !problems.is_empty()),
    }
}

fn projects(host: &Host) -> Vec<ProjectProblemDto> {
    let dto = |project: ProjectProblem| ProjectProblemDto {
        folder: project.folder.display().to_string(),
        problem: project.problem,
        revision: project.revision,
    };
    host.engine.policies().project_problems().into_iter().map(dto).collect()
}

fn files(host: &Host) -> Result<Vec<PolicyFileDto>, ApiError> {
    let some = |problems: &[reeve_policy::Problem]| {
        let dtos = problems.iter().map(|problem| drafts::placed(problem, true)).collect::<Vec<_>>();
        Some(dtos).filter(|dtos| !dtos.is_empty())
    };
    let dto = |file: reeve_engine::policies::FileInfo| PolicyFileDto {
        problems: some(&file.problems),
        notices: some(&file.notices),
        file: file.file,
        layer: file.layer.into(),
        path: file.path.map(|path| path.display().to_string()),
        text: file.text,
        own: file.own,
    };
    Ok(host.engine.policies().files()?.into_iter().map(dto).collect())
}

async fn hits(host: &Host) -> Result<HitsDto, ApiError> {
    let since = host.engine.now() - HITS;
    let rules = host.engine.store().rule_hits(since).await?;
    Ok(HitsDto { since, rules: rules.into_iter().map(|(rule, hits)| RuleHitsDto { rule, hits }).collect() })
}

fn rule(info: &reeve_policy::RuleInfo) -> RuleDto {
    RuleDto {
        id: info.id.to_string(),
        kind: info.kind.into(),
        reason: info.reason.clone(),
        layer: info.layer.into(),
        file: info.file.clone(),
        line: info.line,
        liftable: info.liftable,
        mode: match info.mode {
            reeve_policy::RuleMode::Enforce => RuleModeDto::Enforce,
            reeve_policy::RuleMode::Observe => RuleModeDto::Observe,
        },
        risk: info.risk.map(Into::into),
        expires: info.expires,
        lifts: info.lifts.iter().map(ToString::to_string).collect(),
        project: None,
        text: info.text.clone(),
    }
}

fn load(home: &Home) -> Result<Policies, ApiError> {
    let settings = Settings::load(&home.config_file())?;
    Ok(Policies::load(settings.preset, &home.config, home.managed.as_deref())?)
}

/// Loads the files as the engine would and says what was found.
///
/// # Errors
/// Every problem with file, line and column.
pub fn check(home: &Home) -> Result<String, ApiError> {
    let in_force = load(home)?.in_force();
    let notices: Vec<String> = in_force.set.notices().iter().map(|n| format!("\nnote: {n}")).collect();
    Ok(format!(
        "{} rules and {} budgets load, revision {}{}",
        in_force.set.rules().len(),
        in_force.limits.budgets().len(),
        in_force.set.revision(),
        notices.concat()
    ))
}

/// One case and how it came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseOutcome {
    pub file: String,
    pub name: String,
    /// What was expected and what came, where they differ.
    pub problem: Option<String>,
}

/// Runs case files against the policy of this profile; without files, those in its `policies/cases`, and the shipped ones
/// of the preset in use.
///
/// # Errors
/// When the policy or a case file does not load.
pub fn test(home: &Home, files: &[PathBuf]) -> Result<Vec<CaseOutcome>, ApiError> {
    let set = load(home)?.in_force();
    let mut texts = Vec::new();
    for path in files {
        texts.push((path.display().to_string(), read(path)?));
    }
    if files.is_empty() {
        for path in own_cases(home)? {
            texts.push((path.display().to_string(), read(&path)?));
        }
        let (name, text) = cases::shipped(set.set.preset());
        texts.push((name.to_owned(), text.to_owned()));
    }
    let mut outcomes = Vec::new();
    for (file, text) in texts {
        let results =
            cases::run(&set.set, &text, &file).map_err(|error| ApiError::new(ApiCode::Invalid, error.to_string()))?;
        outcomes.extend(results.into_iter().filter(|result| !result.skipped).map(|result| CaseOutcome {
            file: file.clone(),
            problem: problem(&result),
            name: result.name,
        }));
    }
    Ok(outcomes)
}

fn problem(result: &cases::CaseResult) -> Option<String> {
    if result.passed() {
        return None;
    }
    let rules: Vec<String> = result.rules.iter().map(|rule| format!("`{rule}`")).collect();
    let wanted = result.expected_rule.as_ref().map(|rule| format!(" by `{rule}`")).unwrap_or_default();
    Some(format!(
        "line {}: expected {:?}{wanted}, came {:?} by {}",
        result.line,
        result.expected,
        result.decided,
        rules.join(", ")
    ))
}

fn own_cases(home: &Home) -> Result<Vec<PathBuf>, ApiError> {
    let folder = home.config.join("policies").join("cases");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<String, ApiError> {
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> ApiError {
    ApiError::new(ApiCode::Invalid, format!("could not read `{}`: {error}", path.display()))
}
