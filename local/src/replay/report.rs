//! What came of a replay.

use super::Kind;
use super::plan::Summary;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What came of a replay. Its `Display` is the closing table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What was replayed.
    pub kind: Kind,
    /// What the file holds and must come to.
    pub plan: Summary,
    /// What the API answered.
    pub tally: Tally,
    /// Accounts that were looked at afterwards.
    pub accounts: u64,
    /// How long the sending took, reading and looking afterwards not included.
    pub elapsed: Duration,
}

/// Totals of answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Enrolments.
    pub members: Counted,
    /// Purchases.
    pub purchases: Counted,
    /// Refunds.
    pub refunds: Counted,
    /// Points that the purchases were awarded.
    pub earned: i64,
    /// Points that the refunds took.
    pub clawed_back: i64,
    /// Points that the refunds gave back.
    pub restored: i64,
    /// Requests that were refused for good, by the problem's code; `not_sent` are those that hung on a refused one.
    pub refused: BTreeMap<String, u64>,
    /// Requests sent, repeated ones included.
    pub requests: u64,
    /// Repeated ones among them.
    pub retries: u64,
    /// Answers that are not what the plan says.
    pub differing: Differing,
}

/// How many of one kind of request were carried out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// By this replay.
    pub new: u64,
    /// Before it; nothing was changed.
    pub replayed: u64,
}

impl Counted {
    /// Both.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.new + self.replayed
    }
}

/// Figures that are not what they should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differing {
    /// How many.
    pub count: u64,
    /// The first that was found, in words.
    pub first: Option<String>,
}

impl Differing {
    /// Notes a figure if it is not what it should be.
    pub(super) fn compare(&mut self, found: i64, expected: i64, what: impl FnOnce() -> String) {
        if found != expected {
            self.count += 1;
            self.first.get_or_insert_with(|| {
                format!("{} are {} and should be {}", what(), grouped(found), grouped(expected))
            });
        }
    }

    pub(super) fn merged(self, other: Self) -> Self {
        Self { count: self.count + other.count, first: self.first.or(other.first) }
    }
}

impl Tally {
    pub(super) fn merged(mut self, other: Self) -> Self {
        for (code, count) in other.refused {
            *self.refused.entry(code).or_default() += count;
        }
        let sum = |a: Counted, b: Counted| Counted { new: a.new + b.new, replayed: a.replayed + b.replayed };
        Self {
            members: sum(self.members, other.members),
            purchases: sum(self.purchases, other.purchases),
            refunds: sum(self.refunds, other.refunds),
            earned: self.earned + other.earned,
            clawed_back: self.clawed_back + other.clawed_back,
            restored: self.restored + other.restored,
            refused: self.refused,
            requests: self.requests + other.requests,
            retries: self.retries + other.retries,
            differing: self.differing.merged(other.differing),
        }
    }

    /// Points that are left, by the answers.
    #[must_use]
    pub const fn left(&self) -> i64 {
        self.earned - self.clawed_back + self.restored
    }

    /// Whether all that was carried out had been so before.
    #[must_use]
    pub const fn changed_nothing(&self) -> bool {
        self.members.new == 0 && self.purchases.new == 0 && self.refunds.new == 0
    }
}

impl Report {
    /// Requests per second, in tenths.
    #[must_use]
    pub fn requests_per_second_tenths(&self) -> u64 {
        self.rate(self.tally.requests)
    }

    /// Purchases per second, in tenths, the time for enrolments and refunds included.
    #[must_use]
    pub fn purchases_per_second_tenths(&self) -> u64 {
        self.rate(self.tally.purchases.total())
    }

    fn rate(&self, count: u64) -> u64 {
        let micros = self.elapsed.as_micros().max(1);
        u64::try_from(u128::from(count) * 10_000_000 / micros).unwrap_or(u64::MAX)
    }

    fn rows(&self) -> Vec<Row> {
        let Self { plan, tally, .. } = self;
        let counted = |name: &str, counted: Counted| {
            let note = format!("{} new, {} there before", grouped(counted.new), grouped(counted.replayed));
            Row::new(name, grouped(counted.total()), note)
        };
        let mut rows =
            vec![Row::new("rows in the file", grouped(plan.rows), format!("{} bought", grouped(plan.lines)))];
        rows.extend(
            plan.left_out.iter().map(|(why, count)| Row::new(&format!("  {why}"), grouped(*count), "left out")),
        );
        let cancelled = plan.cancelled;
        if cancelled.rows > 0 {
            let [whole, part, none] = [cancelled.matched, cancelled.in_part, cancelled.unmatched].map(grouped);
            let note = format!("{whole} found among earlier purchases, {part} in part, {none} not");
            rows.push(Row::new("  cancelled", grouped(cancelled.rows), note));
        }
        rows.push(counted("purchases", tally.purchases));
        rows.push(counted("refunds", tally.refunds));
        rows.push(counted("members", tally.members));
        rows.push(Row::new("points earned", grouped(tally.earned), ""));
        rows.push(Row::new("points clawed back", grouped(tally.clawed_back), ""));
        if tally.restored > 0 {
            rows.push(Row::new("points restored", grouped(tally.restored), ""));
        }
        rows.push(Row::new("points left", grouped(tally.left()), format!("{} accounts asked", grouped(self.accounts))));
        rows.push(Row::new("refused", grouped(tally.refused.values().sum::<u64>()), ""));
        rows.extend(tally.refused.iter().map(|(code, count)| Row::new(&format!("  {code}"), grouped(*count), "")));
        let elapsed = tenths(u64::try_from(self.elapsed.as_millis() / 100).unwrap_or(u64::MAX));
        let retries =
            if tally.retries == 0 { String::new() } else { format!(", {} of them repeated", grouped(tally.retries)) };
        rows.push(Row::new("requests", grouped(tally.requests), format!("in {elapsed} s{retries}")));
        let purchases = format!("{} of them purchases", tenths(self.purchases_per_second_tenths()));
        rows.push(Row::new("requests per second", tenths(self.requests_per_second_tenths()), purchases));
        rows
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows();
        let names = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        let figures = rows.iter().map(|row| row.figure.len()).max().unwrap_or(0);
        for Row { name, figure, note } in &rows {
            let line = format!("{name:names$}  {figure:>figures$}  {note}");
            writeln!(f, "{}", line.trim_end())?;
        }
        match (self.tally.changed_nothing(), self.tally.refused.is_empty()) {
            (true, true) => writeln!(f, "Nothing changed: all of it had been carried out before."),
            (true, false) => writeln!(f, "Nothing changed."),
            (false, _) => Ok(()),
        }
    }
}

/// A row of the closing table.
struct Row {
    name: String,
    figure: String,
    note: String,
}

impl Row {
    fn new(name: &str, figure: String, note: impl Into<String>) -> Self {
        Self { name: name.to_owned(), figure, note: note.into() }
    }
}

/// A number with a comma before every three digits, as in `8,902,670`.
#[must_use]
pub fn grouped(number: impl Into<i128>) -> String {
    let number = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Tenths as a decimal, `1,234.5`.
fn tenths(tenths: u64) -> String {
    format!("{}.{}", grouped(tenths / 10), tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_thousands_separators() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (-1_234_567, "-1,234,567"),
            (8_902_670, "8,902,670"),
            (-100, "-100"),
        ] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(tenths(12_345), "1,234.5");
    }

    #[test]
    fn the_closing_table_lines_up_and_names_every_refusal() {
        let tally = Tally {
            purchases: Counted { new: 18_000, replayed: 532 },
            members: Counted { new: 4_338, replayed: 0 },
            earned: 8_902_670,
            clawed_back: 478_472,
            refused: BTreeMap::from([("conflict".to_owned(), 2)]),
            requests: 26_750,
            ..Tally::default()
        };
        let plan = Summary { rows: 541_909, lines: 397_884, ..Summary::default() };
        let report =
            Report { kind: Kind::OnlineRetail, plan, tally, accounts: 4_338, elapsed: Duration::from_millis(50_000) };
        let table = "\
rows in the file       541,909  397,884 bought
purchases               18,532  18,000 new, 532 there before
refunds                      0  0 new, 0 there before
members                  4,338  4,338 new, 0 there before
points earned        8,902,670
points clawed back     478,472
points left          8,424,198  4,338 accounts asked
refused                      2
  conflict                   2
requests                26,750  in 50.0 s
requests per second      535.0  370.6 of them purchases
";
        assert_eq!(report.to_string(), table);
    }

    #[test]
    fn a_replay_that_only_repeats_says_that_nothing_changed() {
        let counted = Counted { new: 0, replayed: 3 };
        let tally = Tally { purchases: counted, members: counted, ..Tally::default() };
        let report =
            Report { kind: Kind::Cdnow, plan: Summary::default(), tally, accounts: 3, elapsed: Duration::ZERO };
        assert!(report.to_string().ends_with("Nothing changed: all of it had been carried out before.\n"));
    }
}
