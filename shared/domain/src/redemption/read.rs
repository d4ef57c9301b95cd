//! Reads the bodies of requests that spend points.

use super::Ask;
use crate::id::{CallerId, caller_id};
use crate::identity::{Reference, reference};
use crate::json::{Faults, Json, Object, Path, integer_within, text};
use crate::money::{MOST_MONEY, currency};
use crate::voucher::{BadCode, Code};

/// Points of one redemption, at most.
const MOST_POINTS: i64 = 1_000_000_000;

/// A request to redeem a reward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedeemRequest {
    /// For whom.
    pub member: Reference,
    /// What.
    pub ask: Ask,
}

/// A till that uses a voucher for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoucherUse {
    /// Its code.
    pub code: Code,
    /// Where the order is made.
    pub channel: CallerId,
    /// Its number there.
    pub order_id: CallerId,
}

/// Reads a request to redeem a reward.
pub fn redeem_body(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<RedeemRequest> {
    let mut object = Object::new(json, at, faults)?;
    let member = object.required("member", faults, reference);
    let reward = object.required("reward_id", faults, caller_id);
    let points = object.optional("points", faults, integer_within(1, MOST_POINTS));
    let currency = object.optional("currency", faults, currency);
    let basket_total = object.optional("basket_total", faults, integer_within(0, MOST_MONEY));
    object.finish(faults);
    let ask = Ask { reward: reward?, points, currency, basket_total };
    Some(RedeemRequest { member: member?, ask })
}

/// Reads a request to capture what is held: how many points of it, or all.
pub fn capture_body(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Option<i64>> {
    let mut object = Object::new(json, at, faults)?;
    let points = object.optional("points", faults, integer_within(1, MOST_POINTS));
    object.finish(faults);
    Some(points)
}

/// Reads a request to call a redemption off, which says nothing else.
pub fn cancel_body(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<()> {
    Object::new(json, at, faults)?.finish(faults);
    Some(())
}

/// Reads a till's question about a code.
pub fn voucher_lookup_body(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Code> {
    let mut object = Object::new(json, at, faults)?;
    let code = object.required("code", faults, code);
    object.finish(faults);
    code
}

/// Reads a till's use of a code for an order.
pub fn voucher_use_body(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<VoucherUse> {
    let mut object = Object::new(json, at, faults)?;
    let code = object.required("code", faults, code);
    let channel = object.required("channel", faults, caller_id);
    let order_id = object.required("order_id", faults, caller_id);
    object.finish(faults);
    Some(VoucherUse { code: code?, channel: channel?, order_id: order_id? })
}

/// A code that is no code at all is one that cannot be meant: whoever typed it mistyped it.
fn code(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Code> {
    match Code::parse(text(json, at, faults)?) {
        Ok(code) => Some(code),
        Err(BadCode) => {
            faults.meaningless(at, "is not a voucher code: it is mistyped");
            None
        }
    }
}
