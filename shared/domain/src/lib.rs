//! The loyalty engine's heart: pure decisions about points.
//!
//! Everything here is a function of what it is given. Nothing knows a clock, randomness, a network, a database or HTTP:
//! the moment of a decision and new ids are passed in, and what comes out is everything that is to be written.

pub mod account;
pub mod activity;
pub mod adjust;
pub mod award;
pub mod award_activity;
pub mod calendar;
pub mod catalogue;
pub mod draft;
pub mod entry;
pub mod exact;
pub mod goal;
pub mod grant;
pub mod id;
pub mod identity;
pub mod json;
pub mod level_grant;
pub mod lots;
pub mod membership;
pub mod money;
pub mod pass;
pub mod profile;
pub mod program;
pub mod programs;
pub mod progress;
pub mod purchase;
mod reach;
pub mod redemption;
pub mod refund;
pub mod refusal;
pub mod requests;
pub mod tier;
pub mod view;
pub mod voucher;
pub mod why_not;
