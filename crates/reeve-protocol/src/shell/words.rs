//! A command line taken apart into commands and words. Quotes and escapes are removed; nothing is expanded. Whatever could
//! run or become something else than the words say makes the line not understood.

/// One command: its words, and the files it is redirected into.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Command {
    pub words: Vec<String>,
    pub into_files: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    pub commands: Vec<Command>,
    pub understood: bool,
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
    word: Option<String>,
    /// The next word is a file that is redirected into (`true`) or read from.
    redirect: Option<bool>,
}

pub fn read(text: &str) -> Line {
    let mut reader = Reader { line: Line { understood: true, ..Line::default() }, ..Reader::default() };
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\'' => reader.single(&mut rest),
            '"' => reader.double(&mut rest),
            '\\' => match rest.next() {
                // A line that goes on.
                Some('\n') => {}
                Some(escaped) => reader.push(escaped),
                None => reader.lost(),
            },
            // Substitutions, variables, subshells and groups: something else than these words may run.
            '$' | '`' | '(' | ')' => {
                reader.lost();
                reader.push(c);
            }
            // Patterns and braces become other words, of the same program.
            '*' | '?' | '[' | ']' | '{' | '}' | '~' => reader.push(c),
            '#' if reader.word.is_none() => while rest.next_if(|c| *c != '\n').is_some() {},
            ' ' | '\t' => reader.end_word(),
            ';' | '\n' | '\r' => reader.end_command(),
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
    reader.end_command();
    reader.line
}

type Rest<'a> = std::iter::Peekable<std::str::Chars<'a>>;

impl Reader {
    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }

    fn lost(&mut self) {
        self.line.understood = false;
    }

    fn single(&mut self, rest: &mut Rest<'_>) {
        self.word.get_or_insert_default();
        loop {
            match rest.next() {
                Some('\'') => return,
                Some(c) => self.push(c),
                None => return self.lost(),
            }
        }
    }

    fn double(&mut self, rest: &mut Rest<'_>) {
        self.word.get_or_insert_default();
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
        let Some(word) = self.word.take() else { return };
        match self.redirect.take() {
            Some(true) => self.command.into_files.push(word),
            Some(false) => {}
            None => self.command.words.push(word),
        }
    }

    /// `2` in `2>file` is no word.
    fn end_number(&mut self) {
        if self.word.as_ref().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit())) {
            self.word = None;
        }
        self.end_word();
    }

    fn write_to(&mut self, rest: &mut Rest<'_>) {
        while rest.next_if(|c| matches!(c, '>' | '|')).is_some() {}
        // `2>&1` names no file, `>&file` does.
        let names_none = rest.next_if_eq(&'&').is_some() && rest.next_if(|c| c.is_ascii_digit() || *c == '-').is_some();
        if !names_none {
            self.redirect = Some(true);
        }
    }

    /// What is read in is harmless; a text that follows in the line itself, and a command in its place, are not told apart.
    fn read_from(&mut self, rest: &mut Rest<'_>) {
        self.end_number();
        if rest.next_if(|c| matches!(c, '<' | '(')).is_some() {
            self.lost();
        }
        self.redirect = Some(false);
    }

    fn end_command(&mut self) {
        self.end_word();
        self.redirect = None;
        let mut command = std::mem::take(&mut self.command);
        // Assignments before the program change what it does in ways that are not known.
        let assigned = command.words.iter().take_while(|word| is_assignment(word)).count();
        if assigned > 0 {
            self.lost();
            command.words.drain(..assigned);
        }
        if command.words.first().is_some_and(|word| RESERVED.contains(&word.as_str())) {
            self.lost();
        }
        match command {
            Command { words, into_files } if words.is_empty() && into_files.is_empty() => {}
            // A file is emptied without any program.
            Command { words, .. } if words.is_empty() => self.lost(),
            command => self.line.commands.push(command),
        }
    }
}

fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else { return false };
    let name = name.strip_suffix('+').unwrap_or(name);
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
