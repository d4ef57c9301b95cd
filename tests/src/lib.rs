//! Tests across crates, the fault layer, budgets and benchmarks.

pub mod bench;
pub mod faults;
pub mod stack;
