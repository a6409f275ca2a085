//! `reeve policy simulate`, `diff` and `apply`: a candidate folder or file against the rules in force.

use std::io::Write as _;
use std::path::Path;

use reeve_api::contract::calls::PoliciesCall;
use reeve_api::contract::operations::DecisionDto;
use reeve_api::contract::policies::drafts::{
    CheckInput, CheckedDto, DifferenceDto, DraftDto, FileChangeDto, LeaningDto, PartDto, SaveInput, VersionFileDto,
};
use reeve_api::contract::policies::weighing::{ReplayChangeDto, ReplayDto, ReplayInput, TallyDto};
use reeve_api::contract::policies::{PolicyStateDto, RuleDto, RuleKindDto, RuleModeDto};
use reeve_api::contract::{ApiCode, ApiError};

use crate::commands::{Context, proof, refuse_inside_session};
use crate::{exit, output};

const TOOLS_FILE: &str = "tools.yaml";
/// Lines of examples printed; `--json` has all that the engine lists.
const EXAMPLES: usize = 20;

pub async fn simulate(context: &Context, candidate: &Path, since: Option<&str>) -> anyhow::Result<u8> {
    let since = since.map(crate::commands::status::duration).transpose()?.map(|ago| chrono::Utc::now() - ago);
    let draft = read(candidate)?;
    let client = context.client().await?;
    let replay: ReplayDto = client.call(&PoliciesCall::Replay(ReplayInput { draft, since })).await?;
    if context.json {
        output::json(&replay)?;
    } else {
        print(context, &replay)?;
    }
    Ok(if replay.newly_allowed.count > 0 { exit::DENIED } else { exit::DONE })
}

fn print(context: &Context, replay: &ReplayDto) -> anyhow::Result<()> {
    output::line(&summary(replay))?;
    let row = |change: &ReplayChangeDto| {
        let rules = change.reasons.iter().map(|reason| reason.rule.as_str()).collect::<Vec<_>>().join(", ");
        vec![
            format!("{:?}", change.risk).to_lowercase(),
            output::visible(&change.agent),
            format!("{} → {}", word(change.before), word(change.after)),
            format!("×{}", change.times),
            rules,
            output::visible(&change.summary),
        ]
    };
    let rows: Vec<Vec<String>> = replay.changes.iter().take(EXAMPLES).map(row).collect();
    if !rows.is_empty() {
        output::table(&["RISK", "AGENT", "NOW → THEN", "TIMES", "RULE", "ACTION"], &rows)?;
    }
    if replay.changes.len() > EXAMPLES {
        context.say(&format!("{} more kinds of change; `--json` lists them", replay.changes.len() - EXAMPLES));
    }
    if !replay.complete {
        context.say("these are the newest actions only: there are more than are judged at once");
    }
    Ok(())
}

fn summary(replay: &ReplayDto) -> String {
    let tally = |tally: TallyDto| match tally.grave {
        0 => tally.count.to_string(),
        grave => format!("{} ({grave} of high risk)", tally.count),
    };
    format!(
        "newly allowed {} · newly held {} · newly denied {} · same {} · of {} actions since {}",
        tally(replay.newly_allowed),
        tally(replay.newly_asked),
        tally(replay.newly_denied),
        replay.same,
        replay.judged,
        replay.since.with_timezone(&chrono::Local).format("%Y-%m-%d %H:%M"),
    )
}

pub async fn diff(context: &Context, candidate: &Path) -> anyhow::Result<u8> {
    let draft = read(candidate)?;
    let client = context.client().await?;
    let checked: CheckedDto = client.call(&PoliciesCall::Check(CheckInput { draft })).await?;
    if !checked.problems.is_empty() {
        return broken(context, &checked);
    }
    if context.json {
        let tools = checked.tools.as_deref().unwrap_or_default();
        output::json(&serde_json::json!({ "differences": checked.differences, "tools": tools }))?;
    } else {
        differences(&checked)?;
    }
    Ok(exit::DONE)
}

pub async fn apply(context: &Context, candidate: &Path, yes: bool, note: Option<String>) -> anyhow::Result<u8> {
    refuse_inside_session("policy apply")?;
    let draft = read(candidate)?;
    let client = context.client().await?;
    let state: PolicyStateDto = client.call(&PoliciesCall::State).await?;
    let checked: CheckedDto = client.call(&PoliciesCall::Check(CheckInput { draft: draft.clone() })).await?;
    if !checked.problems.is_empty() {
        return broken(context, &checked);
    }
    if !cases(&checked) {
        eprintln!("reeve: a case does not come out as it says; nothing was written");
        return Ok(exit::FAILED);
    }
    if !checked.changes {
        context.say("this is what is in force; nothing was written");
        return Ok(exit::DONE);
    }
    if !context.json {
        differences(&checked)?;
        let weigh = PoliciesCall::Replay(ReplayInput { draft: draft.clone(), since: None });
        output::line(&summary(&client.call::<ReplayDto>(&weigh).await?))?;
    }
    if !yes && !confirmed(context, "Put this in force?", "look at `reeve policy diff` first, then pass `--yes`")? {
        context.say("nothing was written");
        return Ok(exit::WAITING);
    }
    // What was looked at is what is written: the engine refuses when the rules changed meanwhile.
    let save = SaveInput { draft, base: Some(state.revision), note, proof: None };
    let call = |proof| PoliciesCall::Save(SaveInput { proof, ..save.clone() });
    let after: PolicyStateDto = proof::proven(context, &client, call).await?;
    if context.json {
        let tools = checked.tools.as_deref().unwrap_or_default();
        output::json(&serde_json::json!({ "state": after, "differences": checked.differences, "tools": tools }))?;
    } else {
        context.say(&format!("{} rules in force, revision {}", after.rules, after.revision));
    }
    Ok(exit::DONE)
}

/// Asks; the hint is for where nobody can be asked.
pub(super) fn confirmed(context: &Context, question: &str, hint: &str) -> anyhow::Result<bool> {
    if !output::may_ask(context.no_input) {
        return Err(ApiError::new(ApiCode::Invalid, "nobody can be asked here").hint(hint).into());
    }
    eprint!("{question} [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Prints the cases that fail; whether none does.
fn cases(checked: &CheckedDto) -> bool {
    for problem in &checked.case_problems {
        eprintln!("✕ {}:{}:{}: {}", problem.file, problem.line, problem.column, problem.message);
    }
    for case in checked.cases.iter().filter(|case| !case.passed) {
        eprintln!(
            "✕ {}:{}: {}: expected {}, came {} by {}",
            case.file,
            case.line,
            case.name,
            word(case.expected),
            word(case.decided),
            case.rules.join(", ")
        );
    }
    checked.case_problems.is_empty() && checked.cases.iter().all(|case| case.passed)
}

fn broken(context: &Context, checked: &CheckedDto) -> anyhow::Result<u8> {
    if context.json {
        output::json(checked)?;
    }
    for problem in &checked.problems {
        eprintln!("reeve: {}:{}:{}: {}", problem.file, problem.line, problem.column, problem.message);
    }
    eprintln!("reeve: the candidate does not load; the rules in force stay");
    Ok(exit::FAILED)
}

fn differences(checked: &CheckedDto) -> anyhow::Result<()> {
    let tools = checked.tools.as_deref().unwrap_or_default();
    if checked.differences.is_empty() && tools.is_empty() {
        return output::line("no rule differs");
    }
    for one in tools {
        let mark = match (one.before, one.after) {
            (false, _) => "+",
            (_, false) => "-",
            _ => "~",
        };
        output::line(&format!("{mark} {} ({})", output::visible(&one.name), leans(one.leaning)))?;
    }
    rules(&checked.differences)
}

fn leans(leaning: LeaningDto) -> &'static str {
    match leaning {
        LeaningDto::Neutral => "decides nothing",
        LeaningDto::Tighter => "can only tighten",
        LeaningDto::Looser => "can only loosen",
        LeaningDto::Either => "can tighten and loosen",
    }
}

fn rules(all: &[DifferenceDto]) -> anyhow::Result<()> {
    for one in all {
        let lean = leans(one.leaning);
        match (&one.before, &one.after) {
            (None, Some(new)) => output::line(&format!("+ {} ({lean}): {}", new.id, meaning(new)))?,
            (Some(old), None) => output::line(&format!("- {} ({lean}): {}", old.id, meaning(old)))?,
            (Some(old), Some(new)) => {
                output::line(&format!("~ {} ({lean}): {}", new.id, meaning(new)))?;
                if meaning(old) != meaning(new) {
                    output::line(&format!("    was: {}", meaning(old)))?;
                }
                lines(&old.text, "    - ")?;
                lines(&new.text, "    + ")?;
            }
            (None, None) => {}
        }
    }
    Ok(())
}

fn lines(text: &str, before: &str) -> anyhow::Result<()> {
    text.lines().try_for_each(|line| output::line(&format!("{before}{}", output::visible(line))))
}

/// The lines of a file that differ, between what is the same at its beginning and at its end.
pub(super) fn changed_lines(file: &VersionFileDto) -> Vec<String> {
    let text = |text: &Option<String>| text.as_deref().map(|text| text.lines().map(str::to_owned).collect());
    let before: Vec<String> = text(&file.before).unwrap_or_default();
    let after: Vec<String> = text(&file.after).unwrap_or_default();
    let begins = before.iter().zip(&after).take_while(|(old, new)| old == new).count();
    let (before, after) = (before.get(begins..).unwrap_or_default(), after.get(begins..).unwrap_or_default());
    let ends = before.iter().rev().zip(after.iter().rev()).take_while(|(old, new)| old == new).count();
    let part = |lines: &[String], sign: &str| -> Vec<String> {
        let differ = lines.get(..lines.len() - ends).unwrap_or_default();
        differ.iter().map(|line| format!("    {sign} {}", output::visible(line))).collect()
    };
    [vec![output::visible(&file.file)], part(before, "-"), part(after, "+")].concat()
}

/// What a rule does, in its own words.
fn meaning(rule: &RuleDto) -> String {
    let does = match rule.kind {
        RuleKindDto::Permit => "allows",
        RuleKindDto::Forbid => "denies",
        RuleKindDto::Ask => "asks",
        RuleKindDto::StandingApproval => "answers",
    };
    let does = if rule.mode == RuleModeDto::Observe { format!("only observes: {does}") } else { does.to_owned() };
    let lifts = if rule.lifts.is_empty() { String::new() } else { format!(" {}", rule.lifts.join(", ")) };
    let until = rule.expires.map(|end| format!(", until {}", end.format("%Y-%m-%d"))).unwrap_or_default();
    format!("{does}{lifts}: {}{until}", output::visible(&rule.reason))
}

fn word(decision: DecisionDto) -> &'static str {
    match decision {
        DecisionDto::Allow => "allow",
        DecisionDto::Ask => "ask",
        DecisionDto::Deny => "deny",
    }
}

/// A folder is the person's rules whole; a file takes the place of the one of its name.
fn read(candidate: &Path) -> anyhow::Result<DraftDto> {
    let unread = |path: &Path, error: &std::io::Error| {
        ApiError::new(ApiCode::Invalid, format!("could not read `{}`: {error}", path.display()))
    };
    if !candidate.is_dir() {
        return Ok(DraftDto { changes: vec![change(candidate)?], complete: false });
    }
    let inner = candidate.join("policies");
    let folder = if inner.is_dir() { &inner } else { candidate };
    let mut changes = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unread(folder, &error))? {
        let path = entry.map_err(|error| unread(folder, &error))?.path();
        if path.extension().is_some_and(|extension| extension == "cedar") {
            changes.push(change(&path)?);
        }
    }
    // Rules for tools stand beside that folder, where a candidate has some.
    let tools = candidate.join(TOOLS_FILE);
    // A folder without Cedar says nothing of the rules in Cedar, so they stay.
    let complete = !changes.is_empty();
    if tools.is_file() {
        changes.push(change(&tools)?);
    }
    if changes.is_empty() {
        let message =
            format!("`{}` holds no `.cedar` file, and `{}` no `{TOOLS_FILE}`", folder.display(), candidate.display());
        return Err(ApiError::new(ApiCode::Invalid, message).into());
    }
    changes.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(DraftDto { changes, complete })
}

fn change(path: &Path) -> anyhow::Result<FileChangeDto> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ApiError::new(ApiCode::Invalid, format!("could not read `{}`: {error}", path.display())))?;
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(FileChangeDto { file, part: PartDto::File, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lines_that_differ_are_shown() {
        let changed = |before: Option<&str>, after: Option<&str>| {
            let (before, after) = (before.map(str::to_owned), after.map(str::to_owned));
            changed_lines(&VersionFileDto { file: "mine.cedar".to_owned(), before, after })
        };
        assert_eq!(changed(Some("a\nb\nc\n"), Some("a\nx\ny\nc\n")), ["mine.cedar", "    - b", "    + x", "    + y"]);
        assert_eq!(changed(None, Some("a\n")), ["mine.cedar", "    + a"]);
        assert_eq!(changed(Some("a\na\n"), Some("a\n")), ["mine.cedar", "    - a"]);
        assert_eq!(changed(Some("a\n"), None), ["mine.cedar", "    - a"]);
    }

    #[test]
    fn a_folder_with_rules_for_tools_alone_leaves_the_others_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap_err().to_string().contains("no `tools.yaml`"));
        std::fs::write(folder.path().join(TOOLS_FILE), "tool_policies:\n  write: { timeout: 1s }\n").unwrap();
        let draft = read(folder.path()).unwrap();
        assert_eq!((draft.changes.len(), draft.complete), (1, false));
        std::fs::write(folder.path().join("mine.cedar"), "").unwrap();
        let draft = read(folder.path()).unwrap();
        assert_eq!((draft.changes.len(), draft.complete), (2, true));
    }
}
