//! Credentials: the secret goes to the vault and never comes back.

use reeve_domain::credential::{Binding, Credential, Place, Slot};
use reeve_domain::health::Refusal;
use reeve_domain::host::Host as HostName;
use reeve_domain::id::{AgentId, CredentialId};
use reeve_domain::query;
use reeve_domain::sensitive::Secret;
use reeve_engine::EngineError;
use reeve_engine::breakers::Open;
use reeve_engine::credentials::{KNOWN_KINDS, KnownKind, KnownSlot, placeholder};
use reeve_store::Page;
use serde_json::Value;
use std::sync::Arc;

use super::{answer, invalid};
use crate::connection::Caller;
use crate::contract::ApiError;
use crate::contract::calls::CredentialsCall;
use crate::contract::credentials::{AddCredentialInput, CredentialDto, NewBindingDto, RefusedDto};
use crate::host::Host;

/// A new credential is worth replacing after so many days, unless a person says otherwise.
const ROTATE_DAYS: u32 = 90;

mod import;
mod trial;

pub(crate) async fn run(host: &Arc<Host>, caller: &Caller, call: CredentialsCall) -> Result<Value, ApiError> {
    let credentials = host.engine.credentials();
    match call {
        CredentialsCall::List => {}
        CredentialsCall::Add(input) => {
            let credential = new(&input, host.engine.now())?;
            credentials.add(credential, Secret::from(input.secret)).await?;
            host.engine.refresh_secrets().await;
        }
        CredentialsCall::Replace(input) => {
            let id = CredentialId::parse(&input.credential).map_err(invalid)?;
            credentials.replace(&id, Secret::from(input.secret), host.engine.now()).await?;
            host.engine.breakers().forget_credential(&id);
            host.engine.refresh_secrets().await;
        }
        CredentialsCall::Bind(input) => {
            let id = CredentialId::parse(&input.credential).map_err(invalid)?;
            let to = binding(&input.binding, &input.agents)?;
            match &input.instead {
                None => credentials.bind(&id, to).await?,
                Some(before) => {
                    let before = binding(before, &[])?;
                    credentials.rebind(&id, &before, to).await.map_err(|error| with_places(host, &id, error))?;
                }
            }
            moved(host, &id).await;
        }
        CredentialsCall::Unbind(input) => {
            let id = CredentialId::parse(&input.credential).map_err(invalid)?;
            let gone = binding(&input.binding, &[])?;
            credentials.unbind(&id, &gone).await.map_err(|error| with_places(host, &id, error))?;
            moved(host, &id).await;
        }
        CredentialsCall::Remove(input) => {
            let id = CredentialId::parse(&input.credential).map_err(invalid)?;
            credentials.remove(&id).await?;
            host.engine.breakers().forget_credential(&id);
            host.engine.refresh_secrets().await;
        }
        CredentialsCall::Remind(input) => {
            let id = CredentialId::parse(&input.credential).map_err(invalid)?;
            credentials.remind(&id, input.days).await?;
        }
        CredentialsCall::Scan(input) => return answer(&import::scan(host, input)?),
        CredentialsCall::Import(input) => return answer(&import::import(host, input).await?),
        CredentialsCall::Keeping => return answer(&import::keeping(host).await),
        CredentialsCall::Test(input) => return answer(&trial::test(host, caller, &input).await?),
    }
    answer(&listed(host).await?)
}

/// All of them, each with when it was last used.
pub(crate) async fn listed(host: &Host) -> Result<Vec<CredentialDto>, ApiError> {
    let mut all = Vec::new();
    for credential in host.engine.credentials().list() {
        let query = query::parse(&format!("credential:{} is:injected", credential.id)).query;
        let newest = host.engine.store().search(&query, Page { before: None, limit: 1 }).await?;
        let mut dto = CredentialDto::from(&credential);
        dto.last_used_at = newest.rows.first().map(|row| row.at);
        dto.refused = refused(host, &credential.id);
        all.push(dto);
    }
    Ok(all)
}

/// Its places are others now: running sessions hold it accordingly, and only what refuses it at one of them counts.
async fn moved(host: &Host, id: &CredentialId) {
    let bindings = host.engine.credentials().find(id).map(|credential| credential.bindings).unwrap_or_default();
    let hosts: Vec<HostName> = bindings.into_iter().map(|binding| binding.place.host).collect();
    host.engine.breakers().keep_credential_at(id, &hosts);
    host.engine.refresh_secrets().await;
}

/// Where no place is as it was named, the hint says which there are, as they are typed.
fn with_places(host: &Host, id: &CredentialId, error: EngineError) -> ApiError {
    let missed = matches!(error, EngineError::NotFound { what: "place", .. });
    let mut error = ApiError::from(error);
    if let Some(credential) = host.engine.credentials().find(id).filter(|_| missed) {
        let places: Vec<String> = credential.bindings.iter().map(|b| format!("`{}`", as_typed(b))).collect();
        error.hint = Some(match places.as_slice() {
            [] => "it is bound to no place".to_owned(),
            places => format!("its places: {}", places.join(", ")),
        });
    }
    error
}

fn as_typed(binding: &Binding) -> String {
    let Place { host, port, methods, path } = &binding.place;
    let port = Some(port).filter(|port| **port != 443).map(|port| format!(":{port}")).unwrap_or_default();
    let path = path.iter().map(|path| format!(" --path {path}"));
    let methods = methods.iter().map(|method| format!(" --method {method}"));
    format!("--host {host}{port} --slot {}{}", binding.slot, path.chain(methods).collect::<String>())
}

fn refused(host: &Host, id: &CredentialId) -> Vec<RefusedDto> {
    let refused = host.engine.breakers().of_credential(id).into_iter();
    let dto = |(place, open): (HostName, Open)| RefusedDto {
        host: place.to_string(),
        why: open.refusal.unwrap_or(Refusal::Unsaid).into(),
        since: open.since,
        next_trial: open.until,
        times: open.failures,
    };
    refused.map(dto).collect()
}

fn new(input: &AddCredentialInput, now: chrono::DateTime<chrono::Utc>) -> Result<Credential, ApiError> {
    let kind = input.kind.as_deref().map(kind).transpose()?;
    let binding = match (&input.binding, kind) {
        (Some(given), _) => binding(given, &input.agents)?,
        (None, Some(kind)) => kinds_binding(kind, &input.agents)?,
        (None, None) => return Err(invalid("a credential needs a kind, or a host and a slot")),
    };
    let variables = match (input.variables.is_empty(), kind) {
        (true, Some(kind)) => kind.variables.iter().map(|v| (*v).to_owned()).collect(),
        _ => input.variables.clone(),
    };
    let id = CredentialId::parse(&input.id).map_err(invalid)?;
    let title = kind.map_or_else(|| id.to_string(), |kind| kind.title.to_owned());
    Ok(Credential {
        name: input.name.clone().unwrap_or(title),
        placeholder: placeholder(kind.map_or("", |kind| kind.prefix)),
        id,
        variables,
        bindings: vec![binding],
        added_at: now,
        rotated_at: None,
        rotate_days: Some(ROTATE_DAYS),
    })
}

fn kind(name: &str) -> Result<&'static KnownKind, ApiError> {
    KNOWN_KINDS.iter().find(|kind| kind.name == name).ok_or_else(|| {
        let names: Vec<&str> = KNOWN_KINDS.iter().map(|kind| kind.name).collect();
        invalid(format!("`{name}` is not a known kind")).hint(format!("known kinds: {}", names.join(", ")))
    })
}

fn kinds_binding(kind: &KnownKind, agents: &[String]) -> Result<Binding, ApiError> {
    let slot = match kind.slot {
        KnownSlot::Bearer => Slot::Bearer,
        KnownSlot::Header(name) => Slot::Header { name: name.to_owned() },
    };
    let place =
        Place { host: HostName::parse(kind.host).map_err(invalid)?, port: 443, methods: Vec::new(), path: None };
    Ok(Binding { agents: agent_ids(agents)?, place, slot })
}

fn binding(given: &NewBindingDto, agents: &[String]) -> Result<Binding, ApiError> {
    let slot = match given.slot.split_once(':') {
        None if given.slot == "bearer" => Slot::Bearer,
        None if given.slot == "path" => Slot::Path,
        None if given.slot == "body" => Slot::Body,
        Some(("header", name)) if !name.is_empty() => Slot::Header { name: name.to_ascii_lowercase() },
        Some(("basic", user)) => Slot::Basic { user: user.to_owned() },
        Some(("query", name)) if !name.is_empty() => Slot::Query { name: name.to_owned() },
        _ => {
            return Err(invalid(format!("`{}` is not a slot", given.slot))
                .hint("use bearer, header:NAME, basic:USER, query:NAME, path or body"));
        }
    };
    if let Some(path) = &given.path {
        reeve_domain::path::RequestPath::parse(path).map_err(invalid)?;
    }
    let place = Place {
        host: HostName::parse(&given.host).map_err(invalid)?,
        port: given.port.unwrap_or(443),
        methods: given.methods.iter().map(|m| m.to_ascii_uppercase()).collect(),
        path: given.path.clone(),
    };
    Ok(Binding { agents: agent_ids(agents)?, place, slot })
}

fn agent_ids(agents: &[String]) -> Result<Vec<AgentId>, ApiError> {
    agents.iter().map(|agent| AgentId::parse(agent).map_err(invalid)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::credentials::BindingDto;

    #[test]
    fn a_place_that_is_shown_is_named_by_what_is_shown() {
        for slot in ["bearer", "header:x-api-key", "basic:dana", "query:key", "path", "body"] {
            let (host, path) = ("api.example.com".to_owned(), Some("/v1".to_owned()));
            let given =
                NewBindingDto { host, port: Some(8443), methods: vec!["get".to_owned()], path, slot: slot.to_owned() };
            let bound = binding(&given, &[]).unwrap();
            let shown = BindingDto::from(&bound);
            assert_eq!(shown.slot_typed, slot);
            let BindingDto { host, port, methods, path, slot_typed, .. } = shown;
            let again = NewBindingDto { host, port: Some(port), methods, path, slot: slot_typed };
            assert_eq!(binding(&again, &[]).unwrap(), bound);
            assert_eq!(as_typed(&bound), format!("--host api.example.com:8443 --slot {slot} --path /v1 --method GET"));
        }
    }
}
