//! A JSON answer cut into what can be read by itself: one object, or each element of a list as it comes.

use crate::llm::sse;

/// Finds complete top-level objects by counting brackets outside of strings. Only objects are given; a list around them
/// (Gemini without `alt=sse`) is looked through.
#[derive(Debug)]
pub struct Elements {
    held: Vec<u8>,
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// Too large: dropped up to its end.
    skipping: bool,
    limit: usize,
    oversized: u64,
}

impl Elements {
    pub fn new(limit: usize) -> Self {
        Self { held: Vec::new(), depth: 0, in_string: false, escaped: false, skipping: false, limit, oversized: 0 }
    }

    pub fn oversized(&self) -> u64 {
        self.oversized
    }

    /// Bytes held for an element that is not complete.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.held.len()
    }

    pub fn feed(&mut self, bytes: &[u8], mut on: impl FnMut(&[u8])) {
        let mut start = 0;
        for (at, byte) in bytes.iter().enumerate() {
            let inside = self.depth > 0;
            self.step(*byte);
            if !inside && self.depth > 0 {
                start = at;
            }
            if inside && self.depth == 0 {
                self.keep(bytes.get(start..=at).unwrap_or_default());
                if !self.skipping {
                    on(&self.held);
                }
                self.skipping = false;
                self.held = sse::reuse(std::mem::take(&mut self.held));
            }
        }
        if self.depth > 0 {
            self.keep(bytes.get(start..).unwrap_or_default());
        }
    }

    fn step(&mut self, byte: u8) {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_string = self.depth > 0,
            b'{' => self.depth = self.depth.saturating_add(1),
            b'}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }

    fn keep(&mut self, part: &[u8]) {
        if self.skipping {
            return;
        }
        if self.held.len() + part.len() > self.limit {
            self.skipping = true;
            self.oversized += 1;
            self.held = Vec::new();
        } else {
            self.held.extend_from_slice(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(text: &str, size: usize, limit: usize) -> (Vec<String>, u64) {
        let mut elements = Elements::new(limit);
        let mut given = Vec::new();
        for piece in text.as_bytes().chunks(size) {
            elements.feed(piece, |element| given.push(String::from_utf8(element.to_vec()).unwrap()));
        }
        (given, elements.oversized())
    }

    #[test]
    fn objects_are_found_alone_and_in_a_list_in_any_pieces() {
        for (text, expected) in [
            (r#"{"a": {"b": "}"}}"#, vec![r#"{"a": {"b": "}"}}"#]),
            (r#" [{"a": "\"{"},  {"b": [1, {}]} ] "#, vec![r#"{"a": "\"{"}"#, r#"{"b": [1, {}]}"#]),
            (r#"{"cut": [1, 2"#, vec![]),
            ("]]}}", vec![]),
        ] {
            for size in [1, 2, 3, 7, 100] {
                assert_eq!(elements(text, size, 1_000).0, expected, "{text} in pieces of {size}");
            }
        }
    }

    #[test]
    fn an_element_that_is_too_large_is_dropped_and_the_next_one_is_read() {
        let text = format!(r#"[{{"a": "{}"}}, {{"b": 1}}]"#, "x".repeat(500));
        for size in [1, 13, 1_000] {
            assert_eq!(elements(&text, size, 100), (vec![r#"{"b": 1}"#.to_owned()], 1));
        }
    }
}
