//! What may be registered with one provider.

use crate::{
    client_auth,
    config::Policy,
    grants::Grants,
    model::{
        ContentEncryption, KeyManagementAlgorithm, RequestObjectSigning, SigningAlgorithm,
        SubjectType, VerificationAlgorithm,
    },
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What may be registered. [`Rules::new`] offers all that the provider can do, as its metadata does, and no scope;
/// an embedder adds scopes and takes away what it likes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rules {
    /// Grant types.
    pub grant_types: Vec<&'static str>,
    /// Response types, their words in sorted order, with the grant types each takes.
    pub response_types: Vec<(&'static str, &'static [&'static str])>,
    /// Scopes a client may register.
    pub scopes: BTreeSet<String>,
    /// The scopes of a client that registers at the endpoint and names none. Some of `scopes`.
    pub default_scopes: BTreeSet<String>,
    /// Values of `token_endpoint_auth_method`.
    pub auth_methods: Vec<&'static str>,
    /// Algorithms there are signing keys for.
    pub algorithms: Vec<SigningAlgorithm>,
    /// Values of `request_object_signing_alg`.
    pub request_objects: Vec<RequestObjectSigning>,
    /// Values of `id_token_encrypted_response_alg` and `userinfo_encrypted_response_alg`.
    pub key_management: Vec<KeyManagementAlgorithm>,
    /// Values of `id_token_encrypted_response_enc` and `userinfo_encrypted_response_enc`.
    pub content_encryption: Vec<ContentEncryption>,
    /// Values of `subject_type`.
    pub subject_types: Vec<SubjectType>,
    /// The longest `access_token_ttl`.
    pub longest_ttl: Duration,
    /// Whether plain http to this machine will do where the standards ask for https, and `localhost` for clients that
    /// use the implicit grant. For tests and development: what is at such an address is not the client's alone.
    pub danger_loopback: bool,
    /// Who is trusted to make software statements: the JWK set of each by its `iss`
    /// ([RFC 7591 2.3](https://www.rfc-editor.org/rfc/rfc7591#section-2.3)).
    pub statement_issuers: BTreeMap<String, Value>,
}

impl Rules {
    /// The rules of a provider with these grants and this policy.
    pub fn new(grants: &Grants, policy: &Policy) -> Self {
        let mut request_objects: Vec<_> =
            VerificationAlgorithm::ALL.map(RequestObjectSigning::Signed).into();
        request_objects.push(RequestObjectSigning::Unsecured);
        let takes = |name: &'static str| Some((name, grants.grants_of_response_type(name)?));
        let mut subject_types = vec![SubjectType::Public];
        if policy.openid {
            subject_types.push(SubjectType::Pairwise);
        }
        Self {
            grant_types: grants.grant_types().collect(),
            response_types: grants.response_types().filter_map(takes).collect(),
            scopes: BTreeSet::new(),
            default_scopes: BTreeSet::new(),
            auth_methods: client_auth::METHODS.to_vec(),
            algorithms: policy.algorithms.clone(),
            request_objects,
            key_management: KeyManagementAlgorithm::ALL.to_vec(),
            content_encryption: ContentEncryption::ALL.to_vec(),
            subject_types,
            longest_ttl: policy.access_token_max_ttl,
            danger_loopback: false,
            statement_issuers: BTreeMap::new(),
        }
    }

    /// The same with these scopes, all of which a client gets that names none.
    pub fn scopes(self, scopes: impl IntoIterator<Item = String>) -> Self {
        let scopes: BTreeSet<_> = scopes.into_iter().collect();
        Self { default_scopes: scopes.clone(), scopes, ..self }
    }

    /// The same with software statements of this issuer, verified with these keys.
    pub fn statement_issuer(mut self, issuer: &str, jwks: Value) -> Self {
        self.statement_issuers.insert(issuer.to_owned(), jwks);
        self
    }

    /// The grant types a response type takes; `None` when it is not offered.
    pub(super) fn grants_of(&self, response_type: &str) -> Option<&'static [&'static str]> {
        self.response_types.iter().find(|(name, _)| *name == response_type).map(|(_, g)| *g)
    }

    /// The response type a grant type is registered with when none is named: the plainest that takes nothing else
    /// ([RFC 7591 2.1](https://www.rfc-editor.org/rfc/rfc7591#section-2.1)).
    pub(super) fn plainest_response_of(&self, grant_type: &str) -> Option<&'static str> {
        let own = |name: &&str| self.grants_of(name) == Some(&[grant_type]);
        let rank = |name: &&str| (name.contains(' '), *name == "id_token");
        self.response_types.iter().map(|(name, _)| *name).filter(own).min_by_key(rank)
    }
}

/// Whether a client may be registered for this grant type because of this response type
/// ([OpenID Connect Registration 2](https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata),
/// the table of `grant_types`: there the implicit grant stands beside everything with a token in the address).
pub(super) fn belong_together(response_type: &str, takes: &[&str], grant_type: &str) -> bool {
    takes.contains(&grant_type)
        || match grant_type {
            "implicit" => response_type.split(' ').any(|w| w == "id_token" || w == "token"),
            "authorization_code" => response_type == "none",
            _ => false,
        }
}
