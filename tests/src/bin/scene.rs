//! Plays one scene by its name, for a profiler to watch: `scene award 1000 500`.

use it::bench::scenes::{Run, play};
use std::process::ExitCode;

fn main() -> ExitCode {
    let scene = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    match play(&scene, Run::Once) {
        Some(_) => ExitCode::SUCCESS,
        None => {
            eprintln!("no such scene: {scene}");
            ExitCode::FAILURE
        }
    }
}
