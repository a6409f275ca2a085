//! Colour: only where a terminal shows it, or where it is asked for.

use std::ffi::OsString;
use std::io::IsTerminal as _;

/// What a colour says; the words say it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Waits,
    Bad,
    /// Beside the point.
    Faint,
}

/// Words in a colour, for stdout.
pub fn paint(tone: Tone, text: &str) -> String {
    if !is_wanted(|name| std::env::var_os(name), std::io::stdout().is_terminal()) {
        return text.to_owned();
    }
    let code = match tone {
        Tone::Good => 32,
        Tone::Waits => 33,
        Tone::Bad => 31,
        Tone::Faint => 2,
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// `NO_COLOR` forbids before `CLICOLOR_FORCE` demands; else a terminal decides that is not `dumb`.
fn is_wanted(variable: impl Fn(&str) -> Option<OsString>, terminal: bool) -> bool {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        return false;
    }
    if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    terminal && set("TERM").is_none_or(|term| term != "dumb") && set("CLICOLOR").is_none_or(|value| value != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_terminals_and_for_who_asks() {
        let wanted = |variables: &[(&str, &str)], terminal| {
            is_wanted(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v)), terminal)
        };
        assert!(wanted(&[], true) && !wanted(&[], false));
        assert!(!wanted(&[("NO_COLOR", "1")], true) && wanted(&[("NO_COLOR", "")], true));
        assert!(wanted(&[("CLICOLOR_FORCE", "1")], false) && !wanted(&[("CLICOLOR_FORCE", "0")], false));
        assert!(!wanted(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], true));
        assert!(!wanted(&[("TERM", "dumb")], true) && wanted(&[("TERM", "xterm")], true));
        assert!(!wanted(&[("CLICOLOR", "0")], true));
    }
}
