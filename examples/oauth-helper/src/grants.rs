//! Requests to the token endpoint, by the `oauth2` crate.

use crate::{
    error::{Endpoint, Error, Result, clean},
    model::{Client, Credentials},
    secret::Secret,
    store::TokenStore,
    wire::{Connection, TokenAnswer},
};
use oauth2::{
    AuthType, AuthorizationCode, ClientId, EndpointNotSet, EndpointSet, ErrorResponseType,
    PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, ResourceOwnerPassword,
    ResourceOwnerUsername, Scope, StandardErrorResponse, StandardRevocableToken, TokenUrl,
    basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse},
};
use url::Url;

/// The protocol as the crate has it, with what is read of answers here.
pub(crate) type Protocol<Token = EndpointNotSet> = oauth2::Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    Token,
>;

/// The client without its secret: [`Connection`] authenticates every request, so that it is done in one way.
pub(crate) fn protocol(client: &Client) -> Protocol {
    Protocol::new(ClientId::new(client.client_id.clone())).set_auth_type(AuthType::RequestBody)
}

fn at_token_endpoint(client: &Client) -> Result<Protocol<EndpointSet>> {
    let url = client.endpoints().token.ok_or_else(|| missing(client, "token"))?;
    Ok(protocol(client).set_token_uri(TokenUrl::from_url(url)))
}

pub(crate) fn missing(client: &Client, what: &str) -> Error {
    Error::Invalid(format!("{}: the provider has no {what} endpoint", client.name))
}

fn connection<'a>(
    store: &'a TokenStore,
    client: &'a Client,
    credentials: &'a Credentials,
) -> Connection<'a> {
    let inner = &store.inner;
    Connection::new(&inner.wire, Endpoint::Token, client, credentials, &*inner.clock)
}

/// The scope as the crate wants it.
pub(crate) fn scopes(client: &Client) -> Vec<Scope> {
    client.scope.split_whitespace().map(|s| Scope::new(s.to_owned())).collect()
}

/// Adds the extra parameters to a request of the crate; they all have the same method and no common trait.
macro_rules! with_params {
    ($request:expr, $params:expr) => {{
        let params: &std::collections::BTreeMap<String, String> = $params;
        let mut request = $request;
        for (name, value) in params {
            request = request.add_extra_param(name.clone(), value.clone());
        }
        request
    }};
}
pub(crate) use with_params;

/// Exchanges a code ([RFC 6749 4.1.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3),
/// [RFC 7636 4.5](https://www.rfc-editor.org/rfc/rfc7636#section-4.5)).
pub(crate) async fn code(
    store: &TokenStore,
    client: &Client,
    credentials: &Credentials,
    (code, verifier, redirect): (&Secret, &Secret, &Url),
) -> Result<TokenAnswer> {
    let protocol =
        at_token_endpoint(client)?.set_redirect_uri(RedirectUrl::from_url(redirect.clone()));
    let request = protocol
        .exchange_code(AuthorizationCode::new(code.expose().to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
    let request = with_params!(request, &client.params.token);
    request.request_async(&connection(store, client, credentials)).await.map_err(refused)
}

/// Asks as the client itself ([RFC 6749 4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4)).
pub(crate) async fn client_credentials(
    store: &TokenStore,
    client: &Client,
    credentials: &Credentials,
) -> Result<TokenAnswer> {
    let protocol = at_token_endpoint(client)?;
    let request = protocol.exchange_client_credentials().add_scopes(scopes(client));
    let request = with_params!(request, &client.params.token);
    request.request_async(&connection(store, client, credentials)).await.map_err(refused)
}

/// Refreshes ([RFC 6749 6](https://www.rfc-editor.org/rfc/rfc6749#section-6)). The scope is not sent: what was
/// granted is what is wanted again.
pub(crate) async fn refresh(
    store: &TokenStore,
    client: &Client,
    credentials: &Credentials,
    token: &Secret,
) -> Result<TokenAnswer> {
    let protocol = at_token_endpoint(client)?;
    let token = RefreshToken::new(token.expose().to_owned());
    let request = protocol.exchange_refresh_token(&token);
    let request = with_params!(request, &client.params.refresh);
    request.request_async(&connection(store, client, credentials)).await.map_err(refused)
}

/// Sends a user's password ([RFC 6749 4.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.3)).
pub(crate) async fn password(
    store: &TokenStore,
    client: &Client,
    credentials: &Credentials,
    (username, password): (&str, &Secret),
) -> Result<TokenAnswer> {
    let protocol = at_token_endpoint(client)?;
    let username = ResourceOwnerUsername::new(username.to_owned());
    let password = ResourceOwnerPassword::new(password.expose().to_owned());
    let request = protocol.exchange_password(&username, &password).add_scopes(scopes(client));
    let request = with_params!(request, &client.params.token);
    request.request_async(&connection(store, client, credentials)).await.map_err(refused)
}

/// The errors of the crate as ours.
pub(crate) fn refused<T>(error: RequestTokenError<Error, StandardErrorResponse<T>>) -> Error
where
    T: ErrorResponseType + AsRef<str> + std::fmt::Display + 'static,
{
    match error {
        RequestTokenError::Request(error) => error,
        RequestTokenError::ServerResponse(answer) => Error::Refused {
            endpoint: Endpoint::Token,
            code: clean(answer.error().as_ref()),
            description: answer.error_description().map(|d| clean(d)).unwrap_or_default(),
        },
        // The text of these would repeat the answer, tokens and all.
        _ => Error::unusable(Endpoint::Token, "gave an answer that makes no sense"),
    }
}
