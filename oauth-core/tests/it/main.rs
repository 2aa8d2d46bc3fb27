//! Integration tests: one binary, a module per standard or concern.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says no by panicking")]

mod bad_input;
mod client_keys;
mod consent;
#[cfg(feature = "fetch")]
mod fetch;
mod first_party;
mod in_flight;
mod interaction;
mod keys;
mod leaks;
mod oidc_backchannel_logout;
mod oidc_core_10_encryption;
mod oidc_core_11_offline;
mod oidc_core_12_refresh;
mod oidc_core_2_id_token;
mod oidc_core_3_1_code;
mod oidc_core_3_2_implicit;
mod oidc_core_3_3_hybrid;
mod oidc_core_5_3_userinfo;
mod oidc_core_5_5_claims;
mod oidc_core_8_subjects;
mod oidc_discovery;
mod oidc_form_post;
mod oidc_frontchannel_logout;
mod oidc_id_token_hint;
mod oidc_max_age;
mod oidc_multiple_response_types;
mod oidc_prompt;
mod oidc_registration;
mod oidc_rp_initiated_logout;
mod oidc_session_management;
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
mod rfc7516;
mod rfc7518;
mod rfc7523;
mod rfc7591;
mod rfc7592;
mod rfc7636;
mod rfc7662;
mod rfc8252;
mod rfc8414;
mod rfc8707;
mod rfc8725;
mod rfc9068;
mod rfc9101;
mod rfc9207;
mod rfc9700;
mod rights;
mod store;
mod support;
mod tidy;
