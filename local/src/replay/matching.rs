//! Which line of which purchase a cancelled row takes back, and what that line is worth afterwards.
//!
//! A cancelled row takes from the same customer's purchases that are not later than it: first lines of the same stock
//! code at the same unit price, then of the same stock code at any price; the latest invoice first (of two of one
//! moment the one further down in the file), within an invoice in file order; never more than is left.
//!
//! A line of `q` pieces with net `n` of which `k` are kept is worth floor(n × k ÷ q), whatever way it came there.

use super::plan::{Line, MINOR_UNITS_PER_POINT, Purchase, Refund, RefundLine};
use super::read::{Cancellation, Price, Sale};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// An invoice that may still be cancelled in part.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) order_id: String,
    pub(super) row: u64,
    pub(super) at: Timestamp,
    pub(super) lines: Vec<OpenLine>,
    taken: Vec<Taken>,
}

/// A line, and how much of it nobody has given back.
#[derive(Debug)]
pub(super) struct OpenLine {
    row: u64,
    sku: String,
    quantity: i64,
    price: Price,
    net: i64,
    kept: i64,
}

/// What one cancelling invoice took of one order.
#[derive(Debug)]
struct Taken {
    refund_id: String,
    row: u64,
    at: Timestamp,
    /// Line's row → pieces. Several cancelled rows that hit one line are one line of the refund.
    pieces: BTreeMap<u64, i64>,
}

/// Takes a cancelled row from a customer's orders; gives the number of pieces that were not found.
pub(super) fn take_back(orders: &mut [Order], cancellation: &Cancellation) -> i64 {
    let mut earlier: Vec<&mut Order> = orders.iter_mut().filter(|order| order.at <= cancellation.at).collect();
    earlier.sort_by_key(|order| Reverse((order.at, order.row)));
    let mut wanted = cancellation.quantity;
    for any_price in [false, true] {
        for order in &mut earlier {
            wanted -= order.take(cancellation, any_price, wanted);
        }
    }
    wanted
}

impl OpenLine {
    pub(super) fn of(sale: Sale) -> Self {
        let Sale { row, sku, quantity, price, net, .. } = sale;
        Self { row, sku, quantity, price, net, kept: quantity }
    }

    /// Minor units that the line is worth when so many pieces are kept.
    fn worth(&self, kept: i64) -> i64 {
        let worth = i128::from(self.net) * i128::from(kept) / i128::from(self.quantity.max(1));
        i64::try_from(worth).unwrap_or(self.net)
    }
}

impl Order {
    pub(super) fn begun_by(sale: Sale) -> Self {
        let order_id = sale.order_id.clone();
        Self { order_id, row: sale.row, at: sale.at, lines: vec![OpenLine::of(sale)], taken: Vec::new() }
    }

    /// Takes up to `wanted` pieces; gives how many it took.
    fn take(&mut self, cancellation: &Cancellation, any_price: bool, wanted: i64) -> i64 {
        let mut taken = 0;
        for line in &mut self.lines {
            let fits = line.sku == cancellation.sku && (any_price || line.price == cancellation.price);
            let pieces = if fits { line.kept.min(wanted - taken) } else { 0 };
            if pieces > 0 {
                line.kept -= pieces;
                taken += pieces;
                note(&mut self.taken, cancellation, line.row, pieces);
            }
        }
        taken
    }

    /// The request that posts the purchase.
    pub(super) fn purchase(self) -> Purchase {
        let net: i64 = self.lines.iter().map(|line| line.net).sum();
        let line = |line: OpenLine| Line {
            line_id: line.row.to_string(),
            sku: line.sku,
            quantity: line.quantity,
            net_amount: line.net,
        };
        Purchase {
            order_id: self.order_id,
            occurred_at: self.at.to_string(),
            lines: self.lines.into_iter().map(line).collect(),
            points: net / MINOR_UNITS_PER_POINT,
        }
    }

    /// The requests that post its refunds, in file order, each with its row.
    pub(super) fn refunds(&self) -> Vec<(u64, Refund)> {
        let mut kept: BTreeMap<u64, (&OpenLine, i64)> =
            self.lines.iter().map(|line| (line.row, (line, line.quantity))).collect();
        let mut net: i64 = self.lines.iter().map(|line| line.net).sum();
        let mut refunds = Vec::with_capacity(self.taken.len());
        for taken in &self.taken {
            let points = net / MINOR_UNITS_PER_POINT;
            let mut lines = Vec::with_capacity(taken.pieces.len());
            for (row, &quantity) in &taken.pieces {
                if let Some((line, kept)) = kept.get_mut(row) {
                    let before = line.worth(*kept);
                    *kept -= quantity;
                    let net_amount = before - line.worth(*kept);
                    net -= net_amount;
                    lines.push(RefundLine { line_id: row.to_string(), quantity, net_amount });
                }
            }
            let refund = Refund {
                order_id: self.order_id.clone(),
                refund_id: taken.refund_id.clone(),
                occurred_at: taken.at.to_string(),
                lines,
                points: points - net / MINOR_UNITS_PER_POINT,
            };
            refunds.push((taken.row, refund));
        }
        refunds
    }
}

/// Adds pieces of a line to what a cancelling invoice takes of an order.
fn note(taken: &mut Vec<Taken>, cancellation: &Cancellation, line: u64, pieces: i64) {
    if let Some(refund) = taken.iter_mut().find(|refund| refund.refund_id == cancellation.refund_id) {
        *refund.pieces.entry(line).or_default() += pieces;
        return;
    }
    taken.push(Taken {
        refund_id: cancellation.refund_id.clone(),
        row: cancellation.row,
        at: cancellation.at,
        pieces: BTreeMap::from([(line, pieces)]),
    });
}
