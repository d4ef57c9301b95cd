//! How cost grows with size, in instructions: they are the same on a busy machine and on an idle one. Where valgrind is
//! not installed there is nothing to count with, and these tests say so and pass.

use it::bench::callgrind;
use std::path::Path;

/// Instructions of each scene; none where they cannot be counted.
fn counts<const N: usize>(scenes: [&str; N]) -> Option<[u64; N]> {
    if !callgrind::is_here() {
        eprintln!("SKIPPED: valgrind is not installed, so instructions are not counted");
        return None;
    }
    Some(scenes.map(|scene| callgrind::count(Path::new(env!("CARGO_BIN_EXE_scene")), scene).unwrap()))
}

/// Fails if `large` is more than so many hundredths of `small`.
#[track_caller]
fn at_most_percent(percent: u64, large: u64, small: u64) {
    assert!(large * 100 <= small * percent, "{large} is {} % of {small}", large * 100 / small);
}

#[test]
fn an_award_grows_no_faster_than_rules_times_lines() {
    let scenes = ["award 10 10", "award 10 500", "award 1000 10", "award 1000 500"];
    let Some([small, lines, rules, both]) = counts(scenes) else { return };
    at_most_percent(50 * 110, lines, small);
    at_most_percent(100 * 110, rules, small);
    at_most_percent(100 * 110, both, lines);
    at_most_percent(50 * 110, both, rules);
}

#[test]
fn a_purchase_on_36_lots_costs_at_most_1_3_times_one_on_a_single_lot() {
    let Some([one, many]) = counts(["earn 1", "earn 36"]) else { return };
    at_most_percent(130, many, one);
}
