//! What a person sets once: read, changed in `config.toml`, and in force at once.

use reeve_engine::settings::SettingsEdit;
use serde_json::Value;

use super::answer;
use crate::connection::Caller;
use crate::contract::ApiError;
use crate::contract::calls::SettingsCall;
use crate::contract::settings::{SetSettingsInput, SettingsDto};
use crate::host::Host;

pub(crate) async fn run(host: &Host, caller: &Caller, call: SettingsCall) -> Result<Value, ApiError> {
    match call {
        SettingsCall::Get => {}
        SettingsCall::Set(input) => set(host, caller, input).await?,
    }
    answer(&settings(host).await?)
}

async fn set(host: &Host, caller: &Caller, input: SetSettingsInput) -> Result<(), ApiError> {
    let edit = SettingsEdit {
        mode: input.mode.map(Into::into),
        preset: input.preset.map(Into::into),
        notifications: input.notifications.map(Into::into),
        ..SettingsEdit::default()
    };
    let person = super::approvals::person(caller, input.proof);
    Ok(host.engine.change_settings(&host.home.config_file(), &edit, &person).await?)
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
        hold_mcp: loaded.hold.mcp_seconds,
        hold_longest: loaded.hold.longest_seconds,
        hold_longest_mcp: loaded.hold.longest_mcp_seconds,
        file: host.home.config_file().display().to_string(),
        data: super::retention::data(host).await?,
    })
}
