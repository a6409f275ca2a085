//! What a person sets once: read, changed in `config.toml`, and in force at once.

use std::path::Path;

use reeve_engine::settings::SettingsEdit;
use serde_json::Value;

use super::answer;
use crate::contract::ApiError;
use crate::contract::calls::SettingsCall;
use crate::contract::settings::{DataDto, SetSettingsInput, SettingsDto};
use crate::host::Host;

pub(crate) async fn run(host: &Host, call: SettingsCall) -> Result<Value, ApiError> {
    match call {
        SettingsCall::Get => {}
        SettingsCall::Set(input) => set(host, &input).await?,
    }
    answer(&settings(host).await?)
}

async fn set(host: &Host, input: &SetSettingsInput) -> Result<(), ApiError> {
    let edit = SettingsEdit {
        mode: input.mode.map(Into::into),
        preset: input.preset.map(Into::into),
        notifications: input.notifications.map(Into::into),
    };
    Ok(host.engine.change_settings(&host.home.config_file(), &edit).await?)
}

async fn settings(host: &Host) -> Result<SettingsDto, ApiError> {
    let engine = &host.engine;
    let loaded = engine.settings();
    Ok(SettingsDto {
        mode: engine.protection().configured().into(),
        preset: engine.policies().preset().into(),
        notifications: engine.notifications().into(),
        secrets: loaded.secrets.into(),
        hold_llm: loaded.hold.llm_seconds,
        hold_http: loaded.hold.http_seconds,
        hold_longest: loaded.hold.longest_seconds,
        file: host.home.config_file().display().to_string(),
        data: data(host).await?,
    })
}

async fn data(host: &Host) -> Result<DataDto, ApiError> {
    let database = host.home.database();
    let store = host.engine.store();
    Ok(DataDto {
        bytes: size(&database) + size(&beside(&database, "-wal")),
        database: database.display().to_string(),
        records: store.head().seq,
        since: store.recorded_since().await?,
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
