//! What a purchase is worth: one pure function, exact until it is rounded once.

mod given;

pub use given::Caps;
pub(crate) use given::Given;

use crate::entry::Reason;
use crate::exact::Exact;
use crate::money::{Currency, Money};
use crate::program::condition::{Facts, LineFacts};
use crate::program::{Award, Program, Rule, Trigger};

/// A line that is to be judged: what conditions see of it, and its net amount in minor units.
#[derive(Debug, Clone, Copy)]
pub struct AwardLine<'a> {
    /// For line clauses.
    pub facts: LineFacts<'a>,
    /// What the customer pays for the whole line; at least 0.
    pub net: i64,
}

/// What came out of an award.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awarded {
    /// Whole points.
    pub points: i64,
    /// The places of the rules that gave more than nothing.
    pub gave: Vec<usize>,
    /// How many points each rule with a budget takes out of it, by the rule's place; a fraction takes a whole one.
    pub of_budgets: Vec<(usize, i64)>,
    /// How it came about.
    pub explanation: Vec<Reason>,
}

/// The sums do not fit 128 bits, or the points 64: no purchase of this world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the points of this purchase are beyond counting")]
pub struct TooMuch;

/// Awards a purchase.
///
/// Per-amount rules give net × points ÷ amount and add up per line. Multipliers multiply what these gave the lines they
/// select, one after the other in the order of the document, the level's last. The exact total is rounded once; then
/// fixed points are added. A rule whose limit is reached gives nothing, one whose budget is nearly spent what is left of
/// it, each line its share; both say so.
///
/// # Errors
/// [`TooMuch`] where a number would overflow.
pub fn award(
    program: &Program,
    facts: &Facts<'_>,
    currency: Currency,
    lines: &[AwardLine<'_>],
    caps: Caps<'_>,
) -> Result<Awarded, TooMuch> {
    let mut award = Running::new(program, facts, currency, lines, caps);
    award.per_amount()?;
    award.multipliers()?;
    award.level()?;
    award.finish()
}

/// Which lines a rule selects.
enum Selected {
    None,
    All,
    Some(Vec<bool>),
}

struct Running<'a> {
    program: &'a Program,
    facts: &'a Facts<'a>,
    currency: Currency,
    lines: &'a [AwardLine<'a>],
    /// Exact points of each line so far.
    per_line: Vec<Exact>,
    given: Given<'a>,
}

impl<'a> Running<'a> {
    fn new(
        program: &'a Program,
        facts: &'a Facts<'a>,
        currency: Currency,
        lines: &'a [AwardLine<'a>],
        caps: Caps<'a>,
    ) -> Self {
        Running { program, facts, currency, lines, per_line: Vec::new(), given: Given::new(caps) }
    }

    fn rules(&self) -> impl Iterator<Item = (usize, &'a Rule)> + use<'a> {
        let at = self.facts.occurred_at;
        self.program
            .rules
            .iter()
            .enumerate()
            .filter(move |(_, rule)| rule.on == Trigger::Purchase && rule.in_window(at))
    }

    fn selected(&self, rule: &Rule) -> Selected {
        let Some(when) = &rule.when else { return Selected::All };
        match when.holds(self.facts, None) {
            Some(true) => Selected::All,
            Some(false) => Selected::None,
            None => {
                let holds = |line: &AwardLine<'_>| when.holds(self.facts, Some(line.facts)) == Some(true);
                // Most rules of a large program select no line; they are to cost no memory.
                let Some(first) = self.lines.iter().position(holds) else { return Selected::None };
                let mut which = vec![false; self.lines.len()];
                for (selected, line) in which.iter_mut().zip(self.lines).skip(first) {
                    *selected = holds(line);
                }
                Selected::Some(which)
            }
        }
    }

    /// Rates of the rules that select anything are brought to one denominator, so that adding them up costs whole numbers
    /// only.
    fn per_amount(&mut self) -> Result<(), TooMuch> {
        let mut scale: i128 = 1;
        let mut rates = Vec::new();
        for (place, rule) in self.rules() {
            let (points, amount) = match rule.award {
                Award::PerAmount { points, amount, currency } if currency == self.currency => (points, amount),
                Award::PerAmount { .. } | Award::Multiply(_) | Award::Points(_) => continue,
            };
            let selected = self.selected(rule);
            if matches!(selected, Selected::None) {
                continue;
            }
            let rate = Exact::fraction(1, i128::from(amount)).and_then(|per| points.times(per)).ok_or(TooMuch)?;
            scale = crate::program::lcm(scale, rate.denominator());
            rates.push((place, rule, points, amount, rate, selected));
        }
        let mut sums = vec![0_i128; self.lines.len()];
        // Rules that a budget cuts, which hardly ever happens, add exact shares of their own.
        let mut shrunk: Vec<Vec<Exact>> = Vec::new();
        for (place, rule, points, amount, rate, selected) in rates {
            if self.given.used_up(place, rule) {
                continue;
            }
            let net = self.net_of(&selected)?;
            let wanted = rate.times(Exact::whole(net)).ok_or(TooMuch)?;
            let (exact, shrink) = self.given.within_budget(place, rule, wanted)?;
            if shrink == Exact::ONE {
                let scaled = rate.numerator().checked_mul(scale / rate.denominator()).ok_or(TooMuch)?;
                for (index, (line, sum)) in self.lines.iter().zip(sums.iter_mut()).enumerate() {
                    if selected.has(index) {
                        let share = scaled.checked_mul(i128::from(line.net)).ok_or(TooMuch)?;
                        *sum = sum.checked_add(share).ok_or(TooMuch)?;
                    }
                }
            } else {
                let rate = rate.times(shrink).ok_or(TooMuch)?;
                let shares = self.lines.iter().enumerate().map(|(index, line)| {
                    if selected.has(index) { rate.times(Exact::whole(line.net)) } else { Some(Exact::ZERO) }
                });
                shrunk.push(shares.collect::<Option<Vec<Exact>>>().ok_or(TooMuch)?);
            }
            if !exact.is_zero() {
                self.given.gave.push(place);
                let net = Money { amount: net, currency: self.currency };
                self.given.explanation.push(Reason::PerAmount { rule: rule.id.clone(), net, points, amount, exact });
            }
        }
        self.per_line =
            sums.into_iter().map(|sum| Exact::fraction(sum, scale)).collect::<Option<_>>().ok_or(TooMuch)?;
        for shares in shrunk {
            for (points, share) in self.per_line.iter_mut().zip(shares) {
                *points = points.plus(share).ok_or(TooMuch)?;
            }
        }
        Ok(())
    }

    fn net_of(&self, selected: &Selected) -> Result<i64, TooMuch> {
        let lines = self.lines.iter().enumerate().filter(|(index, _)| selected.has(*index));
        lines.map(|(_, line)| line.net).try_fold(0_i64, i64::checked_add).ok_or(TooMuch)
    }

    fn multipliers(&mut self) -> Result<(), TooMuch> {
        for (place, rule) in self.rules() {
            let Award::Multiply(factor) = rule.award else { continue };
            let selected = self.selected(rule);
            if matches!(selected, Selected::None) || self.given.used_up(place, rule) {
                continue;
            }
            let more = factor.minus(Exact::ONE).ok_or(TooMuch)?;
            let wanted = self.added(more, |index| selected.has(index))?;
            let (share, shrink) = self.given.within_budget(place, rule, wanted)?;
            self.multiply(more.times(shrink).ok_or(TooMuch)?, |index| selected.has(index))?;
            if !share.is_zero() {
                if share > Exact::ZERO {
                    self.given.gave.push(place);
                }
                self.given.explanation.push(Reason::Multiplied { rule: rule.id.clone(), factor, exact: share });
            }
        }
        Ok(())
    }

    fn level(&mut self) -> Result<(), TooMuch> {
        let Some(level) = self.program.level(self.facts.level) else { return Ok(()) };
        if level.multiply != Exact::ONE {
            let more = level.multiply.minus(Exact::ONE).ok_or(TooMuch)?;
            let share = self.added(more, |_| true)?;
            self.multiply(more, |_| true)?;
            if !share.is_zero() {
                let reason = Reason::LevelMultiplied { level: level.id.clone(), factor: level.multiply, exact: share };
                self.given.explanation.push(reason);
            }
        }
        Ok(())
    }

    /// What multiplying the selected lines by so much more adds.
    fn added(&self, more: Exact, selected: impl Fn(usize) -> bool) -> Result<Exact, TooMuch> {
        let lines = self.per_line.iter().enumerate().filter(|(index, _)| selected(*index));
        let points = lines.map(|(_, points)| *points).try_fold(Exact::ZERO, Exact::plus).ok_or(TooMuch)?;
        points.times(more).ok_or(TooMuch)
    }

    fn multiply(&mut self, more: Exact, selected: impl Fn(usize) -> bool) -> Result<(), TooMuch> {
        let factor = more.plus(Exact::ONE).ok_or(TooMuch)?;
        for (index, points) in self.per_line.iter_mut().enumerate() {
            if selected(index) && !points.is_zero() {
                *points = points.times(factor).ok_or(TooMuch)?;
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Awarded, TooMuch> {
        let exact = self.per_line.iter().try_fold(Exact::ZERO, |sum, points| sum.plus(*points)).ok_or(TooMuch)?;
        let mode = self.program.rounding;
        let mut points = exact.rounded(mode).ok_or(TooMuch)?;
        if exact != Exact::whole(points) {
            self.given.explanation.push(Reason::Rounded { mode, from: exact, to: points });
        }
        for (place, rule) in self.rules() {
            let Award::Points(fixed) = rule.award else { continue };
            if fixed > 0 && !matches!(self.selected(rule), Selected::None) && !self.given.used_up(place, rule) {
                let given = self.given.fixed(place, rule, fixed)?;
                points = points.checked_add(given).ok_or(TooMuch)?;
            }
        }
        if self.given.explanation.is_empty() {
            self.given.explanation.push(self.why_nothing());
        }
        Ok(self.given.awarded(points))
    }

    fn why_nothing(&self) -> Reason {
        let knows_currency = self.program.rules.iter().any(|rule| match rule.award {
            Award::PerAmount { currency, .. } => currency == self.currency,
            Award::Multiply(_) | Award::Points(_) => false,
        });
        if knows_currency { Reason::NoRuleApplied } else { Reason::NoRuleForCurrency { currency: self.currency } }
    }
}

impl Selected {
    fn has(&self, index: usize) -> bool {
        match self {
            Selected::None => false,
            Selected::All => true,
            Selected::Some(which) => which.get(index).copied().unwrap_or(false),
        }
    }
}

impl Rule {
    /// Whether a moment lies in the rule's window.
    #[must_use]
    pub fn in_window(&self, at: crate::calendar::Moment) -> bool {
        self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at < until)
    }
}

/// What is said of a campaign with nothing left to give.
pub(crate) const BUDGET_SPENT: &str = "its budget is spent";

/// A limit that is reached, in words.
#[must_use]
pub fn limit_words(times: u32, per: crate::calendar::Per) -> String {
    let count = if times == 1 { "once".to_owned() } else { format!("{times} times") };
    match per {
        crate::calendar::Per::Ever => format!("it serves a member {count}, and has"),
        crate::calendar::Per::Day
        | crate::calendar::Per::Week
        | crate::calendar::Per::Month
        | crate::calendar::Per::Year => {
            format!("it serves a member {count} a {}, and has", per.word())
        }
    }
}
