//! Lots: points with one expiry.
//!
//! Active lots with the same expiry and the same notice are one lot, and so are pending ones that activate together too.
//! Order in which lots are kept: active before pending, these by the day they activate; then by stored expiry, never
//! last; then those that had their notice, the earlier first; then by the days of notice they are owed.
//! Order in which points are spent: by the end that a member is shown, soonest first, never last; ties as kept.

use crate::calendar::Moment;
use serde::{Deserialize, Serialize};

/// The most lots an account holds. Month ends bound long lives and day ends short ones well below it.
pub const MOST_LOTS: usize = 400;

/// What tells one lot from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LotKey {
    /// When pending points can be spent; none for active ones.
    pub activates_at: Option<Moment>,
    /// The stored expiry; none for points that live for ever. Computed once, when granted.
    pub expires_at: Option<Moment>,
    /// How many days of notice its points were promised; 0: none.
    pub notice_days: u16,
    /// When its notice was recorded.
    pub noticed_at: Option<Moment>,
}

/// Points with one expiry; more than 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot {
    /// Which.
    pub key: LotKey,
    /// How many.
    pub points: i64,
}

/// How many points an entry put into a lot, or, negative, took out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// The lot.
    pub lot: LotKey,
    /// Signed.
    pub points: i64,
}

/// A draw that cannot be: more than the lot holds, or beyond counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a draw does not fit its lot")]
pub struct BadDraw;

/// The lots of an account, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lots(Vec<Lot>);

impl LotKey {
    /// Whether its points can be spent.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.activates_at.is_none()
    }

    /// When its points end, seen from a moment; none for never. A lot ends at the later of its stored expiry and so many
    /// days after its notice was recorded; a notice that is owed counts as given at the moment of asking.
    #[must_use]
    pub fn end(&self, as_of: Moment) -> Option<Moment> {
        let expires_at = self.expires_at?;
        let days = i64::from(self.notice_days);
        let noticed_at = match self.noticed_at {
            _ if days == 0 => return Some(expires_at),
            Some(noticed_at) => noticed_at,
            None if self.notice_due().is_some_and(|due| due <= as_of) => as_of,
            None => return Some(expires_at),
        };
        Some(expires_at.max(noticed_at.plus_days(days)))
    }

    /// From when on its notice is owed; none if it is given or none is owed.
    #[must_use]
    pub fn notice_due(&self) -> Option<Moment> {
        match (self.expires_at, self.noticed_at) {
            (Some(expires_at), None) if self.notice_days > 0 => {
                Some(expires_at.plus_days(-i64::from(self.notice_days)))
            }
            (Some(_) | None, _) => None,
        }
    }

    /// The next moment at which something must be written about it.
    #[must_use]
    pub fn next_due(&self) -> Option<Moment> {
        self.notice_due().or_else(|| self.end(Moment::from_millis(i64::MIN)))
    }

    fn order(&self) -> (Option<Moment>, i64, bool, Option<Moment>, u16) {
        let expires = self.expires_at.map_or(i64::MAX, Moment::millis);
        (self.activates_at, expires, self.noticed_at.is_none(), self.noticed_at, self.notice_days)
    }

    fn spend_order(&self, as_of: Moment) -> (bool, i64) {
        (!self.is_active(), self.end(as_of).map_or(i64::MAX, Moment::millis))
    }

    /// Whether its points came back after their lot had ended, and live on for some days once and for all: they had a
    /// notice though none was owed any more.
    #[must_use]
    pub const fn had_grace(&self) -> bool {
        self.notice_days == 0 && self.noticed_at.is_some()
    }

    /// The lot's key once it is active.
    #[must_use]
    pub const fn activated(self) -> Self {
        Self { activates_at: None, ..self }
    }
}

impl Lots {
    /// The lots in order.
    pub fn iter(&self) -> impl Iterator<Item = &Lot> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// All points, which may be more than one number of 64 bits can say.
    #[must_use]
    pub fn total(&self) -> i128 {
        self.0.iter().map(|lot| i128::from(lot.points)).sum()
    }

    /// Points that can be spent.
    #[must_use]
    pub fn available(&self) -> i64 {
        self.0.iter().filter(|lot| lot.key.is_active()).fold(0, |sum, lot| sum.saturating_add(lot.points))
    }

    /// Points that are not active yet.
    #[must_use]
    pub fn pending(&self) -> i64 {
        self.0.iter().filter(|lot| !lot.key.is_active()).fold(0, |sum, lot| sum.saturating_add(lot.points))
    }

    /// Makes active what has come to its day. Nothing is written for it: the day decides.
    pub fn activate(&mut self, now: Moment) {
        let mut index = 0;
        while let Some(lot) = self.0.get(index).copied() {
            if lot.key.activates_at.is_some_and(|at| at <= now) {
                self.0.remove(index);
                self.merge(Lot { key: lot.key.activated(), points: lot.points });
                // What was merged stands before, or has taken this place: nothing is skipped.
                index = 0;
            } else {
                index += 1;
            }
        }
    }

    fn merge(&mut self, lot: Lot) {
        match self.0.binary_search_by_key(&lot.key.order(), |other| other.key.order()) {
            Ok(found) => {
                if let Some(other) = self.0.get_mut(found) {
                    other.points = other.points.saturating_add(lot.points);
                }
            }
            Err(place) => self.0.insert(place, lot),
        }
    }

    /// Carries out a draw.
    ///
    /// # Errors
    /// [`BadDraw`] if the lot does not hold what is taken, or would hold too much.
    pub fn draw(&mut self, draw: Draw) -> Result<(), BadDraw> {
        let found = self.0.binary_search_by_key(&draw.lot.order(), |lot| lot.key.order());
        let holds = found.ok().and_then(|index| self.0.get(index)).map_or(0, |lot| lot.points);
        let after = holds.checked_add(draw.points).filter(|after| *after >= 0).ok_or(BadDraw)?;
        match found {
            Ok(index) if after == 0 => {
                self.0.remove(index);
            }
            Ok(index) => {
                if let Some(lot) = self.0.get_mut(index) {
                    lot.points = after;
                }
            }
            Err(_) if after == 0 => {}
            Err(place) => self.0.insert(place, Lot { key: draw.lot, points: after }),
        }
        Ok(())
    }

    /// Marks a lot's notice as recorded; a lot that is not there is not marked.
    pub fn notice(&mut self, key: LotKey, at: Moment) {
        if let Ok(index) = self.0.binary_search_by_key(&key.order(), |lot| lot.key.order()) {
            let lot = self.0.remove(index);
            self.merge(Lot { key: LotKey { noticed_at: Some(at), ..key }, points: lot.points });
        }
    }

    /// The draws that would take up to so many points in spend order, active before pending, and how many they take.
    pub fn take(&self, most: i64, as_of: Moment, which: impl Fn(&LotKey) -> bool) -> (Vec<Draw>, i64) {
        let mut order: Vec<&Lot> = self.0.iter().filter(|lot| which(&lot.key)).collect();
        order.sort_by_key(|lot| lot.key.spend_order(as_of));
        let (mut draws, mut left) = (Vec::new(), most);
        for lot in order {
            let points = lot.points.min(left);
            if points > 0 {
                draws.push(Draw { lot: lot.key, points: -points });
                left -= points;
            }
        }
        (draws, most - left)
    }

    /// The lot that now holds the points that a credit put under a key at a moment: activated since, perhaps, and with
    /// the first notice that was recorded since. A credit whose notice was owed already was noticed with it. Where its
    /// lot is emptied, the next one of the same end that was noticed later stands for it.
    #[must_use]
    pub fn successor(&self, credited: LotKey, credited_at: Moment, now: Moment) -> LotKey {
        let pending = credited.activates_at.filter(|at| *at > now);
        let key = LotKey { activates_at: pending, ..credited };
        if credited.notice_due().is_some_and(|due| due <= credited_at) {
            return LotKey { noticed_at: Some(credited_at), ..key };
        }
        self.0
            .iter()
            .map(|lot| lot.key)
            .filter(|lot| LotKey { noticed_at: None, ..*lot } == LotKey { noticed_at: None, ..key })
            .filter(|lot| lot.noticed_at.is_some_and(|at| at >= credited_at))
            .min_by_key(|lot| lot.noticed_at)
            .unwrap_or(key)
    }

    /// The key under which a credit is put: its own, or, where the account can hold no further lot, the lot of the same
    /// kind that ends next after it, so that no point ends early.
    ///
    /// # Errors
    /// [`BadDraw`] if there is none.
    pub fn place(&self, key: LotKey) -> Result<LotKey, BadDraw> {
        if self.0.len() < MOST_LOTS || self.0.iter().any(|lot| lot.key == key) {
            return Ok(key);
        }
        let later = |lot: &&Lot| match (lot.key.expires_at, key.expires_at) {
            (None, _) => true,
            (Some(theirs), Some(ours)) => theirs >= ours,
            (Some(_), None) => false,
        };
        let alike =
            self.0.iter().filter(|lot| lot.key.activates_at == key.activates_at && lot.key.noticed_at.is_none());
        alike.filter(later).map(|lot| lot.key).next().ok_or(BadDraw)
    }

    /// The key under which active points come back: as [`Lots::place`], or, where no lot ends later, the lot that ends last;
    /// points that come back cannot be refused.
    #[must_use]
    pub fn shelter(&self, key: LotKey) -> LotKey {
        let last = || self.0.iter().rfind(|lot| lot.key.is_active()).map_or(key, |lot| lot.key);
        self.place(key).unwrap_or_else(|_| last())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> Moment {
        Moment::from_millis(0).plus_days(day)
    }

    fn key(activates: Option<i64>, expires: Option<i64>) -> LotKey {
        LotKey { activates_at: activates.map(at), expires_at: expires.map(at), notice_days: 0, noticed_at: None }
    }

    fn lots(all: &[(LotKey, i64)]) -> Lots {
        let mut lots = Lots::default();
        for (lot, points) in all {
            lots.draw(Draw { lot: *lot, points: *points }).unwrap();
        }
        lots
    }

    #[test]
    fn points_are_spent_by_soonest_expiry_and_never_expiring_ones_last() {
        let lots = lots(&[
            (key(None, None), 5),
            (key(None, Some(20)), 5),
            (key(None, Some(10)), 5),
            (key(Some(1), Some(2)), 5),
        ]);
        let (draws, taken) = lots.take(12, at(0), LotKey::is_active);
        let seen: Vec<_> = draws.iter().map(|d| (d.lot.expires_at, d.points)).collect();
        assert_eq!(seen, [(Some(at(10)), -5), (Some(at(20)), -5), (None, -2)]);
        assert_eq!(taken, 12);
    }

    #[test]
    fn pending_points_join_the_active_lot_of_the_same_expiry_on_their_day() {
        let mut lots = lots(&[(key(None, Some(10)), 3), (key(Some(4), Some(10)), 4), (key(Some(5), Some(10)), 5)]);
        lots.activate(at(4));
        assert_eq!((lots.available(), lots.pending(), lots.count()), (7, 5, 2));
        lots.activate(at(5));
        assert_eq!((lots.available(), lots.pending(), lots.count()), (12, 0, 1));
    }

    #[test]
    fn no_lot_goes_below_nothing() {
        let mut lots = lots(&[(key(None, Some(10)), 3)]);
        assert_eq!(lots.draw(Draw { lot: key(None, Some(10)), points: -4 }), Err(BadDraw));
        assert_eq!(lots.draw(Draw { lot: key(None, Some(11)), points: -1 }), Err(BadDraw));
        assert_eq!(lots.available(), 3);
    }

    #[test]
    fn a_lot_ends_at_the_later_of_its_expiry_and_its_days_after_the_notice() {
        let owed = LotKey { notice_days: 30, ..key(None, Some(100)) };
        assert_eq!(owed.end(at(69)), Some(at(100)), "no notice is owed yet");
        assert_eq!(owed.end(at(90)), Some(at(120)), "an owed notice counts as given at the moment of asking");
        let given = LotKey { noticed_at: Some(at(70)), ..owed };
        assert_eq!(given.end(at(99)), Some(at(100)));
        let late = LotKey { noticed_at: Some(at(95)), ..owed };
        assert_eq!(late.end(at(200)), Some(at(125)));
    }

    #[test]
    fn a_credit_is_found_again_after_activation_and_notice() {
        let plain = LotKey { notice_days: 30, ..key(None, Some(100)) };
        let mut all = lots(&[(plain, 5)]);
        all.notice(plain, at(70));
        all.draw(Draw { lot: plain, points: 7 }).unwrap();
        let credited = LotKey { activates_at: Some(at(3)), ..plain };
        assert_eq!(all.successor(credited, at(1), at(80)).noticed_at, Some(at(70)), "credited before the notice");
        assert_eq!(all.successor(plain, at(69), at(69)).noticed_at, Some(at(70)), "whenever it is asked");
        assert_eq!(all.successor(credited, at(1), at(2)), credited, "still pending");
        assert_eq!(all.successor(plain, at(75), at(80)).noticed_at, Some(at(75)), "credited after it, noticed at once");
    }
}
