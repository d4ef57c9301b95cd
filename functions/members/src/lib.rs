//! The members function.
