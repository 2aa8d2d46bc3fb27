//! Client authentication: [RFC 6749 2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3) and
//! [OpenID Connect Core 9](https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication).

mod assertion;
mod secret;

use crate::{
    env::Env,
    error::OAuthError,
    model::{Client, ClientAuth, ClientId, MacAlgorithm, SecretMethod, VerificationAlgorithm},
    params::Incoming,
};
use std::{ops::Deref, sync::Arc};
use zeroize::Zeroizing;

pub use secret::{mac_secret, open_secret, seal_secret};

/// Longer identifiers are not looked up, longer secrets not even hashed.
const LONGEST: usize = 1024;

/// Every value of `token_endpoint_auth_method` known here, in the order of the metadata document.
pub const METHODS: [&str; 5] =
    ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"];

/// Names of the algorithms that a client of this method may sign its assertions with; none where it sends none.
pub fn signing_algorithms(method: &str) -> Vec<&'static str> {
    match method {
        "client_secret_jwt" => MacAlgorithm::ALL.map(MacAlgorithm::as_str).into(),
        "private_key_jwt" => VerificationAlgorithm::ALL.map(VerificationAlgorithm::as_str).into(),
        _ => Vec::new(),
    }
}

/// A client that proved who it is, or a public one that named itself. Only this file makes one.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient(Arc<Client>);

impl Deref for AuthenticatedClient {
    type Target = Client;
    fn deref(&self) -> &Client {
        &self.0
    }
}

/// The embedder itself, which acts for a client of its own and needs no proof of that.
pub(crate) const fn own(client: Arc<Client>) -> AuthenticatedClient {
    AuthenticatedClient(client)
}

/// What the request presented.
struct Presented<'a> {
    id: ClientId,
    proof: Proof<'a>,
}

/// What is to prove that the request is from that client.
enum Proof<'a> {
    Nothing,
    Secret(SecretMethod, Zeroizing<String>),
    Assertion(&'a str),
}

/// Finds the client of the request and checks its credentials by the one method it registered.
///
/// Whatever is wrong with them, the answer is the same `invalid_client`.
pub async fn authenticate(env: &Env, req: &Incoming) -> Result<AuthenticatedClient, OAuthError> {
    let Presented { id, proof } = read(req)?;
    let client = registered(env, &id).await?;
    match (&client.auth, proof) {
        (ClientAuth::Public, Proof::Nothing) => {}
        (ClientAuth::Secret(method, hash), Proof::Secret(used, secret)) if *method == used => {
            secret::check(env, hash, &secret).await?;
        }
        (ClientAuth::SecretJwt(sealed), Proof::Assertion(token)) => {
            assertion::check_mac(env, &client, sealed, token).await?;
        }
        (ClientAuth::PrivateKeyJwt, Proof::Assertion(token)) => {
            assertion::check_signature(env, &client, token).await?;
        }
        _ => return Err(OAuthError::invalid_client().because("not the registered method")),
    }
    Ok(AuthenticatedClient(client))
}

/// Checks credentials of which nobody said how they travelled, for frontends that do not tell.
#[cfg(feature = "oxide")]
pub(crate) async fn by_secret(
    env: &Env,
    id: &ClientId,
    secret: Option<&str>,
) -> Result<AuthenticatedClient, OAuthError> {
    let client = registered(env, id).await?;
    match (&client.auth, secret) {
        (ClientAuth::Public, None) => {}
        (ClientAuth::Secret(_, hash), Some(secret)) => secret::check(env, hash, secret).await?,
        _ => return Err(OAuthError::invalid_client().because("not the registered method")),
    }
    Ok(AuthenticatedClient(client))
}

async fn registered(env: &Env, id: &ClientId) -> Result<Arc<Client>, OAuthError> {
    let presentable = id.as_str().len() <= LONGEST && !id.as_str().contains('\0');
    let client = if presentable { env.clients.client(id).await? } else { None };
    client.ok_or_else(|| OAuthError::invalid_client().because("no such client"))
}

/// Takes the credentials from the request, of which there may be only one kind
/// ([RFC 6749 2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3)).
fn read(req: &Incoming) -> Result<Presented<'_>, OAuthError> {
    let id = req.params.get("client_id");
    let secret = req.params.get("client_secret");
    let assertion = assertion::read(&req.params)?;
    match (&req.authorization, secret, assertion) {
        (Some(header), None, None) => {
            let (named, secret) = secret::basic(header).ok_or_else(OAuthError::invalid_client)?;
            if id.is_some_and(|id| id != named) {
                return Err(OAuthError::invalid_request("two different client identifiers"));
            }
            let proof = Proof::Secret(SecretMethod::Basic, secret);
            Ok(Presented { id: ClientId::new(named), proof })
        }
        (None, None, Some(token)) => {
            let id = assertion::subject(token, id)?;
            Ok(Presented { id, proof: Proof::Assertion(token) })
        }
        (None, secret, None) => {
            let id = ClientId::new(id.ok_or_else(OAuthError::invalid_client)?);
            let proof = secret.map_or(Proof::Nothing, |secret| {
                Proof::Secret(SecretMethod::Post, Zeroizing::new(secret.to_owned()))
            });
            Ok(Presented { id, proof })
        }
        _ => Err(OAuthError::invalid_request("credentials were sent in two ways")),
    }
}
