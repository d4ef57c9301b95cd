//! What totals and attributes can still be.

use super::sets::{Among, Span};
use crate::money::{Currency, MOST_MONEY, Money};
use crate::program::condition::{Attribute, AttributeTest};
use std::collections::{BTreeMap, BTreeSet};

/// What the net total of a purchase can be: an amount of one currency.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Totals {
    of: BTreeMap<Currency, Span>,
    /// Of currencies that are not named.
    elsewhere: Span,
}

/// No purchase costs less than nothing or more than any shop's.
const COSTS: Span = Span { least: 0, most: MOST_MONEY };

impl Totals {
    pub(super) const fn anything() -> Self {
        Totals { of: BTreeMap::new(), elsewhere: COSTS }
    }

    pub(super) fn only_in(currency: Currency) -> Self {
        Totals { of: BTreeMap::from([(currency, COSTS)]), elsewhere: Span::NONE }
    }

    /// At least that in its currency; or less, or another currency.
    pub(super) fn at_least(least: Money, wanted: bool) -> Self {
        let span = COSTS.meet(Span::at_least(least.amount, wanted));
        let elsewhere = if wanted { Span::NONE } else { COSTS };
        Totals { of: BTreeMap::from([(least.currency, span)]), elsewhere }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.elsewhere.is_empty() && self.of.values().all(|span| span.is_empty())
    }

    pub(super) fn meet(&mut self, other: &Self) {
        self.with(other, Span::meet);
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.with(other, Span::join);
    }

    fn with(&mut self, other: &Self, combine: fn(Span, Span) -> Span) {
        let currencies: BTreeSet<Currency> = self.of.keys().chain(other.of.keys()).copied().collect();
        let both =
            currencies.into_iter().map(|currency| (currency, combine(self.span(currency), other.span(currency))));
        self.of = both.collect();
        self.elsewhere = combine(self.elsewhere, other.elsewhere);
    }

    fn span(&self, currency: Currency) -> Span {
        self.of.get(&currency).copied().unwrap_or(self.elsewhere)
    }
}

/// What an attribute of an activity can be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Values<'a> {
    missing: bool,
    yes: bool,
    no: bool,
    numbers: Span,
    /// Numbers among them that it is not.
    but: BTreeSet<i64>,
    texts: Among<&'a str>,
}

impl<'a> Values<'a> {
    pub(super) const fn anything() -> Self {
        Values {
            missing: true,
            yes: true,
            no: true,
            numbers: Span::ALL,
            but: BTreeSet::new(),
            texts: Among::anything(),
        }
    }

    const fn nothing() -> Self {
        Values {
            missing: false,
            yes: false,
            no: false,
            numbers: Span::NONE,
            but: BTreeSet::new(),
            texts: Among::Only(BTreeSet::new()),
        }
    }

    /// What passes a test, or what does not.
    pub(super) fn of(test: &'a AttributeTest, wanted: bool) -> Self {
        let others = if wanted { Values::nothing() } else { Values::anything() };
        match test {
            AttributeTest::Equals(Attribute::Bool(true)) => Values { yes: wanted, ..others },
            AttributeTest::Equals(Attribute::Bool(false)) => Values { no: wanted, ..others },
            AttributeTest::Equals(Attribute::Int(number)) if wanted => {
                Values { numbers: Span { least: *number, most: *number }, ..others }
            }
            AttributeTest::Equals(Attribute::Int(number)) => Values { but: BTreeSet::from([*number]), ..others },
            AttributeTest::Equals(Attribute::Text(text)) => {
                Values { texts: Among::of([text.as_str()], wanted), ..others }
            }
            AttributeTest::AtLeast(least) => Values { numbers: Span::at_least(*least, wanted), ..others },
            AttributeTest::AtMost(most) => Values { numbers: Span::at_most(*most, wanted), ..others },
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.missing && !self.yes && !self.no && self.texts.is_empty() && self.has_no_number()
    }

    fn has_no_number(&self) -> bool {
        let Span { mut least, most } = self.numbers;
        while least <= most && self.but.contains(&least) {
            let Some(next) = least.checked_add(1) else { return true };
            least = next;
        }
        least > most
    }

    pub(super) fn meet(&mut self, other: &Self) {
        self.missing &= other.missing;
        self.yes &= other.yes;
        self.no &= other.no;
        self.numbers = self.numbers.meet(other.numbers);
        self.but.extend(&other.but);
        self.texts.meet(&other.texts);
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.missing |= other.missing;
        self.yes |= other.yes;
        self.no |= other.no;
        self.numbers = self.numbers.join(other.numbers);
        self.but = &self.but & &other.but;
        self.texts.join(&other.texts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_meet_exactly_and_are_never_thought_less_than_they_are() {
        let money = |code: &str, amount| Money { amount, currency: Currency::of(code).unwrap() };
        let clauses = [money("EUR", 0), money("EUR", 1), money("EUR", 2), money("USD", 1)];
        let every: Vec<(Money, bool)> = clauses.iter().flat_map(|money| [(*money, true), (*money, false)]).collect();
        let cases = ["EUR", "USD", "CHF"].into_iter().flat_map(|code| (0..4).map(move |amount| money(code, amount)));
        let cases: Vec<Money> = cases.collect();
        let holds = |case: &Money, (least, wanted): (Money, bool)| {
            (case.currency == least.currency && case.amount >= least.amount) == wanted
        };
        let has = |totals: &Totals, case: &Money| {
            !totals.span(case.currency).meet(Span { least: case.amount, most: case.amount }).is_empty()
        };
        for a in &every {
            for b in &every {
                let (one, two) = (Totals::at_least(a.0, a.1), Totals::at_least(b.0, b.1));
                let (mut met, mut joined) = (one.clone(), one);
                met.meet(&two);
                joined.join(&two);
                for case in &cases {
                    assert_eq!(has(&met, case), holds(case, *a) && holds(case, *b), "{a:?} {b:?} {case}");
                    assert!(has(&joined, case) || !(holds(case, *a) || holds(case, *b)), "{a:?} {b:?} {case}");
                }
                assert_eq!(met.is_empty(), !cases.iter().any(|case| has(&met, case)));
            }
        }
    }

    #[test]
    fn attributes_meet_exactly_and_are_never_thought_less_than_they_are() {
        let equals = |value: Attribute| AttributeTest::Equals(value);
        let tests = [
            equals(Attribute::Int(1)),
            equals(Attribute::Int(2)),
            equals(Attribute::Bool(true)),
            equals(Attribute::Bool(false)),
            equals(Attribute::Text("a".to_owned())),
            AttributeTest::AtLeast(1),
            AttributeTest::AtMost(2),
        ];
        let has = |values: &Values<'_>, case: &Option<Attribute>| match case {
            None => values.missing,
            Some(Attribute::Bool(true)) => values.yes,
            Some(Attribute::Bool(false)) => values.no,
            Some(Attribute::Int(number)) => {
                let Span { least, most } = values.numbers;
                least <= *number && *number <= most && !values.but.contains(number)
            }
            Some(Attribute::Text(text)) => match &values.texts {
                Among::Only(texts) => texts.contains(text.as_str()),
                Among::Except(texts) => !texts.contains(text.as_str()),
            },
        };
        let mut cases: Vec<Option<Attribute>> = (0..4).map(|number| Some(Attribute::Int(number))).collect();
        cases.extend([true, false].map(|yes| Some(Attribute::Bool(yes))));
        cases.extend(["a", "b"].map(|text| Some(Attribute::Text(text.to_owned()))));
        cases.push(None);
        let every: Vec<(&AttributeTest, bool)> = tests.iter().flat_map(|test| [(test, true), (test, false)]).collect();
        let holds = |case: &Option<Attribute>, (test, wanted): (&AttributeTest, bool)| {
            case.as_ref().is_some_and(|value| test.holds(value)) == wanted
        };
        for a in &every {
            for b in &every {
                let (one, two) = (Values::of(a.0, a.1), Values::of(b.0, b.1));
                let (mut met, mut joined) = (one.clone(), one);
                met.meet(&two);
                joined.join(&two);
                for case in &cases {
                    assert_eq!(has(&met, case), holds(case, *a) && holds(case, *b), "{a:?} {b:?} {case:?}");
                    assert!(has(&joined, case) || !(holds(case, *a) || holds(case, *b)), "{a:?} {b:?} {case:?}");
                }
                assert_eq!(met.is_empty(), !cases.iter().any(|case| has(&met, case)), "{a:?} {b:?}");
            }
        }
    }
}
