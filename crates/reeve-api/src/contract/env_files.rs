//! Importing keys from an environment file: what looks like a key goes out by name only, what is chosen goes to the vault.

use serde::{Deserialize, Serialize};

use super::credentials::{CredentialDto, NewBindingDto, TypedSecret};

/// Where the lines are: exactly one of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct EnvFileInput {
    /// Absolute path of a file.
    pub path: Option<String>,
    /// Its text, pasted.
    pub text: Option<TypedSecret>,
}

/// The lines that look like keys. No value is among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct EnvFileDto {
    pub lines: Vec<EnvLineDto>,
}

/// What made a line look like a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum KeySignDto {
    /// The value begins like a provider's keys.
    Shape,
    /// The variable is one that a known tool reads its key from.
    Variable,
    /// The variable's name ends like one of a secret.
    Name,
}

/// One line that looks like a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct EnvLineDto {
    /// 1-based.
    pub line: u32,
    pub variable: String,
    /// A known kind; none: it needs a place of its own.
    pub kind: Option<String>,
    /// Where a key of that kind goes.
    pub host: Option<String>,
    pub sign: KeySignDto,
    /// A name that is free, for the credential.
    pub id: String,
    /// The credential that this variable carries already.
    pub known: Option<String>,
}

/// Takes the chosen lines into the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ImportInput {
    pub from: EnvFileInput,
    pub chosen: Vec<ImportLineInput>,
    /// Put the placeholders into the file, after a copy of it was kept beside it. Only with a path.
    pub replace: bool,
}

/// One chosen line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ImportLineInput {
    pub line: u32,
    /// As it was shown: a file that changed meanwhile is not imported.
    pub variable: String,
    pub id: String,
    /// As it was shown; none: `binding` says where it goes.
    pub kind: Option<String>,
    pub binding: Option<NewBindingDto>,
}

/// What was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ImportedDto {
    /// All there are now.
    pub credentials: Vec<CredentialDto>,
    pub added: Vec<String>,
    /// The copy of the file as it was, in Reeve's own folder, where it was changed. It still holds the values.
    pub backup: Option<String>,
}

/// Where secrets are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum SecretsStoreDto {
    Keychain,
    /// The profile's encrypted file.
    File,
    /// Nowhere: they are gone with the engine.
    Memory,
}

/// The vault as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct KeepingDto {
    pub store: SecretsStoreDto,
    /// Why it cannot be read now (locked, absent); none: it can.
    pub problem: Option<String>,
    /// What to do about that.
    pub advice: Option<String>,
}
