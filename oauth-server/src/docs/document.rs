//! The document: what is mounted, with what was said of it.

use super::{Mount, Mounted, Op, Part, operation::path_parameters};
use crate::config::Config;
use serde_json::{Map, Value, json};

/// Writes one document.
pub(super) fn write(part: Part, mounted: &Mounted, described: &[Op], config: &Config) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for mount in mounted.iter().filter(|mount| part.has(&mount.path)) {
        let op = described.iter().find(|op| op.method == mount.method && op.path == mount.path);
        let id = operation_id(mount);
        let operation = op.map_or_else(|| undescribed(mount, &id), |op| op.to_json(&id));
        // A path of OpenAPI has no mark for what may have slashes in it.
        let path = mount.path.replace("{*", "{");
        let item = paths.entry(path).or_insert_with(|| json!({}));
        if let Value::Object(item) = item {
            item.insert(mount.method.to_lowercase(), operation);
        }
    }
    let title = match part {
        Part::All => "oauth-server",
        Part::Auth => "oauth-server: signing in",
        Part::Users => "oauth-server: users",
    };
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": config.issuer().as_str()}],
        "paths": paths,
        "components": {"securitySchemes": schemes(config)},
    })
}

/// A route that nobody described. The tests refuse it.
fn undescribed(mount: &Mount, id: &str) -> Value {
    json!({
        "operationId": id,
        "summary": "Not described",
        "x-undescribed": true,
        "parameters": path_parameters(&mount.path),
        "responses": {"default": {"description": "Not described."}},
    })
}

fn operation_id(mount: &Mount) -> String {
    let mut id = mount.method.to_lowercase();
    for c in mount.path.chars() {
        match c {
            '{' | '}' | '*' => {}
            c if c.is_ascii_alphanumeric() => id.push(c),
            _ => id.push('_'),
        }
    }
    id
}

const ABOUT: &str = "OAuth 2.0, OpenID Connect, and the user service. A lock marks what needs a token, a session or a client.";

fn schemes(config: &Config) -> Value {
    let issuer = config.issuer();
    let scopes: Map<String, Value> =
        config.known_scopes().into_iter().map(|s| (s.name, json!(s.description))).collect();
    let mut schemes = json!({
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "An access token (RFC 6750)."},
        "oauth2": {"type": "oauth2",
            "description": "The authorization code grant, with PKCE and the method `S256` (RFC 7636).",
            "flows": {"authorizationCode": {
                "authorizationUrl": issuer.join("/oauth/authorize"),
                "tokenUrl": issuer.join("/oauth/token"),
                "refreshUrl": issuer.join("/oauth/token"),
                "scopes": scopes,
            }}},
        "session": {"type": "apiKey", "in": "cookie", "name": session_cookie(config),
            "description": "The session of a browser. Requests of other sites are refused."},
        "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token",
            "description": "The second token of a session, which the cookie is worth nothing without."},
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-KEY",
            "description": "`bearer`, a space and an access token."},
        "client": {"type": "http", "scheme": "basic",
            "description": "`client_id` and secret; other methods as the metadata of the server lists them."},
    });
    if let (true, Some(map)) = (config.is_toktok(), schemes.as_object_mut()) {
        for (name, what) in RAW {
            let scheme = json!({"type": "apiKey", "in": "header", "name": "Authorization",
                "description": what});
            map.insert(name.into(), scheme);
        }
    }
    schemes
}

/// The header of front ends that know no schemes.
const RAW: [(&str, &str); 2] = [
    ("rawToken", "An access token, or that of a guest, and no word before it."),
    ("rawRefreshToken", "A refresh token, and no word before it."),
];

fn session_cookie(config: &Config) -> &'static str {
    if config.issuer().is_https() { "__Host-oauth_session" } else { "oauth_session" }
}
