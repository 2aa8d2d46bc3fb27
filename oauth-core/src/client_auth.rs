//! Client authentication: [RFC 6749 2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3).

use crate::{
    env::Env,
    error::{ErrorCode, OAuthError},
    model::{Client, ClientAuth, ClientId, SecretHash, SecretMethod},
    params::Incoming,
    ports::Verdict,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use std::{ops::Deref, sync::Arc};
use zeroize::Zeroizing;

/// Longer credentials are not even hashed.
const LONGEST: usize = 1024;

/// A client that proved who it is, or a public one that named itself. Only this file makes one.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient(Arc<Client>);

impl Deref for AuthenticatedClient {
    type Target = Client;
    fn deref(&self) -> &Client {
        &self.0
    }
}

/// What the request presented.
struct Presented {
    id: ClientId,
    secret: Option<(SecretMethod, Zeroizing<String>)>,
}

/// Finds the client of the request and checks its credentials by the one method it registered.
///
/// Whatever is wrong with them, the answer is the same `invalid_client`.
pub async fn authenticate(env: &Env, req: &Incoming) -> Result<AuthenticatedClient, OAuthError> {
    let presented = read(req)?;
    let client = env.clients.client(&presented.id).await?.ok_or_else(OAuthError::invalid_client)?;
    let proven = match (&client.auth, &presented.secret) {
        (ClientAuth::Public, None) => true,
        (ClientAuth::Secret(registered, hash), Some((used, secret))) if registered == used => {
            fits(env, hash, secret).await?
        }
        _ => false,
    };
    if proven { Ok(AuthenticatedClient(client)) } else { Err(OAuthError::invalid_client()) }
}

/// Checks credentials of which nobody said how they travelled, for frontends that do not tell.
#[cfg(feature = "oxide")]
pub(crate) async fn by_secret(
    env: &Env,
    id: &ClientId,
    secret: Option<&str>,
) -> Result<AuthenticatedClient, OAuthError> {
    let presentable = id.as_str().len() <= LONGEST && !id.as_str().contains('\0');
    if !presentable {
        return Err(OAuthError::invalid_client());
    }
    let client = env.clients.client(id).await?;
    let client = client.ok_or_else(OAuthError::invalid_client)?;
    let proven = match (&client.auth, secret) {
        (ClientAuth::Public, None) => true,
        (ClientAuth::Secret(_, hash), Some(secret)) if secret.len() <= LONGEST => {
            fits(env, hash, secret).await?
        }
        _ => false,
    };
    if proven { Ok(AuthenticatedClient(client)) } else { Err(OAuthError::invalid_client()) }
}

async fn fits(env: &Env, hash: &SecretHash, secret: &str) -> Result<bool, OAuthError> {
    match hash {
        SecretHash::Sha256(hash) => Ok(hash.matches(secret)),
        SecretHash::Argon2(phc) => match env.passwords.verify(Some(phc), secret).await? {
            Verdict::Right => Ok(true),
            Verdict::Wrong => Ok(false),
            Verdict::Busy => Err(OAuthError::new(
                ErrorCode::TemporarilyUnavailable,
                "too busy, try again shortly",
            )),
        },
    }
}

fn read(req: &Incoming) -> Result<Presented, OAuthError> {
    let body_id = req.params.get("client_id");
    let body_secret = req.params.get("client_secret");
    let presented = match (&req.authorization, body_secret) {
        (Some(_), Some(_)) => {
            return Err(OAuthError::invalid_request("credentials were sent in two ways"));
        }
        (Some(header), None) => {
            let (id, secret) = basic(header).ok_or_else(OAuthError::invalid_client)?;
            if body_id.is_some_and(|b| b != id) {
                return Err(OAuthError::invalid_request("two different client identifiers"));
            }
            Presented { id: ClientId::new(id), secret: Some((SecretMethod::Basic, secret)) }
        }
        (None, Some(secret)) => Presented {
            id: ClientId::new(body_id.ok_or_else(OAuthError::invalid_client)?),
            secret: Some((SecretMethod::Post, Zeroizing::new(secret.to_owned()))),
        },
        (None, None) => Presented {
            id: ClientId::new(body_id.ok_or_else(OAuthError::invalid_client)?),
            secret: None,
        },
    };
    let too_long = presented.id.as_str().len() > LONGEST
        || presented.secret.as_ref().is_some_and(|(_, s)| s.len() > LONGEST);
    if too_long { Err(OAuthError::invalid_client()) } else { Ok(presented) }
}

/// Both halves are form-urlencoded before they are joined
/// ([RFC 6749 2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)).
fn basic(header: &str) -> Option<(String, Zeroizing<String>)> {
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
