//! What must not leave with an export: stored secrets in every encoding, and what is shaped like one. It is taken out
//! of the copy; the chain keeps what was recorded, and the manifest names every record that differs from it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{ControlFlow, Range};

use super::canonical::{CanonicalError, Json};
use super::{canonical, read};
use crate::event::Event;
use crate::sought::{Sought, State};

/// What stands where something was taken out.
pub const REDACTED: &str = "(redacted)";

/// Looks through texts before they are written.
pub struct Scanner {
    known: Sought<()>,
    shapes: fn(&str) -> Vec<Range<usize>>,
}

impl std::fmt::Debug for Scanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scanner").finish_non_exhaustive()
    }
}

impl Scanner {
    /// `known` are the stored secrets; `shapes` finds where something stands that looks like one.
    #[must_use]
    pub fn new(known: Sought<()>, shapes: fn(&str) -> Vec<Range<usize>>) -> Self {
        Self { known, shapes }
    }

    /// Whether a stored secret stands in these bytes, in any form.
    #[must_use]
    pub fn holds_known(&self, bytes: &[u8]) -> bool {
        let mut found = false;
        self.known.scan(State::default(), bytes, |_| {
            found = true;
            ControlFlow::Break(())
        });
        found
    }

    /// The text without what must not leave; none when it may leave as it is.
    #[must_use]
    pub fn clean(&self, text: &str) -> Option<String> {
        self.clean_of((self.shapes)(text), text)
    }

    /// The last so many bytes of a text without what must not leave, also where one of it reaches into them; shorter by that.
    #[must_use]
    pub fn clean_end(&self, text: &str, most: usize) -> String {
        let clean = |text: &str| self.clean(text).unwrap_or_else(|| text.to_owned());
        let whole = clean(text);
        if text.len() <= most {
            return whole;
        }
        let cut = text.ceil_char_boundary(text.len().saturating_sub(most));
        let end = clean(text.get(cut..).unwrap_or_default());
        // What reaches over the cut is known in the whole alone: both are the same behind it.
        let same = whole.chars().rev().zip(end.chars().rev()).take_while(|(one, other)| one == other);
        let bytes: usize = same.map(|(one, _)| one.len_utf8()).sum();
        whole.get(whole.len().saturating_sub(bytes)..).unwrap_or_default().to_owned()
    }

    /// The text without `found` and without stored secrets.
    fn clean_of(&self, mut found: Vec<Range<usize>>, text: &str) -> Option<String> {
        self.known.scan(State::default(), text.as_bytes(), |hit| {
            found.push(hit.end.saturating_sub(hit.length)..hit.end);
            ControlFlow::Continue(())
        });
        found.sort_unstable_by_key(|range| (range.start, range.end));
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for range in &found {
            // What overlaps what went before widens it. A form ends between characters unless it is a part of one.
            let (start, end) = (before(text, range.start), after(text, range.end));
            if start >= at {
                out.push_str(text.get(at..start).unwrap_or_default());
                out.push_str(REDACTED);
            }
            at = at.max(end);
        }
        out.push_str(text.get(at..).unwrap_or_default());
        (!found.is_empty()).then_some(out)
    }

    /// The event without what must not leave, number, time and hashes as they were; none when it may leave as it is. What
    /// only looks like a secret stays where the event could not be read any more without it: in a host, a name, a kind.
    ///
    /// # Errors
    /// When a stored secret would have to go, and what holds it is not free text.
    pub fn clean_event(&self, event: &Event) -> Result<Option<Event>, CanonicalError> {
        let json = Json::parse(&canonical(event)?)?;
        let mut shaped = BTreeSet::new();
        let mut at = 0;
        self.note_shaped(&json, &mut at, &mut shaped);
        let known = self.read_without(&json, &BTreeSet::new(), event)?;
        if shaped.is_empty() {
            return Ok(known);
        }
        if let Ok(clean) = self.read_without(&json, &shaped, event) {
            return Ok(clean);
        }
        // Few are typed: halves without one are settled by one look.
        let numbers: Vec<usize> = shaped.iter().copied().collect();
        let mut parts = vec![numbers.as_slice()];
        while let Some(part) = parts.pop() {
            match (self.read_without(&json, &part.iter().copied().collect(), event), part) {
                (Ok(_), _) | (Err(_), []) => {}
                (Err(_), [typed]) => drop(shaped.remove(typed)),
                (Err(_), several) => {
                    let (left, right) = several.split_at(several.len() / 2);
                    parts.extend([left, right]);
                }
            }
        }
        self.read_without(&json, &shaped, event)
    }

    /// The event without stored secrets, and in these texts without what looks like one; none when nothing had to go.
    fn read_without(
        &self,
        json: &Json,
        shaped: &BTreeSet<usize>,
        event: &Event,
    ) -> Result<Option<Event>, CanonicalError> {
        let (mut clean, mut at) = (json.clone(), 0);
        if !self.clean_json(&mut clean, &mut at, shaped) {
            return Ok(None);
        }
        read(&clean.to_string(), event.hash.clone()).map(Some)
    }

    /// The numbers of the texts that hold what looks like a secret, in the order in which [`Self::clean_json`] meets them.
    fn note_shaped(&self, json: &Json, at: &mut usize, shaped: &mut BTreeSet<usize>) {
        let note = |text: &str, at: &mut usize, shaped: &mut BTreeSet<usize>| {
            if !(self.shapes)(text).is_empty() {
                shaped.insert(*at);
            }
            *at += 1;
        };
        match json {
            Json::Text(text) => note(text, at, shaped),
            Json::List(list) => list.iter().for_each(|one| self.note_shaped(one, at, shaped)),
            Json::Map(map) => {
                for (key, value) in map {
                    note(key, at, shaped);
                    self.note_shaped(value, at, shaped);
                }
            }
            Json::Null | Json::Bool(_) | Json::Int(_) | Json::Uint(_) => {}
        }
    }

    fn clean_text(&self, text: &mut String, at: &mut usize, shaped: &BTreeSet<usize>) -> bool {
        let found = if shaped.contains(at) { (self.shapes)(text) } else { Vec::new() };
        *at += 1;
        let clean = self.clean_of(found, text);
        let changed = clean.is_some();
        *text = clean.unwrap_or_else(|| std::mem::take(text));
        changed
    }

    fn clean_json(&self, json: &mut Json, at: &mut usize, shaped: &BTreeSet<usize>) -> bool {
        match json {
            Json::Text(text) => self.clean_text(text, at, shaped),
            // Every element, not only up to the first that held something.
            Json::List(list) => {
                list.iter_mut().map(|one| self.clean_json(one, at, shaped)).filter(|changed| *changed).count() > 0
            }
            Json::Map(map) => {
                let mut any = false;
                let mut clean = BTreeMap::new();
                for (mut key, mut value) in std::mem::take(map) {
                    any |= self.clean_text(&mut key, at, shaped);
                    any |= self.clean_json(&mut value, at, shaped);
                    clean.insert(key, value);
                }
                *map = clean;
                any
            }
            Json::Null | Json::Bool(_) | Json::Int(_) | Json::Uint(_) => false,
        }
    }
}

fn before(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn after(text: &str, at: usize) -> usize {
    (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensitive::Secret;

    fn shapes(text: &str) -> Vec<Range<usize>> {
        text.match_indices("ghp_").map(|(at, _)| at..text.len().min(at + 8)).collect()
    }

    fn scanner() -> Scanner {
        let secret = Secret::from("hunter2-é-hunter2".to_owned());
        Scanner::new(Sought::new([((), &secret)]), shapes)
    }

    #[test]
    fn a_stored_secret_goes_in_every_form_and_what_stands_around_it_stays() {
        let scanner = scanner();
        assert_eq!(scanner.clean("a hunter2-é-hunter2 b").as_deref(), Some("a (redacted) b"));
        assert_eq!(scanner.clean("x=hunter2-%C3%A9-hunter2;").as_deref(), Some("x=(redacted);"));
        assert_eq!(scanner.clean("hunter2"), None);
        assert_eq!(scanner.clean("ghp_1234 and hunter2-é-hunter2").as_deref(), Some("(redacted) and (redacted)"));
        assert!(scanner.holds_known(b"{\"k\":\"hunter2-%c3%a9-hunter2\"}") && !scanner.holds_known(b"ghp_1234"));
    }

    #[test]
    fn of_a_long_text_the_end_holds_no_half_of_a_secret() {
        let scanner = scanner();
        let text = "é before hunter2-é-hunter2 behind";
        assert_eq!(scanner.clean_end(text, 100), "é before (redacted) behind");
        assert_eq!(scanner.clean_end(text, 10), " behind");
        assert_eq!(scanner.clean_end(text, 6), "behind");
        assert_eq!(scanner.clean_end("ééé", 3), "é");
    }

    #[test]
    fn what_overlaps_is_one_gap() {
        let secret = Secret::from("ghp_1234567".to_owned());
        let scanner = Scanner::new(Sought::new([((), &secret)]), shapes);
        assert_eq!(scanner.clean("é ghp_1234567 é").as_deref(), Some("é (redacted) é"));
    }
}
