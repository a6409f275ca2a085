//! A command line taken apart into commands and words. Quotes and escapes are removed; nothing is expanded. Whatever could
//! run or become something else than the words say makes the line not understood.

use std::ops::Range;

/// A word without its quotes, and where it stands in the line with them, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Word {
    pub text: String,
    pub at: Range<usize>,
    /// Some of it is quoted.
    quoted: bool,
    /// A pattern that is not quoted: other words may stand in its place.
    pattern: bool,
    /// A brace that is not quoted.
    brace: bool,
}

/// One command: its words, and the files it is redirected into and from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Command {
    pub words: Vec<Word>,
    pub into_files: Vec<String>,
    pub from_files: Vec<String>,
    /// Patterns among its words become the names of files, which may look like options.
    pub has_patterns: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    pub commands: Vec<Command>,
    /// `NAME=value` before a program.
    pub assigned: Vec<Word>,
    pub understood: bool,
}

/// What the next word is, when it is no word of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Redirect {
    Into,
    From,
    /// `>&`: a file, unless the word is a descriptor.
    IntoOr,
    /// `<&`.
    FromOr,
}

/// Words that begin or end something compound: what is inside is not told apart.
const RESERVED: &[&str] = &[
    "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "function", "select",
    "{", "}", "!", "[[", "]]", "coproc", "time",
];

#[derive(Default)]
struct Reader {
    line: Line,
    command: Command,
    word: Option<Word>,
    redirect: Option<Redirect>,
    /// Where what is read now begins.
    at: usize,
}

pub fn read(text: &str) -> Line {
    let mut reader = Reader { line: Line { understood: true, ..Line::default() }, ..Reader::default() };
    let mut rest = Rest { text, at: 0 };
    while let Some(c) = rest.next() {
        reader.at = rest.at - c.len_utf8();
        match c {
            '\'' => reader.single(&mut rest),
            '"' => reader.double(&mut rest),
            '\\' => match rest.next() {
                // A line that goes on.
                Some('\n') => {}
                Some(escaped) => reader.quote().text.push(escaped),
                None => reader.lost(),
            },
            // Substitutions, variables, subshells and groups: something else than these words may run. A carriage return is
            // part of a word, and looks like the end of one.
            '$' | '`' | '(' | ')' | '\r' => {
                reader.lost();
                reader.push(c);
            }
            // Patterns and braces become other words, of the same program.
            '*' | '?' | '[' => {
                reader.push(c);
                reader.shape().pattern = true;
            }
            '{' => {
                reader.push(c);
                reader.shape().brace = true;
            }
            '#' if reader.word.is_none() => while rest.next_if(|c| *c != '\n').is_some() {},
            ' ' | '\t' => reader.end_word(),
            ';' | '\n' => reader.end_command(),
            '&' if rest.next_if_eq(&'>').is_some() => {
                reader.end_word();
                reader.write_to(&mut rest);
            }
            '&' | '|' => {
                while rest.next_if(|c| matches!(c, '&' | '|')).is_some() {}
                reader.end_command();
            }
            '>' => {
                reader.end_number();
                reader.write_to(&mut rest);
            }
            '<' => reader.read_from(&mut rest),
            other => reader.push(other),
        }
    }
    reader.at = text.len();
    reader.end_command();
    reader.line
}

/// What is not read yet.
struct Rest<'a> {
    text: &'a str,
    at: usize,
}

impl Rest<'_> {
    fn next(&mut self) -> Option<char> {
        self.next_if(|_| true)
    }

    fn next_if(&mut self, wanted: impl Fn(&char) -> bool) -> Option<char> {
        let c = self.text.get(self.at..)?.chars().next().filter(wanted)?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn next_if_eq(&mut self, wanted: &char) -> Option<char> {
        self.next_if(|c| c == wanted)
    }
}

impl Reader {
    fn shape(&mut self) -> &mut Word {
        let at = self.at;
        self.word.get_or_insert_with(|| Word { at: at..at, ..Word::default() })
    }

    fn push(&mut self, c: char) {
        self.shape().text.push(c);
    }

    /// A quoted part of a word begins.
    fn quote(&mut self) -> &mut Word {
        let word = self.shape();
        word.quoted = true;
        word
    }

    fn lost(&mut self) {
        self.line.understood = false;
    }

    fn single(&mut self, rest: &mut Rest<'_>) {
        self.quote();
        loop {
            match rest.next() {
                Some('\'') => return,
                Some(c) => self.push(c),
                None => return self.lost(),
            }
        }
    }

    fn double(&mut self, rest: &mut Rest<'_>) {
        self.quote();
        loop {
            match rest.next() {
                Some('"') => return,
                Some('\\') => match rest.next() {
                    Some('\n') => {}
                    Some(c @ ('"' | '\\' | '$' | '`')) => self.push(c),
                    Some(c) => {
                        self.push('\\');
                        self.push(c);
                    }
                    None => return self.lost(),
                },
                Some(c @ ('$' | '`')) => {
                    self.lost();
                    self.push(c);
                }
                Some(c) => self.push(c),
                None => return self.lost(),
            }
        }
    }

    fn end_word(&mut self) {
        let Some(mut word) = self.word.take() else { return };
        word.at.end = self.at;
        // `{a,b}` and `{1..9}` become several words.
        if word.brace && (word.text.contains(',') || word.text.contains("..")) {
            self.lost();
        }
        match self.redirect.take() {
            Some(Redirect::IntoOr | Redirect::FromOr) if is_descriptor(&word.text) => {}
            Some(Redirect::Into | Redirect::IntoOr) => self.command.into_files.push(word.text),
            Some(Redirect::From | Redirect::FromOr) => self.command.from_files.push(word.text),
            None => {
                self.command.has_patterns |= word.pattern;
                self.command.words.push(word);
            }
        }
    }

    /// `2` in `2>file` is no word.
    fn end_number(&mut self) {
        let is_number = |word: &Word| !word.quoted && word.text.bytes().all(|byte| byte.is_ascii_digit());
        if self.redirect.is_none() && self.word.as_ref().is_some_and(is_number) {
            self.word = None;
        }
        self.end_word();
    }

    fn write_to(&mut self, rest: &mut Rest<'_>) {
        while rest.next_if(|c| matches!(c, '>' | '|')).is_some() {}
        let or = rest.next_if_eq(&'&').is_some();
        self.redirect = Some(if or { Redirect::IntoOr } else { Redirect::Into });
    }

    /// A text that follows in the line itself, and a command in a file's place, are not told apart.
    fn read_from(&mut self, rest: &mut Rest<'_>) {
        self.end_number();
        if rest.next_if(|c| matches!(c, '<' | '(')).is_some() {
            self.lost();
        }
        let or = rest.next_if_eq(&'&').is_some();
        self.redirect = Some(if or { Redirect::FromOr } else { Redirect::From });
    }

    fn end_command(&mut self) {
        self.end_word();
        self.redirect = None;
        let mut command = std::mem::take(&mut self.command);
        // Assignments before the program change what it does in ways that are not known.
        let assigned = command.words.iter().take_while(|word| assigns(&word.text).is_some()).count();
        if assigned > 0 {
            self.lost();
            self.line.assigned.extend(command.words.drain(..assigned));
        }
        if command.words.first().is_some_and(|word| RESERVED.contains(&word.text.as_str())) {
            self.lost();
        }
        let redirects = !command.into_files.is_empty() || !command.from_files.is_empty();
        match command {
            command if !command.words.is_empty() => self.line.commands.push(command),
            // A file is emptied or read without any program.
            _ if redirects => self.lost(),
            _ => {}
        }
    }
}

/// The number of an open file, `-` for closing, or both: no file is named.
fn is_descriptor(word: &str) -> bool {
    let number = word.strip_suffix('-').unwrap_or(word);
    !word.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The name in `NAME=value`.
pub fn assigns(word: &str) -> Option<&str> {
    let (name, _) = word.split_once('=')?;
    let name = name.strip_suffix('+').unwrap_or(name);
    let is_name = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some(name)
}
