//! The whole engine on one machine, on an embedded DynamoDB, and the loyalty command.

pub mod replay;
