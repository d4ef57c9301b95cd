//! The one table: keys, items, load, commit. The only crate that names the DynamoDB SDK.

pub mod check;
pub mod command;
pub mod create;
pub mod due;
pub mod engine;
mod error;
pub mod items;
pub mod keys;
pub mod ledger;
pub mod members;
mod moved;
mod packed;
pub mod pools;
pub mod programs;
pub mod redemptions;
mod secrets;
pub mod table;
pub mod write;

pub use command::{Call, Command, Decision, Done, Failure, Recalled, Subjects};
pub use create::create_table;
pub use engine::Engine;
pub use error::StoreError;
pub use pools::Pool;
pub use secrets::Secrets;
pub use table::Table;
pub use write::{Fact, Slot};
