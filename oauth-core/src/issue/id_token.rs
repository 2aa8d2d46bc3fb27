//! Id tokens: [OpenID Connect Core 2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken).

use super::{
    protect::{Content, protect},
    sign::sign,
};
use crate::{
    env::Env,
    error::OAuthError,
    jose::left_half_hash,
    model::{Client, Login, OpenidContext, Scope, SigningAlgorithm, Timestamp},
    openid::{select, session, subject},
};
use serde_json::{Map, Value, json};

/// What an id token is to say.
pub(crate) struct IdTerms<'a> {
    pub(crate) login: &'a Login,
    pub(crate) openid: &'a OpenidContext,
    /// What was granted.
    pub(crate) scope: &'a Scope,
    /// The code that travels beside it, for `c_hash`.
    pub(crate) code: Option<&'a str>,
    /// The access token that travels beside it, for `at_hash`.
    pub(crate) access_token: Option<&'a str>,
    /// Whether the client gets no access token at all, so that the claims of its scopes must be in here
    /// ([OpenID Connect Core 5.4](https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims)).
    pub(crate) alone: bool,
}

/// The algorithm a client's id tokens are signed with.
pub(crate) fn algorithm(env: &Env, client: &Client) -> SigningAlgorithm {
    let known = &env.policy.algorithms;
    let default = if known.contains(&SigningAlgorithm::RS256) {
        SigningAlgorithm::RS256
    } else {
        known.first().copied().unwrap_or(SigningAlgorithm::RS256)
    };
    client.metadata.id_token_signed_response_alg.unwrap_or(default)
}

/// Makes an id token, signed and, where the client wants it, encrypted.
pub(crate) async fn mint(
    env: &Env,
    client: &Client,
    terms: &IdTerms<'_>,
    now: Timestamp,
) -> Result<String, OAuthError> {
    let alg = algorithm(env, client);
    let mut claims = user_claims(env, client, terms).await?;
    let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    set("iss", json!(env.issuer.as_str()));
    set("sub", json!(subject(env, client, &terms.login.user)));
    set("aud", json!(client.id.as_str()));
    set("iat", json!(now.unix()));
    set("exp", json!(now.plus(env.policy.id_token_ttl).unix()));
    set("auth_time", json!(terms.login.at.unix()));
    if let Some(nonce) = &terms.openid.nonce {
        set("nonce", json!(nonce));
    }
    if let Some(acr) = &terms.login.acr {
        set("acr", json!(acr));
    }
    if !terms.login.amr.is_empty() {
        set("amr", json!(terms.login.amr));
    }
    if let Some(sid) = &terms.login.sid {
        set("sid", json!(session(env, client, sid)));
    }
    if let Some(code) = terms.code {
        set("c_hash", json!(left_half_hash(alg, code)));
    }
    if let Some(token) = terms.access_token {
        set("at_hash", json!(left_half_hash(alg, token)));
    }
    let signed = sign(env, alg, "JWT", &claims, now).await?;
    let encryption = client.metadata.id_token_encrypted_response;
    protect(env, client, encryption, Content::Signed(signed), now).await
}

/// The claims about the user: those asked for by name, and those of the scopes where there is no other way.
async fn user_claims(
    env: &Env,
    client: &Client,
    terms: &IdTerms<'_>,
) -> Result<Map<String, Value>, OAuthError> {
    let asked = &terms.openid.claims.id_token;
    if asked.is_empty() && !terms.alone {
        return Ok(Map::new());
    }
    let profile = env.users.profile(&terms.login.user).await?;
    let nothing = Scope::default();
    let granted = if terms.alone { terms.scope } else { &nothing };
    Ok(select(&profile, granted, asked, &client.scope))
}
