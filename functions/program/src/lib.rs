//! The program function.
