//! Instruction counts: what a piece of work costs, whatever else the machine is busy with.

use std::path::Path;
use std::process::{Command, Stdio};

/// Whether valgrind can be started here.
pub fn is_here() -> bool {
    let version = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// Instructions of what a scene measures, setting it up left out. `program` is the `scene` binary.
///
/// # Errors
/// In words: valgrind or the scene failed, or nothing was counted.
pub fn count(program: &Path, scene: &str) -> Result<u64, String> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(format!("--toggle-collect={}*", super::scenes::MEASURED))
        .arg(program)
        .arg(scene)
        .output()
        .map_err(|error| format!("valgrind does not start: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{scene}: {said}"));
    }
    let collected = said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    collected.filter(|count| *count > 0).ok_or_else(|| format!("{scene}: valgrind counted nothing: {said}"))
}
