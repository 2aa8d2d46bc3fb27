//! The paths of 2019, below `/x-nmos/auth/v1.0`, for controllers that were written before AMWA IS-10 was finished.
//!
//! Tokens, revocation and authorization are those of everybody under another address: the request goes to the same
//! handler. Errors are what they always are, with the members of NMOS beside those of OAuth.

mod errors;
mod register;

use crate::{
    certs,
    config::{Config, Profile},
    pages,
    state::AppState,
};
use axum::{
    Json, Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, Uri, header, uri::PathAndQuery},
    middleware,
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use serde_json::json;
use std::{convert::Infallible, pin::Pin};
use tower::ServiceExt as _;

const BASE: &str = "/x-nmos/auth/v1.0";
/// Where nothing is.
const NOTHING: &str = "/x-nmos/{*nothing}";
/// What is below it.
const ENDPOINTS: [&str; 5] = ["authorize", "certs", "register_client", "revoke", "token"];

/// The paths, as the router knows them.
pub fn paths(config: &Config) -> Vec<String> {
    if config.profile() != Profile::Is10Legacy {
        return Vec::new();
    }
    let listings = ["/x-nmos", "/x-nmos/auth", BASE].map(str::to_owned);
    let endpoints = ENDPOINTS.map(|endpoint| format!("{BASE}/{endpoint}"));
    let all = listings.into_iter().chain(endpoints);
    all.flat_map(|path| [format!("{path}/"), path]).chain([NOTHING.to_owned()]).collect()
}

/// The routes, in the profile that has them.
pub fn routes(state: &AppState) -> Router<AppState> {
    if state.config.profile() != Profile::Is10Legacy {
        return Router::new();
    }
    let list = |below: &'static [&'static str]| get(move || async move { listing(below) });
    let here = |endpoint: &str| format!("{BASE}/{endpoint}");
    let protocol = pages::edge(state).router();
    let mut router = Router::new();
    for slash in ["", "/"] {
        router = router
            .route(&format!("/x-nmos{slash}"), list(&["auth/"]))
            .route(&format!("/x-nmos/auth{slash}"), list(&["v1.0/"]))
            .route(
                &format!("{BASE}{slash}"),
                list(&["authorize/", "certs/", "register_client/", "revoke/", "token/"]),
            )
            .route(&format!("{}{slash}", here("certs")), get(certificates))
            .route(&format!("{}{slash}", here("register_client")), post(register::register));
        let paths = state.provider.paths();
        for (endpoint, real) in
            [("authorize", &paths.authorize), ("token", &paths.token), ("revoke", &paths.revoke)]
        {
            let alias = alias(&protocol, format!("{}{real}", state.config.issuer().path()));
            let route =
                if endpoint == "authorize" { get(alias.clone()) } else { post(alias.clone()) };
            let route = if endpoint == "authorize" { route.post(alias) } else { route };
            router = router.route(&format!("{}{slash}", here(endpoint)), route);
        }
    }
    router
        .route(NOTHING, any(async || errors::plain(StatusCode::NOT_FOUND)))
        .method_not_allowed_fallback(errors::method_not_allowed)
        .layer(middleware::map_response(errors::with_members_of_nmos))
}

/// An answer that is being made.
type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

/// The handler of the protocol for this path, under another one. An answer never leads elsewhere than the protocol's.
fn alias(
    protocol: &Router,
    path: String,
) -> impl Fn(Request) -> Answering + Clone + Send + Sync + 'static {
    let protocol = protocol.clone();
    move |mut request: Request| -> Answering {
        let (protocol, path) = (protocol.clone(), path.clone());
        Box::pin(async move {
            let query = request.uri().query().map_or_else(String::new, |q| format!("?{q}"));
            let Ok(target) = format!("{path}{query}").parse::<PathAndQuery>() else {
                return errors::plain(StatusCode::NOT_FOUND);
            };
            *request.uri_mut() = Uri::from(target);
            let answer: Result<Response<Body>, Infallible> = protocol.oneshot(request).await;
            answer.unwrap_or_else(|never| match never {})
        })
    }
}

fn listing(below: &'static [&'static str]) -> Response {
    Json(json!(below)).into_response()
}

/// The certificates of the published keys: a JSON list of PEM texts, whatever is accepted.
async fn certificates(State(state): State<AppState>, mut request: Request) -> Response {
    let json = header::HeaderValue::from_static("application/json");
    request.headers_mut().insert(header::ACCEPT, json);
    let (parts, _) = request.into_parts();
    certs::certs(State(state), parts.headers).await
}
