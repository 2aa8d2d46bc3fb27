//! Feature `testing`: what tests of this crate, of an embedder's store and of servers share.
//!
//! Everything here panics when a law is broken; that is how a test says no.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "panicking is how a test says no"
)]

mod clock;
#[cfg(feature = "seaorm")]
mod database;
pub mod fixtures;
mod jwe;
mod laws;
mod random;

pub use clock::ManualClock;
#[cfg(feature = "seaorm")]
pub use database::TestDatabase;
pub use jwe::{JweKey, Opened};
pub use laws::{LawfulStore, profile, profile_laws, store_laws, user_laws};
pub use random::SeededRandom;
