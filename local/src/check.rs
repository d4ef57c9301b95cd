//! `loyalty check`: proves a table's accounts from their entries.

use crate::clock::World;
use crate::engine::{self, EngineTrouble, Source};
use crate::replay::grouped;
use loyalty_domain::calendar::Moment;
use loyalty_store::check::{Report, check};
use std::fmt;

/// Segments walked side by side.
const SEGMENTS: i32 = 4;

/// What the command prints.
#[derive(Debug)]
pub struct Verdict(Report);

impl Verdict {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.0.is_clean()
    }
}

/// Checks the table of a data folder or endpoint.
///
/// # Errors
/// It cannot be opened or read.
pub async fn run(source: &Source, world: World) -> Result<Verdict, EngineTrouble> {
    let parts = engine::open(source, world)?;
    let engine = engine::engine(&parts)?;
    let now = Moment::new(parts.surroundings.now());
    let report = check(engine.table(), SEGMENTS, now).await.map_err(|error| EngineTrouble::Table(error.to_string()))?;
    Ok(Verdict(report))
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = &self.0;
        let mut row = |name: &str, figure: String| writeln!(f, "  {name:<22}{figure:>20}");
        row("accounts", grouped(report.accounts))?;
        row("entries", grouped(report.entries))?;
        row("purchases", grouped(report.purchases))?;
        row("refunds", grouped(report.refunds))?;
        row("activities", grouped(report.activities))?;
        row("redemptions", grouped(report.redemptions))?;
        for (side, points) in &report.by_side {
            row(&format!("points {}", side.word()), grouped(*points))?;
        }
        row("points members have", grouped(report.outstanding))?;
        writeln!(f)?;
        for finding in &report.findings {
            match finding.seq {
                Some(seq) => writeln!(f, "WRONG  {}, entry {seq}: {}", finding.at, finding.what)?,
                None => writeln!(f, "WRONG  {}: {}", finding.at, finding.what)?,
            }
        }
        if report.more_findings > 0 {
            writeln!(f, "and {} more", grouped(report.more_findings))?;
        }
        if report.is_clean() {
            write!(f, "Every account follows from its entries.")
        } else {
            let all = u64::try_from(report.findings.len()).unwrap_or(u64::MAX).saturating_add(report.more_findings);
            write!(f, "{} wrong.", grouped(all))
        }
    }
}
