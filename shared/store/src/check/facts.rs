//! Facts that stand by themselves: activities, vouchers, stocks.

use super::Report;
use crate::items::{self, Item, VoucherOf};
use crate::keys;
use aws_sdk_dynamodb::types::AttributeValue;
use loyalty_domain::activity::RecordedActivity;
use loyalty_domain::entry::Cause;
use loyalty_domain::id::ProgramId;

/// An activity must stand where it says, and belongs to a member; its entries are for the caller to look up.
pub(super) fn activity(pk: &str, item: &Item, report: &mut Report) -> Option<(ProgramId, RecordedActivity)> {
    report.activities += 1;
    let (Some(program), Ok(activity)) = (keys::program_of_activity(pk), items::body::<RecordedActivity>(item)) else {
        report.find(pk, None, "the activity cannot be read");
        return None;
    };
    if keys::activity(&program, &activity.source, &activity.activity_id).pk != pk {
        report.find(pk, None, "the activity stands under another key than it says");
    }
    report.facts.entry((program.clone(), activity.member)).or_default().activities += 1;
    let Some(first) = activity.entries.first() else {
        report.find(pk, None, "the activity names no entry");
        return None;
    };
    let says = matches!(&first.cause, Cause::Activity { source, activity_id, kind }
        if *source == activity.source && *activity_id == activity.activity_id && *kind == activity.kind);
    if !says || first.points != activity.points {
        report.find(pk, Some(first.seq), "the activity and its entry differ");
    }
    Some((program, activity))
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
