//! `cargo bench -p it`: what a purchase costs. First against a clock and beside the same two DynamoDB calls made raw,
//! on this machine in one run; then in instructions, which do not depend on what else the machine is doing.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod counts;
mod requests;
mod stopwatch;

use std::fs;

fn main() {
    // `cargo test --benches` starts benchmarks too, without this word: it wants to know only whether they start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = named("/proc/cpuinfo", "model name").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{cores} cores{model}; load before: {}", load.trim());
    requests::report();
    counts::report();
}

fn named(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':').map_or_else(String::new, |(_, value)| format!(" ({})", value.trim())))
}
