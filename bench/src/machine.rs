//! The two sides of the bench on processors of their own, as far as the machine has two: load and upstream on the first,
//! Reeve on the second. What a thread starts stays where it is.

use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

/// Runs on a thread of its own on the processor with this place in the list.
pub fn on_processor<T: Send + 'static>(place: usize, run: impl FnOnce() -> T + Send + 'static) -> anyhow::Result<T> {
    let pinned = move || {
        let ids = core_affinity::get_core_ids().unwrap_or_default();
        if !ids.get(place).is_some_and(|id| core_affinity::set_for_current(*id)) {
            println!("  note: no processor {place} to stay on; both sides share what there is");
        }
        run()
    };
    std::thread::spawn(pinned).join().map_err(|_| anyhow::anyhow!("a side of the bench stopped"))
}

/// A runtime of one worker; its threads stay on the processor of the thread that makes it.
pub fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(1).enable_all().build()
}

/// Says when each of `count` things is due, evenly spaced. A thread of its own: a runtime's timer ticks once a
/// millisecond, which is more than what is measured.
pub fn pace(count: u64, per_second: u64) -> mpsc::UnboundedReceiver<(u64, Instant)> {
    let (told, due) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let begun = Instant::now();
        for n in 0..count {
            let at = begun + Duration::from_micros(n * 1_000_000 / per_second);
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            if told.send((n, at)).is_err() {
                return;
            }
        }
    });
    due
}
