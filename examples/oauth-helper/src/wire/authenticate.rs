//! How a client proves who it is, in one place for every endpoint.

use super::Identity;
use crate::{
    error::{Error, Result},
    model::AuthMethod,
    seal::random,
    secret::Secret,
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http::HeaderValue;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use url::Url;

/// An assertion is for one request; this long it may be on its way.
const ASSERTION_LIFE: i64 = 60;
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

type Form = Vec<(String, String)>;

/// The form with what the method adds to it, and the `Authorization` header where the method has one.
pub(super) fn authenticate(
    mut form: Form,
    url: &Url,
    who: &Identity<'_>,
) -> Result<(Form, Option<HeaderValue>)> {
    // Whoever made the form may have put the id in; where and how it belongs is decided here.
    form.retain(|(name, _)| name != "client_id" && name != "client_secret");
    let id = ("client_id".to_owned(), who.client.client_id.clone());
    match who.client.auth {
        AuthMethod::None => form.push(id),
        AuthMethod::ClientSecretBasic => {
            let header = basic(&who.client.client_id, secret(who)?)?;
            return Ok((form, Some(header)));
        }
        AuthMethod::ClientSecretPost => {
            form.push(id);
            form.push(("client_secret".into(), secret(who)?.expose().into()));
        }
        AuthMethod::PrivateKeyJwt => {
            form.push(id);
            form.push(("client_assertion_type".into(), ASSERTION_TYPE.into()));
            form.push(("client_assertion".into(), assertion(url, who)?));
        }
    }
    Ok((form, None))
}

fn secret<'a>(who: &Identity<'a>) -> Result<&'a Secret> {
    who.credentials.secret.as_ref().ok_or_else(|| {
        Error::Invalid(format!(
            "{}: its client secret is not stored; set it with: oauth-helper client edit {0} --secret",
            who.client.name
        ))
    })
}

/// [RFC 6749 2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1): both are form-encoded first.
fn basic(id: &str, secret: &Secret) -> Result<HeaderValue> {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = STANDARD.encode(format!("{}:{}", encode(id), encode(secret.expose())));
    let mut header = HeaderValue::from_str(&format!("Basic {pair}"))
        .map_err(|_| Error::Invalid("the client secret cannot be sent".into()))?;
    header.set_sensitive(true);
    Ok(header)
}

/// [RFC 7523 3](https://www.rfc-editor.org/rfc/rfc7523#section-3).
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    jti: String,
    iat: i64,
    exp: i64,
}

fn assertion(url: &Url, who: &Identity<'_>) -> Result<String> {
    let (key, algorithm) = signing_key(who)?;
    let id = who.client.client_id.as_str();
    // The issuer names the server whatever the endpoint is; where none is known, the endpoint does.
    let aud = who.client.issuer.as_deref().unwrap_or(url.as_str());
    let claims = Claims {
        iss: id,
        sub: id,
        aud,
        jti: URL_SAFE_NO_PAD.encode(random::<16>()),
        iat: who.now,
        exp: who.now.saturating_add(ASSERTION_LIFE),
    };
    let mut header = Header::new(algorithm);
    header.kid.clone_from(&who.credentials.key_id);
    jsonwebtoken::encode(&header, &claims, &key)
        .map_err(|_| Error::Invalid(format!("{}: its private key cannot sign", who.client.name)))
}

fn signing_key(who: &Identity<'_>) -> Result<(EncodingKey, Algorithm)> {
    let name = &who.client.name;
    let pem = who.credentials.key.as_ref().ok_or_else(|| {
        Error::Invalid(format!(
            "{name}: its private key is not stored; set it with: oauth-helper client edit {name} --key-file FILE"
        ))
    })?;
    parse_key(pem)
        .ok_or_else(|| Error::Invalid(format!("{name}: its private key is none that can be used")))
}

/// An RSA key signs with RS256, one on P-256 with ES256, an Ed25519 key with `EdDSA`.
pub(crate) fn parse_key(pem: &Secret) -> Option<(EncodingKey, Algorithm)> {
    let bytes = pem.expose().as_bytes();
    let candidates = [
        (EncodingKey::from_ec_pem(bytes), Algorithm::ES256),
        (EncodingKey::from_ed_pem(bytes), Algorithm::EdDSA),
        (EncodingKey::from_rsa_pem(bytes), Algorithm::RS256),
    ];
    candidates.into_iter().find_map(|(key, algorithm)| {
        let key = key.ok()?;
        // What parses may still be of another curve.
        let header = Header::new(algorithm);
        jsonwebtoken::encode(&header, &serde_json::json!({}), &key).ok().map(|_| (key, algorithm))
    })
}
