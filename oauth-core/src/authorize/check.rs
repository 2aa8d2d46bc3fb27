//! Parameters to a value that needs no further checking.

use super::{RedirectTarget, Visitor};
use crate::{
    config::PkcePolicy,
    env::Env,
    error::{ErrorCode, OAuthError},
    grants::{Grants, resources, scope_within},
    model::{Client, PendingAuthorization, Timestamp},
    params::Params,
    pkce,
};

/// The values of `prompt` this server knows
/// ([OpenID Connect Core 3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)).
const PROMPTS: [&str; 4] = ["none", "login", "consent", "select_account"];

#[expect(
    clippy::too_many_arguments,
    reason = "the one place where everything about a request meets"
)]
pub(super) fn check(
    env: &Env,
    grants: &Grants,
    client: &Client,
    target: &RedirectTarget,
    params: &Params,
    visitor: &Visitor,
    now: Timestamp,
) -> Result<PendingAuthorization, OAuthError> {
    let response_type = response_type(grants, client, params)?;
    check_mode(target, params)?;
    let resources = resources(params)?;
    if resources.iter().any(|r| !env.resources.iter().any(|known| known.uri == *r)) {
        return Err(OAuthError::new(ErrorCode::InvalidTarget, "unknown resource"));
    }
    let has_code = response_type.split(' ').any(|word| word == "code");
    let required = env.policy.pkce == PkcePolicy::Everybody || client.is_public();
    let challenge = pkce::challenge(params, required && has_code, env.policy.danger_plain_pkce)?;
    Ok(PendingAuthorization {
        client: client.id.clone(),
        response_type,
        redirect_uri: target.redirect_uri().to_owned(),
        redirect_uri_was_sent: params.get("redirect_uri").is_some(),
        state: target.state().map(str::to_owned),
        scope: scope_within(params, &client.scope)?,
        resources,
        challenge,
        prompt: prompt(params)?,
        login_hint: params.get("login_hint").map(str::to_owned),
        login: visitor.login.clone(),
        browser: PendingAuthorization::browser_hash(&visitor.browser),
        expires_at: now.plus(env.policy.interaction_ttl),
    })
}

/// The response type with its words in sorted order, as a set
/// ([RFC 6749 3.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1.1)).
fn response_type(grants: &Grants, client: &Client, params: &Params) -> Result<String, OAuthError> {
    let mut words: Vec<_> = params.require("response_type")?.split(' ').collect();
    words.sort_unstable();
    let response_type = words.join(" ");
    let grant = grants.of_response_type(&response_type).ok_or(OAuthError::new(
        ErrorCode::UnsupportedResponseType,
        "this response_type is not offered here",
    ))?;
    if !client.may_use(grant.grant_type()) || !client.response_types.contains(&response_type) {
        return Err(OAuthError::new(
            ErrorCode::UnauthorizedClient,
            "the client is not registered for this response_type",
        ));
    }
    Ok(response_type)
}

/// `response_mode` may repeat the usual mode; a token in a query is refused, the rest is not offered.
fn check_mode(target: &RedirectTarget, params: &Params) -> Result<(), OAuthError> {
    match params.get("response_mode") {
        Some(mode) if mode != target.mode().as_str() => Err(OAuthError::invalid_request(
            "this response_mode is not offered for this response_type",
        )),
        _ => Ok(()),
    }
}

fn prompt(params: &Params) -> Result<Vec<String>, OAuthError> {
    let words: Vec<_> = params.get("prompt").unwrap_or_default().split(' ').collect();
    if words.len() > 1 && words.contains(&"none") {
        return Err(OAuthError::invalid_request("prompt=none does not go with others"));
    }
    let known = words.into_iter().filter(|w| PROMPTS.contains(w));
    Ok(known.map(str::to_owned).collect())
}
