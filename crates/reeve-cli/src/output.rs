//! How results are printed: plain columns for people, one JSON document for programs, colour only where it is welcome.

use std::io::{IsTerminal as _, Write as _};

use reeve_api::contract::ApiError;
use serde::Serialize;

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

/// Prints rows in columns as wide as their widest cell; the last column is not padded.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> anyhow::Result<()> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(head.get(column).map(|h| h.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let print = |cells: Vec<&str>| {
        let mut text = String::new();
        for (index, cell) in cells.iter().enumerate() {
            text.push_str(cell);
            if index + 1 < cells.len() {
                let fill = widths.get(index).copied().unwrap_or(0).saturating_sub(cell.chars().count()) + 2;
                text.extend(std::iter::repeat_n(' ', fill));
            }
        }
        line(&text)
    };
    print(head.to_vec())?;
    rows.iter().try_for_each(|row| print(row.iter().map(String::as_str).collect()))
}

/// Foreign text on a terminal: control, bidirectional and zero-width characters become visible tokens.
pub fn visible(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => "⏎".to_owned(),
            '\t' => " ".to_owned(),
            '\u{1b}' => "⟨ESC⟩".to_owned(),
            c if c.is_control() => format!("⟨{:02X}⟩", u32::from(c)),
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {
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

/// nano-USD for people.
pub fn money(nano: i64) -> String {
    reeve_api::money(nano)
}

/// A short local time.
pub fn time(at: chrono::DateTime<chrono::Utc>) -> String {
    at.with_timezone(&chrono::Local).format("%H:%M:%S%.3f").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_sequences_of_others_are_shown_and_not_obeyed() {
        assert_eq!(visible("a\u{1b}[2Jb\nc\u{202e}d"), "a⟨ESC⟩[2Jb⏎c⟨202E⟩d");
    }
}
