//! The token cache of the program this one replaces, `~/.oauth_token_cache.json`: read, never written.

#[cfg(feature = "redis")]
mod tokens;

#[cfg(feature = "redis")]
pub(crate) use tokens::OldTokens;

use crate::{
    error::{Error, Result, clean},
    model::{AuthMethod, Client, Credentials, Endpoints},
    secret::Secret,
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use url::Url;

/// A client of the old file, and the secret it may have had among its parameters.
#[derive(Debug)]
pub struct Imported {
    /// Its number in the old file, which its tokens in Redis go by.
    pub old_id: String,
    /// The client.
    pub client: Client,
    /// Its secret.
    pub credentials: Credentials,
}

#[derive(Deserialize)]
struct Old {
    client_id: String,
    auth_endpoint: OldAuthorization,
    #[serde(default)]
    token_endpoint: Option<OldToken>,
    #[serde(default)]
    redirect_url: Option<String>,
    #[serde(default)]
    service_name: Option<String>,
    #[serde(default)]
    add_time: Option<Value>,
}

#[derive(Deserialize)]
struct OldAuthorization {
    url: String,
    #[serde(default)]
    qs_params: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct OldToken {
    url: String,
    // Both spellings are found in the wild.
    #[serde(default, alias = "use_refresh_token", alias = "use_refesh")]
    use_refresh: Option<bool>,
    #[serde(default, alias = "acess_params")]
    access_params: BTreeMap<String, Value>,
    #[serde(default, alias = "refesh_params")]
    refresh_params: BTreeMap<String, Value>,
}

/// Whether a document is that of the old program: an object of numbers, each with a client below it.
pub fn is_legacy(value: &Value) -> bool {
    value.as_object().is_some_and(|o| {
        !o.contains_key("version")
            && !o.is_empty()
            && o.iter().all(|(name, client)| {
                name.bytes().all(|b| b.is_ascii_digit()) && client.get("auth_endpoint").is_some()
            })
    })
}

/// Reads the clients of the old file. Times to live and the flag that a code is there are not taken: they spoke of
/// values in Redis, some of them under a misspelt name, and end by themselves.
pub fn read(bytes: &[u8]) -> Result<Vec<Imported>> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|_| Error::Store("the old token cache is not JSON".into()))?;
    if !is_legacy(&value) {
        return Err(Error::Store("this is not a token cache of the old program".into()));
    }
    let old: BTreeMap<String, Old> = serde_json::from_value(value)
        .map_err(|e| Error::store("the old token cache is damaged", clean(&e.to_string())))?;
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut all: Vec<_> = old.into_iter().collect();
    all.sort_by_key(|(id, _)| id.parse::<u64>().unwrap_or(u64::MAX));
    all.into_iter().map(|(id, old)| convert(id, old, &mut names)).collect()
}

fn convert(old_id: String, old: Old, names: &mut BTreeMap<String, usize>) -> Result<Imported> {
    let service = old.service_name.map(|s| clean(&s)).filter(|s| !s.is_empty());
    let service = service.unwrap_or_else(|| "imported".into());
    // The old file knew services and ids alone; names are unique here.
    let count = names.entry(service.clone()).or_default();
    *count += 1;
    let name = if *count == 1 { service.clone() } else { format!("{service}-{count}") };
    let name =
        if name.bytes().all(|b| b.is_ascii_digit()) { format!("client-{name}") } else { name };
    let url = |text: &str, what: &str| {
        Url::parse(text).map_err(|_| {
            Error::Store(format!("client {old_id} of the old token cache has no usable {what}"))
        })
    };
    let mut client = Client::new(name, old.client_id);
    client.service = service;
    client.added_at = old.add_time.as_ref().and_then(Value::as_f64).map_or(0, seconds);
    client.endpoints = Endpoints {
        authorization: Some(url(&old.auth_endpoint.url, "auth_endpoint")?),
        ..Endpoints::default()
    };
    client.redirect_url =
        old.redirect_url.filter(|u| !u.is_empty()).map(|u| url(&u, "redirect_url")).transpose()?;
    let mut secret = None;
    let (params, scope) = fixed(old.auth_endpoint.qs_params, &mut secret);
    client.params.authorization = params;
    client.scope = scope.unwrap_or_default();
    if let Some(token) = old.token_endpoint {
        client.endpoints.token = Some(url(&token.url, "token_endpoint")?);
        client.use_refresh = token.use_refresh.unwrap_or(true);
        client.params.token = fixed(token.access_params, &mut secret).0;
        client.params.refresh = fixed(token.refresh_params, &mut secret).0;
    }
    // It sent parameters alone: a secret among them, or none.
    client.auth = if secret.is_some() { AuthMethod::ClientSecretPost } else { AuthMethod::None };
    let credentials = Credentials { secret, ..Credentials::default() };
    Ok(Imported { old_id, client, credentials })
}

#[expect(clippy::cast_possible_truncation, reason = "a time of this century fits")]
fn seconds(time: f64) -> i64 {
    if time.is_finite() { time as i64 } else { 0 }
}

/// The parameters that are not of the protocol itself, the scope, and a secret where one was among them.
fn fixed(
    params: BTreeMap<String, Value>,
    secret: &mut Option<Secret>,
) -> (BTreeMap<String, String>, Option<String>) {
    const PROTOCOL: [&str; 12] = [
        "client_id",
        "code",
        "code_challenge",
        "code_challenge_method",
        "code_verifier",
        "grant_type",
        "password",
        "redirect_uri",
        "refresh_token",
        "response_type",
        "state",
        "username",
    ];
    let mut scope = None;
    let mut kept = BTreeMap::new();
    for (name, value) in params {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => continue,
        };
        let placeholder = text.starts_with('{') && text.ends_with('}');
        match name.as_str() {
            name if PROTOCOL.contains(&name) || placeholder => {}
            "client_secret" => *secret = Some(Secret::new(text)),
            "scope" => scope = Some(text),
            _ => {
                kept.insert(name, text);
            }
        }
    }
    (kept, scope)
}

#[cfg(test)]
mod tests;
