//! What differs between two runs of the same test is replaced by its name, so that transcripts can be compared.

use regex::Regex;

/// Pattern and what stands for it, in the order of application.
const RULES: [(&str, &str); 8] = [
    (r"\b(ses|op|ask|grt|rsv)_[0-9a-z]{26}\b", "[$1]"),
    (r"\b[0-9a-f]{64}\b", "[sha256]"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:[port]"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", "[time]"),
    (r"/\S*/reeve-world-\w+", "[world]"),
    (r"\b\d+(\.\d+)? (ms|s)\b", "[duration]"),
    (r"\breeve-[0-9a-f]{24,}\b", "[placeholder]"),
    (r"\bdemo-secret-opens-nothing-[0-9a-f]+\b", "[secret]"),
];

/// Replaces ids, hashes, ports, times, durations, temp folders and placeholders.
///
/// # Errors
/// When a rule is no pattern.
pub fn redact(text: &str) -> Result<String, regex::Error> {
    RULES.iter().try_fold(text.to_owned(), |text, (pattern, name)| {
        Ok(Regex::new(pattern)?.replace_all(&text, *name).into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_between_runs_is_named() {
        let text = "op_01kah0r0b5v1w2x3y4z5a6b7c8 at 2026-11-21T10:20:30.123Z via 127.0.0.1:40123 took 3.2 s in /tmp/reeve-world-aB1/work";
        assert_eq!(redact(text).unwrap(), "[op] at [time] via 127.0.0.1:[port] took [duration] in [world]/work");
    }

    #[test]
    fn what_is_the_same_in_every_run_stays() {
        let text = "POST api.anthropic.com/v1/messages 402 $0.013";
        assert_eq!(redact(text).unwrap(), text);
    }
}
