//! Grant types: one file each, one line of registration each.
//!
//! Dispatch, metadata, and the check of what a client may register all read the same [`Grants`].

mod authorization_code;
mod client_credentials;
mod implicit;
mod password;
mod refresh_token;

use crate::{
    client_auth::AuthenticatedClient,
    env::Env,
    error::{ErrorCode, OAuthError},
    model::{Approval, ResourceUri, Scope, Timestamp},
    params::Params,
};
use async_trait::async_trait;

#[cfg(feature = "oxide")]
pub(crate) use authorization_code::refresh_until;
pub use implicit::Implicit;
pub use password::Password;

/// The grants every provider offers: authorization code, client credentials, refresh.
///
/// [`Implicit`] and [`Password`] are not among them
/// ([RFC 9700 2.1.2, 2.4](https://www.rfc-editor.org/rfc/rfc9700#section-2.1.2)); who needs them adds them.
pub fn standard() -> Vec<Box<dyn Grant>> {
    vec![
        Box::new(authorization_code::AuthorizationCode),
        Box::new(client_credentials::ClientCredentials),
        Box::new(refresh_token::RefreshToken),
    ]
}

/// A way to get tokens ([RFC 6749 1.3](https://www.rfc-editor.org/rfc/rfc6749#section-1.3)).
#[async_trait]
pub trait Grant: Send + Sync {
    /// The value of `grant_type`.
    fn grant_type(&self) -> &'static str;

    /// Whether the grant is used at the token endpoint at all.
    fn has_token_request(&self) -> bool {
        true
    }

    /// Why an operator should not have turned this grant on, if there is a reason.
    fn warning(&self) -> Option<&'static str> {
        None
    }

    /// Reads and decides; writes nothing.
    async fn approve(&self, x: &Exchange<'_>) -> Result<Approval, OAuthError>;
}

/// What a grant decides on.
pub struct Exchange<'a> {
    /// Ports and policy.
    pub env: &'a Env,
    /// Who asks.
    pub client: &'a AuthenticatedClient,
    /// The parameters of the token request.
    pub params: &'a Params,
    /// The one time of this request.
    pub now: Timestamp,
}

impl Exchange<'_> {
    /// The `scope` parameter, which must lie within `most`; all of `most` when it was not sent
    /// ([RFC 6749 3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)).
    pub fn scope_within(&self, most: &Scope) -> Result<Scope, OAuthError> {
        scope_within(self.params, most)
    }

    /// The same within what was granted once, of which the client has only what it is still registered for.
    pub fn scope_among(&self, granted: &Scope) -> Result<Scope, OAuthError> {
        let most = granted.common(&self.client.scope);
        if most.is_empty() && !granted.is_empty() {
            return Err(OAuthError::new(
                ErrorCode::InvalidScope,
                "the client may no longer have this scope",
            ));
        }
        scope_within(self.params, &most)
    }

    /// The `resource` parameters ([RFC 8707 2](https://www.rfc-editor.org/rfc/rfc8707#section-2)).
    pub fn resources(&self) -> Result<Vec<ResourceUri>, OAuthError> {
        resources(self.params)
    }

    /// The `resource` parameters, which must be among those of the authorization; all of them when none was sent
    /// ([RFC 8707 2.2](https://www.rfc-editor.org/rfc/rfc8707#section-2.2)).
    pub fn resources_among(&self, granted: &[ResourceUri]) -> Result<Vec<ResourceUri>, OAuthError> {
        let asked = self.resources()?;
        if asked.is_empty() {
            return Ok(granted.to_vec());
        }
        if asked.iter().all(|r| granted.contains(r)) {
            Ok(asked)
        } else {
            Err(OAuthError::new(ErrorCode::InvalidTarget, "the resource was not authorized"))
        }
    }
}

pub(crate) fn scope_within(params: &Params, most: &Scope) -> Result<Scope, OAuthError> {
    let Some(asked) = asked_scope(params)? else {
        return Ok(most.clone());
    };
    most.narrow(&asked)
        .ok_or(OAuthError::new(ErrorCode::InvalidScope, "the scope exceeds what may be granted"))
}

pub(crate) fn asked_scope(params: &Params) -> Result<Option<Scope>, OAuthError> {
    let malformed = OAuthError::new(ErrorCode::InvalidScope, "the scope is malformed");
    match params.get("scope").map(Scope::parse) {
        None => Ok(None),
        Some(asked) => asked.map(Some).ok_or(malformed),
    }
}

pub(crate) fn resources(params: &Params) -> Result<Vec<ResourceUri>, OAuthError> {
    let malformed = |_| OAuthError::new(ErrorCode::InvalidTarget, "the resource is malformed");
    let mut resources: Vec<_> = params
        .many("resource")
        .map(|r| ResourceUri::parse(r).map_err(malformed))
        .collect::<Result<_, _>>()?;
    resources.sort();
    resources.dedup();
    Ok(resources)
}

/// Every response type, its words in sorted order, and the grants it takes
/// ([OAuth 2.0 Multiple Response Type Encoding Practices 3-5](https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html)).
///
/// What brings an access token to the address bar, or no code, takes the implicit grant. An id token beside a code does
/// not: it is read by nobody but the client, and is no key to anything.
const RESPONSE_TYPES: [(&str, &[&str]); 8] = [
    ("code", &["authorization_code"]),
    ("code id_token", &["authorization_code"]),
    ("code id_token token", &["authorization_code", "implicit"]),
    ("code token", &["authorization_code", "implicit"]),
    ("id_token", &["implicit"]),
    ("id_token token", &["implicit"]),
    ("none", &[]),
    ("token", &["implicit"]),
];
/// The response types that have a meaning without OpenID Connect.
const PLAIN: [&str; 3] = ["code", "none", "token"];

/// The registry of grants.
pub struct Grants {
    grants: Vec<Box<dyn Grant>>,
    openid: bool,
}

impl Grants {
    /// A registry; a later grant replaces an earlier one of the same type. `openid` says whether id tokens are issued.
    pub fn new(grants: Vec<Box<dyn Grant>>, openid: bool) -> Self {
        let mut kept: Vec<Box<dyn Grant>> = Vec::new();
        for grant in grants {
            kept.retain(|g| g.grant_type() != grant.grant_type());
            kept.push(grant);
        }
        Self { grants: kept, openid }
    }

    /// The grant of a token request.
    pub fn get(&self, grant_type: &str) -> Option<&dyn Grant> {
        let mut grants = self.grants.iter().map(|g| &**g);
        grants.find(|g| g.grant_type() == grant_type && g.has_token_request())
    }

    /// The grant types a response type takes; `None` when it is not offered here.
    pub fn grants_of_response_type(&self, response_type: &str) -> Option<&'static [&'static str]> {
        let (name, needed) = *RESPONSE_TYPES.iter().find(|(name, _)| *name == response_type)?;
        let offered = (self.openid || PLAIN.contains(&name))
            && needed.iter().all(|n| self.grant_types().any(|g| g == *n));
        offered.then_some(needed)
    }

    /// All grant types.
    pub fn grant_types(&self) -> impl Iterator<Item = &'static str> {
        self.grants.iter().map(|g| g.grant_type())
    }

    /// All response types, their words in sorted order.
    pub fn response_types(&self) -> impl Iterator<Item = &'static str> {
        let offered = |name: &&str| self.grants_of_response_type(name).is_some();
        RESPONSE_TYPES.iter().map(|(name, _)| *name).filter(offered)
    }

    /// Reasons to worry about the grants that are on.
    pub fn warnings(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.grants.iter().filter_map(|g| Some((g.grant_type(), g.warning()?)))
    }
}
