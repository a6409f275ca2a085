//! What is wrong with a policy, limits or case file: every problem found, each with its place.

use std::fmt::{Display, Formatter, Result as FmtResult};

use serde::Serialize;

/// One thing that is wrong, or that people should know, about a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// As shown to people.
    pub file: String,
    /// 1-based; 0 where no place is known.
    pub line: u32,
    /// 1-based, in characters; 0 where no place is known.
    pub column: u32,
    /// Characters it spans from there; 0 where that is not known.
    pub length: u32,
    pub message: String,
}

impl Problem {
    /// What a YAML reader refused, at the place it names.
    pub(crate) fn yaml(file: &str, error: &serde_saphyr::Error) -> Self {
        let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let (line, column) = error.location().map_or((0, 0), |at| (number(at.line()), number(at.column())));
        Self { file: file.to_owned(), line, column, length: 0, message: error.without_snippet().to_string() }
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut Formatter<'_>) -> FmtResult {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            _ => write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message),
        }
    }
}

/// Files that do not load. Each variant holds every problem found, at least one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    #[error("the policy does not load:\n{}", listed(.0))]
    Policy(Vec<Problem>),
    #[error("the limits do not load:\n{}", listed(.0))]
    Limits(Vec<Problem>),
    #[error("the rules for tools do not load:\n{}", listed(.0))]
    Tools(Vec<Problem>),
    #[error("the cases do not load:\n{}", listed(.0))]
    Cases(Vec<Problem>),
}

impl PolicyError {
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Policy(problems) | Self::Limits(problems) | Self::Tools(problems) | Self::Cases(problems) => problems,
        }
    }
}

fn listed(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Line and column, both 1-based, of a byte offset.
pub(crate) fn place(text: &str, offset: usize) -> (u32, u32) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let column = before.rfind('\n').and_then(|at| before.get(at + 1..)).unwrap_or(before).chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_becomes_line_and_column_in_characters() {
        let text = "ä b\nc";
        assert_eq!(place(text, 0), (1, 1));
        assert_eq!(place(text, 3), (1, 3));
        assert_eq!(place(text, 5), (2, 1));
        assert_eq!(place(text, 99), (2, 2));
    }
}
