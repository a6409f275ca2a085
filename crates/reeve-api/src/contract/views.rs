//! Saved views: queries with a name, in a file that people read.

use serde::{Deserialize, Serialize};

/// A query with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ViewDto {
    /// At most 60 characters.
    pub name: String,
    /// The Timeline's query grammar.
    pub query: String,
}

/// All of them, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ViewsDto {
    pub views: Vec<ViewDto>,
    /// Where the file lies.
    pub file: String,
}

/// Which view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ViewInput {
    pub name: String,
}
