//! Tests of the server as a whole.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "panicking is how a test says no, in its helpers too"
)]

mod command_line;
mod config;
mod listening;
mod operations;
mod pages_actors;
mod pages_applications;
mod pages_clients;
mod pages_consent;
mod pages_login;
mod pages_safety;
mod pages_signup;
mod process;
mod processes;
mod support;
mod throttle;
