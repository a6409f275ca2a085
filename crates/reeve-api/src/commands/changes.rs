//! What Reeve has put on this machine: looked up where it lies, not remembered.

use std::io::Read as _;
use std::path::Path;

use reeve_domain::id::AgentId;
use reeve_sandbox::catalog;

use crate::contract::changes::{ChangeDto, ChangeKindDto, ChangesDto, ToolSettingsDto};
use crate::home::Home;
use crate::host::Host;

/// A settings file is small; of a larger one only the beginning is looked at, in bytes.
const MOST_READ: u64 = 1024 * 1024;

pub(crate) fn changes(host: &Host) -> ChangesDto {
    let mut changes = folders(&host.home);
    let live = host.engine.sessions().all();
    changes.extend(live.iter().map(|session| ChangeDto {
        kind: ChangeKindDto::Environment,
        place: session.id().to_string(),
        agent: Some(session.session.agent.to_string()),
        undo: Some(format!("reeve agents stop {}", session.id())),
    }));
    let agent_of = |name: &str| live.iter().find(|s| name.contains(s.id().as_str())).map(|s| s.session.agent.clone());
    changes.extend(bundles(&host.home, agent_of));
    let kept = host.engine.vault().kind().as_str();
    let credentials = host.engine.credentials().list();
    changes.extend(credentials.iter().map(|credential| ChangeDto {
        kind: ChangeKindDto::Secret,
        place: format!("{} ({kept})", credential.id),
        agent: None,
        undo: Some(format!("reeve cred rm {}", credential.id)),
    }));
    let mut signs = signs_of_sessions(host);
    signs.extend(credentials.into_iter().map(|credential| credential.placeholder));
    ChangesDto { changes, settings: tool_settings(&signs) }
}

/// What is of use to a running session alone: the proxy of this engine, and trust files.
pub(crate) fn signs_of_sessions(host: &Host) -> Vec<String> {
    vec![host.proxy.address().to_string(), host.home.bundles().display().to_string()]
}

/// Settings files of known tools, and whether one of these signs of Reeve stands in them.
pub(crate) fn tool_settings(signs: &[String]) -> Vec<ToolSettingsDto> {
    settings(&std::env::home_dir().unwrap_or_default(), signs)
}

fn folders(home: &Home) -> Vec<ChangeDto> {
    [&home.config, &home.data, &home.state, &home.run]
        .into_iter()
        .filter(|folder| folder.is_dir())
        .map(|folder| ChangeDto {
            kind: ChangeKindDto::Folder,
            place: folder.display().to_string(),
            agent: None,
            undo: None,
        })
        .collect()
}

fn bundles(home: &Home, agent_of: impl Fn(&str) -> Option<AgentId>) -> Vec<ChangeDto> {
    let mut found: Vec<ChangeDto> = std::fs::read_dir(home.bundles())
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| {
            let agent = agent_of(&entry.file_name().to_string_lossy()).map(|agent| agent.to_string());
            // What no session holds any more is what the doctor removes.
            let undo = if agent.is_some() { "reeve restore --all" } else { "reeve doctor --fix" };
            ChangeDto {
                kind: ChangeKindDto::TrustBundle,
                place: entry.path().display().to_string(),
                agent,
                undo: Some(undo.to_owned()),
            }
        })
        .collect();
    found.sort_by(|one, other| one.place.cmp(&other.place));
    found
}

fn settings(home: &Path, signs: &[String]) -> Vec<ToolSettingsDto> {
    let of = |tool: &&'static catalog::Tool| {
        let file = home.join(tool.config);
        let text = beginning(&file)?;
        Some(ToolSettingsDto {
            tool: tool.key.to_owned(),
            name: tool.name.to_owned(),
            mentions_reeve: signs.iter().any(|sign| text.contains(sign.as_str())),
            file: file.display().to_string(),
        })
    };
    catalog::TOOLS.iter().filter_map(of).collect()
}

/// None for what is not there or is no plain file: a pipe would wait for ever.
fn beginning(path: &Path) -> Option<String> {
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(MOST_READ).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settings_file_that_names_the_proxy_is_told_from_one_that_does_not() {
        let home = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let path = home.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let [claude, codex] = ["claude-code", "codex"].map(|key| catalog::find_key(key).unwrap().config);
        write(claude, r#"{ "env": { "HTTPS_PROXY": "http://x@127.0.0.1:4711" } }"#);
        write(codex, "model = \"x\"\n");
        let found = settings(home.path(), &["127.0.0.1:4711".to_owned()]);
        let seen: Vec<_> = found.iter().map(|one| (one.tool.as_str(), one.mentions_reeve)).collect();
        assert_eq!(seen, [("claude-code", true), ("codex", false)]);
    }

    #[test]
    fn a_trust_file_that_no_session_holds_is_for_the_doctor() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::under(folder.path());
        std::fs::create_dir_all(home.bundles()).unwrap();
        for name in ["trust-ses_live.pem", "trust-ses_gone.pem"] {
            std::fs::write(home.bundles().join(name), "").unwrap();
        }
        let codex = AgentId::parse("codex").unwrap();
        let found = bundles(&home, |name| name.contains("live").then(|| codex.clone()));
        let seen: Vec<_> = found.iter().map(|one| (one.agent.as_deref(), one.undo.as_deref().unwrap())).collect();
        assert_eq!(seen, [(None, "reeve doctor --fix"), (Some("codex"), "reeve restore --all")]);
    }
}
