//! The profile itself: its folders and files, what ended without cleaning up, and the settings of tools. What of it Reeve mends,
//! it mends step by step, and only what a person was shown.

use reeve_domain::id::SessionId;

use super::repair::{self, Repair};
use super::{advice, check};
use crate::commands::changes;
use crate::contract::changes::ToolSettingsDto;
use crate::contract::status::{CheckDto, FixDto};
use crate::contract::{ApiCode, ApiError};
use crate::home::Home;
use crate::host::Host;

/// Most that the evidence names; all of it stands in the steps of the repair.
const NAMED: usize = 3;

pub(super) fn with_engine(host: &Host) -> Vec<CheckDto> {
    judged(needed(host))
}

pub(super) fn without_engine(home: &Home) -> Vec<CheckDto> {
    judged(repair::needed(home, None))
}

/// Takes the steps that a person was shown, as far as they are still needed. What has become needed since waits to be shown.
///
/// # Errors
/// `Failed` with what the system said of each step that did not work; the others are done all the same.
pub(crate) fn repair(host: &Host, shown: &[String]) -> Result<(), ApiError> {
    let failed = |why: String| ApiError::new(ApiCode::Failed, why);
    let needed = needed(host).map_err(|error| failed(error.to_string()))?;
    let agreed: Vec<Repair> = needed.into_iter().filter(|step| shown.contains(&step.to_string())).collect();
    let problems = repair::take(&host.home, &agreed);
    if problems.is_empty() { Ok(()) } else { Err(failed(problems.join("; "))) }
}

fn needed(host: &Host) -> std::io::Result<Vec<Repair>> {
    let live: Vec<SessionId> = host.engine.sessions().all().iter().map(|session| session.id().clone()).collect();
    repair::needed(&host.home, Some(&live))
}

fn judged(found: std::io::Result<Vec<Repair>>) -> Vec<CheckDto> {
    let needed = match found {
        Ok(needed) => needed,
        Err(error) => {
            return vec![check("profile", false, error.to_string(), advice("check the folders of this profile"))];
        }
    };
    let (left, wrong): (Vec<Repair>, Vec<Repair>) = needed.into_iter().partition(Repair::is_left_over);
    vec![
        mendable("profile", "its folders are there, and only you can look into them", &wrong),
        mendable("left over", "nothing of engines and sessions that are gone", &left),
    ]
}

/// Fine where no step is needed.
fn mendable(name: &str, fine: &str, steps: &[Repair]) -> CheckDto {
    if steps.is_empty() {
        return check(name, true, fine, None);
    }
    let mut evidence: Vec<String> = steps.iter().take(NAMED).map(Repair::found).collect();
    if steps.len() > NAMED {
        evidence.push(format!("and {} more", steps.len() - NAMED));
    }
    let steps = steps.iter().map(ToString::to_string).collect();
    check(name, false, evidence.join("; "), Some(FixDto::Repair { steps }))
}

/// Whether something of Reeve stands in the settings of a tool. Reeve writes nothing there, so nothing of it is Reeve's to take
/// away.
pub(super) fn tools(host: &Host) -> Vec<CheckDto> {
    changes::tool_settings(&changes::signs_of_sessions(host)).iter().map(settings).collect()
}

fn settings(tool: &ToolSettingsDto) -> CheckDto {
    let (name, file) = (format!("tool: {}", tool.name), &tool.file);
    if !tool.mentions_reeve {
        return check(&name, true, format!("nothing of Reeve in `{file}`"), None);
    }
    let evidence = format!("`{file}` names Reeve's proxy or a trust file of it, and Reeve did not write it there");
    let fix =
        format!("take it out of `{file}`: it fails when its session is over, and `reeve run` gives what is needed");
    check(&name, false, evidence, Some(FixDto::advice(fix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_mended_says_every_step_and_names_a_few() {
        let gone = |name: &str| Repair::RemoveTrust(format!("/run/trust-{name}.pem").into());
        let steps = vec![Repair::Create("/config".into()), gone("a"), gone("b"), gone("c"), gone("d")];
        let rows = judged(Ok(steps));
        let [profile, left] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!((profile.ok, profile.evidence.as_str()), (false, "`/config` is missing"));
        assert_eq!(profile.fix, Some(FixDto::Repair { steps: vec!["create the missing folder `/config`".to_owned()] }));
        assert!(left.evidence.ends_with("`/run/trust-c.pem` is of a session that is over; and 1 more"), "{left:?}");
        assert!(matches!(&left.fix, Some(FixDto::Repair { steps }) if steps.len() == 4), "{left:?}");
        assert!(judged(Ok(Vec::new())).iter().all(|check| check.ok && check.fix.is_none()));
        assert!(judged(Err(std::io::Error::other("no"))).iter().all(|check| !check.ok));
    }

    #[test]
    fn settings_of_a_tool_are_mended_by_a_person_and_never_by_reeve() {
        let tool = |mentions_reeve| ToolSettingsDto {
            tool: "codex".to_owned(),
            name: "Codex".to_owned(),
            file: "/home/dana/.codex/config.toml".to_owned(),
            mentions_reeve,
        };
        assert!(settings(&tool(false)).ok);
        let named = settings(&tool(true));
        assert!(!named.ok && matches!(named.fix, Some(FixDto::Advice { .. })), "{named:?}");
    }
}
