//! What is measured, and how: the same inputs for the benchmark and for the tests of how cost grows.

pub mod callgrind;
pub mod canned;
pub mod inputs;
pub mod scenes;
pub mod whole;
