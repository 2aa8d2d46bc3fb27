//! A client in the words of its registration.

use crate::{
    env::Env,
    issue,
    model::{Client, ClientMetadata, Encryption},
};
use serde_json::{Map, Value, json};

/// Everything a client is registered with, defaults included, but for secrets
/// ([RFC 7591 3.2.1](https://www.rfc-editor.org/rfc/rfc7591#section-3.2.1)).
pub fn describe(env: &Env, client: &Client) -> Map<String, Value> {
    let mut map = described(&client.metadata);
    let mut set = |name: &str, value: Value| map.insert(name.to_owned(), value);
    set("client_id", json!(client.id));
    set("client_id_issued_at", json!(client.created_at.unix()));
    set("client_name", json!(client.name));
    if let Some(uri) = &client.uri {
        set("client_uri", json!(uri));
    }
    set("redirect_uris", json!(client.redirect_uris));
    set("grant_types", json!(client.grant_types));
    set("response_types", json!(client.response_types));
    set("scope", json!(client.scope));
    set("token_endpoint_auth_method", json!(client.auth.method()));
    if env.policy.openid {
        set("application_type", json!(client.metadata.application_type));
        set("subject_type", json!(client.metadata.subject_type));
        let alg = issue::id_token_algorithm(env, client);
        set("id_token_signed_response_alg", json!(alg.as_str()));
        set("require_auth_time", json!(client.metadata.require_auth_time));
    }
    map
}

/// What is not a default, each under its registered name.
fn described(metadata: &ClientMetadata) -> Map<String, Value> {
    let mut map = match serde_json::to_value(metadata) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    };
    for (name, encryption) in [
        ("id_token_encrypted_response", metadata.id_token_encrypted_response),
        ("userinfo_encrypted_response", metadata.userinfo_encrypted_response),
    ] {
        map.remove(name);
        if let Some(Encryption { alg, enc }) = encryption {
            map.insert(format!("{name}_alg"), json!(alg));
            map.insert(format!("{name}_enc"), json!(enc));
        }
    }
    map.remove("texts");
    map.extend(metadata.texts.iter().map(|(name, text)| (name.clone(), json!(text))));
    map
}
