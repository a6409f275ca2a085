//! Foreign text cut to one safe line.

/// `text` in at most `limit` characters, control and invisible format characters escaped, `…` where it was cut.
pub fn line(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit * 4));
    let mut left = limit;
    for c in text.chars() {
        let shown: Vec<char> = if is_plain(c) { vec![c] } else { c.escape_unicode().collect() };
        if shown.len() + 1 > left {
            out.push('…');
            return out;
        }
        left -= shown.len();
        out.extend(shown);
    }
    out
}

/// Neither a control character nor one that reorders, hides or joins what is around it.
fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A name for a record from a header or body: printable ASCII, at most 128 characters; anything else is no name.
pub fn name(text: &str) -> Option<String> {
    let good = !text.is_empty() && text.len() <= 128 && text.bytes().all(|b| b.is_ascii_graphic());
    good.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_and_shows_what_hides() {
        assert_eq!(line("plain", 10), "plain");
        assert_eq!(line("a\nb\u{202e}c", 40), "a\\u{a}b\\u{202e}c");
        assert_eq!(line("abcdef", 4), "abc…");
        assert_eq!(line("\u{0}\u{0}\u{0}", 6), "\\u{0}…");
        assert!(line(&"\u{1b}".repeat(500), 200).chars().count() <= 200);
    }

    #[test]
    fn a_name_is_printable_and_short() {
        assert_eq!(name("01a1f93d-7").as_deref(), Some("01a1f93d-7"));
        for bad in ["", "a b", "ä", "a\n", &"x".repeat(129)] {
            assert_eq!(name(bad), None);
        }
    }
}
