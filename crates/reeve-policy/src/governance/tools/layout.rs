//! `tools.yaml` laid out the one way Reeve lays it out: two spaces for each level, one blank behind a key's colon, at most one
//! empty line. Comments survive, and what the file says stays what it was.

use serde_json::Value;

use crate::error::{PolicyError, Problem};

/// Lays out the text of a file of rules for tools.
///
/// # Errors
/// When the text is no YAML, or says something over several lines in a way that could not be laid out without a change.
pub fn format(file: &str, text: &str) -> Result<String, PolicyError> {
    let problem = |message: String| {
        PolicyError::Policy(vec![Problem { file: file.to_owned(), line: 0, column: 0, length: 0, message }])
    };
    let read = |text: &str| serde_saphyr::from_str::<Value>(text);
    let before = read(text).map_err(|error| problem(error.to_string()))?;
    let laid = lay_out(text);
    match read(&laid) {
        Ok(after) if after == before => Ok(laid),
        _ => Err(problem("a text over several lines stands as it is: this file is laid out by hand".to_owned())),
    }
}

fn lay_out(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut levels: Vec<usize> = Vec::new();
    // Comments stand before what they are about.
    let mut comments: Vec<&str> = Vec::new();
    let (mut open, mut blank) = (0_usize, false);
    for line in text.lines() {
        let content = line.trim();
        if content.is_empty() {
            blank = blank || !(out.is_empty() && comments.is_empty());
            if !comments.is_empty() {
                put_all(&mut out, &mut comments, levels.len().saturating_sub(1));
            }
            continue;
        }
        if std::mem::take(&mut blank) {
            out.push('\n');
        }
        if content.starts_with('#') {
            comments.push(content);
            continue;
        }
        let level = if open == 0 {
            let indent = line.len() - line.trim_start().len();
            while levels.last().is_some_and(|last| *last > indent) {
                levels.pop();
            }
            if levels.last() != Some(&indent) {
                levels.push(indent);
            }
            levels.len() - 1
        } else {
            levels.len() - usize::from(content.starts_with(['}', ']']))
        };
        put_all(&mut out, &mut comments, level);
        put(&mut out, &spaced(content), level);
        open = opened(content, open);
    }
    put_all(&mut out, &mut comments, 0);
    out
}

fn put_all(out: &mut String, lines: &mut Vec<&str>, level: usize) {
    lines.drain(..).for_each(|line| put(out, line, level));
}

fn put(out: &mut String, line: &str, level: usize) {
    out.extend(std::iter::repeat_n("  ", level));
    out.push_str(line);
    out.push('\n');
}

/// One blank behind the colon of the key that a line begins with.
fn spaced(content: &str) -> String {
    let is_name = |c: char| c.is_alphanumeric() || "_-/*.".contains(c);
    match content.split_once(':') {
        Some((key, rest)) if key.chars().all(is_name) && rest.starts_with(' ') => {
            format!("{key}: {}", rest.trim_start())
        }
        _ => content.to_owned(),
    }
}

/// How many brackets are open behind a line.
fn opened(content: &str, before: usize) -> usize {
    let (mut open, mut quote, mut last) = (before, None, ' ');
    for c in content.chars() {
        match (c, quote) {
            (c, Some(mark)) if c == mark => quote = None,
            (_, Some(_)) => {}
            ('\'' | '"', None) => quote = Some(c),
            ('#', None) if last.is_whitespace() => break,
            ('{' | '[', None) => open += 1,
            ('}' | ']', None) => open = open.saturating_sub(1),
            _ => {}
        }
        last = c;
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_blanks_are_laid_out_and_comments_and_meaning_stay() {
        let text = "\n\n# why\ntool_policies:\n    # of this one\n    db/write:\n         max_row_count:    5   # five\n         preview: {\n  tool: look,\n      rows: n\n   }\n\n\n\ntool_governance:\n\tmail: {}\n".replace('\t', " ");
        let once = format("tools.yaml", &text).unwrap();
        assert_eq!(
            once,
            "# why\ntool_policies:\n  # of this one\n  db/write:\n    max_row_count: 5   # five\n    preview: {\n      tool: look,\n      rows: n\n    }\n\ntool_governance:\n  mail: {}\n"
        );
        assert_eq!(format("tools.yaml", &once).unwrap(), once);
        let shipped = include_str!("../../../../../policies/tools.yaml");
        assert_eq!(format("tools.yaml", shipped).unwrap(), shipped, "the shipped file is laid out");
    }

    #[test]
    fn what_is_no_yaml_and_what_would_change_is_not_laid_out() {
        assert!(format("tools.yaml", "tool_policies: {").is_err());
        let lines = "tool_policies:\n  t:\n    timeout: |\n      1\n          5\n";
        assert!(format("tools.yaml", lines).is_err());
    }
}
