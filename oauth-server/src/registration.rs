//! Registering clients: texts from a form, a command line or a request become a [`Client`], or a list of what is wrong.
//!
//! The one set of rules, whoever registers ([RFC 7591 2](https://www.rfc-editor.org/rfc/rfc7591#section-2)).

mod check;
mod rules;

pub use rules::Rules;

pub(crate) use check::is_deceptive;

use oauth_core::{
    env::Env,
    model::{
        Client, ClientAuth, ClientId, PlainToken, RedirectUri, Scope, SecretHash, SecretMethod,
        TokenFormat, UserId,
    },
    ports::Random,
};
use std::{collections::BTreeSet, fmt, time::Duration};

/// Characters of a `client_id`: 142 bits of letters and digits, more than the 20 characters that AMWA IS-10 asks for.
const ID_LENGTH: usize = 24;
const ID_ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// What somebody wants to register, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientDraft {
    /// `client_name`.
    pub name: String,
    /// `client_uri`; empty for none.
    pub uri: String,
    /// `scope`: names with spaces between them.
    pub scope: String,
    /// `redirect_uris`; empty ones are left out.
    pub redirect_uris: Vec<String>,
    /// `grant_types`; authorization code where there is none at all.
    pub grant_types: Vec<String>,
    /// `response_types`; those of the grant types where there is none at all.
    pub response_types: Vec<String>,
    /// `token_endpoint_auth_method`; `client_secret_basic` where it is empty.
    pub auth_method: String,
    /// `opaque`, or the algorithm of JWTs; empty follows the policy.
    pub access_token_format: String,
    /// Seconds; empty follows the policy.
    pub access_token_ttl: String,
}

/// A field of a [`ClientDraft`], by its name in [RFC 7591 2](https://www.rfc-editor.org/rfc/rfc7591#section-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Field {
    /// `client_name`.
    Name,
    /// `client_uri`.
    Uri,
    /// `scope`.
    Scope,
    /// `grant_types`.
    GrantTypes,
    /// `redirect_uris`.
    RedirectUris,
    /// `response_types`.
    ResponseTypes,
    /// `token_endpoint_auth_method`.
    AuthMethod,
    /// `access_token_format`, which is ours.
    AccessTokenFormat,
    /// `access_token_ttl`, which is ours.
    AccessTokenTtl,
}

impl Field {
    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "client_name",
            Self::Uri => "client_uri",
            Self::Scope => "scope",
            Self::GrantTypes => "grant_types",
            Self::RedirectUris => "redirect_uris",
            Self::ResponseTypes => "response_types",
            Self::AuthMethod => "token_endpoint_auth_method",
            Self::AccessTokenFormat => "access_token_format",
            Self::AccessTokenTtl => "access_token_ttl",
        }
    }
}

/// What is wrong with one field, in words for the person who typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// Where.
    pub field: Field,
    /// What, as a sentence.
    pub text: String,
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field.as_str(), self.text)
    }
}

/// A draft that passed every rule. Only [`ClientDraft::check`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedClient {
    name: String,
    uri: Option<String>,
    scope: Scope,
    redirect_uris: Vec<RedirectUri>,
    grant_types: BTreeSet<String>,
    response_types: BTreeSet<String>,
    method: Option<SecretMethod>,
    access_token_format: Option<TokenFormat>,
    access_token_ttl: Option<Duration>,
}

/// A client to be stored, with the secret that is shown once if one was made for it.
#[derive(Debug)]
pub struct Registered {
    /// The client.
    pub client: Client,
    /// Its secret, which is stored nowhere.
    pub secret: Option<PlainToken>,
}

impl CheckedClient {
    /// A new client of this owner, with an id and, unless it is public, a secret of its own.
    pub fn register(self, env: &Env, owner: Option<UserId>) -> Registered {
        let blank = Client {
            id: client_id(&*env.random),
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
            created_at: env.clock.now(),
        };
        self.replace(env, &blank)
    }

    /// The client with what was checked in place of what it had. It keeps its id, its owner and its secret; one
    /// that was public and no longer is gets a secret.
    pub fn replace(self, env: &Env, current: &Client) -> Registered {
        let (auth, secret) = match (self.method, &current.auth) {
            (None, _) => (ClientAuth::Public, None),
            (Some(method), ClientAuth::Secret(_, hash)) => {
                (ClientAuth::Secret(method, hash.clone()), None)
            }
            (Some(method), _) => fresh(env, method),
        };
        let client = Client {
            id: current.id.clone(),
            name: self.name,
            uri: self.uri,
            owner: current.owner.clone(),
            auth,
            redirect_uris: self.redirect_uris,
            grant_types: self.grant_types,
            response_types: self.response_types,
            scope: self.scope,
            access_token_format: self.access_token_format,
            access_token_ttl: self.access_token_ttl,
            skip_consent: current.skip_consent,
            created_at: current.created_at,
        };
        Registered { client, secret }
    }
}

/// The client with a new secret in place of the old one; `None` for a public client.
pub fn rotate_secret(env: &Env, current: &Client) -> Option<Registered> {
    let ClientAuth::Secret(method, _) = current.auth else { return None };
    let (auth, secret) = fresh(env, method);
    Some(Registered { client: Client { auth, ..current.clone() }, secret })
}

impl From<&Client> for ClientDraft {
    fn from(client: &Client) -> Self {
        Self {
            name: client.name.clone(),
            uri: client.uri.clone().unwrap_or_default(),
            scope: client.scope.to_string(),
            redirect_uris: client.redirect_uris.iter().map(ToString::to_string).collect(),
            grant_types: client.grant_types.iter().cloned().collect(),
            response_types: client.response_types.iter().cloned().collect(),
            auth_method: client.auth.method().to_owned(),
            access_token_format: match client.access_token_format {
                None => String::new(),
                Some(TokenFormat::Opaque) => check::OPAQUE.to_owned(),
                Some(TokenFormat::Jwt(algorithm)) => algorithm.as_str().to_owned(),
            },
            access_token_ttl: client
                .access_token_ttl
                .map_or_else(String::new, |ttl| ttl.as_secs().to_string()),
        }
    }
}

fn fresh(env: &Env, method: SecretMethod) -> (ClientAuth, Option<PlainToken>) {
    let secret = env.secret();
    (ClientAuth::Secret(method, SecretHash::Sha256(secret.hash())), Some(secret))
}

fn client_id(random: &dyn Random) -> ClientId {
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

#[cfg(test)]
mod tests;
