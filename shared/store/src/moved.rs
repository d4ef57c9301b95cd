//! What a refused commit says has moved.

use crate::command::{Failure, Subjects};
use crate::error::StoreError;
use crate::items::{self, Item};
use crate::pools::Pool;
use crate::write::Slot;
use loyalty_domain::account::Account;
use loyalty_domain::redemption::Redemption;

/// What a refused commit says about what has moved.
pub(crate) struct Moved<'a> {
    pub(crate) account: &'a mut Option<Account>,
    pub(crate) subjects: &'a mut Subjects,
    /// Pools of which a shard had too little left.
    pub(crate) short: Vec<Pool>,
}

impl Moved<'_> {
    fn redemption(&mut self, now: Redemption) {
        let known = self.subjects.redemptions.iter_mut().find(|known| known.id == now.id);
        if let Some(known) = known {
            *known = now;
        }
    }

    /// Takes over what stands there now. Gives the fact that was there already, which weighs more than what has moved.
    pub(crate) fn read(&mut self, slots: Vec<(Slot, Option<Item>)>) -> Result<Option<Item>, Failure> {
        let (mut fact, mut code_taken) = (None, false);
        for (slot, item) in slots {
            match (slot, item) {
                (Slot::Account, Some(item)) => *self.account = Some(items::body(&item)?),
                (Slot::PurchaseLeft, Some(item)) => self.subjects.purchase = Some(items::body(&item)?),
                (Slot::RedemptionLeft, Some(item)) => self.redemption(items::body(&item)?),
                (Slot::Purchase | Slot::Refund | Slot::Activity | Slot::Request | Slot::Redemption, Some(item)) => {
                    fact = Some(item);
                }
                (Slot::Pool(pool), _) => self.short.push(pool),
                // The redemption that was there already has its voucher; a code of another one would be a wonder.
                (Slot::Voucher, _) => code_taken = true,
                // An entry's number is taken only if the account has moved, which its own slot says.
                (Slot::Entry | Slot::Gift, _) => {}
                (slot @ (Slot::Person | Slot::Identity(_) | Slot::Code), _) => {
                    return Err(Failure::Taken(vec![(slot, None)]));
                }
                (
                    Slot::Account
                    | Slot::PurchaseLeft
                    | Slot::Purchase
                    | Slot::Refund
                    | Slot::Activity
                    | Slot::Request
                    | Slot::Redemption
                    | Slot::RedemptionLeft
                    | Slot::Free,
                    _,
                ) => {
                    return Err(StoreError::Corrupt("a condition failed that must hold").into());
                }
            }
        }
        if code_taken && fact.is_none() {
            return Err(StoreError::Corrupt("two vouchers have one code").into());
        }
        Ok(fact)
    }
}
