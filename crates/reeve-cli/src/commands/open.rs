//! `reeve open`: the console at the place that an id names. A link only ever navigates.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use reeve_api::contract::{ApiCode, ApiError};

use super::{Context, ids, refuse_inside_session};
use crate::exit;

pub async fn open(context: &Context, id: &str) -> anyhow::Result<u8> {
    refuse_inside_session("open")?;
    link(id)?;
    if no_display() {
        return Err(ApiError::new(ApiCode::Failed, "there is no display here to open a window on")
            .hint("without a window: `reeve policy explain ID`, `reeve approve show ID`")
            .into());
    }
    let link = link(&ids::any(&context.client().await?, id.to_owned()).await?)?;
    let program = console();
    let mut command = Command::new(&program);
    command.arg(&link).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // The window outlives this command and its terminal.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(|error| {
        let message = format!("the console `{}` could not be started: {error}", program.display());
        ApiError::new(ApiCode::Failed, message)
            .hint("without a window: `reeve policy explain ID`, `reeve approve show ID`")
    })?;
    // A console that runs already takes the link and this start of it ends at once; one that cannot show anything, too.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    if let Some(status) = child.try_wait()?
        && !status.success()
    {
        return Err(ApiError::new(ApiCode::Failed, "the console could not open a window")
            .hint("without a window: `reeve policy explain ID`, `reeve approve show ID`")
            .into());
    }
    context.say(&format!("opened {link}"));
    Ok(exit::DONE)
}

/// By the prefix that the engine gives every id.
fn link(id: &str) -> Result<String, ApiError> {
    let well_formed =
        id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let place = match id.split_once('_').map(|(kind, _)| kind) {
        Some("op") => "record",
        Some("ask") => "inbox",
        Some("ses") => "session",
        _ => "",
    };
    if !well_formed || place.is_empty() {
        return Err(ApiError::new(ApiCode::Invalid, format!("`{id}` is not an id that can be opened")).hint(
            "give one of `reeve log --json`, `reeve approve` or `reeve agents sessions`: `op_…`, `ask_…`, `ses_…`",
        ));
    }
    Ok(format!("reeve://{place}/{id}"))
}

/// Whether no window can be opened where this runs.
pub fn no_display() -> bool {
    let none = |name| std::env::var_os(name).is_none_or(|value| value.is_empty());
    cfg!(target_os = "linux") && none("DISPLAY") && none("WAYLAND_DISPLAY")
}

/// The console beside this program, else the one on the path.
fn console() -> PathBuf {
    let name = format!("reeve-desktop{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().ok().map(|program| program.with_file_name(&name));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_where_it_is_shown_and_anything_else_is_refused() {
        assert_eq!(link("op_01JD").unwrap(), "reeve://record/op_01JD");
        assert_eq!(link("ask_1").unwrap(), "reeve://inbox/ask_1");
        assert_eq!(link("ses_7").unwrap(), "reeve://session/ses_7");
        for bad in
            ["", "op", "cred_1", "op_1/allow", "op_1?x", "--demo", "ask_\u{202e}", &format!("op_{}", "x".repeat(80))]
        {
            assert!(link(bad).is_err(), "{bad}");
        }
    }
}
