//! What Reeve has put on this machine, where it is, and what undoes it.

use serde::{Deserialize, Serialize};

/// What kind of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum ChangeKindDto {
    /// One of the profile's own folders.
    Folder,
    /// Variables in the processes of one session, and nowhere else.
    Environment,
    /// The file that a session's tools trust; it goes with the session.
    TrustBundle,
    /// A secret in the system's keychain, or in the profile's encrypted file.
    Secret,
}

/// One thing that is there because of Reeve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ChangeDto {
    pub kind: ChangeKindDto,
    /// A path, a session's id, or the credential with where it is kept.
    pub place: String,
    /// The agent it was made for, where it was made for one.
    pub agent: Option<String>,
    /// The command that undoes it; none for the profile's own folders, which are simply removed.
    pub undo: Option<String>,
}

/// The settings file of a known tool. Reeve never writes one; whether something of Reeve stands in it was looked up just now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ToolSettingsDto {
    /// Key in the catalog of known tools.
    pub tool: String,
    pub name: String,
    pub file: String,
    /// It names Reeve's proxy, a trust file or a placeholder: written there by somebody else, for example copied from `reeve env`.
    pub mentions_reeve: bool,
}

/// Answer of `agents.changes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ChangesDto {
    pub changes: Vec<ChangeDto>,
    /// Settings files of known tools that exist on this machine.
    pub settings: Vec<ToolSettingsDto>,
}
