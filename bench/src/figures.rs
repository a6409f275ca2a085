//! Times gathered and told.

use std::time::Duration;

/// Durations of one kind of thing.
#[derive(Debug, Default, Clone)]
pub struct Times(Vec<Duration>);

impl Times {
    pub fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The time under which `share` (0 to 1) of all lie.
    pub fn quantile(&self, share: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index into a list of measurements"
        )]
        let at = ((sorted.len().saturating_sub(1)) as f64 * share).round() as usize;
        sorted.get(at).copied().unwrap_or_default()
    }
}

/// Microseconds with one decimal.
pub fn us(time: Duration) -> String {
    format!("{:.1} µs", time.as_secs_f64() * 1e6)
}

/// How many times `other` goes into `time`.
pub fn ratio(time: Duration, other: Duration) -> String {
    format!("{:.2}×", time.as_secs_f64() / other.as_secs_f64().max(1e-9))
}

/// A figure beside its aim, and whether it is met.
pub fn against(name: &str, figure: Duration, aim: Duration) {
    let mark = if figure <= aim { "meets" } else { "MISSES" };
    println!("  {name:<46} {:>12}   aim {:>10}   {} {mark}", us(figure), us(aim), ratio(figure, aim));
}

/// A rate beside its aim, and whether it is met.
pub fn at_least(name: &str, figure: f64, aim: f64) {
    let mark = if figure >= aim { "meets" } else { "MISSES" };
    println!("  {name:<46} {figure:>10.0}/s   aim {aim:>8.0}/s   {:.2}× {mark}", figure / aim);
}

/// An amount beside its aim, and whether it is met.
pub fn at_most(name: &str, figure: f64, unit: &str, aim: f64) {
    let mark = if figure <= aim { "meets" } else { "MISSES" };
    println!("  {name:<46} {figure:>9.1} {unit:<2}   aim {aim:>7.0} {unit:<2}   {:.2}× {mark}", figure / aim);
}

/// A share of direct beside its aim, and whether it is met.
pub fn share(name: &str, figure: f64, aim: f64) {
    let mark = if figure >= aim { "meets" } else { "MISSES" };
    println!("  {name:<46} {figure:>10.2}     aim {aim:>8.2}     {:.2}× {mark}", figure / aim);
}

/// One `fdatasync` of four kilobytes on the disk in use, as the median of many.
pub fn flush() -> anyhow::Result<Duration> {
    Ok(flushes(200)?.quantile(0.5))
}

/// So many of them, on the disk that the profiles of the bench lie on.
pub fn flushes(count: u32) -> anyhow::Result<Times> {
    use std::io::Write as _;
    let mut file = tempfile::tempfile()?;
    let mut times = Times::default();
    for _ in 0..count {
        file.write_all(&[7; 4096])?;
        let begun = std::time::Instant::now();
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    Ok(times)
}
