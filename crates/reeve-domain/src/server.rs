//! MCP servers and their tools as Reeve knows them: what they were seen to be, what of that a person approved, and what
//! changed since. What was approved once stays approved until it is forgotten; everything else waits for a person.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::operation::{Digest, McpTransport, ToolAnnotations};

/// Most versions of one tool that are kept; approved ones go last.
pub const MOST_VERSIONS: usize = 20;
/// Most identities of one server that are approved at a time.
pub const MOST_IDENTITIES: usize = 20;

/// Where a server or a tool stands with the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Exactly what is there now was approved.
    Approved,
    /// Nothing of it was ever approved.
    New,
    /// Something else was approved.
    Changed,
    /// The server offers it no more.
    Gone,
}

impl Standing {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::New => "new",
            Self::Changed => "changed",
            Self::Gone => "gone",
        }
    }
}

/// A program, or a script that it is started with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedFile {
    pub path: String,
    /// Of its content; `None`: it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// What a server says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    pub name: String,
    pub version: String,
}

/// What a server is: how it is started or reached, and what it says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerIdentity {
    pub transport: McpTransport,
    /// Program and arguments, without what looks like a secret; empty for one that is only reached by its address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Of the command line as it is, where `command` had something taken out of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_digest: Option<Digest>,
    /// The program as it was found, and scripts among the arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<PinnedFile>,
    /// Without query and user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// `None` until it was heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<Reported>,
}

impl ServerIdentity {
    /// Whether `seen` is what was approved. What the server did not say yet is no difference.
    #[must_use]
    pub fn covers(&self, seen: &Self) -> bool {
        let unsaid = seen.reported.is_none() || self.reported.is_none() || self.reported == seen.reported;
        unsaid
            && (self.transport, &self.command, &self.command_digest)
                == (seen.transport, &seen.command, &seen.command_digest)
            && (&self.files, &self.url) == (&seen.files, &seen.url)
    }
}

/// A server, as it was seen last and as it was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerRecord {
    pub name: String,
    pub seen: ServerIdentity,
    /// Oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approved: Vec<ServerIdentity>,
    pub first_seen: DateTime<Utc>,
    /// When `seen` became what it is.
    pub changed_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
}

impl ServerRecord {
    /// Of an identity: the one seen last, or that of one connection.
    #[must_use]
    pub fn standing_of(&self, identity: &ServerIdentity) -> Standing {
        if self.approved.is_empty() {
            Standing::New
        } else if self.approved.iter().any(|approved| approved.covers(identity)) {
            Standing::Approved
        } else {
            Standing::Changed
        }
    }

    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing_of(&self.seen)
    }
}

/// What scanning a tool's texts found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Characters that nobody sees, or that reorder what is around them.
    HiddenCharacters,
    /// Sequences that steer a terminal.
    ControlSequence,
    /// A long run of base64 or hexadecimal digits.
    EncodedText,
    /// Orders to the model: to ignore others, to call something first.
    Instruction,
    /// It is told to keep something from the person.
    Secrecy,
    /// It wants files or secrets that its work does not need.
    AsksForSecrets,
    /// It speaks about a tool of another server.
    NamesOtherTool,
    /// Its name is, or looks like, that of another server's tool.
    ShadowsTool,
    /// Too large to be read as a whole.
    TooLarge,
}

impl FindingKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HiddenCharacters => "hidden_characters",
            Self::ControlSequence => "control_sequence",
            Self::EncodedText => "encoded_text",
            Self::Instruction => "instruction",
            Self::Secrecy => "secrecy",
            Self::AsksForSecrets => "asks_for_secrets",
            Self::NamesOtherTool => "names_other_tool",
            Self::ShadowsTool => "shadows_tool",
            Self::TooLarge => "too_large",
        }
    }
}

/// Something in a tool's definition that a person should see before they approve it. It blocks nothing by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub kind: FindingKind,
    /// Where in the definition: `description`, `inputSchema.properties.path.description`.
    pub place: String,
    /// The words around it on one line, with what is hidden written out.
    pub excerpt: String,
}

/// One version of a tool's definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolVersion {
    pub digest: Digest,
    pub definition: Value,
    pub seen_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
}

/// A tool with its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolRecord {
    pub server: String,
    pub name: String,
    /// As the server offered it last.
    pub definition: Value,
    /// Of the canonical definition: the same whatever the order of keys.
    pub digest: Digest,
    pub annotations: ToolAnnotations,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The server offered it at the last look.
    pub present: bool,
    /// Oldest first.
    pub versions: Vec<ToolVersion>,
    /// When the definition or `present` became what it is.
    pub changed_at: DateTime<Utc>,
}

impl ToolRecord {
    #[must_use]
    pub fn standing(&self) -> Standing {
        if !self.present {
            return Standing::Gone;
        }
        let approved = |version: &&ToolVersion| version.approved_at.is_some();
        if self.versions.iter().filter(approved).any(|version| version.digest == self.digest) {
            Standing::Approved
        } else if self.versions.iter().any(|version| approved(&version)) {
            Standing::Changed
        } else {
            Standing::New
        }
    }

    /// The version that was approved last before the present definition came: what a review compares with.
    #[must_use]
    pub fn approved(&self) -> Option<&ToolVersion> {
        self.versions.iter().filter(|version| version.approved_at.is_some()).max_by_key(|version| version.approved_at)
    }

    /// Takes another definition over, and keeps it in the history.
    pub fn become_version(&mut self, digest: Digest, definition: Value, at: DateTime<Utc>) {
        if !self.versions.iter().any(|version| version.digest == digest) {
            let version = ToolVersion {
                digest: digest.clone(),
                definition: definition.clone(),
                seen_at: at,
                approved_at: None,
                approved_by: None,
            };
            self.versions.push(version);
        }
        (self.digest, self.definition, self.changed_at) = (digest, definition, at);
        while self.versions.len() > MOST_VERSIONS {
            let unneeded = |version: &ToolVersion| version.approved_at.is_none() && version.digest != self.digest;
            let at = self.versions.iter().position(unneeded).unwrap_or(0);
            self.versions.remove(at);
        }
    }
}

/// What of a tool's definition is pinned: name, title, description, schemas and annotations, whatever the order of keys.
/// Icons and the like are left out.
#[must_use]
pub fn pinned(definition: &Value) -> Value {
    const PINNED: [&str; 6] = ["annotations", "description", "inputSchema", "name", "outputSchema", "title"];
    let field = |name: &&str| Some(((*name).to_owned(), sorted(definition.get(name)?)));
    Value::Object(PINNED.iter().filter_map(field).collect())
}

/// Hash of [`pinned`].
#[must_use]
pub fn definition_digest(definition: &Value) -> Digest {
    Digest::of(pinned(definition).to_string().as_bytes())
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        plain => plain.clone(),
    }
}

/// What a definition claims of its tool.
#[must_use]
pub fn annotations(definition: &Value) -> ToolAnnotations {
    let claim = |name: &str| definition.get("annotations")?.get(name)?.as_bool();
    ToolAnnotations {
        read_only: claim("readOnlyHint"),
        destructive: claim("destructiveHint"),
        idempotent: claim("idempotentHint"),
        open_world: claim("openWorldHint"),
    }
}

/// Whether nobody sees this character, or it changes how what is around it is shown.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    let formats = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}');
    formats || (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
}

/// The text with every hidden character written out: `⟨U+200B⟩`. A tag character also says which letter it stands for.
#[must_use]
pub fn revealed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let code = u32::from(c);
        let stands_for = code.checked_sub(0xe0000).filter(|low| (0x20..0x7f).contains(low)).and_then(char::from_u32);
        match stands_for {
            Some(letter) => out.push_str(&format!("⟨U+{code:04X} {letter}⟩")),
            None if is_hidden(c) => out.push_str(&format!("⟨U+{code:04X}⟩")),
            None => out.push(c),
        }
    }
    out
}

/// A tool in the record of a change: its definition by hash alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolSeen {
    pub name: String,
    pub digest: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Digest>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingKind>,
}

/// How a field of a tool's results differs from what was seen before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShapeChange {
    /// `rows[].id`; empty for the whole.
    pub path: String,
    /// The types seen before; empty for a field that is new.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// What came now; `None`: the field is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn identity(version: Option<&str>) -> ServerIdentity {
        ServerIdentity {
            transport: McpTransport::Stdio,
            command: vec!["npx".to_owned(), "server".to_owned()],
            command_digest: None,
            files: vec![PinnedFile { path: "/usr/bin/npx".to_owned(), digest: Some(Digest::of(b"one")) }],
            url: None,
            reported: version.map(|version| Reported { name: "s".to_owned(), version: version.to_owned() }),
        }
    }

    #[test]
    fn a_server_that_did_not_say_its_version_yet_is_no_other_and_another_binary_is() {
        let approved = identity(Some("1.0"));
        assert!(approved.covers(&identity(Some("1.0"))) && approved.covers(&identity(None)));
        assert!(!approved.covers(&identity(Some("1.1"))));
        let mut replaced = identity(None);
        replaced.files[0].digest = Some(Digest::of(b"two"));
        assert!(!approved.covers(&replaced));
        let mut elsewhere = identity(None);
        elsewhere.command.push("--root=/".to_owned());
        assert!(!approved.covers(&elsewhere));
    }

    #[test]
    fn a_definition_is_the_same_whatever_the_order_of_keys_and_another_with_any_word_changed() {
        let read = |text: &str| definition_digest(&serde_json::from_str(text).unwrap());
        let one =
            read(r#"{"name":"t","description":"d","inputSchema":{"type":"object","properties":{"a":{},"b":{}}}}"#);
        let other = read(
            r#"{"inputSchema":{"properties":{"b":{},"a":{}},"type":"object"},"description":"d","name":"t","icons":[]}"#,
        );
        assert_eq!(one, other);
        for changed in [
            r#"{"name":"t","description":"d!","inputSchema":{"type":"object","properties":{"a":{},"b":{}}}}"#,
            r#"{"name":"t","description":"d","inputSchema":{"type":"object","properties":{"a":{"description":"x"},"b":{}}}}"#,
            r#"{"name":"t","description":"d","inputSchema":{"type":"object","properties":{"a":{},"b":{}}},"annotations":{"readOnlyHint":true}}"#,
        ] {
            assert_ne!(one, read(changed), "{changed}");
        }
    }

    #[test]
    fn what_hides_is_written_out() {
        assert_eq!(revealed("a\u{200b}b"), "a⟨U+200B⟩b");
        assert_eq!(revealed("\u{e0041}"), "⟨U+E0041 A⟩");
        assert_eq!(revealed("plain\ntext, größe, 日本"), "plain\ntext, größe, 日本");
        assert_eq!(revealed("\u{1b}[8m"), "⟨U+001B⟩[8m");
    }

    #[test]
    fn what_was_approved_stays_so_in_its_history_and_nothing_else_does() {
        let mut tool = ToolRecord {
            server: "s".to_owned(),
            name: "t".to_owned(),
            definition: json!({}),
            digest: Digest::of(b"0"),
            annotations: ToolAnnotations::default(),
            findings: Vec::new(),
            present: true,
            versions: Vec::new(),
            changed_at: at(0),
        };
        tool.become_version(Digest::of(b"1"), json!({ "v": 1 }), at(1));
        assert_eq!(tool.standing(), Standing::New);
        tool.versions[0].approved_at = Some(at(2));
        assert_eq!(tool.standing(), Standing::Approved);
        for n in 3_i64..60 {
            tool.become_version(Digest::of(&n.to_be_bytes()), json!({ "v": n }), at(n));
            assert_eq!(tool.standing(), Standing::Changed);
        }
        assert_eq!(tool.versions.len(), MOST_VERSIONS);
        assert_eq!(tool.approved().map(|version| &version.digest), Some(&Digest::of(b"1")));
        tool.become_version(Digest::of(b"1"), json!({ "v": 1 }), at(61));
        assert_eq!(tool.standing(), Standing::Approved);
        tool.present = false;
        assert_eq!(tool.standing(), Standing::Gone);
    }
}
