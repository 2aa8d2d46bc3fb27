//! An OAuth 2.0 authorization server as a library.
#![doc = ""]

pub mod authorize;
pub mod client_auth;
pub mod config;
pub mod endpoints;
pub mod env;
pub mod error;
pub mod grants;
#[cfg(feature = "axum")]
pub mod http;
pub mod issue;
pub mod jose;
pub mod keys;
pub mod memory;
pub mod model;
#[cfg(feature = "oxide")]
pub mod oxide;
pub mod params;
#[cfg(feature = "password")]
pub mod password;
mod pkce;
pub mod ports;
pub mod provider;
#[cfg(feature = "seaorm")]
pub mod seaorm;
#[cfg(feature = "testing")]
pub mod testing;

pub use provider::Provider;
