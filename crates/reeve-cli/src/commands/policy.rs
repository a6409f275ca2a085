//! `reeve policy`: rules in force, candidates for them; checks and case files without an engine.

mod candidate;

use std::path::PathBuf;

use reeve_api::contract::calls::{OperationsCall, PoliciesCall};
use reeve_api::contract::operations::{OperationDetailDto, OperationInput};
use reeve_api::contract::policies::{AcknowledgeInput, PolicyStateDto, RuleDto, TakeBackInput};

use super::{Context, ids, proof, refuse_inside_session};
use crate::args::PolicyVerb;
use crate::{exit, output};

pub async fn policy(context: &Context, verb: Option<PolicyVerb>) -> anyhow::Result<u8> {
    match verb.unwrap_or(PolicyVerb::List) {
        PolicyVerb::List => list(context).await,
        PolicyVerb::Check => check(context),
        PolicyVerb::Test { files } => test(context, &files),
        PolicyVerb::Explain { record } => explain(context, record).await,
        PolicyVerb::Simulate { candidate, since } => candidate::simulate(context, &candidate, since.as_deref()).await,
        PolicyVerb::Diff { candidate } => candidate::diff(context, &candidate).await,
        PolicyVerb::Apply { candidate, yes, note } => candidate::apply(context, &candidate, yes, note).await,
        PolicyVerb::Acknowledge { revision, mine: true, keep, .. } => mine(context, revision, keep).await,
        PolicyVerb::Acknowledge { folder, revision, .. } => acknowledge(context, folder, revision).await,
    }
}

async fn acknowledge(context: &Context, folder: Option<PathBuf>, revision: Option<String>) -> anyhow::Result<u8> {
    refuse_inside_session("policy acknowledge")?;
    let folder = std::path::absolute(folder.unwrap_or_else(|| PathBuf::from(".")))?;
    // Sessions name their folder without `.` and links, as the system does.
    let folder = std::fs::canonicalize(&folder).unwrap_or(folder).display().to_string();
    let client = context.client().await?;
    // What was looked at is what is agreed to: the engine refuses when the rules changed meanwhile.
    let revision = if let Some(revision) = revision {
        revision
    } else {
        let state: PolicyStateDto = client.call(&PoliciesCall::State).await?;
        let Some(project) = state.projects.into_iter().flatten().find(|project| project.folder == folder) else {
            context.say("the project's rules bind as they are; there is nothing to agree to");
            return Ok(exit::DONE);
        };
        eprintln!("reeve: {}", output::visible(&project.problem));
        let Some(revision) = project.revision else { return Ok(exit::FAILED) };
        let hint = format!("pass `--revision {revision}`");
        if !candidate::confirmed(context, "Agree that only what is on disk binds?", &hint)? {
            context.say("nothing was changed");
            return Ok(exit::WAITING);
        }
        revision
    };
    let agreed = AcknowledgeInput { folder, revision, proof: None };
    let call = |proof| PoliciesCall::Acknowledge(AcknowledgeInput { proof, ..agreed.clone() });
    let state: PolicyStateDto = proof::proven(context, &client, call).await?;
    if context.json {
        output::json(&state)?;
    } else {
        context.say("the project's rules bind as they are now");
    }
    Ok(exit::DONE)
}

/// Loads, or takes back, what waits of the person's own files.
async fn mine(context: &Context, revision: Option<String>, keep: bool) -> anyhow::Result<u8> {
    refuse_inside_session("policy acknowledge")?;
    let client = context.client().await?;
    let state: PolicyStateDto = client.call(&PoliciesCall::State).await?;
    let Some(waiting) = state.waiting else {
        context.say("your files are in force as they are; there is nothing to agree to");
        return Ok(exit::DONE);
    };
    let revision = if let Some(revision) = revision {
        revision
    } else {
        waiting.files.iter().flat_map(candidate::changed_lines).for_each(|line| eprintln!("{line}"));
        let hint = format!("pass `--revision {}`", waiting.revision);
        let question = if keep { "Write the files as they were?" } else { "Load what is on disk?" };
        if !candidate::confirmed(context, question, &hint)? {
            context.say("nothing was changed");
            return Ok(exit::WAITING);
        }
        waiting.revision
    };
    let state: PolicyStateDto = if keep {
        client.call(&PoliciesCall::TakeBack(TakeBackInput { revision })).await?
    } else {
        let agreed = AcknowledgeInput { folder: state.folder, revision, proof: None };
        let call = |proof| PoliciesCall::Acknowledge(AcknowledgeInput { proof, ..agreed.clone() });
        proof::proven(context, &client, call).await?
    };
    if context.json {
        output::json(&state)?;
    } else {
        context.say(if keep { "the files are as they were" } else { "your files are in force as they are now" });
    }
    Ok(exit::DONE)
}

async fn list(context: &Context) -> anyhow::Result<u8> {
    let client = context.client().await?;
    let state: PolicyStateDto = client.call(&PoliciesCall::State).await?;
    let rules: Vec<RuleDto> = client.call(&PoliciesCall::List).await?;
    if context.json {
        output::json(&serde_json::json!({ "state": state, "rules": rules }))?;
        return Ok(exit::DONE);
    }
    let row = |r: &RuleDto| {
        let kind = format!("{:?}", r.kind).to_lowercase();
        let layer = format!("{:?}", r.layer).to_lowercase();
        vec![r.id.clone(), kind, layer, format!("{}:{}", r.file, r.line), output::visible(&r.reason)]
    };
    output::table(&["RULE", "DOES", "LAYER", "WHERE", "REASON"], &rules.iter().map(row).collect::<Vec<_>>())?;
    context.say(&format!("{} rules, revision {}, yours in {}", state.rules, state.revision, state.folder));
    for project in state.projects.iter().flatten() {
        let revision = project.revision.iter().map(|revision| format!(" (revision {revision})"));
        eprintln!("reeve: {}{}", output::visible(&project.problem), revision.collect::<String>());
    }
    if let Some(waiting) = &state.waiting {
        eprintln!("reeve: {} (revision {})", state.problem.as_deref().unwrap_or_default(), waiting.revision);
        context.say("`reeve policy acknowledge --mine` loads it, with `--keep` it is taken back");
        return Ok(exit::FAILED);
    }
    if let Some(problem) = state.problem {
        eprintln!("reeve: what is on disk does not load, the last good set stays in force: {problem}");
        return Ok(exit::FAILED);
    }
    Ok(exit::DONE)
}

fn check(context: &Context) -> anyhow::Result<u8> {
    match reeve_api::commands::policies::check(&context.home) {
        Ok(summary) => {
            if context.json {
                output::json(&serde_json::json!({ "ok": true, "summary": summary, "problem": null }))?;
            } else {
                output::line(&summary)?;
            }
            Ok(exit::DONE)
        }
        Err(problem) => {
            if context.json {
                output::json(&serde_json::json!({ "ok": false, "summary": null, "problem": problem.to_string() }))?;
            }
            eprintln!("reeve: {problem:#}");
            Ok(exit::FAILED)
        }
    }
}

fn test(context: &Context, files: &[PathBuf]) -> anyhow::Result<u8> {
    let results = reeve_api::commands::policies::test(&context.home, files)?;
    let failed = results.iter().filter(|r| r.problem.is_some()).count();
    if context.json {
        output::json(&results)?;
    } else {
        for result in &results {
            match &result.problem {
                None => output::line(&format!("✓ {} {}", result.file, result.name))?,
                Some(problem) => output::line(&format!("✕ {} {}: {problem}", result.file, result.name))?,
            }
        }
        output::line(&format!("{} passed, {failed} failed", results.len() - failed))?;
    }
    Ok(if failed == 0 { exit::DONE } else { exit::FAILED })
}

async fn explain(context: &Context, operation: String) -> anyhow::Result<u8> {
    let client = context.client().await?;
    let input = OperationInput { operation: ids::operation(&client, operation).await? };
    let detail: OperationDetailDto = client.call(&OperationsCall::Get(input)).await?;
    let code = exit::of_operation(&detail);
    if context.json {
        output::json(&detail)?;
        return Ok(code);
    }
    output::line(&output::visible(&detail.row.summary))?;
    if let Some(verdict) = &detail.verdict {
        output::line(&format!("{:?} by policy revision {}", verdict.decision, verdict.revision))?;
        for reason in &verdict.reasons {
            let place =
                if reason.file.is_empty() { "Reeve".to_owned() } else { format!("{}:{}", reason.file, reason.line) };
            output::line(&format!("  {} ({place}) {}", reason.rule, output::visible(&reason.text)))?;
        }
        for reason in &verdict.risk_reasons {
            output::line(&format!("  {:?} risk: {}", verdict.risk, output::visible(reason)))?;
        }
    }
    if let Some(denial) = &detail.denial {
        output::line(&format!("The agent heard: {}", output::visible(&denial.message)))?;
    }
    Ok(code)
}
