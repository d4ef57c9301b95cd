//! The API as written in the contract, through the functions' routers as the gateway would call them.

mod activities;
mod adjustments;
mod authorisation;
mod bad_bodies;
mod bad_paths;
mod bad_strings;
mod enrolment;
mod erasure;
mod fuzz;
mod kit;
mod ledger;
mod levels;
mod members;
mod patches;
mod programs;
mod progress;
mod purchases;
mod refunds;
mod samples;
