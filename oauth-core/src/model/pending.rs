//! An authorization request that waits for a person.

use super::{
    ClaimsRequest, ClientId, CodeChallenge, HashedToken, Login, ResourceUri, ResponseMode, Scope,
    Timestamp,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A checked authorization request between its arrival and its answer. Stored under the hash of its interaction id.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingAuthorization {
    /// Who asks.
    pub client: ClientId,
    /// The value of `response_type`, its words in sorted order.
    pub response_type: String,
    /// How the answer travels.
    #[serde(default)]
    pub response_mode: ResponseMode,
    /// The proven place the answer goes to.
    pub redirect_uri: String,
    /// Whether the request itself named it, so that the token request must too.
    pub redirect_uri_was_sent: bool,
    /// Echoed to the client.
    pub state: Option<String>,
    /// What is asked.
    pub scope: Scope,
    /// For which resources.
    pub resources: Vec<ResourceUri>,
    /// The PKCE challenge.
    pub challenge: Option<CodeChallenge>,
    /// Values of `prompt` still to be honoured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prompt: Vec<String>,
    /// A user name to fill in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_hint: Option<String>,
    /// The `nonce`, repeated in id tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Claims asked for one by one.
    #[serde(default, skip_serializing_if = "ClaimsRequest::is_empty")]
    pub claims: ClaimsRequest,
    /// How many seconds ago the person may have signed in at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u64>,
    /// Authentication contexts the client would like, the best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acr_values: Vec<String>,
    /// The `sub` the client expects, by `id_token_hint` or the `claims` parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_subject: Option<String>,
    /// Languages for the pages, the best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ui_locales: Vec<String>,
    /// Whether somebody has signed in for this very request.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub signed_in_here: bool,
    /// Who signed in, once somebody did.
    pub login: Option<Login>,
    /// The hash of the cookie of the browser that started it, as base64url.
    pub browser: String,
    /// The interaction that the request began with, if it is not this one. Whatever way somebody goes forth and back, an
    /// answer uses that one up, so there is one answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<HashedToken>,
    /// When it is forgotten.
    pub expires_at: Timestamp,
}

impl fmt::Debug for PendingAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingAuthorization")
            .field("client", &self.client)
            .field("response_type", &self.response_type)
            .field("redirect_uri", &self.redirect_uri)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl PendingAuthorization {
    /// Whether it is an OpenID Connect request
    /// ([OpenID Connect Core 3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)).
    pub fn is_openid(&self) -> bool {
        self.scope.contains("openid")
    }

    /// Whether a word is among those of the response type.
    pub fn answers_with(&self, word: &str) -> bool {
        self.response_type.split(' ').any(|w| w == word)
    }

    /// Whether this value of `prompt` is still to be honoured.
    pub fn asks_for(&self, prompt: &str) -> bool {
        self.prompt.iter().any(|p| p == prompt)
    }

    /// Whether the cookie value belongs to the browser that started this request. No cookie is nobody's.
    pub fn is_from(&self, browser: &str) -> bool {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        URL_SAFE_NO_PAD
            .decode(&self.browser)
            .ok()
            .and_then(|b| HashedToken::from_stored(&b))
            .is_some_and(|h| !browser.is_empty() && h.matches(browser))
    }

    /// The stored form of a browser cookie.
    pub fn browser_hash(cookie: &str) -> String {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        URL_SAFE_NO_PAD.encode(HashedToken::of(cookie).as_bytes())
    }
}
