//! The passphrase, asked for on a terminal where the engine demands that a human is there.

use reeve_api::client::Client;
use reeve_api::contract::calls::ApprovalsCall;
use reeve_api::contract::cards::{ConfirmedDto, PresenceDto, SetPresenceInput};
use reeve_api::contract::credentials::TypedSecret;
use reeve_api::contract::{ApiCode, ApiError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Context;
use crate::output;

/// How often somebody may mistype; the engine makes guesses wait.
pub const TRIES: u32 = 3;

/// Makes a call; where a human is to be proven, asks for the passphrase and makes it again with it.
pub async fn proven<C: Serialize, T: DeserializeOwned>(
    context: &Context,
    client: &Client,
    call: impl Fn(Option<TypedSecret>) -> C,
) -> anyhow::Result<T> {
    let mut refused = match client.call(&call(None)).await {
        Err(error) if error.code == ApiCode::NeedsProof => error,
        other => return Ok(other?),
    };
    if let Some(proof) = by_system(context, client, &refused).await? {
        match client.call(&call(Some(proof))).await {
            Err(error) if error.code == ApiCode::NeedsProof => refused = error,
            other => return Ok(other?),
        }
    }
    for _ in 0..TRIES {
        let proof = ask(context, client, &refused).await?;
        match client.call(&call(Some(proof))).await {
            Err(error) if error.code == ApiCode::NeedsProof => refused = error,
            other => return Ok(other?),
        }
    }
    Err(refused.into())
}

/// Lets the system ask, where it can. `None`: it cannot, or its question was closed and there is a passphrase to ask for.
pub async fn by_system(context: &Context, client: &Client, why: &ApiError) -> anyhow::Result<Option<TypedSecret>> {
    if !output::may_ask(context.no_input) {
        return Ok(None);
    }
    let presence: PresenceDto = client.call(&ApprovalsCall::Presence).await?;
    let PresenceDto { set, system, .. } = presence;
    let Some(system) = system.filter(|system| system.problem.is_none()) else { return Ok(None) };
    eprintln!("reeve: {why}: {} asks you in a window of its own", system.name);
    match client.call::<ConfirmedDto>(&ApprovalsCall::Confirm).await {
        Ok(confirmed) => Ok(Some(confirmed.proof)),
        Err(error) if error.code == ApiCode::NotPermitted && !set => Err(error.into()),
        Err(error) => {
            eprintln!("reeve: {error}");
            Ok(None)
        }
    }
}

/// Asks for the passphrase; where none is set yet, for a new one, as the console does.
pub async fn ask(context: &Context, client: &Client, why: &ApiError) -> anyhow::Result<TypedSecret> {
    if !output::may_ask(context.no_input) {
        let message = format!("{why}, and nobody can be asked for it here");
        let error = ApiError::new(ApiCode::NotPermitted, message);
        return Err(error.hint("do it on a terminal of your own, or in the console").into());
    }
    eprintln!("reeve: {why}");
    let presence: PresenceDto = client.call(&ApprovalsCall::Presence).await?;
    if presence.set {
        return context.ask_text("Reeve passphrase");
    }
    let new = context.ask_text("New Reeve passphrase, 8 characters or more")?;
    let again = context.ask_text("The same once more")?;
    anyhow::ensure!(new == again, "these are two different passphrases, so none was set");
    let input = SetPresenceInput { old: None, new: Some(new), also_high: None };
    client.call::<PresenceDto>(&ApprovalsCall::SetPresence(input)).await?;
    Ok(again)
}
