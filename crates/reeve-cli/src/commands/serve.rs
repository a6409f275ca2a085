//! `reeve serve`: the engine in this process.

use std::time::Duration;

use reeve_api::host::{Host, HostOptions};

use super::Context;
use crate::args::ServeArgs;
use crate::exit;

pub async fn serve(context: &Context, args: ServeArgs) -> anyhow::Result<u8> {
    reeve_api::logging::start(reeve_api::logging::Detail::Warnings);
    let passphrase = if args.passphrase_stdin { Some(context.ask_secret("Passphrase")?) } else { None };
    let options = HostOptions {
        passphrase,
        idle_exit: args.idle_exit.map(Duration::from_secs),
        system: reeve_api::host::system_method(),
        ..HostOptions::default()
    };
    match Host::start(context.home.clone(), options).await {
        Ok(host) => {
            host.serve().await?;
            Ok(exit::DONE)
        }
        // Two starters raced, and the other one's engine answers.
        Err(reeve_api::host::HostError::Taken) => {
            context.say("reeve: an engine runs for this profile already");
            Ok(exit::DONE)
        }
        Err(error) => Err(error.into()),
    }
}
