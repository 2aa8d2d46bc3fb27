//! Requests in a JWT: [OpenID Connect Core 6](https://openid.net/specs/openid-connect-core-1_0.html#JWTRequests) and
//! [RFC 9101](https://www.rfc-editor.org/rfc/rfc9101).

use crate::{
    env::Env,
    error::{ErrorCode, OAuthError},
    jose::{Jwt, JwtProblem, read_unsecured},
    model::{Client, RequestObjectSigning, Timestamp, VerificationAlgorithm},
    params::Params,
};
use serde_json::{Map, Value};
use std::{borrow::Cow, time::Duration};

/// Longer documents are not fetched.
const LONGEST: usize = 64 * 1024;
/// How far the client's clock may be from ours.
const LEEWAY: Duration = Duration::from_secs(30);
/// What the `typ` header may be, if it is there ([RFC 9101 10.8](https://www.rfc-editor.org/rfc/rfc9101#section-10.8)).
const TYPES: [&str; 2] = ["JWT", "oauth-authz-req+jwt"];
/// Claims that speak of the JWT and are no parameters of the request
/// ([RFC 7519 4.1](https://www.rfc-editor.org/rfc/rfc7519#section-4.1)).
const OF_THE_JWT: [&str; 7] = ["aud", "exp", "iat", "iss", "jti", "nbf", "sub"];
/// Parameters that refer to a request object, and so cannot be inside one.
const REFERENCES: [&str; 2] = ["request", "request_uri"];

/// The parameters of the request: those of its request object, if there is one, and those outside that it leaves open.
///
/// Of a client that must sign its requests, nothing outside counts but the `client_id`, for nobody signed it
/// ([RFC 9101 5](https://www.rfc-editor.org/rfc/rfc9101#section-5)).
pub(super) async fn load<'a>(
    env: &Env,
    client: &Client,
    params: &'a Params,
    now: Timestamp,
) -> Result<Cow<'a, Params>, OAuthError> {
    let token = match (params.get("request"), params.get("request_uri")) {
        (None, None) if client.metadata.require_signed_request_object => {
            return Err(OAuthError::invalid_request(
                "this application must send its requests as signed request objects",
            ));
        }
        (None, None) => return Ok(Cow::Borrowed(params)),
        (Some(token), None) => Cow::Borrowed(token),
        (None, Some(uri)) => Cow::Owned(fetch(env, client, uri).await?),
        (Some(_), Some(_)) => {
            return Err(OAuthError::invalid_request("request and request_uri exclude each other"));
        }
    };
    if is_unsecured_unasked(client, &token) {
        let by_value = params.get("request").is_some();
        return Err(OAuthError::new(
            if by_value {
                ErrorCode::RequestNotSupported
            } else {
                ErrorCode::RequestUriNotSupported
            },
            "the application has not registered that its request objects are not signed",
        ));
    }
    let jwt = open(env, client, &token, now).await?;
    check(env, client, params, &jwt, now)?;
    Ok(Cow::Owned(merge(client, params, &jwt.claims)?))
}

/// The document at the address, which the client must have registered. The fragment is no part of the address: it is a
/// hash that changes with the document ([OpenID Connect Core 6.2](https://openid.net/specs/openid-connect-core-1_0.html#RequestUriParameter)).
async fn fetch(env: &Env, client: &Client, uri: &str) -> Result<String, OAuthError> {
    let address = without_fragment(uri);
    if !client.metadata.request_uris.iter().any(|known| without_fragment(known) == address) {
        return Err(OAuthError::new(
            ErrorCode::InvalidRequestUri,
            "request_uri is not registered for this application",
        ));
    }
    let unreadable = OAuthError::new(
        ErrorCode::InvalidRequestUri,
        "there is no request object to be had from request_uri",
    );
    match env.fetch.get(address, LONGEST).await.map(String::from_utf8) {
        Ok(Ok(text)) => Ok(text.trim_ascii().to_owned()),
        Ok(Err(e)) => Err(unreadable.because(e.utf8_error())),
        Err(e) => Err(unreadable.because(e)),
    }
}

fn without_fragment(uri: &str) -> &str {
    uri.split_once('#').map_or(uri, |(address, _)| address)
}

/// Whether a client that has said nothing about its request objects leaves one unsecured. It is told that such are not
/// supported, so that it can do without
/// ([OpenID Connect Core 6.1](https://openid.net/specs/openid-connect-core-1_0.html#RequestObject)).
fn is_unsecured_unasked(client: &Client, token: &str) -> bool {
    let metadata = &client.metadata;
    let has_said = metadata.require_signed_request_object;
    !has_said && metadata.request_object_signing_alg.is_none() && read_unsecured(token).is_ok()
}

/// Proves that the object is from the client. Only a client that registered exactly that may leave it unsecured, and
/// then a signed one is refused ([OpenID Connect Registration 2](https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata)).
async fn open(env: &Env, client: &Client, token: &str, now: Timestamp) -> Result<Jwt, OAuthError> {
    let metadata = &client.metadata;
    let verified = match metadata.request_object_signing_alg {
        // By a contradictory registration, nothing is acceptable.
        Some(RequestObjectSigning::Unsecured) if metadata.require_signed_request_object => {
            Err(JwtProblem::Algorithm)
        }
        Some(RequestObjectSigning::Unsecured) => read_unsecured(token),
        Some(RequestObjectSigning::Signed(alg)) => {
            env.client_keys.verify(client, token, &[alg], now).await
        }
        None => env.client_keys.verify(client, token, &VerificationAlgorithm::ALL, now).await,
    };
    verified.map_err(|e| refused("the request object is not verified").because(e))
}

/// What the object says of itself, and where it must agree with the parameters outside.
fn check(
    env: &Env,
    client: &Client,
    params: &Params,
    jwt: &Jwt,
    now: Timestamp,
) -> Result<(), OAuthError> {
    if jwt.typ.is_some() && !TYPES.iter().any(|typ| jwt.is_typ(typ)) {
        return Err(refused("the JWT is of another type"));
    }
    let own = client.id.as_str();
    if jwt.claims.get("iss").is_some_and(|iss| iss != own) {
        return Err(refused("the iss of the request object is not the application"));
    }
    // An assertion by which a client authenticates has its id there.
    if jwt.claims.get("sub").is_some_and(|sub| sub == own) {
        return Err(refused("the sub of the request object is the application"));
    }
    if !jwt.claims.get("aud").is_none_or(|aud| is_for_us(env, aud)) {
        return Err(refused("the request object is for another server"));
    }
    jwt.check_times_given(now, LEEWAY)
        .map_err(|e| refused("the request object is not valid at this time").because(e))?;
    if REFERENCES.iter().any(|name| jwt.claims.contains_key(*name)) {
        return Err(refused("a request object cannot refer to another"));
    }
    if jwt.claims.get("client_id").is_some_and(|id| id != own) {
        return Err(refused("the client_id of the request object is another"));
    }
    let outside = params.get("response_type");
    let inside = jwt.claims.get("response_type");
    match (inside, outside) {
        (Some(inside), Some(outside)) if inside != outside => {
            Err(refused("the response_type of the request object is another"))
        }
        _ => Ok(()),
    }
}

fn is_for_us(env: &Env, audience: &Value) -> bool {
    match audience {
        Value::Array(list) => list.iter().any(|aud| aud == env.issuer.as_str()),
        aud => aud == env.issuer.as_str(),
    }
}

/// What is inside, and what is outside and not inside.
fn merge(
    client: &Client,
    outside: &Params,
    inside: &Map<String, Value>,
) -> Result<Params, OAuthError> {
    let mut params = Params::default();
    for (name, value) in inside.iter().filter(|(name, _)| !OF_THE_JWT.contains(&name.as_str())) {
        for text in texts(name, value)? {
            params.add(name.clone(), text).map_err(|e| unreadable().because(e))?;
        }
    }
    let only_signed = client.metadata.require_signed_request_object;
    for (name, value) in outside.iter() {
        let left_open = !inside.contains_key(name) && !REFERENCES.contains(&name);
        if left_open && (!only_signed || name == "client_id") {
            params.add(name.to_owned(), value.to_owned())?;
        }
    }
    Ok(params)
}

/// The values of a parameter as they would be outside.
fn texts(name: &str, value: &Value) -> Result<Vec<String>, OAuthError> {
    match (name, value) {
        (_, Value::String(text)) => Ok(vec![text.clone()]),
        (_, Value::Number(number)) if !number.is_f64() => Ok(vec![number.to_string()]),
        ("claims", Value::Object(_)) => Ok(vec![value.to_string()]),
        ("resource", Value::Array(list)) => list
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or_else(unreadable))
            .collect(),
        _ => Err(unreadable()),
    }
}

const fn unreadable() -> OAuthError {
    refused("a parameter of the request object cannot be read")
}

const fn refused(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequestObject, description)
}
