//! `loyalty validate`: everything that is wrong with a program document, before anybody publishes it.

use loyalty_domain::json::{self, Faults};
use loyalty_domain::program::Program;
use std::fmt;
use std::path::Path;

/// What the command prints.
#[derive(Debug)]
pub struct Verdict(Result<Program, Faults>);

impl Verdict {
    /// Whether the document can be published.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.0.is_ok()
    }
}

/// Reads a document.
///
/// # Errors
/// The file cannot be read, in one line.
pub fn run(file: &Path) -> Result<Verdict, String> {
    let bytes = std::fs::read(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
    Ok(Verdict(json::parse(&bytes).and_then(|json| Program::checked(&json))))
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(program) => write!(
                f,
                "\"{}\" can be published: {} earning rules, {} goals, {} levels, {} rewards.",
                program.name,
                program.rules.len(),
                program.goals.len(),
                program.tiers.levels.len(),
                program.rewards.len()
            ),
            Err(faults) => {
                for fault in faults.list() {
                    let pointer = if fault.pointer.is_empty() { "(document)" } else { &fault.pointer };
                    writeln!(f, "{pointer}: {}", fault.detail)?;
                }
                let count = faults.list().len();
                write!(f, "{count} {} wrong.", if count == 1 { "thing is" } else { "things are" })
            }
        }
    }
}
