//! The `loyalty` command as a person runs it: a process of its own, spoken to over HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests say what they expect, and run in real time"
)]

mod failing_starts;
mod gateway;
mod kill;
mod process;
mod running;
