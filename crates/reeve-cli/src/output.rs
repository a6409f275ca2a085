//! How results are printed: plain columns for people, one JSON document for programs, colour only where it is welcome.

mod pager;
mod paint;

use std::io::{IsTerminal as _, Write as _};

use reeve_api::contract::ApiError;
use reeve_api::contract::status::{CheckDto, FixDto};
use serde::Serialize;

pub use pager::page;
pub use paint::{Tone, paint};

/// Prints an error with its next step.
pub fn complain(error: &anyhow::Error) {
    eprintln!("reeve: {error:#}");
    if let Some(hint) = error.downcast_ref::<ApiError>().and_then(|e| e.hint.as_deref()) {
        eprintln!("       {hint}");
    }
}

/// Prints one JSON document. Versioned, so that scripts can rely on its shape.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let document = serde_json::json!({ "v": 1, "data": value });
    line(&serde_json::to_string_pretty(&document)?)
}

/// Prints one line of data; a reader that went away ends the command quietly.
pub fn line(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => Ok(other?),
    }
}

/// Prints what was checked, what was found, and what mends it.
pub fn check(check: &CheckDto) -> anyhow::Result<()> {
    let mark = if check.ok { paint(Tone::Good, "✓") } else { paint(Tone::Bad, "✕") };
    line(&format!("{mark} {:<18} {}", check.name, visible(&check.evidence)))?;
    check.fix.iter().flat_map(mending).try_for_each(|words| line(&format!("  {:<18} {words}", "")))
}

/// The command or the advice; of a repair the command, and each step that it takes.
fn mending(fix: &FixDto) -> Vec<String> {
    match fix {
        FixDto::Command { line: words } | FixDto::Advice { text: words } => vec![format!("→ {words}")],
        FixDto::Repair { steps } => {
            let steps = steps.iter().map(|step| format!("  {}", visible(step)));
            std::iter::once("→ reeve doctor --fix".to_owned()).chain(steps).collect()
        }
    }
}

/// Prints rows in columns as wide as their widest cell; the last column is not padded.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> anyhow::Result<()> {
    columns(head, rows).iter().try_for_each(|text| line(text))
}

/// The same as lines, the head first.
pub fn columns(head: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(head.get(column).map(|h| h.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let print = |cells: Vec<&str>| -> String {
        let mut text = String::new();
        for (index, cell) in cells.iter().enumerate() {
            text.push_str(cell);
            if index + 1 < cells.len() {
                let fill = widths.get(index).copied().unwrap_or(0).saturating_sub(cell.chars().count()) + 2;
                text.extend(std::iter::repeat_n(' ', fill));
            }
        }
        text
    };
    std::iter::once(print(head.to_vec()))
        .chain(rows.iter().map(|row| print(row.iter().map(String::as_str).collect())))
        .collect()
}

/// Foreign text on a terminal: control, bidirectional and zero-width characters become visible tokens.
pub fn visible(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => "⏎".to_owned(),
            '\t' => " ".to_owned(),
            '\u{1b}' => "⟨ESC⟩".to_owned(),
            c if c.is_control() => format!("⟨{:02X}⟩", u32::from(c)),
            '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}' => {
                format!("⟨{:04X}⟩", u32::from(c))
            }
            c => c.to_string(),
        })
        .collect()
}

/// Whether a person can be asked: both ends are terminals and nobody forbade it.
pub fn may_ask(no_input: bool) -> bool {
    let forbidden = no_input || std::env::var_os("REEVE_NO_INPUT").is_some();
    !forbidden && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// nano-USD for people; of what is less than a cent, the first two digits that count.
pub fn money(nano: i64) -> String {
    const CENT: u64 = 10_000_000;
    let small = nano.unsigned_abs();
    let (sign, digits) = (if nano < 0 { "-" } else { "" }, small.checked_ilog10());
    let Some(digits) = digits.filter(|_| small < CENT) else { return reeve_api::money(nano) };
    let last = 10_u64.pow(digits.saturating_sub(1));
    let rounded = (small + last / 2) / last * last;
    format!("{sign}$0.{}", format!("{rounded:09}").trim_end_matches('0'))
}

/// A short local time.
pub fn time(at: chrono::DateTime<chrono::Utc>) -> String {
    at.with_timezone(&chrono::Local).format("%H:%M:%S%.3f").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_less_than_a_cent_keeps_the_digits_that_count() {
        let shown = [
            (0, "$0"),
            (1, "$0.000000001"),
            (-412_300, "-$0.00041"),
            (3_968_000, "$0.004"),
            (9_999_999, "$0.01"),
            (10_000_000, "$0.010"),
            (3_180_000_000, "$3.18"),
        ];
        for (nano, text) in shown {
            assert_eq!(money(nano), text);
        }
    }

    #[test]
    fn a_repair_is_one_command_that_says_its_steps() {
        let steps = vec!["remove the trust file `a\u{1b}b`".to_owned()];
        assert_eq!(mending(&FixDto::Repair { steps }), ["→ reeve doctor --fix", "  remove the trust file `a⟨ESC⟩b`"]);
        assert_eq!(mending(&FixDto::command("reeve verify")), ["→ reeve verify"]);
        assert_eq!(mending(&FixDto::advice("restart the engine")), ["→ restart the engine"]);
    }

    #[test]
    fn terminal_sequences_of_others_are_shown_and_not_obeyed() {
        assert_eq!(visible("a\u{1b}[2Jb\nc\u{202e}d"), "a⟨ESC⟩[2Jb⏎c⟨202E⟩d");
        assert_eq!(visible("x\u{e0041}\u{ad}"), "x⟨E0041⟩⟨00AD⟩");
    }
}
