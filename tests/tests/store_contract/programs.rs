//! Programs: published version by version, remembered for a while.

use crate::bench::{Bench, NOW, moment};
use it::faults::{Fault, Plan};
use it::stack::plain_program;
use loyalty_domain::calendar::Moment;
use loyalty_domain::refusal::Refusal;
use loyalty_store::programs::{Published, publish, published, starts};
use loyalty_store::{Failure, keys};
use serde_json::json;

/// The plain program under another name.
fn document(name: &str) -> String {
    let mut program = plain_program();
    program["name"] = json!(name);
    program.to_string()
}

async fn put(bench: &Bench, before: &[Moment], from: &str, name: &str) -> bool {
    publish(bench.table(), &bench.program, before, moment(from), &document(name)).await.unwrap()
}

pub(crate) async fn versions_are_published_one_after_the_other(bench: Bench) {
    let (first, second) = (moment(NOW), moment("2026-11-21T10:01:00Z"));
    assert!(put(&bench, &[], NOW, "one").await);
    assert!(put(&bench, &[first], "2026-11-21T10:01:00Z", "two").await);
    assert_eq!(starts(bench.table(), &bench.program).await.unwrap(), Some(vec![first, second]));
    let version = |number, effective_from, name| Some(Published { number, effective_from, document: document(name) });
    assert_eq!(published(bench.table(), &bench.program, 1).await.unwrap(), version(1, first, "one"));
    assert_eq!(published(bench.table(), &bench.program, 2).await.unwrap(), version(2, second, "two"));
    assert_eq!(published(bench.table(), &bench.program, 3).await.unwrap(), None);
    assert!(bench.table().get(&keys::registry(&bench.program)).await.unwrap().is_some());
    assert_eq!(starts(bench.table(), &"other".parse().unwrap()).await.unwrap(), None);
}

pub(crate) async fn a_publish_that_was_overtaken_writes_nothing(bench: Bench) {
    assert!(put(&bench, &[], NOW, "one").await);
    assert!(!put(&bench, &[], NOW, "another first").await);
    assert!(put(&bench, &[moment(NOW)], NOW, "two").await);
    assert!(!put(&bench, &[moment(NOW)], NOW, "another second").await);
    let second = published(bench.table(), &bench.program, 2).await.unwrap().unwrap();
    assert_eq!(second.document, document("two"));
}

pub(crate) async fn a_publish_whose_answer_was_lost_is_ours(bench: Bench) {
    bench.faults.arm(Plan::nth(0, Fault::LoseAnswer));
    assert!(put(&bench, &[], NOW, "one").await);
    // The same document from somebody else at the same moment is theirs.
    bench.faults.arm(Plan::nth(0, Fault::LoseRequest));
    assert!(!put(&bench, &[], NOW, "one").await);
    bench.faults.disarm();
}

pub(crate) async fn a_program_that_nobody_published_is_not_there(bench: Bench) {
    let failed = bench.engine.programs(&bench.call(NOW)).await.unwrap_err();
    assert_eq!(failed, Failure::NoProgram);
}

/// How many calls the store makes for the programs at a moment, and what it knows then: the number of versions.
async fn looked_up(bench: &Bench, now: &str) -> (usize, usize) {
    bench.faults.reset();
    let programs = bench.engine.programs(&bench.call(now)).await.unwrap();
    (bench.faults.meter().count(), programs.starts().len())
}

pub(crate) async fn a_remembered_program_is_looked_up_beside_after_30_seconds_and_before_the_answer_after_50(
    bench: Bench,
) {
    bench.published().await;
    assert!(put(&bench, &[moment(NOW)], "2026-11-21T10:01:00Z", "two").await);
    assert_eq!(looked_up(&bench, "2026-11-21T10:00:29.999Z").await, (0, 1));
    // At 30 s the request is answered from what is remembered; the look-up goes on beside it, once.
    assert_eq!(looked_up(&bench, "2026-11-21T10:00:30Z").await, (0, 1));
    let mut others = 0;
    while bench.faults.meter().calls.iter().all(|call| call.end.is_none()) {
        others += bench.faults.meter().count();
        tokio::task::yield_now().await;
        assert!(others < 1_000_000, "nobody looks");
    }
    while bench.engine.programs(&bench.call("2026-11-21T10:00:31Z")).await.unwrap().starts().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.faults.meter().operations(), ["GetItem"]);
    assert_eq!(looked_up(&bench, "2026-11-21T10:00:59.999Z").await, (0, 2));
    // 50 s after the last look-up nothing is answered from what is remembered; version 2, now in force, is loaded too.
    assert_eq!(looked_up(&bench, "2026-11-21T10:01:20Z").await, (2, 2));
    let in_force = bench.engine.programs(&bench.call("2026-11-21T10:01:21Z")).await.unwrap();
    assert_eq!(in_force.at(moment("2026-11-21T10:01:21Z")).unwrap().number, 2);
    // A clock that goes back makes what is remembered worthless.
    assert_eq!(looked_up(&bench, "2026-11-21T09:00:00Z").await.0, 1);
    bench.engine.forget_programs();
    assert_eq!(looked_up(&bench, "2026-11-21T09:00:00Z").await.0, 2);
}

pub(crate) async fn a_version_that_is_needed_once_is_loaded_once(bench: Bench) {
    assert!(put(&bench, &[], NOW, "one").await);
    assert!(put(&bench, &[moment(NOW)], "2026-11-21T10:01:00Z", "two").await);
    let call = bench.call("2026-11-21T12:00:00Z");
    let mut programs = bench.engine.programs(&call).await.unwrap();
    assert_eq!(programs.version(1).unwrap_err(), Refusal::NeedsVersion(1));
    bench.faults.reset();
    let name = async |programs: &mut _| {
        let step = |programs: &loyalty_domain::programs::Programs| Ok(programs.version(1)?.number);
        bench.engine.with_versions(&call, programs, step).await.unwrap()
    };
    assert_eq!(name(&mut programs).await, 1);
    assert_eq!(name(&mut bench.engine.programs(&call).await.unwrap()).await, 1);
    assert_eq!(bench.faults.meter().count(), 1);
}
