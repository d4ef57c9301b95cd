//! The whole engine on one machine, on an embedded DynamoDB, and the loyalty command.

pub mod auth;
pub mod check;
pub mod cli;
pub mod clock;
pub mod embedded;
pub mod engine;
pub mod events;
pub mod folder;
mod gateway;
pub mod local_routes;
pub mod loopback;
pub mod publish;
pub mod replay;
pub mod schedules;
pub mod schema;
pub mod serve;
pub mod stream;
pub mod validate;
pub mod welcome;
