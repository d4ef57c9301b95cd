//! What can go wrong between us and the table.

/// A failure of the store. Nothing is guessed: what is not known to be contention or overload is an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Overload, a broken connection or a race that was not won in time: the same request may be sent again.
    #[error("the table cannot be used at present: {0}")]
    Unavailable(&'static str),
    /// The table says no: permission, a missing table, an invalid request. Retrying does not help.
    #[error("the table refuses: {0}")]
    Refused(String),
    /// What is stored cannot be read.
    #[error("the table holds what cannot be read: {0}")]
    Corrupt(&'static str),
}
