//! From a draft that passed every rule to a client.

use super::{field::Objection, sector};
use crate::{
    client_auth,
    env::Env,
    model::{
        Client, ClientAuth, ClientId, ClientMetadata, PlainToken, RedirectUri, Scope, SecretHash,
        SecretMethod, TokenFormat, UserId,
    },
    ports::Random,
};
use std::{collections::BTreeSet, time::Duration};

/// Characters of a `client_id`: 142 bits of letters and digits, more than the 20 characters that AMWA IS-10 asks for.
const ID_LENGTH: usize = 24;
const ID_ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A draft that passed every rule that needs nothing but the draft. Only
/// [`ClientDraft::check`](super::ClientDraft::check) makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedClient {
    pub(super) name: String,
    pub(super) uri: Option<String>,
    pub(super) scope: Scope,
    pub(super) redirect_uris: Vec<RedirectUri>,
    pub(super) grant_types: BTreeSet<String>,
    pub(super) response_types: BTreeSet<String>,
    pub(super) method: Method,
    pub(super) access_token_format: Option<TokenFormat>,
    pub(super) access_token_ttl: Option<Duration>,
    pub(super) metadata: ClientMetadata,
}

/// How the client is going to authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    None,
    Secret(SecretMethod),
    SecretJwt,
    PrivateKeyJwt,
}

impl Method {
    const ALL: [Self; 5] = [
        Self::None,
        Self::Secret(SecretMethod::Basic),
        Self::Secret(SecretMethod::Post),
        Self::SecretJwt,
        Self::PrivateKeyJwt,
    ];

    /// The value of `token_endpoint_auth_method`.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Secret(SecretMethod::Basic) => "client_secret_basic",
            Self::Secret(SecretMethod::Post) => "client_secret_post",
            Self::SecretJwt => "client_secret_jwt",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }

    /// Credentials for this method: those the client has where they fit, else new ones.
    fn credentials(self, env: &Env, id: &ClientId, current: &ClientAuth) -> Credentials {
        match (self, current) {
            (Self::None, _) => (ClientAuth::Public, None),
            (Self::PrivateKeyJwt, _) => (ClientAuth::PrivateKeyJwt, None),
            (Self::Secret(method), ClientAuth::Secret(_, hash)) => {
                (ClientAuth::Secret(method, hash.clone()), None)
            }
            (Self::SecretJwt, ClientAuth::SecretJwt(sealed)) => {
                (ClientAuth::SecretJwt(sealed.clone()), None)
            }
            (Self::Secret(method), _) => fresh(env, method),
            (Self::SecretJwt, _) => fresh_mac(env, id),
        }
    }
}

/// What is stored, and the secret that is shown once if it was just made.
type Credentials = (ClientAuth, Option<PlainToken>);

/// A client to be stored, with the secret that is shown once if one was made for it.
#[derive(Debug)]
pub struct Registered {
    /// The client.
    pub client: Client,
    /// Its secret, which is stored nowhere in the clear.
    pub secret: Option<PlainToken>,
}

impl CheckedClient {
    /// A new client of this owner, with an id and, where it authenticates by one, a secret of its own.
    ///
    /// What is published at its `sector_identifier_uri` is fetched; the objection is that it does not agree.
    pub async fn register(
        self,
        env: &Env,
        owner: Option<UserId>,
    ) -> Result<Registered, Vec<Objection>> {
        let id = client_id(&*env.random);
        self.register_as(env, id, owner).await
    }

    /// The same with an id that somebody chose. The id is not to be changed afterwards: a sealed secret is bound to it.
    pub async fn register_as(
        self,
        env: &Env,
        id: ClientId,
        owner: Option<UserId>,
    ) -> Result<Registered, Vec<Objection>> {
        let blank = Client {
            id,
            name: String::new(),
            uri: None,
            owner,
            auth: ClientAuth::Public,
            redirect_uris: Vec::new(),
            grant_types: BTreeSet::new(),
            response_types: BTreeSet::new(),
            scope: Scope::default(),
            access_token_format: None,
            access_token_ttl: None,
            skip_consent: false,
            metadata: ClientMetadata::default(),
            registration_token: None,
            created_at: env.clock.now(),
            expires_at: None,
        };
        self.replace(env, &blank).await
    }

    /// The client with what was checked in place of what it had. It keeps its id, its owner and, where they still
    /// fit, its credentials; a secret that becomes necessary is made.
    ///
    /// What is published at its `sector_identifier_uri` is fetched, unless neither that nor the redirect URIs are new.
    pub async fn replace(self, env: &Env, current: &Client) -> Result<Registered, Vec<Objection>> {
        let known = current.metadata.sector_identifier_uri == self.metadata.sector_identifier_uri
            && self.redirect_uris.iter().all(|uri| current.redirect_uris.contains(uri));
        if let (Some(uri), false) = (&self.metadata.sector_identifier_uri, known) {
            sector::agrees(env, uri, &self.redirect_uris).await.map_err(|o| vec![o])?;
        }
        let (auth, secret) = self.method.credentials(env, &current.id, &current.auth);
        let client = Client {
            name: self.name,
            uri: self.uri,
            auth,
            redirect_uris: self.redirect_uris,
            grant_types: self.grant_types,
            response_types: self.response_types,
            scope: self.scope,
            access_token_format: self.access_token_format,
            access_token_ttl: self.access_token_ttl,
            metadata: self.metadata,
            ..current.clone()
        };
        Ok(Registered { client, secret })
    }
}

/// The client with a new secret in place of the old one; `None` for a client that has none.
pub fn rotate_secret(env: &Env, current: &Client) -> Option<Registered> {
    let (auth, secret) = match &current.auth {
        ClientAuth::Secret(method, _) => fresh(env, *method),
        ClientAuth::SecretJwt(_) => fresh_mac(env, &current.id),
        ClientAuth::Public | ClientAuth::PrivateKeyJwt => return None,
    };
    Some(Registered { client: Client { auth, ..current.clone() }, secret })
}

fn fresh(env: &Env, method: SecretMethod) -> Credentials {
    let secret = env.secret();
    (ClientAuth::Secret(method, SecretHash::Sha256(secret.hash())), Some(secret))
}

fn fresh_mac(env: &Env, id: &ClientId) -> Credentials {
    let secret = client_auth::mac_secret(env).reveal();
    let sealed = client_auth::seal_secret(env, id, &secret);
    (ClientAuth::SecretJwt(sealed), Some(PlainToken::from_wire(&secret)))
}

pub(super) fn client_id(random: &dyn Random) -> ClientId {
    let mut id = String::with_capacity(ID_LENGTH);
    let mut bytes = [0; 32];
    while id.len() < ID_LENGTH {
        random.fill(&mut bytes);
        // Six bits each; the two values beyond the alphabet are thrown away, so that all letters are equally likely.
        let letters = bytes.iter().filter_map(|b| ID_ALPHABET.get(usize::from(b & 63)));
        id.extend(letters.map(|&b| char::from(b)).take(ID_LENGTH - id.len()));
    }
    ClientId::new(id)
}
