//! Integration tests: one binary, a module per standard or concern.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says no by panicking")]

mod bad_input;
mod consent;
mod interaction;
mod keys;
mod leaks;
mod oidc_prompt;
#[cfg(feature = "oxide")]
mod oxide;
mod race;
mod rfc6749_auth;
mod rfc6749_authorize;
mod rfc6749_client_credentials;
mod rfc6749_code;
mod rfc6749_implicit;
mod rfc6749_password;
mod rfc6749_refresh;
mod rfc6749_scope;
mod rfc7009;
mod rfc7636;
mod rfc7662;
mod rfc8252;
mod rfc8414;
mod rfc8707;
mod rfc9068;
mod rfc9207;
mod rfc9700;
mod rights;
mod store;
mod support;
mod tidy;
