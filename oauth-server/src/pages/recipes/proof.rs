//! How the commands prove that they are from the client.

use super::{Kitchen, Step, double, prompt, single, step};
use oauth_core::model::{Client, ClientAuth, SecretMethod};
use serde_json::{Value, json};
use std::fmt::Write as _;

impl Kitchen<'_> {
    /// Sets what the other steps use.
    pub(super) fn name(&self) -> Vec<Step> {
        let id = format!("CLIENT_ID={}", single(self.client.id.as_str()));
        match (&self.client.auth, self.secret) {
            (ClientAuth::Public, _) => vec![step("Name the client:", &id)],
            (ClientAuth::PrivateKeyJwt, _) => vec![
                step(
                    "Name the client, and the file with its private key (PEM):",
                    &format!("{id}\n{}", prompt("File", "PRIVATE_KEY")),
                ),
                self.assertion(),
            ],
            (auth, secret) => {
                let secret = match secret {
                    Some(secret) => format!("CLIENT_SECRET={}", single(secret)),
                    None => prompt("Client secret", "CLIENT_SECRET"),
                };
                let named = step("Name the client and its secret:", &format!("{id}\n{secret}"));
                let assertion = matches!(auth, ClientAuth::SecretJwt(_)).then(|| self.assertion());
                [named].into_iter().chain(assertion).collect()
            }
        }
    }

    /// Explains to the shell how to make a JWT that proves who the client is
    /// ([RFC 7523 2.2](https://www.rfc-editor.org/rfc/rfc7523#section-2.2)).
    fn assertion(&self) -> Step {
        let Signer { alg, kid, command } = Signer::of(self.client);
        let header = match kid {
            Some(kid) => json!({"typ": "JWT", "alg": alg, "kid": kid}),
            None => json!({"typ": "JWT", "alg": alg}),
        };
        let header = single(&header.to_string());
        let audience = single(self.state.config.issuer().as_str());
        let code = format!(
            r#"base64url() {{ openssl base64 -A | tr -d '=' | tr '+/' '-_'; }}
assertion() {{
  JWT=$(printf '%s' {header} | base64url).$(
    printf '{{"iss":"%s","sub":"%s","aud":"%s","jti":"%s","exp":%s}}' \
      "$CLIENT_ID" "$CLIENT_ID" {audience} \
      "$(openssl rand -hex 16)" "$(($(date +%s) + 60))" | base64url)
  printf '%s.%s' "$JWT" "$(printf '%s' "$JWT" | sign | base64url)"
}}
{command}"#
        );
        step(&format!("Explain how it proves who it is, by a new JWT ({alg}) each time:"), &code)
    }

    /// A request to an endpoint, with what proves who the client is.
    pub(super) fn curl(&self, path: &str, fields: &[String]) -> String {
        let url = single(&self.state.config.issuer().join(path));
        let (user, own): (_, &[&str]) = match &self.client.auth {
            ClientAuth::Secret(SecretMethod::Post, _) => {
                ("", &["client_id=$CLIENT_ID", "client_secret=$CLIENT_SECRET"])
            }
            ClientAuth::Secret(..) => ("-u \"$CLIENT_ID:$CLIENT_SECRET\" ", &[]),
            ClientAuth::SecretJwt(_) | ClientAuth::PrivateKeyJwt => (
                "",
                &[
                    "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                    "client_assertion=$(assertion)",
                ],
            ),
            _ => ("", &["client_id=$CLIENT_ID"]),
        };
        let mut command = format!("curl -sS {user}{url}");
        for field in own.iter().map(|f| double(f)).chain(fields.iter().cloned()) {
            let _ = write!(command, " \\\n  --data-urlencode {field}");
        }
        command
    }
}

/// How a client signs with openssl.
struct Signer {
    alg: String,
    kid: Option<String>,
    /// A function `sign` that reads what is to be signed.
    command: String,
}

impl Signer {
    fn of(client: &Client) -> Self {
        let only = client.metadata.token_endpoint_auth_signing_alg.as_deref();
        if !matches!(client.auth, ClientAuth::PrivateKeyJwt) {
            let alg = only.unwrap_or("HS256");
            let command = format!(
                "sign() {{ openssl dgst -sha{} -hmac \"$CLIENT_SECRET\" -binary; }}",
                bits(alg)
            );
            return Self { alg: alg.to_owned(), kid: None, command };
        }
        let keys = client.metadata.jwks.as_ref().and_then(|set| set.get("keys")?.as_array());
        let mut fitting = keys.into_iter().flatten().filter_map(|key| Some((key, fits(key)?)));
        let key = fitting.find(|(_, alg)| only.is_none_or(|only| family(only) == family(alg)));
        // Without keys of its own that could be looked at: the algorithm that every library knows.
        let alg = only.or(key.map(|(_, alg)| alg)).unwrap_or("RS256");
        let kid = key.and_then(|(key, _)| key.get("kid")?.as_str()).map(str::to_owned);
        Self { alg: alg.to_owned(), kid, command: with_private_key(alg) }
    }
}

/// The algorithm that a key can sign with, if it is not for something else.
fn fits(key: &Value) -> Option<&str> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    if text("use").is_some_and(|r#use| r#use != "sig") {
        return None;
    }
    Some(match (text("kty")?, text("crv")) {
        ("EC", Some("P-256")) => "ES256",
        ("EC", Some("P-384")) => "ES384",
        ("OKP", Some("Ed25519")) => text("alg").unwrap_or("EdDSA"),
        ("RSA", _) => text("alg").unwrap_or("RS256"),
        _ => return None,
    })
}

/// Algorithms of which the same key can make signatures.
fn family(alg: &str) -> &str {
    match alg {
        "EdDSA" | "Ed25519" => "Ed25519",
        alg if alg.starts_with("ES") => alg,
        _ => "RSA",
    }
}

/// The size of the digest.
fn bits(alg: &str) -> &str {
    match alg {
        alg if alg.ends_with("384") => "384",
        alg if alg.ends_with("512") => "512",
        _ => "256",
    }
}

fn with_private_key(alg: &str) -> String {
    let bits = bits(alg);
    match alg {
        // What is signed must be in a file.
        "EdDSA" | "Ed25519" => "sign() {\n  \
             INPUT=$(mktemp) && cat > \"$INPUT\"\n  \
             openssl pkeyutl -sign -inkey \"$PRIVATE_KEY\" -rawin -in \"$INPUT\"\n  \
             rm -f \"$INPUT\"\n\
             }"
        .to_owned(),
        // The two numbers of the signature one after the other, and not as ASN.1.
        "ES256" | "ES384" => {
            let digits = if alg == "ES256" { 64 } else { 96 };
            format!(
                "sign() {{\n  \
                 printf \"$(openssl dgst -sha{bits} -sign \"$PRIVATE_KEY\" |\n    \
                 openssl asn1parse -inform DER | sed -n 's/.*INTEGER *://p' |\n    \
                 while read -r NUMBER; do printf '%{digits}s' \"$NUMBER\"; done |\n    \
                 tr ' ' 0 | sed 's/../\\\\x&/g')\"\n\
                 }}"
            )
        }
        alg if alg.starts_with("PS") => format!(
            "sign() {{\n  \
             openssl dgst -sha{bits} -sign \"$PRIVATE_KEY\" \\\n    \
             -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:-1\n\
             }}"
        ),
        _ => format!("sign() {{ openssl dgst -sha{bits} -sign \"$PRIVATE_KEY\"; }}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oauth_core::testing::fixtures;

    fn signer(keys: &Value, only: Option<&str>) -> (String, Option<String>) {
        let mut client = fixtures::client("c");
        client.auth = ClientAuth::PrivateKeyJwt;
        client.metadata.jwks = Some(json!({ "keys": keys }));
        client.metadata.token_endpoint_auth_signing_alg = only.map(str::to_owned);
        let Signer { alg, kid, .. } = Signer::of(&client);
        (alg, kid)
    }

    #[test]
    fn the_key_decides_over_the_algorithm_unless_one_is_registered() {
        let rsa = json!({"kty": "RSA", "kid": "r"});
        let ec = json!({"kty": "EC", "crv": "P-384", "kid": "e", "use": "sig"});
        let enc = json!({"kty": "EC", "crv": "P-256", "kid": "x", "use": "enc"});
        let pair = |alg: &str, kid: Option<&str>| (alg.to_owned(), kid.map(str::to_owned));
        assert_eq!(signer(&json!([enc, ec, rsa]), None), pair("ES384", Some("e")));
        assert_eq!(signer(&json!([enc, ec, rsa]), Some("PS512")), pair("PS512", Some("r")));
        assert_eq!(signer(&json!([{"kty": "OKP", "crv": "Ed25519"}]), None), pair("EdDSA", None));
        assert_eq!(signer(&json!([]), None), pair("RS256", None));
        assert_eq!(signer(&json!([enc]), Some("ES256")), pair("ES256", None));
    }
}
