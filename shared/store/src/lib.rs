//! The one table: keys, items, load, commit. The only crate that names the DynamoDB SDK.

pub mod check;
pub mod create;
pub mod due;
pub mod engine;
mod error;
pub mod items;
pub mod keys;
pub mod ledger;
pub mod members;
mod packed;
pub mod pools;
pub mod programs;
pub mod redemptions;
mod secrets;
pub mod table;
pub mod write;

pub use create::create_table;
pub use engine::{Call, Command, Decision, Done, Engine, Failure, Recalled, Subjects};
pub use error::StoreError;
pub use pools::Pool;
pub use secrets::Secrets;
pub use table::Table;
pub use write::{Fact, Slot};
