//! The reference OAuth 2.0 authorization server: configuration, pages, operations.
//!
//! It is an embedder of [`oauth_core`] like any other and uses nothing of it that is not public.

pub mod activity;
pub mod address;
pub mod admin_api;
pub mod administration;
pub mod api;
pub mod approval;
pub mod audit;
pub mod certs;
pub mod cli;
pub mod config;
pub mod cors;
pub mod credentials;
pub mod docs;
pub mod entity;
pub mod folder;
pub mod forms;
pub mod front;
pub mod health;
pub mod mail;
pub mod maintenance;
pub mod metrics;
pub mod migration;
pub mod nmos;
pub mod outgoing;
pub mod pages;
pub mod passkeys;
pub mod people;
pub mod personal_data;
pub mod policy;
pub mod profile;
pub mod registrars;
pub mod registration;
pub mod revocations;
pub mod routes;
pub mod second_factor;
pub mod seed;
pub mod serve;
pub mod session;
pub mod shell;
pub mod sign_in;
pub mod social;
pub mod state;
pub mod telemetry;
pub mod throttle;

use axum::Router;
use config::Config;
use state::{AppState, World};

/// The server as a service, without a port: what tests call.
pub async fn app(config: Config) -> anyhow::Result<Router> {
    let state = AppState::start(config, World::default()).await?;
    Ok(routes::router(&state))
}

/// An error with everything behind it, for the log.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
