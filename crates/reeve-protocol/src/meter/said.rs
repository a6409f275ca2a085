//! The end of what an answer says in plain words: what stands right before a tool call is why the model asks for it.

/// Most that is kept, in bytes: more than anybody is shown, so that a secret that reaches into what is shown is there whole, and
/// can be known for one.
const KEPT: usize = 10 * 1024;

/// Text beyond twice of what is kept goes, so that most of an answer is copied once.
const ROOM: usize = 2 * KEPT;

#[derive(Debug, Default)]
pub struct Said(String);

impl Said {
    pub fn push(&mut self, text: &str) {
        self.0.push_str(text);
        if self.0.len() > ROOM {
            self.shorten();
        }
    }

    /// `None`: it said nothing.
    pub fn finish(mut self) -> Option<String> {
        self.shorten();
        let text = self.0.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn shorten(&mut self) {
        let from = self.0.len().saturating_sub(KEPT);
        self.0.drain(..self.0.ceil_char_boundary(from));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pieces: &[&str]) -> Option<String> {
        let mut said = Said::default();
        pieces.iter().for_each(|piece| said.push(piece));
        said.finish()
    }

    #[test]
    fn short_words_stay_whole() {
        assert_eq!(said(&["I will ", "push it."]).as_deref(), Some("I will push it."));
        assert_eq!(said(&[]), None);
        assert_eq!(said(&[" \n"]), None);
    }

    #[test]
    fn of_long_ones_the_end_is_kept_however_they_come() {
        let many = "wörd".repeat(20_000);
        let kept = said(&[&many, "last."]).unwrap();
        assert!(kept.ends_with("wördlast.") && kept.len() <= KEPT && kept.len() > KEPT - 4, "{}", kept.len());
        assert_eq!(kept, said(&many.split_inclusive('d').chain(["last."]).collect::<Vec<_>>()).unwrap());
    }
}
