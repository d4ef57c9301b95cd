//! Whole histories through the HTTP API of a running stack, and the books proved afterwards: on the samples in the
//! repository, and on the real files where they are at hand.

#![allow(clippy::disallowed_methods, reason = "a stack of its own is told the time here")]

use jiff::Timestamp;
use loyalty_local::check;
use loyalty_local::clock::World;
use loyalty_local::engine::Source;
use loyalty_local::replay::{self, Kind, ReplayOptions, Report, Target};
use loyalty_local::serve;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

fn world() -> World {
    World {
        now: Arc::new(Timestamp::now),
        random: Arc::new(|bytes| bytes.iter_mut().for_each(|byte| *byte = rand::random())),
    }
}

/// An empty folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    folder
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name)
}

/// A real history, if the folder with them lies beside the repository.
fn real(name: &str) -> Option<PathBuf> {
    let file: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "shared", "data", name].iter().collect();
    if file.exists() {
        return Some(file);
    }
    println!("skipped: {} is not there", file.display());
    None
}

/// Replays a file so many times on one data folder, and proves the books when the stack has stopped.
async fn replayed(kind: Kind, file: PathBuf, name: &str, times: usize) -> Vec<Report> {
    let source = Source { folder: Some(folder(name)), endpoint: None };
    let stack = serve::start(0, &source, world()).await.unwrap();
    let url = stack.url();
    let (over, wait) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(stack.serve(async {
        let _ended = wait.await;
    }));
    let mut reports = Vec::new();
    for _ in 0..times {
        let target = Target { url: url.parse().unwrap(), token: None };
        let options = ReplayOptions { kind, file: file.clone(), target, progress: false, clock: Instant::now };
        reports.push(replay::run(options).await.unwrap());
    }
    drop(over);
    serving.await.unwrap().unwrap();
    let verdict = check::run(&source, world()).await.unwrap();
    assert!(verdict.is_clean(), "{verdict}");
    println!("{}\n{verdict}", reports[0]);
    std::fs::remove_dir_all(source.folder.unwrap()).unwrap();
    reports
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sample_shop_comes_to_its_figures_and_a_second_run_changes_nothing() {
    let reports = replayed(Kind::OnlineRetail, sample("sample-retail.csv"), "sample-retail", 2).await;
    let (first, second) = (&reports[0].tally, &reports[1].tally);
    assert_eq!(first.left(), 135_215);
    assert!(!first.changed_nothing());
    assert_eq!(second.left(), 135_215);
    assert!(second.changed_nothing());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sample_music_shop_comes_to_its_figures() {
    let reports = replayed(Kind::Cdnow, sample("sample-cdnow.txt"), "sample-cdnow", 1).await;
    assert_eq!(reports[0].tally.left(), 13_657);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_shops_year_comes_to_8_902_670_points_less_its_cancellations() {
    let Some(file) = real("online-retail.csv.gz") else { return };
    let reports = replayed(Kind::OnlineRetail, file, "online-retail", 1).await;
    let tally = &reports[0].tally;
    assert_eq!((tally.earned, tally.left()), (8_902_670, 8_424_198));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_music_shops_customers_come_to_2_453_159_points() {
    let Some(file) = real("cdnow.txt.gz") else { return };
    let reports = replayed(Kind::Cdnow, file, "cdnow", 1).await;
    assert_eq!(reports[0].tally.left(), 2_453_159);
}
