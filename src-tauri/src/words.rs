//! The words of tray and notifications: messages of a language's file, filled in. The window's own words are in
//! `ui/src/app/words`.

use std::fmt;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

const ENGLISH: &str = include_str!("../words/en.ftl");

pub struct Words(FluentBundle<FluentResource>);

impl Default for Words {
    fn default() -> Self {
        let language: LanguageIdentifier = "en".parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![language]);
        // Menus and notification servers draw the marks that isolate a direction as boxes, or not at all.
        bundle.set_use_isolating(false);
        // What could not be read of the file is missing and shows as its key; a test finds both.
        let messages = FluentResource::try_new(ENGLISH.to_owned()).unwrap_or_else(|(read, _)| read);
        let _ = bundle.add_resource(messages);
        Self(bundle)
    }
}

impl Words {
    /// The message of a key, filled in. One that is missing is its key: better than nothing, and never a reason to end.
    pub fn text<'a>(&self, key: &str, given: &[(&'a str, FluentValue<'a>)]) -> String {
        let Some(message) = self.0.get_message(key).and_then(|message| message.value()) else { return key.to_owned() };
        let given: FluentArgs<'a> = given.iter().cloned().collect();
        self.0.format_pattern(message, Some(&given), &mut Vec::new()).into_owned()
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Words").field(&self.0.locales).finish()
    }
}

/// A made-up language: every letter of the file is wide, so that what stays narrow did not come from it.
#[cfg(test)]
pub fn pseudo() -> Words {
    let mut words = Words::default();
    words.0.set_transform(Some(widened));
    words
}

#[cfg(test)]
fn widened(text: &str) -> std::borrow::Cow<'_, str> {
    const TO_WIDE: u32 = 0xfee0;
    let wide = |letter: char| char::from_u32(u32::from(letter) + TO_WIDE).filter(|_| letter.is_ascii_alphabetic());
    text.chars().map(|letter| wide(letter).unwrap_or(letter)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The files whose texts a person sees, without their tests.
    fn sources() -> [&'static str; 3] {
        [include_str!("tray.rs"), include_str!("notices.rs"), include_str!("notify.rs")]
            .map(|source| source.split("#[cfg(test)]").next().unwrap())
    }

    fn keys_in_code() -> BTreeSet<&'static str> {
        let asked = sources().into_iter().flat_map(|source| source.split("words.text(").skip(1));
        asked.map(|call| call.trim_start().strip_prefix('"').unwrap().split('"').next().unwrap()).collect()
    }

    fn keys_in_file() -> Vec<&'static str> {
        let lines = ENGLISH.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()));
        lines.map(|line| line.split_once(" = ").unwrap().0).collect()
    }

    #[test]
    fn every_key_in_the_code_is_in_the_file_once_and_every_one_in_the_file_is_used() {
        assert!(FluentResource::try_new(ENGLISH.to_owned()).is_ok());
        let keys = keys_in_file();
        assert_eq!(keys.iter().copied().collect::<BTreeSet<_>>(), keys_in_code());
        assert_eq!(keys.len(), keys_in_code().len(), "a key is there twice");
        assert!(keys.iter().all(|key| Words::default().0.has_message(key)));
    }

    #[test]
    fn what_a_person_reads_is_in_no_source() {
        for source in sources() {
            // Comments are for us, and what goes to standard error is for whoever reads a log.
            let code =
                source.lines().filter(|line| !line.trim_start().starts_with("//") && !line.contains("eprintln!"));
            for line in code {
                // The name of the product is the same in every language.
                let quoted = line.split('"').skip(1).step_by(2).filter(|quoted| *quoted != "Reeve");
                let worded = |quoted: &&str| quoted.contains([' ', '…']) || quoted.contains(char::is_uppercase);
                assert_eq!(quoted.filter(worded).collect::<Vec<_>>(), [""; 0], "{line}");
            }
        }
    }

    #[test]
    fn a_missing_key_is_its_own_text() {
        assert_eq!(Words::default().text("nowhere", &[]), "nowhere");
    }

    #[test]
    fn names_come_through_as_they_are_and_without_marks_of_direction() {
        let agent = "Claude Code";
        assert_eq!(Words::default().text("denied", &[("agent", agent.into())]), "Claude Code was denied");
        assert_eq!(pseudo().text("denied", &[("agent", agent.into())]), "Claude Code ｗａｓ ｄｅｎｉｅｄ");
        assert_eq!(pseudo().text("protected", &[("agents", 2_u32.into())]), "Ｐｒｏｔｅｃｔｅｄ, 2 ａｇｅｎｔｓ");
    }
}
