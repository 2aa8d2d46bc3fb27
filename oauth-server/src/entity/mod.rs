//! The server's own tables, beside those of the library.

pub mod activity;
pub mod agreement;
pub mod audit;
pub mod ceremony;
pub mod device;
pub mod form_key;
pub mod half_sign_in;
pub mod identity;
pub mod initial_access_token;
pub mod letter;
pub mod mail_token;
pub mod passkey;
pub mod passkey_holder;
pub mod pending_client;
pub mod recovery_code;
pub mod revoked_token;
pub mod rotated_session;
pub mod session;
pub mod throttle;
pub mod totp;
pub mod unconfirmed;
pub mod upstream_attempt;
