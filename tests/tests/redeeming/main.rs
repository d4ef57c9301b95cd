//! Spending points over HTTP, as the contract words it: catalogue, redemptions, holds, vouchers, paying with points.

mod at_once;
mod callers;
mod catalogue;
mod holds;
mod kit;
mod leaving;
mod lists;
mod paying;
mod pictures;
mod replays;
mod returns;
mod vouchers;
mod wrong_codes;
