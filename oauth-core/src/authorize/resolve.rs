//! Where may an answer go? Nothing is sent anywhere before this is known.

use crate::{
    env::Env,
    error::OAuthError,
    model::{Client, ClientId, PendingAuthorization, ResponseMode},
    params::Params,
};
use std::sync::Arc;

/// A redirect URI proven to belong to the client. Only this file makes one, so no answer can go elsewhere.
#[derive(Clone)]
pub struct RedirectTarget {
    redirect_uri: String,
    state: Option<String>,
    mode: ResponseMode,
}

impl std::fmt::Debug for RedirectTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedirectTarget")
            .field("redirect_uri", &self.redirect_uri)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

impl RedirectTarget {
    /// The target of a request that was proven when it was suspended.
    pub(super) fn of(pending: &PendingAuthorization) -> Self {
        Self {
            redirect_uri: pending.redirect_uri.clone(),
            state: pending.state.clone(),
            mode: pending.response_mode,
        }
    }

    /// The redirect URI, exactly as registered or asked.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// The client's `state`, to be echoed.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// How the answer travels.
    pub const fn mode(&self) -> ResponseMode {
        self.mode
    }
}

/// Finds the client.
pub(super) async fn client(env: &Env, params: &Params) -> Result<Arc<Client>, OAuthError> {
    let id = ClientId::new(params.require("client_id")?);
    let client = env.clients.client(&id).await?;
    client.ok_or(OAuthError::invalid_request("this application is not registered here"))
}

/// Finds the client's redirect URI
/// ([RFC 6749 3.1.2.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2.3)).
pub(super) fn target(client: &Client, params: &Params) -> Result<RedirectTarget, OAuthError> {
    let redirect_uri = redirect_uri(client, params.get("redirect_uri"))?;
    let state = params.get("state").map(str::to_owned);
    Ok(RedirectTarget { redirect_uri, state, mode: mode(params) })
}

/// The mode that was asked for, where the response type can be answered in it, and the usual one otherwise, so that
/// even the refusal of a mode arrives.
fn mode(params: &Params) -> ResponseMode {
    let usual = ResponseMode::of(params.get("response_type").unwrap_or_default());
    match params.get("response_mode").and_then(ResponseMode::parse) {
        Some(ResponseMode::Query) | None => usual,
        Some(asked) => asked,
    }
}

/// The asked redirect URI if it is registered, or the only one there is.
pub(crate) fn redirect_uri(client: &Client, asked: Option<&str>) -> Result<String, OAuthError> {
    match (asked, client.redirect_uris.as_slice()) {
        (Some(asked), known) if known.iter().any(|k| k.matches(asked)) => Ok(asked.to_owned()),
        (Some(_), _) => {
            Err(OAuthError::invalid_request("redirect_uri is not registered for this application"))
        }
        (None, [only]) => Ok(only.as_str().to_owned()),
        (None, _) => Err(OAuthError::invalid_request("redirect_uri is missing")),
    }
}
