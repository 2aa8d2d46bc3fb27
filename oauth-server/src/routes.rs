//! Every route of the server.

use crate::{certs, cors::OpenPaths, front, health, pages, shell::ShellLayer, state::AppState};
use axum::{Router, middleware, routing::get};
use oauth_core::http::Edge;

/// | path | what | where |
/// |---|---|---|
/// | `/oauth/authorize`, and beside it `token`, `revoke`, `introspect`, `userinfo`, `register`, `check_session` | the protocol | `oauth_core::http` |
/// | `/.well-known/oauth-authorization-server`, `/.well-known/openid-configuration`, `/.well-known/jwks.json` | metadata and keys | `oauth_core::http` |
/// | `/`, `/signup`, `/login`, `/logout`, `/consent` | pages for everybody | [`pages`] |
/// | `/login/with/{provider}`, `/login/from/{provider}` | signing in through another provider, there and back | [`pages`] |
/// | `/oauth/logout` | where applications send people to sign out | [`pages`] |
/// | `/create_client`, `/clients/{id}`, and below it `edit`, `secret`, `token`, `delete` | one's clients | [`pages`] |
/// | `/account`, and below it `profile`, `password`, `sessions`, `sessions/end`, `sessions/end_others`, `identities`, `identities/link`, `identities/unlink` | one's account | [`pages`] |
/// | `/account/applications`, `/account/applications/revoke` | connected applications | [`pages`] |
/// | `/admin`, and below it `keys`, `registration`, `users` | what administrators look after | [`pages`] |
/// | `/auth/login`, and beside it `session`, `refresh`, `logout` | sessions for front ends | [`front`] |
/// | `/static/{file}` | style sheet and icon | [`pages`] |
/// | `/certs` | certificates of the keys | [`certs`] |
/// | `/livez`, `/healthz`, `/readyz` | health | [`health`] |
///
/// `/metrics` has a listener of its own: see [`crate::serve`].
pub fn router(state: &AppState) -> Router {
    let paths = state.provider.paths();
    let open = OpenPaths::new([
        paths.token.clone(),
        paths.revoke.clone(),
        paths.userinfo.clone(),
        paths.jwks.clone(),
        "/.well-known/oauth-authorization-server".into(),
        "/.well-known/openid-configuration".into(),
        "/certs".into(),
    ]);
    let protocol = Edge::new(state.provider.clone())
        .error_pages(pages::Explainer::new(state.clone()))
        .router();
    let own = Router::new()
        .route("/certs", get(certs::certs))
        .merge(health::routes())
        .with_state(state.clone());
    let lost = state.clone();
    Router::new()
        .merge(protocol)
        .merge(own)
        .merge(pages::router(state))
        .merge(front::router(state))
        .fallback(move || async move { pages::not_found(&lost) })
        .layer(middleware::from_fn(move |request, next| open.clone().guard(request, next)))
        .layer(ShellLayer::new(&state.config, state.metrics.clone()))
}
