//! How fast, how often in vain, and how long in circles: `rate_limits`, `circuit_breakers` and `loops`.

use std::time::Duration;

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{Reader, whole};

/// Most times that a call is made again.
const MOST: u32 = 10;

/// How fast the tools of a server, or one of them, may be called by all agents together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    pub server: String,
    /// `None`: all tools of the server together.
    pub tool: Option<String>,
    /// So many calls within so long.
    pub calls: Option<(u32, Duration)>,
    /// So many at the same time.
    pub at_once: Option<u32>,
}

impl Rate {
    #[must_use]
    pub fn applies(&self, server: &str, tool: &str) -> bool {
        self.server == server && self.tool.as_deref().is_none_or(|own| own == tool)
    }
}

/// When what fails again and again is left alone for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerLimits {
    /// Failures of a tool in a row.
    pub failures: u32,
    /// Refusals of a credential at a host in a row.
    pub refusals: u32,
    /// Until the first trial; doubled after each trial that fails…
    pub open_for: Duration,
    /// …up to this.
    pub longest: Duration,
}

impl Default for BreakerLimits {
    fn default() -> Self {
        Self { failures: 5, refusals: 3, open_for: Duration::from_secs(30), longest: Duration::from_secs(600) }
    }
}

/// How often Reeve makes a tool call again that failed without effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryLimits {
    /// Zero: never.
    pub times: u32,
    /// Before the first one; doubled before each further one…
    pub wait: Duration,
    /// …up to this.
    pub longest: Duration,
}

impl Default for RetryLimits {
    fn default() -> Self {
        Self { times: 0, wait: Duration::from_millis(500), longest: Duration::from_secs(10) }
    }
}

/// When steps that lead nowhere are told, held and stopped: after so many of them within the window. Zero: never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopLimits {
    pub warn: u32,
    pub hold: u32,
    pub pause: u32,
    pub window: Duration,
    /// As many of the same within ten seconds are a burst, whatever comes of them.
    pub burst: u32,
    /// Requests and calls to models are looked at too; tool calls always are.
    pub requests: bool,
    pub models: bool,
}

impl Default for LoopLimits {
    fn default() -> Self {
        let window = Duration::from_secs(600);
        Self { warn: 5, hold: 10, pause: 20, window, burst: 0, requests: false, models: false }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLine {
    server: Spanned<String>,
    #[serde(default)]
    tool: Option<Spanned<String>>,
    #[serde(default)]
    calls: Option<Spanned<String>>,
    #[serde(default)]
    per: Option<Spanned<String>>,
    #[serde(default)]
    at_once: Option<Spanned<String>>,
}

impl RateLine {
    pub(super) fn define(&self, reader: &mut Reader<'_>) -> Option<Rate> {
        let calls = self.calls.as_ref().map(|calls| reader.read(calls, above_zero));
        let per = self.per.as_ref().map(|per| reader.read(per, stretch));
        let at_once = self.at_once.as_ref().map(|at_once| reader.read(at_once, above_zero));
        if calls.is_none() && at_once.is_none() {
            reader.wrong(&self.server, "a rate limit has `calls`, `at_once` or both".to_owned());
            return None;
        }
        if let (None, Some(per)) = (&calls, &self.per) {
            reader.wrong(per, "`per` says within what time so many `calls` may be made".to_owned());
            return None;
        }
        let calls = match calls {
            Some(calls) => Some((calls?, per.unwrap_or(Some(Duration::from_secs(60)))?)),
            None => None,
        };
        let tool = self.tool.as_ref().map(|tool| tool.value.trim().to_owned());
        let at_once = match at_once {
            Some(at_once) => Some(at_once?),
            None => None,
        };
        Some(Rate { server: self.server.value.trim().to_owned(), tool, calls, at_once })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakerLines {
    #[serde(default)]
    failures: Option<Spanned<String>>,
    #[serde(default)]
    refusals: Option<Spanned<String>>,
    #[serde(default)]
    open_for: Option<Spanned<String>>,
    #[serde(default)]
    longest: Option<Spanned<String>>,
}

impl BreakerLines {
    pub(super) fn apply(&self, reader: &mut Reader<'_>, limits: &mut BreakerLimits) {
        set(reader, &self.failures, above_zero, &mut limits.failures);
        set(reader, &self.refusals, above_zero, &mut limits.refusals);
        set(reader, &self.open_for, duration, &mut limits.open_for);
        set(reader, &self.longest, duration, &mut limits.longest);
        limits.longest = limits.longest.max(limits.open_for);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryLines {
    #[serde(default)]
    times: Option<Spanned<String>>,
    #[serde(default)]
    wait: Option<Spanned<String>>,
    #[serde(default)]
    longest: Option<Spanned<String>>,
}

impl RetryLines {
    pub(super) fn apply(&self, reader: &mut Reader<'_>, limits: &mut RetryLimits) {
        set(reader, &self.times, few, &mut limits.times);
        set(reader, &self.wait, duration, &mut limits.wait);
        set(reader, &self.longest, duration, &mut limits.longest);
        limits.longest = limits.longest.max(limits.wait);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoopLines {
    #[serde(default)]
    warn: Option<Spanned<String>>,
    #[serde(default)]
    hold: Option<Spanned<String>>,
    #[serde(default)]
    pause: Option<Spanned<String>>,
    #[serde(default)]
    window: Option<Spanned<String>>,
    #[serde(default)]
    burst: Option<Spanned<String>>,
    #[serde(default)]
    also: Vec<Spanned<String>>,
}

impl LoopLines {
    pub(super) fn apply(&self, reader: &mut Reader<'_>, limits: &mut LoopLimits) {
        set(reader, &self.warn, count, &mut limits.warn);
        set(reader, &self.hold, count, &mut limits.hold);
        set(reader, &self.pause, count, &mut limits.pause);
        set(reader, &self.window, duration, &mut limits.window);
        set(reader, &self.burst, count, &mut limits.burst);
        for kind in &self.also {
            match kind.value.trim() {
                "http" => limits.requests = true,
                "llm" => limits.models = true,
                other => reader.wrong(kind, format!("`{other}` is none of `http`, `llm`")),
            }
        }
        for low in [&self.warn, &self.hold, &self.pause].into_iter().flatten() {
            if low.value.trim() == "1" {
                reader.wrong(low, "one step is no loop: 2 or more, or 0 for never".to_owned());
            }
        }
    }
}

fn set<T>(
    reader: &mut Reader<'_>,
    value: &Option<Spanned<String>>,
    parse: impl FnOnce(&str) -> Result<T, String>,
    place: &mut T,
) {
    if let Some(read) = value.as_ref().and_then(|value| reader.read(value, parse)) {
        *place = read;
    }
}

fn count(text: &str) -> Result<u32, String> {
    whole(text).and_then(|number| u32::try_from(number).map_err(|_| format!("`{text}` is too much")))
}

fn few(text: &str) -> Result<u32, String> {
    count(text).and_then(|number| if number <= MOST { Ok(number) } else { Err(format!("at most {MOST}")) })
}

fn above_zero(text: &str) -> Result<u32, String> {
    count(text).and_then(|number| if number > 0 { Ok(number) } else { Err("it must be 1 or more".to_owned()) })
}

fn stretch(text: &str) -> Result<Duration, String> {
    match text {
        "second" => Ok(Duration::from_secs(1)),
        "minute" => Ok(Duration::from_secs(60)),
        "hour" => Ok(Duration::from_secs(3600)),
        _ => Err(format!("`{text}` is none of `second`, `minute`, `hour`")),
    }
}

/// `500ms`, `15s`, `10m`, `24h`; never zero.
fn duration(text: &str) -> Result<Duration, String> {
    let bad = || format!("`{text}` is not a duration such as `500ms`, `15s`, `10m` or `24h`");
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
    let (number, scale) =
        units.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, *scale))).ok_or_else(bad)?;
    let millis = whole(number).map_err(|_| bad())?.checked_mul(scale).filter(|millis| *millis > 0).ok_or_else(bad)?;
    Ok(Duration::from_millis(millis))
}
