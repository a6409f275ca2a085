//! The keys of the grammar, what kind of value each takes, and the nearest one to a misspelt one.

use std::fmt;

/// What values a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text, with wildcards.
    Text,
    /// One of these words, or a pattern over them.
    Word(&'static [&'static str]),
    /// One of these words, from the least to the greatest.
    Rank(&'static [&'static str]),
    Number,
    /// Dollars.
    Money,
    /// Tokens, with `k` and `m`.
    Tokens,
    Duration,
    /// A point in time, or a duration before now.
    Time,
}

impl Kind {
    /// Whether values can be compared.
    #[must_use]
    pub fn is_ordered(self) -> bool {
        matches!(self, Self::Number | Self::Money | Self::Tokens | Self::Duration | Self::Rank(_))
    }

    /// What a value should look like, for messages.
    #[must_use]
    pub fn expected(self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Word(words) | Self::Rank(words) => format!("one of {}", words.join(", ")),
            Self::Number => "a whole number".to_owned(),
            Self::Money => "an amount in dollars, for example `0.50`".to_owned(),
            Self::Tokens => "a number of tokens, for example `8k`".to_owned(),
            Self::Duration => "a duration, for example `500ms`, `10s` or `2h`".to_owned(),
            Self::Time => "a time, for example `7d`, `2026-11-20` or `2026-11-20T10:00Z`".to_owned(),
        }
    }
}

macro_rules! keys {
    ($($name:ident $text:literal $kind:expr;)+) => {
        /// A key of the grammar.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Key { $($name,)+ }

        impl Key {
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            #[must_use]
            pub fn kind(self) -> Kind {
                match self { $(Self::$name => $kind,)+ }
            }
        }
    };
}

pub(super) const DECISIONS: &[&str] =
    &["allowed", "held", "denied", "approved", "refused", "expired", "withdrawn", "would_deny", "would_hold"];
pub(super) const RISKS: &[&str] = &["low", "medium", "high", "critical"];
/// `event`: what happened beside actions.
const KINDS: &[&str] = &["llm", "http", "mcp", "shell", "file", "event"];
const ENDS: &[&str] = &["ok", "tool_error", "schema_failure", "timeout", "refused", "unknown"];
/// How a loop was met, and what it looked like.
const LOOPS: &[&str] = &["warned", "held", "paused", "stuck", "stagnant", "burst"];
const MODES: &[&str] = &["observe", "enforce"];
const SCOPES: &[&str] = &["once", "session", "until", "always"];
const SURFACES: &[&str] = &["main_window", "tray", "cli", "demo", "engine"];
const FLAGS: &[&str] = &["first_seen", "redacted", "injected", "observed", "pinned", "preview", "probe", "repeat"];
const PARTS: &[&str] = &["body", "diff", "note"];

keys! {
    Agent "agent" Kind::Text;
    Session "session" Kind::Text;
    User "user" Kind::Text;
    Team "team" Kind::Text;
    Pid "pid" Kind::Number;
    Parent "parent" Kind::Text;
    Repo "repo" Kind::Text;
    Cwd "cwd" Kind::Text;
    Branch "branch" Kind::Text;
    Kind "kind" Kind::Word(KINDS);
    Tool "tool" Kind::Text;
    Server "server" Kind::Text;
    Program "program" Kind::Text;
    End "end" Kind::Word(ENDS);
    Loop "loop" Kind::Word(LOOPS);
    Method "method" Kind::Text;
    Path "path" Kind::Text;
    Model "model" Kind::Text;
    Provider "provider" Kind::Text;
    Status "status" Kind::Number;
    Error "error" Kind::Text;
    Exit "exit" Kind::Number;
    Host "host" Kind::Text;
    Domain "domain" Kind::Text;
    Ip "ip" Kind::Text;
    Port "port" Kind::Number;
    Decision "decision" Kind::Word(DECISIONS);
    Rule "rule" Kind::Text;
    Mode "mode" Kind::Word(MODES);
    Risk "risk" Kind::Rank(RISKS);
    Approver "approver" Kind::Text;
    Scope "scope" Kind::Word(SCOPES);
    Surface "surface" Kind::Word(SURFACES);
    Cost "cost" Kind::Money;
    TokensIn "tokens.in" Kind::Tokens;
    TokensOut "tokens.out" Kind::Tokens;
    TokensCached "tokens.cached" Kind::Tokens;
    Reserved "reserved" Kind::Money;
    Budget "budget" Kind::Text;
    Record "record" Kind::Text;
    Trace "trace" Kind::Text;
    Credential "credential" Kind::Text;
    Hash "hash" Kind::Text;
    Since "since" Kind::Time;
    Before "before" Kind::Time;
    Latency "latency" Kind::Duration;
    Is "is" Kind::Word(FLAGS);
    Has "has" Kind::Word(PARTS);
}

impl Key {
    /// By name, without regard to case.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|key| key.as_str().eq_ignore_ascii_case(name))
    }

    /// The key with the fewest letters to change, where that is less than half of them.
    #[must_use]
    pub fn nearest(name: &str) -> Option<Self> {
        let name: Vec<char> = name.to_lowercase().chars().take(32).collect();
        let near = Self::ALL.iter().map(|key| (distance(&name, key.as_str()), *key));
        let (steps, key) = near.min_by_key(|(steps, _)| *steps)?;
        (steps * 2 <= name.len().max(key.as_str().len())).then_some(key)
    }
}

/// A comparison whose colon was left out: `cost>0.5`. The key, and what is held against it.
pub(super) fn without_colon(text: &str) -> Option<(Key, &str)> {
    let (name, held) = text.split_at_checked(text.find(['<', '>', '=', '!'])?)?;
    let held = if held.starts_with('!') && !held.starts_with("!=") { return None } else { held };
    Some((Key::find(name)?, held))
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Letters to insert, delete or replace.
fn distance(from: &[char], to: &str) -> usize {
    let mut row: Vec<usize> = (0..=from.len()).collect();
    for (i, b) in to.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, (a, pair)) in from.iter().zip(row.windows(2)).enumerate() {
            let (diagonal, above) = (pair.first().copied().unwrap_or(0), pair.last().copied().unwrap_or(0));
            let left = next.get(j).copied().unwrap_or(0);
            next.push((diagonal + usize::from(*a != b)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_found_for_a_slip_and_not_for_anything() {
        assert_eq!(Key::nearest("agnet"), Some(Key::Agent));
        assert_eq!(Key::nearest("decison"), Some(Key::Decision));
        assert_eq!(Key::nearest("token.in"), Some(Key::TokensIn));
        assert_eq!(Key::nearest("zzzzzzzzzz"), None);
    }

    #[test]
    fn keys_are_found_without_regard_to_case() {
        assert_eq!(Key::find("Tokens.IN"), Some(Key::TokensIn));
        assert_eq!(Key::find("https"), None);
    }
}
