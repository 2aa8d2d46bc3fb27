//! Tests of the server as a whole.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "panicking is how a test says no, in its helpers too"
)]

mod account_data;
mod command_line;
mod config;
mod documentation;
mod flood;
mod foreign;
mod foreign_openid;
mod forms;
mod forms_actors;
mod forms_processes;
mod front;
mod front_tokens;
mod is10_actors;
mod is10_api;
mod is10_approval;
mod is10_audit;
mod is10_invitations;
mod is10_legacy;
mod is10_metadata;
mod is10_registration;
mod is10_tokens;
mod listening;
mod mail;
mod operations;
mod pages_account;
mod pages_account_password;
mod pages_account_profile;
mod pages_actors;
mod pages_admin;
mod pages_admin_keys;
mod pages_admin_registration;
mod pages_admin_users;
mod pages_applications;
mod pages_clients;
mod pages_clients_more;
mod pages_consent;
mod pages_login;
mod pages_logout;
mod pages_safety;
mod pages_select_account;
mod pages_signup;
#[cfg(feature = "passkeys")]
mod passkeys;
mod people_actors;
mod people_api;
mod people_intruder;
mod people_letters;
mod people_tokens;
mod post_office;
mod process;
mod processes;
mod profiles;
mod readme_promises;
mod registering;
mod revocations_redis;
mod second_factor;
mod second_factor_demanded;
mod social;
mod social_liar;
mod social_silent;
#[cfg(feature = "passkeys")]
mod soft_authenticator;
mod support;
mod sweeping;
mod throttle;
mod tls;
mod toktok_actors;
mod toktok_letters;
mod toktok_session;
mod toktok_users;
