//! Clients that authenticate by a JWT: [RFC 7523 2.2 and 3](https://www.rfc-editor.org/rfc/rfc7523#section-2.2).

use super::secret::open_secret;
use crate::{
    config::AssertionAudience,
    env::Env,
    error::OAuthError,
    jose::{Jwt, peek, verify_hmac},
    model::{Client, ClientId, MacAlgorithm, SealedSecret, Timestamp, VerificationAlgorithm},
    params::Params,
};
use serde_json::Value;
use std::{error::Error, time::Duration};

/// The one `client_assertion_type` ([RFC 7523 2.2](https://www.rfc-editor.org/rfc/rfc7523#section-2.2)).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// What the `typ` header may be, if it is there. A JWT that says it is something else was made for something else
/// ([RFC 8725 3.11](https://www.rfc-editor.org/rfc/rfc8725#section-3.11)).
const TYPES: [&str; 2] = ["JWT", "client-authentication+jwt"];
/// How far the client's clock may be from ours.
const LEEWAY: Duration = Duration::from_secs(30);
/// How far ahead `exp` may lie: each id must be remembered until then.
const LONGEST_LIFE: Duration = Duration::from_hours(1);
/// Longer ids are not remembered.
const LONGEST_ID: usize = 512;
/// The kind under which the ids of assertions are marked as seen.
const SEEN: &str = "client-assertion";

/// The assertion of the request, if it carries one.
pub(super) fn read(params: &Params) -> Result<Option<&str>, OAuthError> {
    match (params.get("client_assertion_type"), params.get("client_assertion")) {
        (None, None) => Ok(None),
        (Some(JWT_BEARER), Some(token)) => Ok(Some(token)),
        _ => Err(refused("client_assertion goes with the client_assertion_type of a JWT")),
    }
}

/// Whose assertion it says it is. A `client_id` beside it must say the same
/// ([RFC 7521 4.2](https://www.rfc-editor.org/rfc/rfc7521#section-4.2)).
pub(super) fn subject(token: &str, client_id: Option<&str>) -> Result<ClientId, OAuthError> {
    let claims = peek(token).map_err(refused)?.claims;
    let subject = claims.get("sub").and_then(Value::as_str);
    let subject = subject.ok_or_else(|| refused("the assertion has no sub"))?;
    if client_id.is_some_and(|id| id != subject) {
        return Err(refused("client_id is not the sub of the assertion"));
    }
    Ok(ClientId::new(subject))
}

/// `client_secret_jwt`: the client and this server share a secret.
pub(super) async fn check_mac(
    env: &Env,
    client: &Client,
    sealed: &SealedSecret,
    token: &str,
) -> Result<(), OAuthError> {
    let secret = open_secret(env, &client.id, sealed)?;
    let allowed = allowed(&MacAlgorithm::ALL, MacAlgorithm::as_str, client);
    let jwt = verify_hmac(token, &secret, &allowed).map_err(refused)?;
    accept(env, client, &jwt, env.clock.now()).await
}

/// `private_key_jwt`: the client has published its keys.
pub(super) async fn check_signature(
    env: &Env,
    client: &Client,
    token: &str,
) -> Result<(), OAuthError> {
    let now = env.clock.now();
    let allowed = allowed(&VerificationAlgorithm::ALL, VerificationAlgorithm::as_str, client);
    let jwt = env.client_keys.verify(client, token, &allowed, now).await.map_err(refused)?;
    accept(env, client, &jwt, now).await
}

/// The algorithms of the method, or the registered one of them.
fn allowed<A: Copy>(all: &[A], name: impl Fn(A) -> &'static str, client: &Client) -> Vec<A> {
    let registered = client.metadata.token_endpoint_auth_signing_alg.as_deref();
    all.iter().copied().filter(|&alg| registered.is_none_or(|only| only == name(alg))).collect()
}

/// Checks what the assertion says and, when all else is right, uses up its id.
async fn accept(env: &Env, client: &Client, jwt: &Jwt, now: Timestamp) -> Result<(), OAuthError> {
    let (id, expires_at) = check(env, client, jwt, now)?;
    // An assertion is taken until the leeway after its end is over, and a fraction of a second may be cut off that end.
    let until = expires_at.plus(LEEWAY).plus(Duration::from_secs(1));
    let key = format!("{}\0{id}", client.id);
    if env.grants.see(SEEN, &key, until, now).await? {
        Ok(())
    } else {
        Err(refused("the assertion was used before"))
    }
}

/// The rules of [RFC 7523 3](https://www.rfc-editor.org/rfc/rfc7523#section-3) and
/// [OpenID Connect Core 9](https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication).
fn check<'a>(
    env: &Env,
    client: &Client,
    jwt: &'a Jwt,
    now: Timestamp,
) -> Result<(&'a str, Timestamp), OAuthError> {
    if jwt.typ.is_some() && !TYPES.iter().any(|typ| jwt.is_typ(typ)) {
        return Err(refused("the JWT is of another type"));
    }
    let own = Some(client.id.as_str());
    if jwt.text("iss") != own || jwt.text("sub") != own {
        return Err(refused("iss and sub of the assertion must be the client"));
    }
    if !is_for_us(env, jwt.claims.get("aud")) {
        return Err(refused("the assertion is for another audience"));
    }
    jwt.check_times(now, LEEWAY).map_err(refused)?;
    let latest = now.plus(LONGEST_LIFE).plus(LEEWAY);
    let expires_at = jwt.expires_at().filter(|exp| *exp <= latest);
    let expires_at = expires_at.ok_or_else(|| refused("the assertion lives for too long"))?;
    let id = jwt.text("jti").filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
    let id = id.ok_or_else(|| refused("the assertion has no usable jti"))?;
    Ok((id, expires_at))
}

fn is_for_us(env: &Env, audience: Option<&Value>) -> bool {
    let is_issuer = |aud: &str| aud == env.issuer.as_str();
    let is_endpoint = |aud: &str| {
        let paths = [&env.paths.token, &env.paths.revoke, &env.paths.introspect];
        paths.into_iter().any(|path| env.issuer.join(path) == aud)
    };
    match (env.policy.assertion_audience, audience) {
        (AssertionAudience::Issuer, Some(Value::String(aud))) => is_issuer(aud),
        (AssertionAudience::IssuerOrEndpoint, Some(Value::String(aud))) => {
            is_issuer(aud) || is_endpoint(aud)
        }
        (AssertionAudience::IssuerOrEndpoint, Some(Value::Array(list))) => {
            list.iter().filter_map(Value::as_str).any(|aud| is_issuer(aud) || is_endpoint(aud))
        }
        _ => false,
    }
}

/// The peer is told the same whatever was wrong.
fn refused(cause: impl Into<Box<dyn Error + Send + Sync>>) -> OAuthError {
    OAuthError::invalid_client().because(cause)
}
