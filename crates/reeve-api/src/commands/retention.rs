//! How much of the record is kept, what it takes, and wiping it.

use std::path::Path;

use super::approvals::person;
use crate::connection::Caller;
use crate::contract::retention::{RemovableDto, RetentionDto, SetRetentionInput, WIPE_WORDS, WipeInput};
use crate::contract::settings::DataDto;
use crate::contract::{ApiCode, ApiError};
use crate::host::Host;

/// What would go under these wishes.
pub(crate) async fn weigh(host: &Host, wanted: RetentionDto) -> Result<RemovableDto, ApiError> {
    let wanted = reeve_engine::settings::Retention::from(wanted);
    wanted.check().map_err(|problem| ApiError::new(ApiCode::Invalid, problem))?;
    let going = host.engine.keeper().weigh(wanted).await?;
    Ok(going.map_or_else(RemovableDto::default, |going| RemovableDto {
        records: going.records,
        operations: going.operations,
        bytes: going.bytes,
        until: Some(going.until),
    }))
}

/// Written, recorded, in force.
pub(crate) async fn set(host: &Host, caller: &Caller, input: SetRetentionInput) -> Result<DataDto, ApiError> {
    let wanted = reeve_engine::settings::Retention::from(input.keep);
    wanted.check().map_err(|problem| ApiError::new(ApiCode::Invalid, problem))?;
    let person = person(caller, input.proof);
    host.engine.set_retention(&host.home.config_file(), wanted, &person).await?;
    data(host).await
}

/// Only with the words that say it.
pub(crate) async fn wipe(host: &Host, caller: &Caller, input: WipeInput) -> Result<DataDto, ApiError> {
    if input.confirm != WIPE_WORDS {
        let message = format!("nothing was wiped: the words are `{WIPE_WORDS}`");
        return Err(ApiError::new(ApiCode::Invalid, message));
    }
    let wiped = host.engine.wipe(input.credentials, &person(caller, input.proof)).await;
    // Also where it failed: some may be gone already.
    if input.credentials {
        host.engine.refresh_secrets().await;
    }
    wiped?;
    // The strip shows the new record's proof and not that of the one that is gone.
    super::audit::verify(host).await?;
    data(host).await
}

/// What the record holds and takes.
pub(crate) async fn data(host: &Host) -> Result<DataDto, ApiError> {
    let database = host.home.database();
    let store = host.engine.store();
    let keeper = host.engine.keeper();
    let removal = store.removal().await?;
    Ok(DataDto {
        bytes: size(&database) + size(&beside(&database, "-wal")),
        database: database.display().to_string(),
        records: store.recorded().await?,
        since: store.recorded_since().await?,
        keep: keeper.wanted().into(),
        removed_to: removal.as_ref().map_or(0, |(_, removal)| removal.last),
        removed_at: removal.map(|(_, removal)| removal.at),
        removing: keeper.is_removing(),
        problem: keeper.problem(),
    })
}

fn beside(path: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// In bytes; nothing for a file that is not there.
fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}
