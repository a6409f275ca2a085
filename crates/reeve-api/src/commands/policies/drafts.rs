//! Drafts: checked, formatted, completed, saved; and the versions that were kept.

use std::sync::Arc;

use reeve_domain::approval::Surface;
use reeve_engine::policies::TOOLS_FILE;
use reeve_engine::policies::draft::{Cases, Draft, FileChange, Finding, Part};
use reeve_engine::policies::history::{Author, How, Version, VersionFile};
use reeve_engine::policies::outside::Waiting;
use reeve_engine::servers::Known;
use reeve_policy::diff::{Difference, Leaning, diff};
use reeve_policy::{Problem, cases, tools};

use super::rule;
use crate::commands::approvals::person;
use crate::connection::Caller;
use crate::contract::policies::WaitingDto;
use crate::contract::policies::drafts::{
    CaseDto, CheckedDto, CompleteInput, CompletionDto, CompletionsDto, DifferenceDto, DraftDto, FileChangeDto,
    FormatInput, FormattedDto, LeaningDto, PartDto, ProblemDto, SaveInput, ToolDifferenceDto, VersionDto,
    VersionFileDto, VersionHowDto,
};
use crate::contract::{ApiCode, ApiError};
use crate::host::Host;

/// A draft as the engine takes it.
pub(super) fn draft(dto: &DraftDto) -> Draft {
    let change = |change: &FileChangeDto| FileChange {
        file: change.file.clone(),
        part: match &change.part {
            PartDto::File => Part::File,
            PartDto::Rule { id } => Part::Rule(id.clone()),
            PartDto::New => Part::New,
            PartDto::Gone => Part::Gone,
        },
        text: change.text.clone(),
    };
    Draft { changes: dto.changes.iter().map(change).collect(), complete: dto.complete }
}

pub(super) async fn check(host: &Host, dto: &DraftDto) -> Result<CheckedDto, ApiError> {
    let engine = host.engine.clone();
    let draft = draft(dto);
    let work = move || -> Result<CheckedDto, ApiError> {
        let policies = engine.policies();
        let live = policies.in_force();
        let candidate = policies.candidate(&draft)?;
        let findings: Vec<ProblemDto> = candidate.findings().iter().map(finding).collect();
        let changes = !candidate.changed().is_empty();
        let Ok(set) = &candidate.set else {
            return Ok(CheckedDto {
                problems: findings,
                notices: Vec::new(),
                cases: Vec::new(),
                case_problems: Vec::new(),
                differences: Vec::new(),
                tools: None,
                changes,
                ready: false,
            });
        };
        let cases = candidate.cases(set);
        let ready = changes && cases.pass();
        let Cases { results, problems } = cases;
        Ok(CheckedDto {
            problems: Vec::new(),
            notices: findings,
            cases: results.iter().map(case).collect(),
            case_problems: problems.iter().map(|problem| finding(&candidate.seen(problem))).collect(),
            differences: diff(&live.set.rules(), &set.rules()).iter().map(difference).collect(),
            tools: Some(candidate.tools_since(&live, set).iter().map(tool).collect::<Vec<_>>())
                .filter(|tools| !tools.is_empty()),
            changes,
            ready,
        })
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::new(ApiCode::Failed, error.to_string()))?
}

fn finding(finding: &Finding) -> ProblemDto {
    placed(&finding.problem, finding.here)
}

pub(super) fn placed(problem: &Problem, here: bool) -> ProblemDto {
    ProblemDto {
        file: problem.file.clone(),
        line: problem.line,
        column: problem.column,
        length: problem.length,
        message: problem.message.clone(),
        here,
    }
}

fn case(result: &cases::CaseResult) -> CaseDto {
    CaseDto {
        name: result.name.clone(),
        file: result.file.clone(),
        line: result.line,
        expected: result.expected.into(),
        decided: result.decided.into(),
        expected_rule: result.expected_rule.as_ref().map(ToString::to_string),
        rules: result.rules.iter().map(ToString::to_string).collect(),
        passed: result.passed(),
        skipped: result.skipped,
    }
}

fn difference(difference: &Difference) -> DifferenceDto {
    DifferenceDto {
        before: difference.before.as_ref().map(rule),
        after: difference.after.as_ref().map(rule),
        leaning: leaning(difference.leaning),
    }
}

fn tool(difference: &tools::ToolDifference) -> ToolDifferenceDto {
    ToolDifferenceDto {
        name: difference.name.clone(),
        before: difference.before,
        after: difference.after,
        leaning: leaning(difference.leaning),
    }
}

fn leaning(leaning: Leaning) -> LeaningDto {
    match leaning {
        Leaning::Neutral => LeaningDto::Neutral,
        Leaning::Tighter => LeaningDto::Tighter,
        Leaning::Looser => LeaningDto::Looser,
        Leaning::Either => LeaningDto::Either,
    }
}

/// Whether this is the name of a file of rules for tools, in whichever layer.
fn is_tools(file: Option<&str>) -> bool {
    file.is_some_and(|file| file.rsplit('/').next() == Some(TOOLS_FILE))
}

pub(super) fn format(input: &FormatInput) -> FormattedDto {
    let laid_out = match is_tools(input.file.as_deref()) {
        true => tools::format("", &input.text),
        false => reeve_policy::format("", &input.text),
    };
    match laid_out {
        Ok(text) => FormattedDto { text: Some(text), problem: None },
        Err(error) => {
            let message = error.problems().first().map(|problem| problem.message.clone());
            FormattedDto { text: None, problem: Some(message.unwrap_or_else(|| error.to_string())) }
        }
    }
}

pub(super) async fn complete(host: &Host, input: &CompleteInput) -> Result<CompletionsDto, ApiError> {
    let engine = &host.engine;
    let offset = bytes(&input.text, input.offset);
    let found = match is_tools(input.file.as_deref()) {
        true => tools::complete(&input.text, offset, &seen_tools(host)),
        false => engine.policies().in_force().set.complete(&input.text, offset, &known(host).await?),
    };
    let item = |item: reeve_policy::Completion| CompletionDto {
        text: item.text,
        kind: item.kind.to_owned(),
        detail: item.detail,
    };
    let before = input.text.get(..found.from).unwrap_or_default();
    Ok(CompletionsDto {
        from: u32::try_from(before.encode_utf16().count()).unwrap_or(u32::MAX),
        items: found.items.into_iter().map(item).collect(),
    })
}

/// Tools of all servers that were seen, each with its server first.
fn seen_tools(host: &Host) -> Vec<(String, String)> {
    let named = |known: &Known| {
        let server = known.record.name.clone();
        known.tools.keys().map(move |tool| (server.clone(), tool.clone())).collect::<Vec<_>>()
    };
    host.engine.servers().all().iter().flat_map(named).collect()
}

/// What the machine knows that rules in Cedar may name.
async fn known(host: &Host) -> Result<reeve_policy::Known, ApiError> {
    let engine = &host.engine;
    let mut hosts: Vec<String> = engine.store().seen_hosts().await?.into_iter().map(|(_, host, _)| host).collect();
    hosts.sort();
    hosts.dedup();
    let all = reeve_domain::query::parse("kind:llm").query;
    let facets = engine.store().facets(&all).await?;
    let models = facets.groups.into_iter().filter(|group| group.key == "model").flat_map(|group| group.values);
    Ok(reeve_policy::Known {
        agents: engine.agents().list().iter().map(|agent| agent.id.to_string()).collect(),
        hosts,
        models: models.map(|value| value.value).collect(),
    })
}

/// The byte offset of a place counted in UTF-16 code units; the end of the text for one beyond it.
fn bytes(text: &str, units: u32) -> usize {
    let mut left = usize::try_from(units).unwrap_or(usize::MAX);
    for (at, c) in text.char_indices() {
        if left < c.len_utf16() {
            return at;
        }
        left -= c.len_utf16();
    }
    text.len()
}

pub(super) async fn save(host: &Host, caller: &Caller, input: SaveInput) -> Result<(), ApiError> {
    let how = if caller.surface == Surface::Cli { How::Applied } else { How::Saved };
    let author = Author { person: person(caller, input.proof), how, note: input.note };
    host.engine.save_policies(&draft(&input.draft), input.base.as_deref(), &author).await?;
    Ok(())
}

pub(super) fn history(host: &Host) -> Result<Vec<VersionDto>, ApiError> {
    Ok(host.engine.policies().versions()?.into_iter().map(version).collect())
}

fn version(version: Version) -> VersionDto {
    VersionDto {
        id: version.id,
        at: version.at,
        by: version.by,
        how: match version.how {
            How::Found => VersionHowDto::Found,
            How::Saved => VersionHowDto::Saved,
            How::Applied => VersionHowDto::Applied,
            How::Outside => VersionHowDto::Outside,
        },
        note: version.note,
        files: version.files.into_iter().map(version_file).collect(),
    }
}

fn version_file(file: VersionFile) -> VersionFileDto {
    VersionFileDto { file: file.file, before: file.before, after: file.after }
}

/// The person's own files that wait.
pub(super) fn waiting(waiting: &Waiting) -> WaitingDto {
    WaitingDto { revision: waiting.revision.clone(), files: waiting.files.iter().cloned().map(version_file).collect() }
}

/// The set of a draft.
///
/// # Errors
/// When it does not load.
pub(super) fn set_of(host: &Host, dto: &DraftDto) -> Result<Arc<reeve_policy::PolicySet>, ApiError> {
    Ok(host.engine.policies().candidate(&draft(dto))?.whole()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_the_web_view_counts_them() {
        assert_eq!(bytes("aé𝄞b", 0), 0);
        assert_eq!(bytes("aé𝄞b", 2), 3);
        assert_eq!(bytes("aé𝄞b", 4), 7);
        assert_eq!(bytes("aé𝄞b", 99), 8);
    }
}
