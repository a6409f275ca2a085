//! `reeve cred`: credentials. The secret comes from a prompt or stdin, never from an argument.

use reeve_api::contract::calls::CredentialsCall;
use reeve_api::contract::credentials::{
    AddCredentialInput, BindCredentialInput, BindingDto, CredentialDto, CredentialInput, CredentialTestDto,
    NewBindingDto, ReplaceCredentialInput, TestCredentialInput, UnbindCredentialInput,
};
use reeve_api::contract::{ApiCode, ApiError};

use super::{Context, refuse_inside_session};
use crate::args::{CredVerb, PlaceArgs};
use crate::output::Tone;
use crate::{exit, output};

pub async fn cred(context: &Context, verb: Option<CredVerb>) -> anyhow::Result<u8> {
    if !matches!(verb, None | Some(CredVerb::List)) {
        refuse_inside_session("cred")?;
    }
    let verb = match verb {
        Some(CredVerb::Test { id, send }) => return test(context, id, send).await,
        other => other.unwrap_or(CredVerb::List),
    };
    let call = call(context, verb)?;
    let client = context.client().await?;
    let credentials: Vec<CredentialDto> = client.call(&call).await?;
    print(context, &credentials)?;
    Ok(exit::DONE)
}

fn call(context: &Context, verb: CredVerb) -> anyhow::Result<CredentialsCall> {
    Ok(match verb {
        CredVerb::List => CredentialsCall::List,
        CredVerb::Add { id, kind, host, slot, path, method, agent, variable } => {
            let binding = match host {
                Some(host) => {
                    let slot = slot.unwrap_or_else(|| "bearer".to_owned());
                    Some(binding(PlaceArgs { host, slot, path, method })?)
                }
                None => {
                    if kind.is_none() {
                        return Err(ApiError::new(ApiCode::Invalid, "give `--kind`, or `--host` and `--slot`").into());
                    }
                    None
                }
            };
            let secret = context.ask_text(&format!("Secret of {id}"))?;
            CredentialsCall::Add(AddCredentialInput {
                id,
                secret,
                kind,
                name: None,
                variables: variable,
                binding,
                agents: agent,
            })
        }
        CredVerb::Replace { id } => {
            let secret = context.ask_text(&format!("Secret of {id}"))?;
            CredentialsCall::Replace(ReplaceCredentialInput { credential: id, secret })
        }
        CredVerb::Bind { id, place, agent } => CredentialsCall::Bind(BindCredentialInput {
            credential: id,
            binding: binding(place)?,
            agents: agent,
            instead: None,
        }),
        CredVerb::Unbind { id, place } => {
            CredentialsCall::Unbind(UnbindCredentialInput { credential: id, binding: binding(place)? })
        }
        CredVerb::Rm { id } => CredentialsCall::Remove(CredentialInput { credential: id }),
        CredVerb::Test { id, send } => CredentialsCall::Test(TestCredentialInput { credential: id, send }),
    })
}

/// What a test found, what it could send, and what came back where it was told to send.
async fn test(context: &Context, credential: String, send: Option<u32>) -> anyhow::Result<u8> {
    let client = context.client().await?;
    let input = TestCredentialInput { credential, send };
    let found: CredentialTestDto = client.call(&CredentialsCall::Test(input)).await?;
    let fine = found.checks.iter().all(|check| check.ok) && found.answer.as_ref().is_none_or(|answer| answer.ok);
    let code = if fine { exit::DONE } else { exit::FAILED };
    if context.json {
        output::json(&found)?;
        return Ok(code);
    }
    for check in &found.checks {
        output::check(check)?;
    }
    if let Some(answer) = &found.answer {
        let mark = if answer.ok { output::paint(Tone::Good, "✓") } else { output::paint(Tone::Bad, "✕") };
        let record = answer.record.as_ref().map(|id| format!(" · {id}")).unwrap_or_default();
        output::line(&format!("{mark} {}{record}", output::visible(&answer.text)))?;
        return Ok(code);
    }
    for request in &found.requests {
        let url = output::visible(&request.url);
        context.say(&format!(
            "`reeve cred test {} --send {}` sends: {} {url}",
            found.credential, request.place, request.method
        ));
    }
    Ok(code)
}

fn binding(place: PlaceArgs) -> anyhow::Result<NewBindingDto> {
    let PlaceArgs { host, slot, path, method: methods } = place;
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (name, Some(port.parse()?)),
        _ => (host.as_str(), None),
    };
    Ok(NewBindingDto { host: name.to_owned(), port, methods, path, slot })
}

fn print(context: &Context, credentials: &[CredentialDto]) -> anyhow::Result<()> {
    if context.json {
        return output::json(&credentials);
    }
    if credentials.is_empty() {
        context.say("no credentials are stored: `reeve cred add anthropic --kind anthropic` adds one");
        return Ok(());
    }
    let row = |c: &CredentialDto| {
        let places: Vec<String> = c.bindings.iter().map(place).collect();
        let places = if places.is_empty() { "none".to_owned() } else { places.join("; ") };
        vec![c.id.clone(), c.placeholder.clone(), c.variables.join(" "), places]
    };
    output::table(
        &["CREDENTIAL", "AGENTS SEE", "VARIABLES", "PLACES"],
        &credentials.iter().map(row).collect::<Vec<_>>(),
    )
}

/// `GET api.github.com/repos/acme → Authorization: Bearer ‹secret› (claude-code)`; what holds for every one is left out.
fn place(binding: &BindingDto) -> String {
    let methods: String = binding.methods.iter().map(|method| format!("{method} ")).collect();
    let port = if binding.port == 443 { String::new() } else { format!(":{}", binding.port) };
    let path = binding.path.as_deref().unwrap_or_default();
    let agents = if binding.agents.is_empty() { String::new() } else { format!(" ({})", binding.agents.join(", ")) };
    format!("{methods}{}{port}{path} → {}{agents}", binding.host, binding.slot)
}
