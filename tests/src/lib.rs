//! Tests across crates, the fault layer, budgets and benchmarks.

pub mod faults;
pub mod stack;
