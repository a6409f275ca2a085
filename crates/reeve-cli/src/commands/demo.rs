//! `reeve demo`: a governed run from end to end in a throw-away profile.

use reeve_api::demo::{self, DemoOptions};

use super::{Context, refuse_inside_session};
use crate::args::DemoArgs;
use crate::{exit, output};

pub async fn demo(context: &Context, args: DemoArgs) -> anyhow::Result<u8> {
    refuse_inside_session("demo")?;
    let keep = std::env::var_os("REEVE_HOME").is_some();
    if !args.headless && !args.attached && super::open::no_display() {
        context.say("reeve: there is no display here, and the demo waits until somebody answers what it holds:");
        context.say("       `reeve demo --headless` answers by itself");
    }
    let options = DemoOptions { headless: args.headless, keep, attached: args.attached };
    let told = demo::run(&context.home, options, &mut |line| output::line(line)).await?;
    Ok(if told.complete() { exit::DONE } else { exit::FAILED })
}

/// The scripted agent itself, as the demo's child process.
pub async fn agent() -> anyhow::Result<u8> {
    demo::agent().await?;
    Ok(exit::DONE)
}

/// The scripted agent's tool server, as its child process.
pub async fn office() -> anyhow::Result<u8> {
    demo::office().await?;
    Ok(exit::DONE)
}
