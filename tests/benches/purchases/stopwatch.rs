//! Clock, processor time, and what stands out of many measurements.

use std::fs;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Time since it was first asked for.
pub(crate) fn clock() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Processor time of this process so far, to the hundredth of a second; nothing where the system does not tell.
fn processor_time() -> Duration {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program stands in brackets and may hold blanks.
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_ascii_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// What was measured of one way of doing something.
#[derive(Default)]
pub(crate) struct Measured {
    each: Vec<Duration>,
    took: Duration,
    processor: Duration,
}

impl Measured {
    /// Runs a round that gives the duration of each of its pieces.
    pub(crate) async fn round(&mut self, round: impl Future<Output = Vec<Duration>>) {
        let (begun, processor) = (clock(), processor_time());
        self.each.extend(round.await);
        self.took += clock() - begun;
        self.processor += processor_time() - processor;
    }

    /// The duration that so many of a hundred do not exceed, in milliseconds.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let mut each = self.each.clone();
        each.sort_unstable();
        each.get((each.len() * percent / 100).min(each.len().saturating_sub(1))).map_or(0.0, Duration::as_secs_f64)
            * 1e3
    }

    /// How many a second.
    pub(crate) fn per_second(&self) -> f64 {
        self.each.len() as f64 / self.took.as_secs_f64()
    }

    /// Milliseconds of processor time for each.
    pub(crate) fn processor_ms(&self) -> f64 {
        self.processor.as_secs_f64() * 1e3 / self.each.len() as f64
    }
}
