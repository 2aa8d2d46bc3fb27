//! Who signed in: the id token, verified by the `openidconnect` crate.

use crate::{
    error::{Endpoint, Error, Result, clean},
    model::Client,
    store::TokenStore,
    wire::TokenAnswer,
};
use openidconnect::{
    ClientId, IssuerUrl, Nonce,
    core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm},
};

/// Signatures with a public key; a shared secret or none proves nothing here.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// The subject of the id token in an answer, if there is one and the provider publishes its keys. A token that does
/// not verify makes the whole answer worthless
/// ([OpenID Connect Core 3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation)).
pub(crate) async fn subject(
    store: &TokenStore,
    client: &Client,
    answer: &TokenAnswer,
    nonce: &str,
) -> Result<Option<String>> {
    let endpoints = client.endpoints();
    let (Some(text), Some(issuer), Some(at)) =
        (&answer.extra_fields().id_token, &client.issuer, &endpoints.jwks)
    else {
        return Ok(None);
    };
    let unusable = |what: String| Error::unusable(Endpoint::Token, what);
    let token: CoreIdToken =
        text.parse().map_err(|_| unusable("gave an id token that cannot be read".into()))?;
    let keys = store
        .inner
        .wire
        .document(Endpoint::Keys, at)
        .await?
        .and_then(|bytes| serde_json::from_slice::<CoreJsonWebKeySet>(&bytes).ok())
        .ok_or_else(|| Error::unusable(Endpoint::Keys, "gave no keys"))?;
    let issuer = IssuerUrl::new(issuer.clone())
        .map_err(|_| Error::Invalid(format!("{}: its issuer is no URL", client.name)))?;
    let id = ClientId::new(client.client_id.clone());
    let verifier =
        CoreIdTokenVerifier::new_public_client(id, issuer, keys).set_allowed_algs(ALGORITHMS);
    let claims = token.claims(&verifier, &Nonce::new(nonce.to_owned())).map_err(|e| {
        unusable(format!("gave an id token that does not verify: {}", clean(&e.to_string())))
    })?;
    Ok(Some(claims.subject().as_str().to_owned()))
}
