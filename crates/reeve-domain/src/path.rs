//! Request paths, judged after one canonicalisation; ambiguous forms are refused.

use serde::{Deserialize, Serialize};

/// A path that means the same to every server: starts with `/`, no dot segments, no empty segments, no encoded separators.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequestPath(String);
