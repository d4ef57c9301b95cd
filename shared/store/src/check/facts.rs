//! Facts that stand by themselves: activities, vouchers, stocks.

use super::Report;
use crate::items::{self, Item, VoucherOf};
use crate::keys;
use aws_sdk_dynamodb::types::AttributeValue;
use loyalty_domain::activity::RecordedActivity;

/// An activity must stand where it says, and belongs to a member.
pub(super) fn activity(pk: &str, item: &Item, report: &mut Report) {
    report.activities += 1;
    let (Some(program), Ok(activity)) = (keys::program_of_activity(pk), items::body::<RecordedActivity>(item)) else {
        return report.find(pk, None, "the activity cannot be read");
    };
    if keys::activity(&program, &activity.source, &activity.activity_id).pk != pk {
        report.find(pk, None, "the activity stands under another key than it says");
    }
    report.facts.entry((program, activity.member)).or_default().activities += 1;
}

/// A voucher leads to a redemption of its member.
pub(super) fn voucher(pk: &str, item: &Item, report: &mut Report) {
    let (Some((program, _)), Ok(of)) = (pk.split_once("#V#"), items::body::<VoucherOf>(item)) else {
        return report.find(pk, None, "the voucher cannot be read");
    };
    let Ok(program) = program.parse() else { return report.find(pk, None, "the voucher is of no program") };
    report.facts.entry((program, of.member)).or_default().vouchers += 1;
}

/// Units that were taken out of a reward's stock.
pub(super) fn stock(pk: &str, item: &Item, report: &mut Report) {
    let key = pk.split_once("#T#").and_then(|(program, reward)| Some((program.parse().ok()?, reward.parse().ok()?)));
    let units = match item.get("u") {
        Some(AttributeValue::N(digits)) => digits.parse::<i64>().ok(),
        Some(_) | None => None,
    };
    match key.zip(units) {
        Some((reward, units)) => *report.stocks.entry(reward).or_default() += units,
        None => report.find(pk, None, "the stock cannot be read"),
    }
}
