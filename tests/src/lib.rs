//! Tests across crates, the fault layer, budgets and benchmarks.

pub mod arena;
pub mod bench;
pub mod books;
pub mod client;
pub mod faults;
pub mod shop;
pub mod stack;
