//! The one table: keys, items, load, commit. The only crate that names the DynamoDB SDK.
