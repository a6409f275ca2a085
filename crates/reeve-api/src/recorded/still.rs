//! Holds a recording still: a clock that moves only when it is told to, and names, numbers and paths that are the same each
//! time. What differs between two runs is renamed in the order in which it is met.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeZone as _, Utc};
use reeve_domain::clock::Clock;

/// 2026-11-18, ten in the morning.
const BEGINS: i64 = 1_794_996_000_000;

#[derive(Debug)]
pub struct StillClock {
    at: AtomicI64,
    started: Instant,
}

impl Default for StillClock {
    fn default() -> Self {
        Self { at: AtomicI64::new(BEGINS), started: Instant::now() }
    }
}

impl StillClock {
    pub fn pass(&self, time: chrono::Duration) {
        self.at.fetch_add(time.num_milliseconds(), Ordering::SeqCst);
    }
}

impl Clock for StillClock {
    fn now(&self) -> DateTime<Utc> {
        Utc.timestamp_millis_opt(self.at.load(Ordering::SeqCst)).unwrap()
    }

    /// Waiting is real.
    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Fields that a machine decides, with what stands there instead.
const MEASURED: [(&str, &str); 11] = [
    ("tookMs", "240"),
    ("total_ms", "240"),
    ("firstByteMs", "180"),
    ("first_byte_ms", "180"),
    ("upstream_ms", "180"),
    ("decision_us", "40"),
    ("p95Ms", "12"),
    ("mark", "\"brisk magpie\""),
    ("markStripe", "1"),
    ("windowStart", "\"2026-11-18T00:00:00Z\""),
    ("nonce", "\"nonce-of-this-showing\""),
];

pub struct Still {
    home: String,
    user: String,
    names: HashMap<String, String>,
}

impl Still {
    pub fn new(home: &Path) -> Self {
        Self { home: home.display().to_string(), user: crate::commands::approvals::whoami(), names: HashMap::new() }
    }

    /// A text with everything renamed that would differ in the next run.
    pub fn text(&mut self, text: &str) -> String {
        let text = text.replace(&self.home, "/home/dana/.reeve");
        let text = text.replace(&format!("me:{}", self.user), "me:dana");
        let text = ["user", "by"].iter().fold(text, |text, field| {
            text.replace(&format!("\"{field}\": \"{}\"", self.user), &format!("\"{field}\": \"dana\""))
        });
        let (mut lines, mut moment, mut out) = (text.lines().peekable(), "", String::with_capacity(text.len()));
        while let Some(line) = lines.next() {
            let is_moment = line.trim_start().starts_with("\"at\": ");
            // Masking is told while the answer flows, and the clock may pass before: it happened with the event before it.
            let beside = lines.peek().is_some_and(|next| next.contains("\"name\": \"credential.masked\""));
            let shown = if is_moment && beside && !moment.is_empty() { moment } else { line };
            if is_moment {
                moment = shown;
            }
            out.push_str(&self.line(shown));
            out.push('\n');
        }
        out
    }

    fn line(&mut self, line: &str) -> String {
        let field = line.trim_start().strip_prefix('"').and_then(|rest| rest.split_once("\": "));
        if let Some((name, value)) = field
            && let Some((_, still)) = MEASURED.iter().find(|(measured, _)| *measured == name)
            && !value.starts_with("null")
        {
            let before = line.split_once("\": ").map_or("", |(before, _)| before);
            let comma = if line.ends_with(',') { "," } else { "" };
            return format!("{before}\": {still}{comma}");
        }
        self.words(line)
    }

    /// Renames ids, digests, placeholders and ports in the order in which they are met.
    fn words(&mut self, line: &str) -> String {
        let mut out = String::with_capacity(line.len());
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut rest = line;
        while let Some(start) = rest.find(is_part) {
            let (before, word_on) = rest.split_at(start);
            let end = word_on.find(|c| !is_part(c)).unwrap_or(word_on.len());
            let (word, after) = word_on.split_at(end);
            out.push_str(before);
            let renamed = self.word(word, out.ends_with("127.0.0.1:"));
            out.push_str(&renamed);
            rest = after;
        }
        out.push_str(rest);
        out
    }

    fn word(&mut self, word: &str, port: bool) -> String {
        let id = word.split_once('_').filter(|(_, id)| id.len() == 26 && !id.contains('_')).map(|(prefix, _)| prefix);
        let hex = word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'));
        if !port && id.is_none() && !(hex && matches!(word.len(), 32 | 64 | 128)) {
            return word.to_owned();
        }
        let next = self.names.len() + 1;
        let made = match id {
            Some(prefix) => format!("{prefix}_01recorded{next:016}"),
            None if port => "7117".to_owned(),
            None => format!("{next:0width$x}", width = word.len()),
        };
        self.names.entry(word.to_owned()).or_insert(made).clone()
    }
}

#[test]
fn the_same_thing_has_the_same_name_each_time_it_is_met() {
    let mut still = Still::new(Path::new("/tmp/x"));
    let op = format!("op_{}", "a1".repeat(13));
    let text = format!("\"id\": \"{op}\",\n\"tookMs\": 31,\n\"at\": \"127.0.0.1:40001\", \"/tmp/x/y\", \"{op}\"\n");
    let first = still.text(&text);
    assert!(first.contains("\"tookMs\": 240,") && first.contains("127.0.0.1:7117") && first.contains("/home/dana/"));
    assert_eq!(first.matches("op_01recorded0000000000000001").count(), 2, "{first}");
    assert_eq!(still.text(&text), first);
}
