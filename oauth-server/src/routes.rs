//! Every route of the server.

use crate::{
    admin_api, api, certs,
    compat::toktok,
    cors::{Answers, OpenPaths},
    docs, front, health, nmos, pages,
    shell::ShellLayer,
    state::AppState,
};
use axum::{Router, middleware, routing::get};

/// | path | what | where |
/// |---|---|---|
/// | `/oauth/authorize`, and beside it `token`, `revoke`, `introspect`, `userinfo`, `register`, `check_session` | the protocol | `oauth_core::http` |
/// | `/.well-known/oauth-authorization-server`, `/.well-known/openid-configuration`, `/.well-known/jwks.json` | metadata and keys | `oauth_core::http` |
/// | `/`, `/signup`, `/login`, `/logout`, `/consent` | pages for everybody | [`pages`] |
/// | `/login/with/{provider}`, `/login/from/{provider}` | signing in through another provider, there and back | [`pages`] |
/// | `/login/passkey` | signing in with a passkey | [`pages`] |
/// | `/login/second-factor`, `/login/second-factor/set-up` | the second step of signing in, and setting it up where it is demanded | [`pages`] |
/// | `/oauth/logout` | where applications send people to sign out | [`pages`] |
/// | `/create_client`, `/clients/{id}`, and below it `edit`, `secret`, `token`, `delete` | one's clients | [`pages`] |
/// | `/account`, and below it `profile`, `password`, `sessions`, `sessions/end`, `sessions/end_others`, `identities`, `identities/link`, `identities/unlink`, `passkeys`, `second-factor`, `activity`, `data`, `data/export`, `delete` | one's account | [`pages`] |
/// | `/account/applications`, `/account/applications/revoke` | connected applications | [`pages`] |
/// | `/admin`, and below it `keys`, `registration`, `users` | what administrators look after | [`pages`] |
/// | `/auth/login`, and beside it `session`, `refresh`, `logout` | sessions for front ends | [`front`] |
/// | `/static/{file}` | style sheet and icon | [`pages`] |
/// | `/api` | the user service for front ends and programs | [`api`] |
/// | `/api/auth`, `/api/usr` | the same for the front ends of TokTok, with `compat = "toktok"` | [`toktok`] |
/// | `/confirm-email`, `/forgot-password`, `/reset-password`, `/confirm-new-email`, `/undo-email` | where letters lead | [`pages`] |
/// | `/certs` | certificates of the keys | [`certs`] |
/// | `/admin/api` and below | rights, clients that await approval and the audit log, for programs of administrators | [`admin_api`] |
/// | `/x-nmos/auth/v1.0` and below | the paths of 2019, in the profile `is10-legacy` | [`nmos::legacy`] |
/// | `/doc/`, `/openapi.json` | what every route is for | [`docs`] |
/// | `/livez`, `/healthz`, `/readyz` | health | [`health`] |
///
/// `/metrics` has a listener of its own: see [`crate::serve`].
pub fn router(state: &AppState) -> Router {
    let open = open_paths(state);
    let protocol = pages::edge(state).router();
    let own = Router::new()
        .route("/certs", get(certs::certs))
        .merge(health::routes())
        .merge(admin_api::routes(state))
        .merge(nmos::legacy::routes(state))
        .with_state(state.clone());
    let lost = state.clone();
    let shelf = docs::Shelf::default();
    let all = Router::new()
        .merge(protocol)
        .merge(own)
        .merge(api::router(state))
        .merge(toktok::router(state))
        .merge(pages::router(state))
        .merge(front::router(state))
        .merge(docs::routes(&shelf, &state.config));
    shelf.fill(&all, state);
    all.fallback(move || async move { pages::not_found(&lost) })
        .layer(middleware::from_fn(move |request, next| open.clone().guard(request, next)))
        .layer(ShellLayer::new(&state.config, state.metrics.clone()))
}

/// What programs call from anywhere: not the authorization endpoint, which is for navigation, and not introspection,
/// except where a profile of AMWA IS-10 wants all of them.
fn open_paths(state: &AppState) -> OpenPaths {
    let paths = state.provider.paths();
    let base = state.config.issuer().path();
    let at = |path: &str| format!("{base}{path}");
    let mut open = vec![
        at(&paths.token),
        at(&paths.revoke),
        at(&paths.userinfo),
        at(&paths.jwks),
        format!("/.well-known/oauth-authorization-server{base}"),
        at("/.well-known/openid-configuration"),
        "/certs".into(),
    ];
    open.extend(api::PATHS.map(str::to_owned));
    open.extend(toktok::paths(&state.config));
    if !state.config.profile().is_nmos() {
        return OpenPaths::new(open, Answers::ToScripts);
    }
    open.extend([
        at(&paths.authorize),
        at(&paths.introspect),
        at(&paths.register),
        at(&format!("{}/{{client_id}}", paths.register)),
    ]);
    open.extend(nmos::legacy::paths(&state.config));
    OpenPaths::new(open, Answers::ToAll)
}
