//! What a function is told about the world around it.

use jiff::Timestamp;
use ulid::Ulid;

/// Clock and ids. Only `main.rs` files read a real clock and real randomness; everything else is handed this, so that it
/// can be tested at any moment and replayed exactly.
pub trait Surroundings: Send + Sync + 'static {
    /// The present instant. It may stand still or go back: the local stack's clock can be set.
    fn now(&self) -> Timestamp;

    /// An id that nobody has yet, in the order of time where that is possible.
    fn ulid(&self) -> Ulid;
}
