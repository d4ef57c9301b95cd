//! Instructions and time of single pieces of work.

use crate::stopwatch::clock;
use it::bench::callgrind;
use it::bench::scenes::{Run, play};
use std::path::Path;

const SCENES: &[(&str, &str)] = &[
    ("award 10 10", "award: 10 rules, 10 lines"),
    ("award 10 500", "award: 10 rules, 500 lines"),
    ("award 1000 10", "award: 1,000 rules, 10 lines (aim: 0.3 ms)"),
    ("award 1000 500", "award: 1,000 rules, 500 lines"),
    ("decision 20 1", "settle and record: 20 rules, 10 lines, 1 lot"),
    ("decision 20 36", "settle and record: 20 rules, 36 lots"),
    ("decision 1000 1", "settle and record: 1,000 rules, 1 lot"),
    ("load 1000", "parse and compile a program of 1,000 rules (aim: 10 ms)"),
    ("earn 1", "a whole request through the router, 1 lot, the store answering at once (aim: 0.5 ms)"),
    ("earn 36", "the same, 36 lots"),
    ("raw 1", "its two DynamoDB calls alone, 1 lot, the store answering at once"),
    ("raw 36", "the same, 36 lots"),
    ("stack", "a whole request through the local stack and its embedded table, token and all, without a socket"),
    ("table", "its two DynamoDB calls alone on an embedded table"),
];

pub(crate) fn report() {
    let counts = callgrind::is_here();
    println!("\nOne core{}:\n", if counts { "" } else { "; valgrind is not here, so no instructions are counted" });
    println!("  {:>12}  {:>9}", "instructions", "ms");
    for (scene, words) in SCENES {
        let took = play(scene, Run::Timed(clock)).map_or(0.0, |took| took.as_secs_f64() * 1e3);
        let count = match counts.then(|| callgrind::count(Path::new(env!("CARGO_BIN_EXE_scene")), scene)) {
            Some(Ok(count)) => grouped(count),
            Some(Err(trouble)) => {
                eprintln!("{trouble}");
                "?".to_owned()
            }
            None => "-".to_owned(),
        };
        println!("  {count:>12}  {took:>9.4}  {words}");
    }
}

fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
