//! Secrets of clients: how they arrive, and how those are kept that must be known again.

use super::LONGEST;
use crate::{
    env::Env,
    error::{ErrorCode, OAuthError, PortError},
    model::{ClientId, PlainToken, SealedSecret, SecretHash},
    ports::Verdict,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

/// Checks a secret that was sent.
pub(super) async fn check(env: &Env, hash: &SecretHash, secret: &str) -> Result<(), OAuthError> {
    let wrong = || OAuthError::invalid_client().because("the secret is wrong");
    if secret.len() > LONGEST {
        return Err(wrong());
    }
    match hash {
        SecretHash::Sha256(hash) if hash.matches(secret) => Ok(()),
        SecretHash::Sha256(_) => Err(wrong()),
        SecretHash::Argon2(phc) => match env.passwords.verify(Some(phc), secret).await? {
            Verdict::Right => Ok(()),
            Verdict::Wrong => Err(wrong()),
            Verdict::Busy => Err(OAuthError::new(
                ErrorCode::TemporarilyUnavailable,
                "too busy, try again shortly",
            )),
        },
    }
}

/// Both halves are form-urlencoded before they are joined
/// ([RFC 6749 2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)).
pub(super) fn basic(header: &str) -> Option<(String, Zeroizing<String>)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = Zeroizing::new(STANDARD.decode(encoded.trim()).ok()?);
    let (id, secret) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    let (id, secret) = (form_decode(id)?, Zeroizing::new(form_decode(secret)?));
    (!id.is_empty() && !id.contains('\0')).then_some((id, secret))
}

fn form_decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    Some(percent_decode_str(&spaced).decode_utf8().ok()?.into_owned())
}

/// A new secret of 512 random bits for a client that authenticates by `client_secret_jwt`: as long as every
/// [`MacAlgorithm`](crate::model::MacAlgorithm) demands.
pub fn mac_secret(env: &Env) -> PlainToken {
    let halves = Zeroizing::new(env.secret().reveal() + &env.secret().reveal());
    PlainToken::from_wire(&halves)
}

/// Seals a secret of a client for its registration: to check a MAC, it must be known again.
pub fn seal_secret(env: &Env, client: &ClientId, secret: &str) -> SealedSecret {
    SealedSecret(env.sealer.seal(&context(client), secret.as_bytes(), &*env.random))
}

/// Opens what [`seal_secret`] sealed for the same client.
pub fn open_secret(
    env: &Env,
    client: &ClientId,
    sealed: &SealedSecret,
) -> Result<Zeroizing<Vec<u8>>, PortError> {
    env.sealer.open(&context(client), &sealed.0).map_err(PortError::new)
}

/// What the sealed secret is bound to. The same sealing key seals signing keys, so the kind is a part of it.
fn context(client: &ClientId) -> Vec<u8> {
    [b"client-secret\0", client.as_str().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(id: &str, secret: &str) -> String {
        let encode = |t: &str| form_urlencoded::byte_serialize(t.as_bytes()).collect::<String>();
        format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
    }

    #[test]
    fn s2_3_1_basic_header() {
        assert_eq!(basic("basic YTpi").unwrap().0, "a");
        for bad in ["", "Basic", "Basic !", "Bearer YTpi", "Basic YQ==", "Basic OmI=", "Basic /w=="]
        {
            assert!(basic(bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn s2_3_1_form_encoding_is_a_round_trip(id in "[^\0]{1,20}", secret in ".{0,20}") {
            let (i, s) = basic(&header(&id, &secret)).unwrap();
            prop_assert_eq!((i.as_str(), s.as_str()), (id.as_str(), secret.as_str()));
        }

        #[test]
        fn headers_never_panic(text in ".{0,60}") {
            let _ = basic(&text);
        }
    }
}
