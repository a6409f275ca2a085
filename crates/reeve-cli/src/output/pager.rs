//! Long answers on a terminal go through the person's pager; everywhere else they are printed.

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::process::{Command, Stdio};

/// Prints lines, through `PAGER` (else `less`) when a person reads them on a terminal.
pub fn page(lines: &[String]) -> anyhow::Result<()> {
    let chosen = program(|name| std::env::var_os(name), std::io::stdout().is_terminal());
    if let Some((program, arguments)) = chosen.as_deref().and_then(<[String]>::split_first) {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped());
        if std::env::var_os("LESS").is_none() {
            // Nothing to page is only printed, colours are shown, and the text stays afterwards.
            command.env("LESS", "FRX");
        }
        // A pager that is not there is no reason to show nothing.
        if let Ok(mut child) = command.spawn() {
            if let Some(mut stdin) = child.stdin.take() {
                for line in lines {
                    if writeln!(stdin, "{line}").is_err() {
                        // The person has seen enough.
                        break;
                    }
                }
            }
            child.wait()?;
            return Ok(());
        }
    }
    lines.iter().try_for_each(|line| super::line(line))
}

/// The pager and its arguments; none where nobody pages.
fn program(variable: impl Fn(&str) -> Option<OsString>, terminal: bool) -> Option<Vec<String>> {
    if !terminal || variable("TERM").is_some_and(|term| term == "dumb") {
        return None;
    }
    let text = match variable("PAGER") {
        Some(text) => text.into_string().ok()?,
        None => "less".to_owned(),
    };
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    words.first().is_some_and(|program| program != "cat").then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_person_at_a_terminal_gets_a_pager() {
        let chosen = |variables: &[(&str, &str)], terminal| {
            program(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v)), terminal)
        };
        assert_eq!(chosen(&[], true), Some(vec!["less".to_owned()]));
        assert_eq!(chosen(&[("PAGER", "most -s")], true), Some(vec!["most".to_owned(), "-s".to_owned()]));
        for none in [&[("PAGER", "")][..], &[("PAGER", "cat")], &[("TERM", "dumb")]] {
            assert_eq!(chosen(none, true), None, "{none:?}");
        }
        assert_eq!(chosen(&[], false), None);
    }
}
