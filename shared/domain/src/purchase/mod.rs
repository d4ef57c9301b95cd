//! Purchases: what a till tells, what is kept of it, and what is left after refunds.

mod judge;
mod paid;

pub use judge::{PurchaseDecision, Quote, claim, quote, record, record_guest};
pub(crate) use judge::{budget_uses, budgets_left, units_of, used_up, uses};
pub use paid::{PaidWith, spread};

use crate::award::{AwardLine, Caps};
use crate::calendar::Moment;
use crate::entry::Entry;
use crate::goal::Counted;
use crate::id::{CallerId, Label, MemberId, RedemptionId, RuleId};
use crate::lots::LotKey;
use crate::money::{Currency, Money};
use crate::program::Program;
use crate::program::condition::{Facts, LineFacts};
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};

/// Business times may be so many minutes ahead of our clock; they count as now.
pub const MINUTES_AHEAD: i64 = 5;

/// A purchase as the till tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Where it was made. With the order id, what makes it one fact for ever.
    pub channel: CallerId,
    /// Its number there.
    pub order_id: CallerId,
    /// When it was made, as told.
    pub occurred_at: Moment,
    /// Its currency.
    pub currency: Currency,
    /// The store.
    pub store: Option<Label>,
    /// What was bought; 1 to 1,000 lines.
    pub lines: Vec<OrderLine>,
    /// The redemptions that paid for a part of it.
    pub paid_with: Vec<RedemptionId>,
}

/// A line of a purchase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// Unique within the purchase.
    pub line_id: CallerId,
    /// The product.
    pub sku: Option<Label>,
    /// Its categories.
    pub categories: Vec<Label>,
    /// How many; at least 1.
    pub quantity: i64,
    /// What the customer pays for the whole line, in minor units; at least 0.
    pub net: i64,
}

/// A recorded purchase: what was told, what it was judged by, and what is left of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    /// Where it was made.
    pub channel: CallerId,
    /// Its number there.
    pub order_id: CallerId,
    /// Grows by one with each refund.
    pub version: u64,
    /// When it was made, as told.
    pub occurred_at: Moment,
    /// When it was recorded.
    pub recorded_at: Moment,
    /// Its currency.
    pub currency: Currency,
    /// The store.
    pub store: Option<Label>,
    /// What was bought, and what is left of it.
    pub lines: Vec<Line>,
    /// A digest of how the request named the member, to tell a retry from another request; none for guests.
    pub reference: Option<[u8; 16]>,
    /// What the points came from; none for guests.
    pub award: Option<Recorded>,
    /// What points paid of it.
    pub paid: Vec<PaidWith>,
}

/// A line and what is left of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// As bought.
    pub bought: OrderLine,
    /// How many are left.
    pub quantity_left: i64,
    /// What of the net is left.
    pub net_left: i64,
}

/// What a purchase was awarded, and all that its refunds need to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Who got the points.
    pub member: MemberId,
    /// What it was judged by.
    pub frozen: Frozen,
    /// Points first awarded.
    pub first: i64,
    /// Points left after refunds.
    pub left: i64,
    /// Points that clawbacks did not find and let go, less what was given back since.
    pub forgiven: i64,
    /// The lot that was credited.
    pub lot: LotKey,
    /// The day under which its qualifying units are counted.
    pub units_bucket: i32,
    /// What it counted for goals.
    pub counted: Vec<Counted>,
    /// The entries of the purchase itself, for a retry.
    pub entries: Vec<Entry>,
}

/// The facts a purchase was judged by. Refunds are judged by the same, whatever has changed since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// The program version in force when it occurred.
    pub version: u32,
    /// When it occurred, as far as the rules are concerned.
    pub occurred_at: Moment,
    /// The member's level then, by its place in that version.
    pub level: usize,
    /// The member's tags that the version's conditions mention, by their places.
    pub tags: Vec<usize>,
    /// Whether it was the first purchase.
    pub first_purchase: bool,
    /// Whole days of membership then.
    pub member_days: i64,
    /// Rules whose limit was reached, by their places.
    pub used_up: Vec<usize>,
    /// What each rule with a budget took out of it, by its place: it can give no more when lines come back.
    pub budgets: Vec<(usize, i64)>,
}

/// Points that a rule takes out of its budget, or, negative, gives back to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetUse {
    /// The rule.
    pub rule: RuleId,
    /// What its budget was in all, in the version that judged.
    pub budget: i64,
    /// Signed.
    pub points: i64,
    /// Whether it was granted before: what one refund gave back another may need again, and is not asked whether it may.
    pub granted: bool,
}

impl Frozen {
    /// What the rules could give.
    #[must_use]
    pub fn caps(&self) -> Caps<'_> {
        Caps { used_up: &self.used_up, budgets: &self.budgets }
    }

    /// The facts for the rules, with the net total that is left.
    #[must_use]
    pub fn facts<'a>(&'a self, program: &Program, purchase: &'a Purchase, net: i64) -> Facts<'a> {
        let weekday = program.zone.date_at(self.occurred_at).weekday().to_monday_zero_offset();
        Facts {
            occurred_at: self.occurred_at,
            weekday: weekday.unsigned_abs(),
            minute: program.zone.minute_at(self.occurred_at),
            net_total: Some(Money { amount: net, currency: purchase.currency }),
            channel: Some(&purchase.channel),
            store: purchase.store.as_ref(),
            level: self.level,
            tags: &self.tags,
            first_purchase: self.first_purchase,
            member_days: self.member_days,
            attributes: None,
        }
    }
}

impl Purchase {
    /// The lines of which something is left, as the rules see them: with what of their nets was paid with money.
    #[must_use]
    pub fn lines_left(&self) -> Vec<AwardLine<'_>> {
        let lines = self.lines.iter().zip(self.money_left());
        lines
            .filter(|(line, _)| line.quantity_left > 0)
            .map(|(line, net)| AwardLine {
                facts: LineFacts { sku: line.bought.sku.as_ref(), categories: &line.bought.categories },
                net,
            })
            .collect()
    }

    fn checked_net_left(&self) -> Result<i64, Refusal> {
        let left = self.lines_left();
        left.iter().map(|line| line.net).try_fold(0_i64, i64::checked_add).ok_or(Refusal::TooMuch)
    }

    /// The net total of the lines of which something is left, as far as it was paid with money. Sums were checked when the purchase was recorded.
    #[must_use]
    pub fn net_left(&self) -> i64 {
        self.lines_left().iter().fold(0, |sum, line| sum.saturating_add(line.net))
    }

    /// The net total as bought.
    #[must_use]
    pub fn net_bought(&self) -> i64 {
        self.lines.iter().fold(0, |sum, line| sum.saturating_add(line.bought.net))
    }

    /// Points taken back by refunds so far, less those given back.
    #[must_use]
    pub fn clawed_back(&self) -> i64 {
        self.award.as_ref().map_or(0, |award| award.first - award.left - award.forgiven)
    }

    /// In what a request under the same channel and order id differs, as JSON Pointers into its body; a retry in nothing.
    #[must_use]
    pub fn differences(&self, order: &Order, reference: Option<[u8; 16]>) -> Vec<String> {
        let mut differ = Vec::new();
        let mut compare = |same: bool, pointer: String| {
            if !same {
                differ.push(pointer);
            }
        };
        compare(self.reference == reference, "/member".to_owned());
        compare(self.occurred_at == order.occurred_at, "/occurred_at".to_owned());
        compare(self.currency == order.currency, "/currency".to_owned());
        compare(self.store == order.store, "/store".to_owned());
        if self.lines.len() == order.lines.len() {
            for (index, (kept, sent)) in self.lines.iter().zip(&order.lines).enumerate() {
                let kept = &kept.bought;
                compare(kept.line_id == sent.line_id, format!("/lines/{index}/line_id"));
                compare(kept.sku == sent.sku, format!("/lines/{index}/sku"));
                compare(kept.categories == sent.categories, format!("/lines/{index}/categories"));
                compare(kept.quantity == sent.quantity, format!("/lines/{index}/quantity"));
                compare(kept.net == sent.net, format!("/lines/{index}/net_amount"));
            }
        } else {
            compare(false, "/lines".to_owned());
        }
        compare(self.paid.iter().map(|paid| &paid.redemption).eq(&order.paid_with), "/paid_with".to_owned());
        differ
    }
}
