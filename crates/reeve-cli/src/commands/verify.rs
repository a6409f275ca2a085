//! `reeve verify` and `reeve export`: proof, here and for somebody else.

use std::path::PathBuf;

use reeve_api::contract::calls::{AuditCall, OperationsCall};
use reeve_api::contract::operations::{ExportInput, ExportedDto};
use reeve_api::contract::status::VerificationDto;

use super::{Context, refuse_inside_session};
use crate::args::ExportArgs;
use crate::output::Tone;
use crate::{exit, output};

pub async fn verify(context: &Context, export: Option<PathBuf>) -> anyhow::Result<u8> {
    let found: VerificationDto = match export {
        // Offline: needs no engine.
        Some(path) => reeve_api::commands::audit::verify_export(&context.home, &path)?,
        None => context.client().await?.call(&AuditCall::Verify).await?,
    };
    let good = output::paint(Tone::Good, "✓");
    if context.json {
        output::json(&found)?;
    } else if let Some(problem) = &found.problem {
        output::line(&format!("{} the record is broken: {problem}", output::paint(Tone::Bad, "✕")))?;
    } else if found.sealed_to > 0 {
        output::line(&format!("{good} {} records verify, sealed up to #{}", found.events, found.sealed_to))?;
    } else if found.key_trusted {
        output::line(&format!("{good} {} records verify, signed by this machine's key", found.events))?;
    } else {
        output::line(&format!("{good} {} records are consistent with the key they name", found.events))?;
        context.say("no key of this profile is here: whose key it is, this does not say");
    }
    if found.removed_to > 0 && !context.json {
        context.say(&format!("records up to #{} are gone, and a signed removal says so", found.removed_to));
    }
    if found.redacted > 0 && !context.json {
        output::line(&redacted(&found))?;
    }
    if let Some(says) = found.keychain.as_ref().filter(|_| !context.json) {
        context.say(&format!("the keychain {says}"));
    }
    Ok(if found.ok { exit::DONE } else { exit::BROKEN })
}

/// What a hash cannot say of records from which something was taken out.
fn redacted(found: &VerificationDto) -> String {
    format!(
        "  from {} of them something secret was taken out: for what these hold, only the manifest vouches",
        found.redacted
    )
}

pub async fn export(context: &Context, args: ExportArgs) -> anyhow::Result<u8> {
    refuse_inside_session("export")?;
    let path = std::path::absolute(&args.output)?.display().to_string();
    let input = ExportInput { query: args.query.join(" "), format: args.format.into(), path };
    let exported: ExportedDto = context.client().await?.call(&OperationsCall::Export(input)).await?;
    if context.json {
        output::json(&exported)?;
    } else {
        output::line(&format!("{} rows, {} bytes: {}", exported.count, exported.bytes, exported.path))?;
        if exported.redacted > 0 {
            context.say(&format!(
                "{} records held what is or looks like a secret: it was taken out of the copy, and the manifest names them",
                exported.redacted
            ));
        }
        context.say(&format!("manifest: {}; check both with `reeve verify {}`", exported.manifest, exported.path));
    }
    Ok(exit::DONE)
}
