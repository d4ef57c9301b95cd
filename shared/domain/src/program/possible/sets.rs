//! Sets of what a fact can still be, of which only the outside is known: none of them ever leaves out what can be.

use std::collections::BTreeSet;

/// What one thing can be: one of these, or anything but these.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Among<T> {
    Only(BTreeSet<T>),
    Except(BTreeSet<T>),
}

impl<T: Ord + Copy> Among<T> {
    pub(super) const fn anything() -> Self {
        Among::Except(BTreeSet::new())
    }

    pub(super) fn only(values: impl IntoIterator<Item = T>) -> Self {
        Among::Only(values.into_iter().collect())
    }

    /// One of the values, or none of them.
    pub(super) fn of(values: impl IntoIterator<Item = T>, wanted: bool) -> Self {
        let values = values.into_iter().collect();
        if wanted { Among::Only(values) } else { Among::Except(values) }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Among::Only(values) if values.is_empty())
    }

    pub(super) fn meet(&mut self, other: &Self) {
        *self = match (&*self, other) {
            (Among::Only(a), Among::Only(b)) => Among::Only(a & b),
            (Among::Only(only), Among::Except(except)) | (Among::Except(except), Among::Only(only)) => {
                Among::Only(only - except)
            }
            (Among::Except(a), Among::Except(b)) => Among::Except(a | b),
        };
    }

    pub(super) fn join(&mut self, other: &Self) {
        *self = match (&*self, other) {
            (Among::Only(a), Among::Only(b)) => Among::Only(a | b),
            (Among::Only(only), Among::Except(except)) | (Among::Except(except), Among::Only(only)) => {
                Among::Except(except - only)
            }
            (Among::Except(a), Among::Except(b)) => Among::Except(a & b),
        };
    }
}

/// Whole numbers from one to another, both included; none if the first is more than the last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Span {
    pub(super) least: i64,
    pub(super) most: i64,
}

impl Span {
    pub(super) const ALL: Span = Span { least: i64::MIN, most: i64::MAX };
    pub(super) const NONE: Span = Span { least: 1, most: 0 };

    /// At least that, or less.
    pub(super) fn at_least(least: i64, wanted: bool) -> Self {
        match least.checked_sub(1) {
            _ if wanted => Span { least, ..Span::ALL },
            Some(most) => Span { most, ..Span::ALL },
            None => Span::NONE,
        }
    }

    /// At most that, or more.
    pub(super) fn at_most(most: i64, wanted: bool) -> Self {
        match most.checked_add(1) {
            _ if wanted => Span { most, ..Span::ALL },
            Some(least) => Span { least, ..Span::ALL },
            None => Span::NONE,
        }
    }

    pub(super) fn is_empty(self) -> bool {
        self.least > self.most
    }

    pub(super) fn meet(self, other: Span) -> Self {
        Span { least: self.least.max(other.least), most: self.most.min(other.most) }
    }

    pub(super) fn join(self, other: Span) -> Self {
        match (self.is_empty(), other.is_empty()) {
            (true, _) => other,
            (_, true) => self,
            (false, false) => Span { least: self.least.min(other.least), most: self.most.max(other.most) },
        }
    }
}

/// Lists of which something is needed that are remembered; beyond, nothing is concluded from them.
const MOST_NEEDED: usize = 64;

/// What can be in a set of things, such as the tags of a member.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Held<T> {
    /// None of these.
    without: BTreeSet<T>,
    /// At least one of each.
    needed: Vec<BTreeSet<T>>,
}

impl<T: Ord + Copy> Held<T> {
    pub(super) const fn anything() -> Self {
        Held { without: BTreeSet::new(), needed: Vec::new() }
    }

    /// Holds one of the values, or none of them.
    pub(super) fn demand(&mut self, values: impl IntoIterator<Item = T>, wanted: bool) {
        if !wanted {
            self.without.extend(values);
        } else if self.needed.len() < MOST_NEEDED {
            self.needed.push(values.into_iter().collect());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.needed.iter().any(|needed| needed.is_subset(&self.without))
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.without = &self.without & &other.without;
        // What needs one of a few needs one of many, too.
        let implied = |needed: &BTreeSet<T>, by: &Self| by.needed.iter().any(|narrow| narrow.is_subset(needed));
        let mut needed: Vec<BTreeSet<T>> = self.needed.iter().filter(|set| implied(set, other)).cloned().collect();
        for set in &other.needed {
            if needed.len() < MOST_NEEDED && !needed.contains(set) && implied(set, self) {
                needed.push(set.clone());
            }
        }
        self.needed = needed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every subset of three things.
    fn subsets() -> impl Iterator<Item = BTreeSet<u8>> {
        (0..8_u8).map(|bits| (0..3).filter(|bit| bits >> bit & 1 == 1).collect())
    }

    #[test]
    fn what_a_thing_can_be_meets_and_joins_as_sets_do() {
        let has = |among: &Among<u8>, value: &u8| match among {
            Among::Only(values) => values.contains(value),
            Among::Except(values) => !values.contains(value),
        };
        let all = || subsets().flat_map(|values| [Among::Only(values.clone()), Among::Except(values)]);
        for (a, b) in all().flat_map(|a| all().map(move |b| (a.clone(), b))) {
            let (mut met, mut joined) = (a.clone(), a.clone());
            met.meet(&b);
            joined.join(&b);
            // 3 stands for everything that is not named.
            for value in 0..4 {
                assert_eq!(has(&met, &value), has(&a, &value) && has(&b, &value), "{a:?} {b:?}");
                assert_eq!(has(&joined, &value), has(&a, &value) || has(&b, &value), "{a:?} {b:?}");
            }
            assert_eq!(met.is_empty(), (0..4).all(|value| !has(&met, &value)));
        }
    }

    #[test]
    fn spans_meet_exactly_and_join_to_the_least_span_around_both() {
        let spans = || (0..5).flat_map(|least| (0..5).map(move |most| Span { least, most }));
        let has = |span: Span, value| span.least <= value && value <= span.most;
        for (a, b) in spans().flat_map(|a| spans().map(move |b| (a, b))) {
            let (met, joined) = (a.meet(b), a.join(b));
            let ends = [a, b].into_iter().filter(|span| !span.is_empty()).flat_map(|span| [span.least, span.most]);
            let (least, most) = (ends.clone().min(), ends.max());
            for value in 0..5 {
                assert_eq!(has(met, value), has(a, value) && has(b, value), "{a:?} {b:?}");
                let between = least.is_some_and(|least| least <= value) && most.is_some_and(|most| value <= most);
                assert_eq!(has(joined, value), between, "{a:?} {b:?}");
            }
        }
        for bound in [i64::MIN, -1, 0, i64::MAX] {
            for value in [i64::MIN, -2, -1, 0, 1, i64::MAX] {
                assert_eq!(has(Span::at_least(bound, true), value), value >= bound);
                assert_eq!(has(Span::at_least(bound, false), value), value < bound);
                assert_eq!(has(Span::at_most(bound, true), value), value <= bound);
                assert_eq!(has(Span::at_most(bound, false), value), value > bound);
            }
        }
    }

    #[test]
    fn what_is_held_is_never_thought_less_than_it_is() {
        let fits = |held: &Held<u8>, set: &BTreeSet<u8>| {
            held.without.is_disjoint(set) && held.needed.iter().all(|needed| !needed.is_disjoint(set))
        };
        let demanded = |one: &BTreeSet<u8>, two: &BTreeSet<u8>, without: &BTreeSet<u8>| {
            let mut held = Held::anything();
            held.demand(one.iter().copied(), true);
            held.demand(two.iter().copied(), true);
            held.demand(without.iter().copied(), false);
            held
        };
        let mut all = Vec::new();
        for one in subsets().skip(1) {
            for two in subsets().skip(1) {
                all.extend(subsets().map(|without| demanded(&one, &two, &without)));
            }
        }
        for (index, a) in all.iter().enumerate() {
            assert_eq!(a.is_empty(), !subsets().any(|set| fits(a, &set)), "{a:?}");
            for b in all.iter().skip(index % 7).step_by(7) {
                let mut joined = a.clone();
                joined.join(b);
                for set in subsets().filter(|set| fits(a, set) || fits(b, set)) {
                    assert!(fits(&joined, &set), "{a:?} {b:?}");
                }
            }
        }
    }
}
