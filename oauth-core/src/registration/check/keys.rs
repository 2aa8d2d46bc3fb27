//! Rules for the client's keys and for what needs them.

use super::Check;
use crate::{
    client_auth,
    jose::{EncryptionKeys, KeySet},
    model::{ContentEncryption, Encryption, KeyManagementAlgorithm},
    registration::{checked::Method, field::Field},
};
use serde_json::Value;

/// More than any honest key set needs.
const MOST_KEYS: usize = 50;
/// The longest key set, as JSON.
const LONGEST: usize = 32 * 1024;
/// Members of a JWK that nobody but its owner may know, of every key type there is
/// ([RFC 7518 6](https://www.rfc-editor.org/rfc/rfc7518#section-6),
/// [RFC 8037 2](https://www.rfc-editor.org/rfc/rfc8037#section-2)), and `priv` of the newest.
const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// Whether there is a key that nobody but its owner may know in what was given as a JWK set: within it, in its place,
/// or as the text of a PEM file.
pub fn has_private_key(set: &Value) -> bool {
    let keys = set.get("keys").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let is_private = |key: &Value| {
        PRIVATE.iter().any(|name| key.get(name).is_some())
            || key.get("kty").and_then(Value::as_str) == Some("oct")
    };
    keys.iter().any(is_private)
        || set.get("kty").is_some() && is_private(set)
        || set.as_str().is_some_and(|text| text.contains("PRIVATE KEY"))
}

/// The client's keys, and how things are encrypted with them.
#[derive(Default)]
pub(super) struct ClientKeys {
    pub(super) jwks: Option<Value>,
    pub(super) jwks_uri: Option<String>,
    pub(super) id_token: Option<Encryption>,
    pub(super) userinfo: Option<Encryption>,
}

impl Check<'_> {
    pub(super) fn client_keys(&mut self, method: Method) -> ClientKeys {
        let draft = self.draft;
        let readable = draft.jwks.as_ref().is_none_or(|set| self.key_set(set));
        let keys = ClientKeys {
            jwks: draft.jwks.clone(),
            jwks_uri: self.https(Field::JwksUri, &draft.jwks_uri),
            id_token: self.encryption(
                (Field::IdTokenEncryption, &draft.id_token_encrypted_response_alg),
                (Field::IdTokenContentEncryption, &draft.id_token_encrypted_response_enc),
            ),
            userinfo: self.encryption(
                (Field::UserinfoEncryption, &draft.userinfo_encrypted_response_alg),
                (Field::UserinfoContentEncryption, &draft.userinfo_encrypted_response_enc),
            ),
        };
        let by_reference = !draft.jwks_uri.trim().is_empty();
        if by_reference && keys.jwks.is_some() {
            self.notes.add(Field::JwksUri, "Give the keys or the address of the keys, not both.");
        }
        // Of a set that is refused anyway it says nothing what is missing in it.
        if readable && !by_reference {
            self.needed_keys(&keys, method);
        }
        keys
    }

    /// Whether the keys that are needed can be there.
    fn needed_keys(&mut self, keys: &ClientKeys, method: Method) {
        let set = keys.jwks.as_ref();
        if method == Method::PrivateKeyJwt
            && set.is_none_or(|set| KeySet::from_jwks(set).is_empty())
        {
            let text = "A client that signs what it authenticates with gives a key to verify it.";
            self.notes.add(Field::AuthMethod, text);
        }
        for (field, encryption) in
            [(Field::IdTokenEncryption, keys.id_token), (Field::UserinfoEncryption, keys.userinfo)]
        {
            let Some(Encryption { alg, .. }) = encryption else { continue };
            if set.is_none_or(|set| EncryptionKeys::from_jwks(set).fitting(alg).is_none()) {
                let text = format!("A client that wants this gives a key for {alg}.");
                self.notes.add(field, text);
            }
        }
    }

    /// Public keys only, at least one of which can be used. Whether it is so.
    fn key_set(&mut self, set: &Value) -> bool {
        let keys = set.get("keys").and_then(Value::as_array);
        let text = if has_private_key(set) {
            "There is a private key or a secret in the set. Use another key: this one has been told to somebody."
        } else if keys.is_some_and(|keys| keys.len() > MOST_KEYS) || set.to_string().len() > LONGEST
        {
            "Give fewer keys."
        } else if keys.is_none() {
            "Give a JWK set: a JSON object with a list of public keys that is called keys."
        } else if KeySet::from_jwks(set).is_empty() && EncryptionKeys::from_jwks(set).is_empty() {
            "Give a JWK set with a public key in it that can be used here."
        } else {
            return true;
        };
        self.notes.add(Field::Jwks, text);
        false
    }

    /// `alg` without `enc` has the default of
    /// [OpenID Connect Registration 2](https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata);
    /// `enc` without `alg` has no meaning.
    fn encryption(
        &mut self,
        (alg_field, alg): (Field, &str),
        (enc_field, enc): (Field, &str),
    ) -> Option<Encryption> {
        let (alg, enc) = (alg.trim(), enc.trim());
        if alg.is_empty() {
            if !enc.is_empty() {
                self.notes.add(enc_field, "Say how the key is to be encrypted, too.");
            }
            return None;
        }
        let known = KeyManagementAlgorithm::parse(alg);
        let known = known.filter(|alg| self.rules.key_management.contains(alg));
        if known.is_none() {
            self.notes.add(alg_field, "Choose one of the algorithms that are offered.");
        }
        let content = match enc {
            "" => Some(ContentEncryption::A128CbcHs256),
            name => ContentEncryption::parse(name),
        };
        let content = content.filter(|enc| self.rules.content_encryption.contains(enc));
        if content.is_none() {
            self.notes.add(enc_field, "Choose one of the algorithms that are offered.");
        }
        Some(Encryption { alg: known?, enc: content? })
    }

    /// The algorithm of assertions. To who authenticates without them it means nothing and is left out.
    pub(super) fn auth_signing(&mut self, method: Method) -> Option<String> {
        let name = self.draft.token_endpoint_auth_signing_alg.trim();
        if name.is_empty() {
            return None;
        }
        let fitting = client_auth::signing_algorithms(method.as_str());
        if fitting.is_empty() {
            return None;
        }
        if !fitting.contains(&name) {
            let text = "Choose one of the algorithms that fit the way it authenticates.";
            self.notes.add(Field::AuthSigning, text);
        }
        Some(name.to_owned())
    }
}
