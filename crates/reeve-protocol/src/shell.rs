//! Commands in a shell: the programs in a line, what they are known to do, a summary, content and view. The reading is
//! careful, not complete: what is not plain words is said not to be understood, and rules then ask.

mod effects;
mod words;

use reeve_domain::operation::{Digest, ShellExec, ShellPiece, Subject};
use serde_json::{Value, json};

use crate::{Classified, redact, text};

/// Longest line that rules see whole, in bytes.
const LONGEST: usize = 16 * 1024;
/// Most programs of a line that are told apart.
const PIECES: usize = 64;

/// Where programs are what their names say. Anywhere else a name says nothing.
const SYSTEM: &[&str] =
    &["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/opt/homebrew/bin"];

/// Reads a line as a POSIX shell would take it apart, without running or expanding anything. `cwd`: where it is run.
#[must_use]
pub fn classify(command: &str, cwd: &str) -> Classified {
    let cut = (0..=LONGEST.min(command.len())).rev().find(|at| command.is_char_boundary(*at)).unwrap_or(0);
    let kept = command.get(..cut).unwrap_or_default();
    let read = words::read(kept);
    let shown = shown(kept, &read);
    let understood = read.understood && cut == command.len() && read.commands.len() <= PIECES;
    let pieces: Vec<ShellPiece> = read.commands.iter().take(PIECES).filter_map(piece).collect();
    let line = ShellExec {
        is_whole: shown == command,
        command: shown,
        command_bytes: command.len() as u64,
        cwd: cwd.to_owned(),
        understood: understood && !pieces.is_empty(),
        pieces,
    };
    Classified {
        content: content(command, cwd),
        summary: text::line(&line.command, 200),
        conversation: None,
        answers: Vec::new(),
        view: view(&line),
        subject: Subject::Shell(line),
    }
}

fn piece(command: &words::Command) -> Option<ShellPiece> {
    let all: Vec<String> = command.words.iter().map(|word| word.text.clone()).collect();
    let (program, argv) = all.split_first()?;
    let name = match program.rsplit_once('/') {
        Some((folder, name)) if SYSTEM.contains(&folder) => name,
        _ => program,
    };
    let shown = redacted(argv);
    let known = effects::of(name, argv, &shown, command);
    Some(ShellPiece {
        program: redact::words(name),
        argv: shown,
        effects: known.effects,
        touches: known.touches.iter().map(|path| redact::words(path)).collect(),
        hosts: known.hosts,
    })
}

/// With the value after a telling name taken out too: `--password hunter2`, `TOKEN=hunter2`.
fn redacted(argv: &[String]) -> Vec<String> {
    let mut after_telling = false;
    let mut word = |word: &String| {
        let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
        let telling = (name.starts_with('-') || words::assigns(word).is_some()) && redact::hides(name);
        let hidden = match value {
            Some(value) if telling && !value.is_empty() => format!("{name}={}", redact::REDACTED),
            None if after_telling && !name.starts_with('-') => redact::REDACTED.to_owned(),
            _ => redact::words(word),
        };
        after_telling = telling && value.is_none();
        hidden
    };
    argv.iter().map(&mut word).collect()
}

/// The line without what any of its words hides, in quotes or not.
fn shown(line: &str, read: &words::Line) -> String {
    let lists = read.commands.iter().map(|command| command.words.as_slice());
    let mut hidden = Vec::new();
    for words in lists.chain([read.assigned.as_slice()]) {
        let texts: Vec<String> = words.iter().map(|word| word.text.clone()).collect();
        let told = redacted(&texts).into_iter().zip(words).filter(|(told, word)| *told != word.text);
        hidden.extend(told.map(|(told, word)| (word.at.clone(), told)));
    }
    hidden.sort_by_key(|(at, _)| at.start);
    let mut out = String::with_capacity(line.len());
    let mut kept = 0;
    for (at, told) in hidden {
        let quote = line.get(at.clone()).and_then(|word| ["'", "\""].into_iter().find(|quote| word.starts_with(quote)));
        let quote = quote.unwrap_or_default();
        out.push_str(line.get(kept..at.start).unwrap_or_default());
        out.push_str(&format!("{quote}{told}{quote}"));
        kept = at.end;
    }
    out.push_str(line.get(kept..).unwrap_or_default());
    redact::words(&out)
}

fn view(line: &ShellExec) -> Value {
    let pieces: Vec<Value> = line
        .pieces
        .iter()
        .map(|piece| {
            json!({
                "program": piece.program,
                "argv": piece.argv,
                "effects": piece.effects,
                "touches": piece.touches,
                "hosts": piece.hosts,
            })
        })
        .collect();
    json!({
        "kind": "shell.exec",
        "command": line.command,
        "bytes": line.command_bytes,
        "whole": line.is_whole,
        "cwd": line.cwd,
        // What questions are told apart by.
        "program": line.programs().join(" "),
        "pieces": pieces,
        "understood": line.understood,
    })
}

/// The line and its folder, each with its length before it.
fn content(command: &str, cwd: &str) -> Digest {
    let mut bytes = b"reeve-shell-1".to_vec();
    for part in [command, cwd] {
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(part.as_bytes());
    }
    Digest::of(&bytes)
}

#[cfg(test)]
mod tests;
