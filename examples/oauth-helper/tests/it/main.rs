//! The helper against our own server, against providers that answer oddly, and as a program.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "panicking is how a test says no, in its helpers too"
)]

mod cli;
mod device;
mod flows;
mod hooks;
mod kill;
mod odd;
mod page;
mod stores;
mod support;
mod web;
