//! An OAuth 2.0 and OpenID Connect provider as a library.
#![doc = ""]

pub mod authorize;
pub mod client_auth;
pub mod client_keys;
pub mod config;
pub mod endpoints;
pub mod env;
pub mod error;
#[cfg(feature = "fetch")]
pub mod fetch;
pub mod grants;
#[cfg(feature = "axum")]
pub mod http;
pub mod issue;
pub mod jose;
pub mod keys;
pub mod memory;
pub mod model;
pub mod openid;
#[cfg(feature = "oxide")]
pub mod oxide;
pub mod params;
#[cfg(feature = "password")]
pub mod password;
mod pkce;
pub mod ports;
pub mod provider;
pub mod registration;
#[cfg(feature = "seaorm")]
pub mod seaorm;
#[cfg(feature = "testing")]
pub mod testing;

pub use provider::Provider;
