//! Pieces of work that are set up, done once to warm up, and then done once more to be measured.

use super::inputs::{self, LAST_MONTH, LINES, RULES, account, load, moment, month, order, programs, purchase};
use super::{canned, whole};
use loyalty_domain::award::{Caps, award};
use loyalty_domain::draft::Draft;
use loyalty_domain::purchase::record;
use std::hint::black_box;
use std::time::Duration;

/// The function whose instructions are counted.
pub const MEASURED: &str = "it::bench::scenes::measured";

/// The work, under a name by which a profiler finds it.
#[inline(never)]
pub fn measured(work: &mut dyn FnMut()) {
    work();
}

/// How a scene's work is run.
#[derive(Debug, Clone, Copy)]
pub enum Run {
    /// Once, where a profiler watches [`measured`].
    Once,
    /// Over and over against a clock, which gives the time since it was started.
    Timed(fn() -> Duration),
}

impl Run {
    /// Runs it; gives the time per run, or none where it is not timed.
    fn run(self, mut work: impl FnMut()) -> Duration {
        work();
        match self {
            Run::Once => {
                measured(&mut work);
                Duration::ZERO
            }
            Run::Timed(clock) => {
                // The quickest of several stretches: what other processes took away is in the others.
                let stretch = |work: &mut dyn FnMut()| {
                    let (begun, mut runs) = (clock(), 0_u32);
                    while clock() - begun < Duration::from_millis(60) {
                        work();
                        runs += 1;
                    }
                    (clock() - begun) / runs
                };
                (0..8).map(|_| stretch(&mut work)).min().unwrap()
            }
        }
    }
}

/// Plays a scene by its name: `award R L` (rules, lines), `decision R N` (settle and record under R rules with N lots),
/// `load R` (a program document of R rules), `earn N` (a whole request with N lots, on a table that answers at once) and
/// `raw N` (its two DynamoDB calls alone, on the same table); `stack` and `table` are these two on the local stack and its
/// embedded table, with one lot. None if there is no such scene.
pub fn play(scene: &str, run: Run) -> Option<Duration> {
    let words: Vec<&str> = scene.split(' ').collect();
    let (name, sizes) = words.split_first()?;
    let sizes: Vec<usize> = sizes.iter().map(|size| size.parse().ok()).collect::<Option<_>>()?;
    match (*name, sizes.as_slice()) {
        ("award", [rules, lines]) => Some(awarding(*rules, *lines, run)),
        ("decision", [rules, lots]) => Some(deciding(*rules, *lots, run)),
        ("load", [rules]) => {
            let document = inputs::program(*rules).to_string();
            Some(run.run(|| drop(black_box(load(black_box(document.as_bytes()))))))
        }
        ("earn", [lots]) => Some(canned::earning(*lots, |mut work| run.run(&mut *work))),
        ("raw", [lots]) => Some(canned::raw_calls(*lots, |mut work| run.run(&mut *work))),
        ("stack", []) => Some(whole::requesting(|mut work| run.run(&mut *work))),
        ("table", []) => Some(whole::raw_calls(|mut work| run.run(&mut *work))),
        _ => None,
    }
}

fn awarding(rules: usize, lines: usize, run: Run) -> Duration {
    let program = load(inputs::program(rules).to_string().as_bytes());
    let programs = programs(program.clone());
    let now = month(LAST_MONTH);
    let account = account(&inputs::programs(load(inputs::program(RULES).to_string().as_bytes())), 1);
    let order = order(&purchase("B-1", &account.member.to_string(), &now, lines, rules));
    // The facts are those that recording it finds.
    let draft = Draft::new(account, &programs, moment(&now), "bench").unwrap();
    let purchase = record(draft, &programs, &order, [0; 16]).unwrap().purchase;
    let frozen = purchase.award.clone().unwrap().frozen;
    let facts = frozen.facts(&program, &purchase, purchase.net_bought());
    let lines = purchase.lines_left();
    let caps = Caps { used_up: &frozen.used_up, budgets: &[] };
    run.run(|| {
        black_box(award(black_box(&program), &facts, order.currency, black_box(&lines), caps)).unwrap();
    })
}

fn deciding(rules: usize, lots: usize, run: Run) -> Duration {
    let programs = programs(load(inputs::program(rules).to_string().as_bytes()));
    let account = account(&programs, lots);
    let now = month(LAST_MONTH);
    let order = order(&purchase("B-1", &account.member.to_string(), &now, LINES, rules));
    run.run(|| {
        let mut draft = Draft::new(black_box(&account).clone(), &programs, moment(&now), "bench").unwrap();
        assert!(!draft.settle().unwrap());
        black_box(record(draft, &programs, &order, [0; 16])).unwrap();
    })
}
