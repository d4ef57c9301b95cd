//! Which lot points are granted into: when they can be spent, and when they end.

use crate::account::Account;
use crate::calendar::{Moment, plus_days, plus_months};
use crate::lots::LotKey;
use crate::program::{Expiry, Program, Snap};

/// Points that live longer than this end with a month, so that an account's lots stay few.
const MOST_MONTHS_BY_DAY: i32 = 13;

/// The lot for points of a purchase of that moment, in the member's zone: pending until the first instant of the local
/// day `pending_days` later, living `after_months` from the local day to the end of a day or month. Computed once and
/// stored; what is already active says so.
#[must_use]
pub fn lot(account: &Account, program: &Program, occurred_at: Moment) -> LotKey {
    let zone = account.zone(program);
    let day = zone.date_at(occurred_at);
    let pending = program.points.pending_days;
    let activates_at = (pending > 0).then(|| zone.start_of(plus_days(day, pending)));
    LotKey { activates_at, ..active_lot(account, program, occurred_at) }
}

/// The same for points that can be spent at once.
#[must_use]
pub fn active_lot(account: &Account, program: &Program, from: Moment) -> LotKey {
    let zone = account.zone(program);
    let expires_at = match program.points.expiry {
        Expiry::Never => None,
        Expiry::AfterMonths { months, snap } => {
            let day = plus_months(zone.date_at(from), months);
            let by_month = snap == Snap::EndOfMonth || months > MOST_MONTHS_BY_DAY;
            Some(if by_month { zone.end_of_month(day) } else { zone.end_of(day) })
        }
    };
    let notice_days = if expires_at.is_some() { program.points.notice_days } else { 0 };
    LotKey { activates_at: None, expires_at, notice_days, noticed_at: None }
}
