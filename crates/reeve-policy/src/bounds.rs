//! How much text and nesting a policy file may hold. Files of a project are written by others, and a parser that walks its
//! input recursively must not be led past the end of its stack.

/// Longest file, in bytes.
pub(crate) const LONGEST: usize = 1 << 20;
/// Deepest nesting of parentheses, brackets and braces.
const DEEPEST: usize = 24;
/// Most operators in one rule.
const OPERATORS: usize = 400;

/// # Errors
/// The byte offset of the first thing that goes too far, and what it is.
pub(crate) fn check(text: &str) -> Result<(), (usize, String)> {
    if text.len() > LONGEST {
        return Err((0, format!("a policy file holds at most {LONGEST} bytes")));
    }
    let (mut depth, mut operators) = (0_usize, 0_usize);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let at = text.len() - rest.len();
        let length = token(rest, c);
        let (word, after) = rest.split_at(length);
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ';' => (depth, operators) = (0, 0),
            '!' | '-' | '+' | '*' | '.' | '&' | '|' | '<' | '>' | '=' | '@' => operators += 1,
            _ if matches!(word, "if" | "in" | "is" | "has" | "like") => operators += 1,
            _ => {}
        }
        if depth > DEEPEST {
            return Err((at, format!("a rule nests at most {DEEPEST} parentheses, brackets and braces")));
        }
        if operators > OPERATORS {
            return Err((
                at,
                format!("a rule holds at most {OPERATORS} operators; split it, or name hosts in one list"),
            ));
        }
        rest = after;
    }
    Ok(())
}

/// Bytes of the comment, string, word, operator or single character that `text` begins with.
fn token(text: &str, first: char) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if first == '"' {
        return string(text);
    }
    if first.is_ascii_alphanumeric() || first == '_' {
        return text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    }
    let double = ["&&", "||", "==", "!=", "<=", ">="].iter().any(|operator| text.starts_with(operator));
    if double { 2 } else { first.len_utf8() }
}

/// Bytes of the string literal that `text` begins with; all of it when it does not end.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_count_for_nothing_and_every_rule_by_itself() {
        let brackets = "(".repeat(DEEPEST + 1);
        assert_eq!(check(&format!("\"{brackets}\\\"{brackets}\" // {brackets}\n")), Ok(()));
        assert_eq!(check(&brackets).unwrap_err().0, DEEPEST);
        let terms = "a.b && ".repeat(OPERATORS / 2);
        assert_eq!(check(&format!("{terms};{terms}")), Ok(()));
        assert!(check(&format!("{terms}{terms}")).is_err());
        assert!(check(&format!("é\"é\" {}", "!".repeat(OPERATORS + 1))).is_err());
    }
}
