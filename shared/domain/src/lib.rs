//! The loyalty engine's heart.
pub mod id;
pub mod json;
