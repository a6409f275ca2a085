//! `reeve run` and `reeve env`: a session opened, an environment laid out.

use std::ffi::OsString;

use reeve_api::client::Client;
use reeve_api::contract::calls::{ServersCall, SettingsCall};
use reeve_api::contract::servers::ServersDto;
use reeve_api::contract::sessions::OpenSessionInput;
use reeve_api::contract::settings::SettingsDto;
use reeve_api::launch::{self, LaunchError, Shell};

use super::{Context, refuse_inside_session};
use crate::args::{EnvArgs, RunArgs};
use crate::output;

/// Runs a command governed; its exit status is ours.
pub async fn run(context: &Context, args: RunArgs) -> anyhow::Result<u8> {
    refuse_inside_session("run")?;
    let client = context.client().await?;
    let mode = args.mode.map(Into::into);
    let input = OpenSessionInput { agent: args.agent, cwd: cwd()?, command: shown(&args.command), hours: None, mode };
    let prepared = launch::prepare(&client, &context.home, input).await?;
    for warning in &prepared.warnings {
        context.say(&format!("reeve: {warning}"));
    }
    context.say(&format!("reeve: {} is governed, session {}", prepared.session.agent_name, prepared.session.id));
    // A held action looks like a program that hangs.
    let wait = waits(&client).await.unwrap_or_default();
    context.say(&format!(
        "reeve: what a rule holds waits{wait} for you in the console, or for `reeve approve` in another terminal"
    ));
    if let Some(line) = to_review(&client).await {
        context.say(&line);
    }
    if args.mode == Some(crate::args::Mode::Observe) {
        context.say("reeve: this session is observed: rules and budgets are recorded and not enforced");
    }
    let command: Vec<OsString> = args.command.into_iter().map(OsString::from).collect();
    match launch::run(&client, prepared, &command).await {
        Ok(code) => Ok(u8::try_from(code & 0xff).unwrap_or(u8::MAX)),
        Err(LaunchError { message, exit_code }) => {
            eprintln!("reeve: {message}");
            Ok(exit_code)
        }
    }
}

/// How long a held action waits before it is refused, as the configuration has it.
async fn waits(client: &Client) -> Option<String> {
    let now: SettingsDto = client.call(&SettingsCall::Get).await.ok()?;
    let others = [("a model call", now.hold_llm), ("a tool call", now.hold_mcp)];
    let others = others.into_iter().filter(|(_, seconds)| *seconds != now.hold_http);
    let others: Vec<String> = others.map(|(what, seconds)| format!("{what}: {}", span(seconds))).collect();
    let http = span(now.hold_http);
    Some(if others.is_empty() { format!(" {http}") } else { format!(" {http} ({})", others.join(", ")) })
}

fn span(seconds: u64) -> String {
    if seconds >= 60 && seconds.is_multiple_of(60) { format!("{} min", seconds / 60) } else { format!("{seconds} s") }
}

/// An agent that misses a tool looks broken, so it is said which servers wait for a person.
async fn to_review(client: &Client) -> Option<String> {
    let found: ServersDto = client.call(&ServersCall::List).await.ok()?;
    let waiting: Vec<_> = found.servers.iter().filter(|server| server.to_review > 0).collect();
    let names: Vec<String> = waiting.iter().map(|server| format!("`{}`", output::visible(&server.name))).collect();
    let first = output::visible(&word(&waiting.first()?.name));
    let all = names.join(", ");
    Some(format!("reeve: tools of {all} wait for your review and are not offered: `reeve mcp approve {first}`"))
}

/// A name as one word of a shell.
fn word(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
    if !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', r"'\''"))
    }
}

/// Prints the environment of a session that outlives this command.
pub async fn env(context: &Context, args: EnvArgs) -> anyhow::Result<u8> {
    refuse_inside_session("env")?;
    let client = context.client().await?;
    let input =
        OpenSessionInput { agent: args.agent, cwd: cwd()?, command: Vec::new(), hours: Some(args.hours), mode: None };
    let mut prepared = launch::prepare(&client, &context.home, input).await?;
    prepared.keep();
    for warning in &prepared.warnings {
        context.say(&format!("reeve: {warning}"));
    }
    if context.json {
        output::json(&prepared.environment)?;
    } else {
        let shell = Shell::from_program(std::env::var("SHELL").ok().as_deref());
        output::line(prepared.environment.lines(shell).trim_end())?;
    }
    let id = &prepared.session.id;
    context.say(&format!("reeve: session {id} lasts {} h; `reeve agents stop {id}` ends it", args.hours));
    Ok(crate::exit::DONE)
}

fn cwd() -> anyhow::Result<String> {
    Ok(std::env::current_dir()?.display().to_string())
}

/// The command as it is recorded: the program, and of its arguments only what cannot be a secret or a prompt.
pub fn shown(command: &[String]) -> Vec<String> {
    // `-psecret` and `-uuser:secret` are short options with their value attached.
    let keep = |argument: &&String| {
        let option = argument.starts_with("--") || (argument.starts_with('-') && argument.len() == 2);
        option && argument.len() <= 40 && !argument.contains(|c: char| c == '=' || c.is_whitespace())
    };
    let (program, arguments) = match command.split_first() {
        Some((program, arguments)) => (program.clone(), arguments),
        None => return Vec::new(),
    };
    std::iter::once(program).chain(arguments.iter().filter(keep).cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_of_the_command_that_is_told() {
        assert_eq!(["files", "my server", "it's"].map(word), ["files", "'my server'", r"'it'\''s'"]);
    }

    #[test]
    fn a_wait_is_told_in_minutes_where_it_is_some() {
        assert_eq!([20, 60, 90, 120, 600].map(span), ["20 s", "1 min", "90 s", "2 min", "10 min"]);
    }

    #[test]
    fn what_could_be_a_secret_is_left_out_of_the_recorded_command() {
        let typed = ["claude", "-p", "the password is hunter2", "-uroot:pw", "--api-key=sk-1", "--verbose", "sk-live"];
        let command: Vec<String> = typed.iter().map(|s| (*s).to_owned()).collect();
        assert_eq!(shown(&command), ["claude", "-p", "--verbose"]);
    }
}
