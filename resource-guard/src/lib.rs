//! A [tower] layer that protects any HTTP service with OAuth 2.0 access tokens, whoever issued them.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use resource_guard::{Guard, Principal};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let guard = Guard::for_issuer("https://auth.example.org")
//!     .audience("https://api.example.org")
//!     .start()
//!     .await?;
//! let app: Router = Router::new()
//!     .route("/me", get(me).layer(guard.needs("profile")))
//!     .route("/export", get(export).layer(guard.needs_any(["export", "admin"])))
//!     .route("/health", get(|| async { "ok" }));
//!
//! async fn me(who: Principal) -> String {
//!     format!("hello {}", who.subject())
//! }
//! async fn export(who: Principal) -> String {
//!     format!("{:?} exports", who.client_id())
//! }
//! # let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! # axum::serve(listener, app).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What decides
//!
//! * **Where the token is**: `Authorization: Bearer`, a header such as `X-API-KEY` where the operator names one,
//!   `?access_token=` for WebSocket upgrades only, and a cookie where the operator names one
//!   ([`GuardBuilder::cookie`]), which counts only where nothing else is, and only with its [`Csrf`] token. Twice is
//!   refused.
//! * **Whether it is good**: a [`Verifier`]. JWTs offline ([`Guard::for_issuer`]; algorithm, signature, `typ`, `iss`,
//!   `exp`, `nbf`, `iat`, `aud`; no leeway unless given), introspection ([`Guard::introspecting`]), both, or one of the
//!   embedder's own ([`Guard::new`]).
//! * **Whether it is still alive**: a list of [`Revocations`], where the operator names one.
//! * **Whether it allows this**: a [`Policy`] per route. Scopes ([`Guard::needs`]), scopes by method ([`Methods`]),
//!   kinds of tokens ([`Access`], [`Refresh`], [`Guest`]), how long ago somebody signed in ([`Fresh`]), [`Roles`], the
//!   claims of AMWA IS-10 ([`Guard::nmos`]), or one of the embedder's own ([`Guard::with`]); put together with
//!   [`PolicyExt`]. No policy takes a refresh token but the one for it.
//! * **Who it is**: [`Principal`], which only the guard can make. With the feature `axum` it is an extractor; without,
//!   [`Principal::of`] takes it from the request. A handler that asks for it where no guard stands answers 500.
//!
//! # Never open by mistake
//!
//! No keys yet, or an authorization server that does not answer: 503 with `Retry-After`. A configuration that cannot be
//! read: no guard, or on a single route 500 for everybody. Tokens bound to a key (`cnf`) are refused, since a bearer
//! request does not prove the key. The only way to let everybody in is [`condition(false)`](GuardBuilder::condition),
//! and it says so loudly.
//!
//! # Logs
//!
//! One event per decision goes to the [tracing] target `resource_guard::audit`: decision, reason, `sub`, `client_id`,
//! `jti`, method, normalised path. Tokens are never logged.

mod asked;
mod audit;
mod builder;
mod cookie;
mod cors;
mod csrf;
#[cfg(feature = "dns-sd")]
mod discovery;
#[cfg(feature = "axum")]
mod extract;
mod fetch;
mod flight;
mod guard;
mod introspect;
mod keys;
mod layer;
mod name;
pub mod nmos;
mod passage;
mod path;
mod pattern;
mod policy;
mod principal;
mod problem;
mod refusal;
mod revocations;
mod rights;
mod token;
mod token_use;
mod verify;

#[cfg(feature = "dns-sd")]
pub use crate::discovery::DnsSd;
pub use crate::{
    asked::Asked,
    builder::GuardBuilder,
    csrf::{Csrf, CsrfGuarded, CsrfLayer, CsrfMethods},
    guard::{Guard, GuardLayer},
    keys::{KeySource, Keys, KeysUnavailable},
    layer::{Answering, Guarded},
    path::{NormalPath, UnsafePath},
    policy::{
        Access, And, Fresh, Guest, Methods, Need, Optional, Policy, PolicyExt, Refresh, Roles,
        Scopes, Verdict,
    },
    principal::Principal,
    problem::ConfigProblem,
    refusal::{Refusal, Style},
    revocations::{MemoryRevocations, Revocations, session_entry},
    token_use::TokenUse,
    verify::{PresentedToken, Rejection, Verified, Verifier},
};
pub use async_trait::async_trait;
pub use http;
pub use oauth_core::{
    error::PortError,
    jose::{JwtProblem, KeySet},
    model::{Scope, SigningAlgorithm, Timestamp},
    ports::{Clock, Random},
};
