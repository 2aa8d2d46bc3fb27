//! Parameters to a value that needs no further checking.

use super::{
    RedirectTarget, Visitor,
    openid::{self, OpenidRequest},
};
use crate::{
    config::PkcePolicy,
    env::Env,
    error::{ErrorCode, OAuthError},
    grants::{Grants, asked_scope, resources, scope_within},
    model::{Client, PendingAuthorization, ResponseMode, Scope, Timestamp},
    params::Params,
    pkce,
};

/// The values of `prompt` this server knows
/// ([OpenID Connect Core 3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest),
/// [Initiating User Registration 4](https://openid.net/specs/openid-connect-prompt-create-1_0.html)).
pub(crate) const PROMPTS: [&str; 5] = ["none", "login", "consent", "select_account", "create"];

/// Longer than any sensible state: it is kept until a person has acted.
const LONGEST_STATE: usize = 16 * 1024;
/// Longer than any name that somebody signs in with.
const LONGEST_HINT: usize = 1024;

/// Everything that meets in a request.
pub(super) struct Request<'a> {
    pub(super) env: &'a Env,
    pub(super) grants: &'a Grants,
    pub(super) client: &'a Client,
    pub(super) target: &'a RedirectTarget,
    pub(super) params: &'a Params,
    pub(super) now: Timestamp,
}

pub(super) async fn check(
    x: &Request<'_>,
    visitor: Visitor,
) -> Result<PendingAuthorization, OAuthError> {
    let Request { env, client, target, params, now, .. } = *x;
    let response_type = response_type(x.grants, client, params)?;
    check_mode(params, &response_type)?;
    if target.state().is_some_and(|state| state.len() > LONGEST_STATE) {
        return Err(OAuthError::invalid_request("state is too long"));
    }
    let resources = resources(params)?;
    if resources.iter().any(|r| !env.resources.iter().any(|known| known.uri == *r)) {
        return Err(OAuthError::new(ErrorCode::InvalidTarget, "unknown resource"));
    }
    let has_code = response_type.split(' ').any(|word| word == "code");
    let required = env.policy.pkce == PkcePolicy::Everybody || client.is_public();
    let challenge = pkce::challenge(params, required && has_code, env.policy.danger_plain_pkce)?;
    let scope = scope(x, has_code)?;
    let OpenidRequest { nonce, claims, expected_subject, acr_values } =
        openid::check(x, &response_type, &scope).await?;
    Ok(PendingAuthorization {
        client: client.id.clone(),
        response_type,
        response_mode: target.mode(),
        redirect_uri: target.redirect_uri().to_owned(),
        redirect_uri_was_sent: params.get("redirect_uri").is_some(),
        state: target.state().map(str::to_owned),
        scope,
        resources,
        challenge,
        prompt: prompt(params)?,
        login_hint: login_hint(params),
        nonce,
        claims,
        max_age: max_age(client, params)?,
        acr_values,
        expected_subject,
        ui_locales: words(params, "ui_locales"),
        signed_in_here: false,
        browser: PendingAuthorization::browser_hash(&visitor.browser),
        first: None,
        login: visitor.login,
        expires_at: now.plus(env.policy.interaction_ttl),
    })
}

/// The response type with its words in sorted order, as a set
/// ([RFC 6749 3.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1.1)).
fn response_type(grants: &Grants, client: &Client, params: &Params) -> Result<String, OAuthError> {
    let mut words: Vec<_> = params.require("response_type")?.split(' ').collect();
    words.sort_unstable();
    let response_type = words.join(" ");
    let needed = grants.grants_of_response_type(&response_type).ok_or(OAuthError::new(
        ErrorCode::UnsupportedResponseType,
        "this response_type is not offered here",
    ))?;
    let may = needed.iter().all(|grant| client.may_use(grant))
        && client.response_types.contains(&response_type);
    if !may {
        return Err(OAuthError::new(
            ErrorCode::UnauthorizedClient,
            "the client is not registered for this response_type",
        ));
    }
    Ok(response_type)
}

/// A token never travels in a query, where servers log it and `Referer` carries it on
/// ([OAuth 2.0 Multiple Response Type Encoding Practices 3](https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html#Combinations)).
fn check_mode(params: &Params, response_type: &str) -> Result<(), OAuthError> {
    let Some(name) = params.get("response_mode") else { return Ok(()) };
    let usual = ResponseMode::of(response_type);
    match ResponseMode::parse(name) {
        None => Err(OAuthError::invalid_request("this response_mode is not offered here")),
        Some(ResponseMode::Query) if usual != ResponseMode::Query => {
            Err(OAuthError::invalid_request("this response_type must not be answered in the query"))
        }
        Some(_) => Ok(()),
    }
}

/// What is asked. An OpenID Connect request is not refused for a scope that means nothing for this client
/// ([OpenID Connect Core 3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)), nor for access
/// while the user is away where no code is issued or the client could not make use of it
/// ([11](https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess)): both are left out.
fn scope(x: &Request<'_>, has_code: bool) -> Result<Scope, OAuthError> {
    let most = &x.client.scope;
    let asked = asked_scope(x.params)?.unwrap_or_else(|| most.clone());
    let is_openid = x.env.policy.openid && asked.contains("openid") && most.contains("openid");
    if !is_openid {
        return scope_within(x.params, most);
    }
    let understood = asked.common(most);
    let may_refresh = has_code && x.client.may_use("refresh_token");
    Ok(if may_refresh { understood } else { understood.without(["offline_access"]) })
}

fn prompt(params: &Params) -> Result<Vec<String>, OAuthError> {
    let words: Vec<_> = params.get("prompt").unwrap_or_default().split(' ').collect();
    if words.len() > 1 && words.contains(&"none") {
        return Err(OAuthError::invalid_request("prompt=none does not go with others"));
    }
    let known = words.into_iter().filter(|w| PROMPTS.contains(w));
    Ok(known.map(str::to_owned).collect())
}

fn max_age(client: &Client, params: &Params) -> Result<Option<u64>, OAuthError> {
    match params.get("max_age") {
        None => Ok(client.metadata.default_max_age),
        Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => text
            .parse()
            .map(Some)
            .map_err(|_| OAuthError::invalid_request("max_age is not a number of seconds")),
        Some(_) => Err(OAuthError::invalid_request("max_age is not a number of seconds")),
    }
}

/// A preference, too.
fn login_hint(params: &Params) -> Option<String> {
    params.get("login_hint").filter(|hint| hint.len() <= LONGEST_HINT).map(str::to_owned)
}

/// Preferences: they are honoured where they can be, and none of them breaks a request.
pub(super) fn words(params: &Params, name: &str) -> Vec<String> {
    const MOST: usize = 20;
    const LONGEST: usize = 255;
    let fits = |word: &&str| (1..=LONGEST).contains(&word.len());
    let words = params.get(name).unwrap_or_default().split(' ').filter(fits);
    words.take(MOST).map(str::to_owned).collect()
}
