//! What must happen, rule by rule: every test is named as the rule reads.
//!
//! Each change goes through [`desk::Desk`], which checks the books after every one of them.
// Tests say what they expect by unwrapping, wherever their helpers live.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod activities;
mod activities_awarded;
mod awarding;
mod booked_days;
mod books;
mod conditions;
mod desk;
mod entry_bonuses;
mod examples;
mod goal_lives;
mod goals;
mod goals_taken_back;
mod holds;
mod late_purchases;
mod limits;
mod lots_and_expiry;
mod machine;
mod model;
mod naive;
mod notices;
mod passes_and_levels;
mod paying_with_points;
mod people;
mod program_document;
mod publish_safety;
mod refunds;
mod rewards;
mod spending;
mod spending_lives;
mod streaks;
mod tiers;
mod vouchers;
