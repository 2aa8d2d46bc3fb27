//! The endpoints of `oxide-auth-axum` on our store: an application written for oxide-auth keeps its handlers
//! and exchanges its registrar, authorizer and issuer for the values of [`oauth_core::oxide`].
//!
//! `/authorize`, `/token` and `/profile` are oxide-auth's flows; [`oauth_core::http::router`] beside them serves the
//! same tables, so an application can move one endpoint at a time.

mod owner;
mod refusal;

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, header},
    routing::{get, post},
};
use oauth_core::{
    Provider,
    model::Scope,
    oxide::{Authorize, ClientCredentials, Resource, Token},
};
use owner::Owner;
use oxide_auth::endpoint::QueryParameter as _;
use oxide_auth_async::endpoint::{
    access_token::AccessTokenFlow, authorization::AuthorizationFlow,
    client_credentials::ClientCredentialsFlow, refresh::RefreshFlow, resource::ResourceFlow,
};
use oxide_auth_axum::{OAuthRequest, OAuthResource, OAuthResponse, WebError};
use refusal::Refusal;
use tower_http::{csrf::CsrfLayer, set_header::SetResponseHeaderLayer};

/// A request, or why `oxide-auth-axum` cannot read it.
type Request<T> = Result<T, WebError>;
type Response = Result<OAuthResponse, Refusal>;

/// An authorization endpoint, a token endpoint, and a resource behind them.
pub fn router(provider: Provider) -> Router {
    // What the flows leave out: nothing with a credential may be kept (RFC 6749 5.1), the page with the password
    // must not be framed, and its form must come from the page.
    let add =
        |name, value| SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value));
    Router::new()
        .route("/authorize", get(ask).post(answer).layer(CsrfLayer::new()))
        .route("/token", post(token))
        .route("/profile", get(profile))
        .layer(add(header::CACHE_CONTROL, "no-store"))
        .layer(add(header::REFERRER_POLICY, "same-origin"))
        .layer(add(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
        .with_state(provider)
}

/// An authorization request arrives: the owner is shown who asks for what.
async fn ask(State(provider): State<Provider>, request: Request<OAuthRequest>) -> Response {
    authorize(&provider, request?, Owner::arriving(&provider)).await
}

/// The owner has filled in the page. Its form is posted to the address of the request, which is checked again.
async fn answer(State(provider): State<Provider>, request: Request<OAuthRequest>) -> Response {
    authorize(&provider, request?, Owner::answering(&provider)).await
}

async fn authorize(provider: &Provider, request: OAuthRequest, owner: Owner) -> Response {
    let endpoint = Authorize::new(provider).asking(owner);
    Ok(AuthorizationFlow::prepare(endpoint)?.execute(request).await?)
}

/// oxide-auth has a flow per grant type, and who serves them chooses.
async fn token(State(provider): State<Provider>, request: Request<OAuthRequest>) -> Response {
    let request = request?;
    let grant_type = request.body().and_then(|b| b.unique_value("grant_type"));
    Ok(match grant_type.as_deref() {
        Some("client_credentials") => {
            let endpoint = ClientCredentials::new(&provider);
            ClientCredentialsFlow::prepare(endpoint)?.execute(request).await?
        }
        Some("refresh_token") => {
            RefreshFlow::prepare(Token::new(&provider))?.execute(request).await?
        }
        _ => AccessTokenFlow::prepare(Token::new(&provider))?.execute(request).await?,
    })
}

/// A resource for tokens with the scope `profile`.
async fn profile(State(provider): State<Provider>, request: Request<OAuthResource>) -> Response {
    let needed = Scope::parse("profile").unwrap_or_default();
    let endpoint = Resource::new(&provider).needs(&needed);
    let request = OAuthRequest::from(request?);
    match ResourceFlow::prepare(endpoint)?.execute(request).await {
        Ok(grant) => {
            let hello = format!("hello {}", grant.owner_id);
            Ok(OAuthResponse::default().body(&hello).content_type("text/plain")?)
        }
        Err(Ok(challenge)) => Ok(challenge),
        Err(Err(e)) => Err(e.into()),
    }
}
