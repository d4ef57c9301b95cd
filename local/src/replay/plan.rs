//! Requests from rows, and what they must come to. Everything is decided here, before the first request is sent; the
//! totals are worked out without the engine, so that they can judge it.

use super::matching::{self, OpenLine, Order};
use super::read::{Cancellation, LeftOut, Rows, Sale};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// Points are one for so many minor units of an order, rounded down.
pub const MINOR_UNITS_PER_POINT: i64 = 100;

/// The channel of all purchases.
pub const CHANNEL: &str = "retail";

/// All requests of a replay.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Those who bought, in the order of their first purchases.
    pub members: Vec<Member>,
    /// What it is made of and must come to.
    pub summary: Summary,
}

impl Plan {
    /// How many requests that change something there are, enrolments included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        let steps: usize = self.members.iter().map(|member| 1 + member.steps.len()).sum();
        steps.try_into().unwrap_or(u64::MAX)
    }
}

/// A customer and what is to be sent about them, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The customer's number.
    pub external_id: String,
    /// In file order, each refund after its purchase.
    pub steps: Vec<Step>,
}

/// A request about a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An invoice.
    Purchase(Purchase),
    /// What one cancellation takes back of one invoice.
    Refund(Refund),
}

/// An invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// The invoice's number.
    pub order_id: String,
    /// The invoice's first time, RFC 3339.
    pub occurred_at: String,
    /// In file order.
    pub lines: Vec<Line>,
    /// What it must earn.
    pub points: i64,
}

/// A line of a purchase, as the API takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The row's position in the file.
    pub line_id: String,
    /// Stock code.
    pub sku: String,
    /// Pieces.
    pub quantity: i64,
    /// Minor units for all pieces.
    pub net_amount: i64,
}

/// What one cancellation takes back of one invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// The purchase.
    pub order_id: String,
    /// The cancelling invoice's number.
    pub refund_id: String,
    /// When its first row for this purchase was written, RFC 3339.
    pub occurred_at: String,
    /// By position in the file; each line of the purchase at most once.
    pub lines: Vec<RefundLine>,
    /// How many points must go.
    pub points: i64,
}

/// A line of a refund, as the API takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefundLine {
    /// The purchase's line.
    pub line_id: String,
    /// Pieces given back.
    pub quantity: i64,
    /// Minor units that go with them: what the line had left − floor(net × kept ÷ bought).
    pub net_amount: i64,
}

/// What a plan is made of, and what it must come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows in the file.
    pub rows: u64,
    /// Rows that became lines of purchases.
    pub lines: u64,
    /// Rows left out, by reason.
    pub left_out: BTreeMap<LeftOut, u64>,
    /// What became of the cancelled rows.
    pub cancelled: Cancelled,
    /// Those who bought.
    pub members: u64,
    /// Invoices.
    pub purchases: u64,
    /// Pairs of a cancellation and a purchase.
    pub refunds: u64,
    /// Minor units bought.
    pub net: i64,
    /// Minor units that are left after all refunds.
    pub net_left: i64,
    /// Points for all purchases.
    pub earned: i64,
    /// Points that the refunds take back.
    pub clawed_back: i64,
}

impl Summary {
    /// Points that are left.
    #[must_use]
    pub const fn left(&self) -> i64 {
        self.earned - self.clawed_back
    }
}

/// What became of cancelled rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cancelled {
    /// Rows.
    pub rows: u64,
    /// Rows of which every piece was found among the customer's earlier purchases.
    pub matched: u64,
    /// Rows of which some pieces were found.
    pub in_part: u64,
    /// Rows of which nothing was found.
    pub unmatched: u64,
    /// Pieces found.
    pub pieces: i64,
    /// Pieces not found.
    pub pieces_unmatched: i64,
}

/// Makes requests of rows.
#[must_use]
pub fn plan(rows: Rows) -> Plan {
    let mut summary = Summary { rows: rows.total, left_out: rows.left_out, ..Summary::default() };
    let mut customers = Customers::default();
    for sale in rows.sales {
        match customers.sell(sale) {
            Ok(()) => summary.lines += 1,
            Err(why) => *summary.left_out.entry(why).or_default() += 1,
        }
    }
    for cancellation in rows.cancellations {
        if let Err(unmatched) = customers.cancel(cancellation) {
            summary.cancelled.count(unmatched.quantity, unmatched.quantity);
        }
    }
    let members = customers.list.into_iter().map(|customer| customer.plan(&mut summary)).collect();
    Plan { members, summary }
}

impl Cancelled {
    /// Counts one row.
    pub(super) fn count(&mut self, quantity: i64, unmatched: i64) {
        self.rows += 1;
        match unmatched {
            0 => self.matched += 1,
            some if some < quantity => self.in_part += 1,
            _ => self.unmatched += 1,
        }
        self.pieces += quantity - unmatched;
        self.pieces_unmatched += unmatched;
    }
}

/// Everybody who bought, in the order of their first purchases.
#[derive(Default)]
struct Customers {
    list: Vec<Customer>,
    /// Customer number → place in the list.
    places: HashMap<String, usize>,
    /// Order id → place of its customer and place among that customer's orders.
    orders: HashMap<String, (usize, usize)>,
}

struct Customer {
    external_id: String,
    orders: Vec<Order>,
    cancellations: Vec<Cancellation>,
}

impl Customers {
    fn sell(&mut self, sale: Sale) -> Result<(), LeftOut> {
        if let Some(&(place, order)) = self.orders.get(&sale.order_id) {
            let customer = self.list.get_mut(place).filter(|customer| customer.external_id == sale.customer);
            let order = customer.and_then(|customer| customer.orders.get_mut(order)).ok_or(LeftOut::OtherCustomer)?;
            order.at = order.at.min(sale.at);
            order.lines.push(OpenLine::of(sale));
            return Ok(());
        }
        let place = self.places.get(&sale.customer).copied().unwrap_or(self.list.len());
        if place == self.list.len() {
            self.places.insert(sale.customer.clone(), place);
            let external_id = sale.customer.clone();
            self.list.push(Customer { external_id, orders: Vec::new(), cancellations: Vec::new() });
        }
        if let Some(customer) = self.list.get_mut(place) {
            self.orders.insert(sale.order_id.clone(), (place, customer.orders.len()));
            customer.orders.push(Order::begun_by(sale));
        }
        Ok(())
    }

    /// Notes what a customer gave back; somebody who never bought anything gets it returned.
    fn cancel(&mut self, cancellation: Cancellation) -> Result<(), Cancellation> {
        let place = self.places.get(&cancellation.customer);
        match place.and_then(|&place| self.list.get_mut(place)) {
            Some(customer) => {
                customer.cancellations.push(cancellation);
                Ok(())
            }
            None => Err(cancellation),
        }
    }
}

impl Customer {
    fn plan(self, summary: &mut Summary) -> Member {
        let Self { external_id, mut orders, cancellations } = self;
        for cancellation in &cancellations {
            let unmatched = matching::take_back(&mut orders, cancellation);
            summary.cancelled.count(cancellation.quantity, unmatched);
        }
        summary.members += 1;
        let mut steps: Vec<((u64, bool), Step)> = Vec::new();
        for order in orders {
            let row = order.row;
            let refunds = order.refunds();
            let purchase = order.purchase();
            summary.purchases += 1;
            summary.earned += purchase.points;
            let net: i64 = purchase.lines.iter().map(|line| line.net_amount).sum();
            summary.net += net;
            summary.net_left += net;
            steps.push(((row, false), Step::Purchase(purchase)));
            for (refund_row, refund) in refunds {
                summary.refunds += 1;
                summary.clawed_back += refund.points;
                summary.net_left -= refund.lines.iter().map(|line| line.net_amount).sum::<i64>();
                // A file need not be in order of time: no refund goes before its purchase.
                steps.push(((refund_row.max(row), true), Step::Refund(refund)));
            }
        }
        // Stable, so that the refunds of one purchase stay in file order.
        steps.sort_by_key(|(place, _)| *place);
        Member { external_id, steps: steps.into_iter().map(|(_, step)| step).collect() }
    }
}

#[cfg(test)]
mod tests;
