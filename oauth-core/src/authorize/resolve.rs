//! Where may an answer go? Nothing is sent anywhere before this is known.

use crate::{
    env::Env,
    error::OAuthError,
    model::{Client, ClientId, PendingAuthorization},
    params::Params,
};
use std::sync::Arc;

/// How an answer travels ([OAuth 2.0 Multiple Response Type Encoding Practices 2.1](https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html#ResponseModes)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseMode {
    /// In the fragment: for anything with a token in it.
    Fragment,
    /// In the query.
    Query,
}

impl ResponseMode {
    /// The usual mode of a response type.
    pub fn of(response_type: &str) -> Self {
        if response_type.split(' ').any(|word| word == "token" || word == "id_token") {
            Self::Fragment
        } else {
            Self::Query
        }
    }

    /// The value of `response_mode`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fragment => "fragment",
            Self::Query => "query",
        }
    }
}

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
            mode: ResponseMode::of(&pending.response_type),
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

/// Finds the client and its redirect URI
/// ([RFC 6749 3.1.2.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2.3)).
pub(super) async fn resolve(
    env: &Env,
    params: &Params,
) -> Result<(Arc<Client>, RedirectTarget), OAuthError> {
    let id = ClientId::new(params.require("client_id")?);
    let client = env
        .clients
        .client(&id)
        .await?
        .ok_or(OAuthError::invalid_request("this application is not registered here"))?;
    let redirect_uri = redirect_uri(&client, params.get("redirect_uri"))?;
    let mode = ResponseMode::of(params.get("response_type").unwrap_or_default());
    let state = params.get("state").map(str::to_owned);
    Ok((client, RedirectTarget { redirect_uri, state, mode }))
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
