//! Environment files: which of their lines look like keys, by name and by shape, and the same file with placeholders.

use reeve_domain::sensitive::Secret;

use super::{KNOWN_KINDS, KnownKind};

/// Shortest value that can be guarded against leaks, in bytes.
const SHORTEST: usize = 8;
/// Shortest value that its variable's name alone makes a key.
const BY_NAME: usize = 12;
/// Ends of names that hold secrets.
const NAMES: [&str; 6] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL"];
/// Beginnings that providers give their keys, with the kind each means.
const SHAPES: [(&str, &str); 9] = [
    ("sk-ant-", "anthropic"),
    ("sk-proj-", "openai"),
    ("sk-svcacct-", "openai"),
    ("AIza", "gemini"),
    ("ghp_", "github"),
    ("gho_", "github"),
    ("ghu_", "github"),
    ("ghs_", "github"),
    ("github_pat_", "github"),
];
/// Part of every placeholder that Reeve makes.
const PLACEHOLDER: &str = "reeve-";

/// A line that looks like a key. The value is wiped with it.
#[derive(Debug)]
pub struct Found {
    /// 1-based.
    pub line: u32,
    pub variable: String,
    pub value: Secret,
    pub kind: Option<&'static KnownKind>,
    pub sign: Sign,
}

/// What made a line look like a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// The value begins like a provider's keys.
    Shape,
    /// The variable is one that a known tool reads its key from.
    Variable,
    /// The variable's name ends like one of a secret.
    Name,
}

/// Every line that looks like a key, in the order of the file.
#[must_use]
pub fn find(text: &str) -> Vec<Found> {
    lines(text).filter_map(|line| found(&line)).collect()
}

/// The same text with the values of these lines (1-based) replaced; everything else stays byte for byte.
#[must_use]
pub fn replaced(text: &str, with: &[(u32, String)]) -> String {
    let mut out = String::with_capacity(text.len());
    for line in lines(text) {
        match with.iter().find(|(number, _)| *number == line.number && !line.variable.is_empty()) {
            Some((_, placeholder)) => {
                out.push_str(line.before);
                out.push_str(placeholder);
                out.push_str(line.after);
            }
            None => out.push_str(line.whole),
        }
    }
    out
}

/// One line, its ending included: `before` + `value` + `after` is `whole`.
struct Line<'a> {
    number: u32,
    whole: &'a str,
    before: &'a str,
    variable: &'a str,
    value: &'a str,
    after: &'a str,
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    (1..).zip(text.split_inclusive('\n')).map(|(number, whole)| {
        assignment(number, whole).unwrap_or(Line { number, whole, before: whole, variable: "", value: "", after: "" })
    })
}

/// `export NAME="value" # note`, quotes and `export` optional.
fn assignment(number: u32, whole: &str) -> Option<Line<'_>> {
    let equals = whole.find('=')?;
    let name = whole.get(..equals)?.trim();
    let name = name.strip_prefix("export ").map_or(name, str::trim);
    let word = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !word || name.as_bytes().first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let rest = whole.get(equals + 1..)?;
    let lead = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let inner = rest.get(lead..)?;
    let (open, length) = match inner.chars().next() {
        Some(quote @ ('"' | '\'')) => (1, inner.get(1..)?.find(quote)?),
        _ => (0, inner.find([' ', '\t', '\r', '\n', '#']).unwrap_or(inner.len())),
    };
    let start = equals + 1 + lead + open;
    Some(Line {
        number,
        whole,
        before: whole.get(..start)?,
        variable: name,
        value: whole.get(start..start + length)?,
        after: whole.get(start + length..)?,
    })
}

fn found(line: &Line<'_>) -> Option<Found> {
    let (variable, value) = (line.variable, line.value);
    // A reference to another variable is no key, and a placeholder is one already dealt with.
    if value.len() < SHORTEST || value.contains(PLACEHOLDER) || value.contains('$') || value.contains("://") {
        return None;
    }
    let kind = |name: &str| KNOWN_KINDS.iter().find(|kind| kind.name == name);
    let shape = SHAPES.iter().find(|(start, _)| value.starts_with(start)).and_then(|(_, name)| kind(name));
    let read = KNOWN_KINDS.iter().find(|kind| kind.variables.contains(&variable));
    let upper = variable.to_ascii_uppercase();
    let (kind, sign) = match (shape, read) {
        (Some(kind), _) => (Some(kind), Sign::Shape),
        (None, Some(kind)) => (Some(kind), Sign::Variable),
        (None, None) if value.len() >= BY_NAME && NAMES.iter().any(|end| upper.ends_with(end)) => (None, Sign::Name),
        (None, None) => return None,
    };
    let value = Secret::from(value.to_owned());
    Some(Found { line: line.number, variable: variable.to_owned(), value, kind, sign })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# keys\nexport ANTHROPIC_API_KEY=\"sk-ant-api03-aaaaaaaaaaaa\" # mine\nPORT=8080\r\nMY_TOKEN='a secret with spaces'\nDATABASE_URL=postgres://dana@db/app\nOTHER=ghp_0123456789abcdef\nEMPTY_KEY=\nCOPY_KEY=$ANTHROPIC_API_KEY\nOPENAI_API_KEY=plain-0123456789\nHELD=sk-proj-reeve-00ff00ff\nno assignment here\nlast_password=hunter2hunter2";

    #[test]
    fn what_looks_like_a_key_is_found_by_shape_variable_or_name_and_nothing_else() {
        let seen: Vec<_> =
            find(FILE).iter().map(|f| (f.line, f.variable.clone(), f.kind.map(|k| k.name), f.sign)).collect();
        let one = |line, variable: &str, kind, sign| (line, variable.to_owned(), kind, sign);
        assert_eq!(
            seen,
            [
                one(2, "ANTHROPIC_API_KEY", Some("anthropic"), Sign::Shape),
                one(4, "MY_TOKEN", None, Sign::Name),
                one(6, "OTHER", Some("github"), Sign::Shape),
                one(9, "OPENAI_API_KEY", Some("openai"), Sign::Variable),
                one(12, "last_password", None, Sign::Name),
            ]
        );
        assert_eq!(find(FILE)[0].value.expose(), b"sk-ant-api03-aaaaaaaaaaaa");
        assert_eq!(find(FILE)[1].value.expose(), b"a secret with spaces");
    }

    #[test]
    fn only_the_values_that_were_chosen_are_replaced() {
        let text = replaced(FILE, &[(2, "P1".to_owned()), (12, "P2".to_owned())]);
        let wanted = FILE.replace("sk-ant-api03-aaaaaaaaaaaa", "P1").replace("hunter2hunter2", "P2");
        assert_eq!(text, wanted);
        assert_eq!(replaced(FILE, &[]), FILE);
    }

    #[test]
    fn hostile_lines_are_no_keys_and_break_nothing() {
        for text in
            ["=", "A_KEY=\"open", "1KEY=abcdefghijklmnop", "KEY=\u{202e}\u{202e}", "\n\n\n", "é=sk-ant-abcdefgh"]
        {
            assert_eq!(replaced(text, &[(1, String::new())]).contains("sk-ant"), text.contains("é"), "{text}");
            let _ = find(text);
        }
        assert!(find("export A KEY=abcdefghijklmnop").is_empty());
    }
}
