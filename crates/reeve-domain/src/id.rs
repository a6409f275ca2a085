//! Identities: opaque ids made by Reeve, and slugs that people write in files.

use serde::{Deserialize, Serialize};

/// Why a string is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not {what}: {rule}")]
pub struct IdError {
    what: &'static str,
    given: String,
    rule: &'static str,
}

/// Opaque ids: a prefix that says what it names, an underscore, and a ULID (sortable by time of creation).
macro_rules! opaque_id {
    ($($(#[$doc:meta])* $name:ident $prefix:literal $what:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// A fresh id; ids of one process sort by creation time to the millisecond.
            #[allow(clippy::new_without_default)]
            #[must_use]
            pub fn new() -> Self {
                Self(format!(concat!($prefix, "_{}"), ulid::Ulid::generate().to_string().to_lowercase()))
            }

            /// # Errors
            /// When the prefix is another one or the rest is not 26 lower-case letters and digits.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let rest = text.strip_prefix(concat!($prefix, "_"));
                match rest {
                    Some(rest) if rest.len() == 26 && rest.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase()) => {
                        Ok(Self(text.to_owned()))
                    }
                    _ => Err(IdError {
                        what: concat!("the id of ", $what),
                        given: text.chars().take(64).collect(),
                        rule: concat!("expected `", $prefix, "_` and 26 letters or digits"),
                    }),
                }
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

opaque_id! {
    /// One run of an agent.
    SessionId "ses" "a session";
    /// One thing attempted.
    OperationId "op" "an operation";
    /// One question put to a human.
    ApprovalId "ask" "a question";
    /// One remembered answer.
    GrantId "grt" "a grant";
    /// One hold on a budget.
    ReservationId "rsv" "a reservation";
}

/// Slugs: what people write in files and on the command line. Letters, digits, `-`, `_`, `.`; at most 64 characters;
/// starts with a letter or digit.
macro_rules! slug {
    ($($(#[$doc:meta])* $name:ident $what:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// # Errors
            /// When the text is empty, too long, or has a character outside the slug alphabet.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
                let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
                if first && text.len() <= 64 && text.bytes().all(good) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(IdError {
                        what: concat!("the name of ", $what),
                        given: text.chars().take(64).collect(),
                        rule: "expected 1 to 64 of A-Z a-z 0-9 - _ . starting with a letter or digit",
                    })
                }
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

slug! {
    /// A registered agent, for example `claude-code`.
    AgentId "an agent";
    /// A team, as `config.toml` names it.
    TeamId "a team";
    /// A credential, for example `github`.
    CredentialId "a credential";
    /// A budget definition, as `limits.yaml` names it.
    BudgetId "a budget";
    /// A policy rule: the value of its `@id`.
    RuleId "a rule";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_id_parses_back() {
        let id = SessionId::new();
        assert_eq!(SessionId::parse(id.as_str()), Ok(id));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        assert!(SessionId::parse(OperationId::new().as_str()).is_err());
        assert!(SessionId::parse("ses_").is_err());
        assert!(SessionId::parse("ses_../../etc/passwd0000000000").is_err());
    }

    #[test]
    fn what_is_no_id_is_told_in_words() {
        let problem = ApprovalId::parse("ask_x").unwrap_err().to_string();
        assert_eq!(problem, "`ask_x` is not the id of a question: expected `ask_` and 26 letters or digits");
        assert!(AgentId::parse("a b").unwrap_err().to_string().starts_with("`a b` is not the name of an agent: "));
    }

    #[test]
    fn slugs_take_what_people_write_and_nothing_that_escapes_a_file_name() {
        for good in ["claude-code", "a", "gpt_4.1", "0x"] {
            assert!(AgentId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", ".hidden", "a b", "a/b", "ä", &"x".repeat(65)] {
            assert!(AgentId::parse(bad).is_err(), "{bad}");
        }
    }
}
