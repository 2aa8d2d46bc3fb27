//! Policy: what an operator may decide, each with a default and the reason for it.

use crate::model::{Scope, SigningAlgorithm, TokenFormat};
use std::{collections::BTreeMap, time::Duration};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Decisions that hold for the whole provider.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The form of access tokens where neither resource nor client decides.
    /// JWT with ES256: resource servers verify offline, and signing is cheap.
    pub access_token_format: TokenFormat,
    /// The life of access tokens where neither resource nor client decides. Ten minutes, because a JWT
    /// cannot be called back from resource servers that verify offline.
    pub access_token_ttl: Duration,
    /// The longest life any access token gets. Retired keys stay published this long.
    pub access_token_max_ttl: Duration,
    /// The shortest life any access token gets. Zero: whatever resource and client say.
    pub access_token_min_ttl: Duration,
    /// Whether all access tokens have the form of the policy, whatever clients and resources say.
    pub access_token_format_is_fixed: bool,
    /// Whom access tokens are for where no resource is named.
    pub audience: Audience,
    /// The most a client may be granted for itself, by its own credentials; `None`: whatever it is registered for.
    pub client_credentials_scope: Option<Scope>,
    /// The life of an authorization code. A minute is ample for a redirect (RFC 6749 4.1.2 allows ten).
    pub code_ttl: Duration,
    /// How long a person may take to sign in and consent.
    pub interaction_ttl: Duration,
    /// The life of an unused refresh token. Every rotation starts it again, for confidential clients.
    pub refresh_token_ttl: Duration,
    /// The life of a family of refresh tokens, counted from the authorization, whatever the rotations.
    pub refresh_token_max_age: Duration,
    /// For how long the same successor is given again when the answer to a rotation was lost. Zero turns it off.
    pub refresh_retry_window: Duration,
    /// Who gets refresh tokens.
    pub refresh_tokens: RefreshTokens,
    /// Who must use PKCE. Everybody (RFC 9700 2.1.1).
    pub pkce: PkcePolicy,
    /// Whether the `plain` method of PKCE is taken. Only some profiles of broadcast devices ask for it.
    pub danger_plain_pkce: bool,
    /// The algorithms keys are kept for. ES256 for access tokens, RS256 for clients that know nothing else.
    pub algorithms: Vec<SigningAlgorithm>,
    /// How long a key signs before its successor does.
    pub key_lifetime: Duration,
    /// How long a key is published before it signs, so that every cache of the key set knows it by then.
    pub key_publish_lead: Duration,
    /// Whether OpenID Connect is spoken: id tokens, userinfo, logout. On, because a login is what most clients want.
    pub openid: bool,
    /// The life of an id token. An hour: a client reads it once, when it arrives.
    pub id_token_ttl: Duration,
    /// The authentication contexts sign-ins here can have, the weakest first: whoever reached one has reached those
    /// before it.
    pub acr_values: Vec<String>,
    /// For how long a client that took part in a browser session is remembered, to be told of its end. As long as
    /// such a session can last. Keys that are not published any more read its id tokens as hints for as long.
    pub session_ttl: Duration,
    /// Which audience a client's assertion must name.
    pub assertion_audience: AssertionAudience,
    /// For how long a client registration may be remembered without asking the store again.
    pub client_cache_ttl: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            access_token_format: TokenFormat::Jwt(SigningAlgorithm::ES256),
            access_token_ttl: Duration::from_secs(10 * MINUTE),
            access_token_max_ttl: Duration::from_secs(DAY),
            access_token_min_ttl: Duration::ZERO,
            access_token_format_is_fixed: false,
            audience: Audience::default(),
            client_credentials_scope: None,
            code_ttl: Duration::from_secs(MINUTE),
            interaction_ttl: Duration::from_secs(10 * MINUTE),
            refresh_token_ttl: Duration::from_secs(30 * DAY),
            refresh_token_max_age: Duration::from_secs(90 * DAY),
            refresh_retry_window: Duration::from_secs(30),
            refresh_tokens: RefreshTokens::Registered,
            pkce: PkcePolicy::Everybody,
            danger_plain_pkce: false,
            algorithms: vec![SigningAlgorithm::ES256, SigningAlgorithm::RS256],
            key_lifetime: Duration::from_secs(90 * DAY),
            key_publish_lead: Duration::from_secs(DAY),
            openid: true,
            id_token_ttl: Duration::from_secs(HOUR),
            acr_values: Vec::new(),
            session_ttl: Duration::from_secs(30 * DAY),
            assertion_audience: AssertionAudience::IssuerOrEndpoint,
            client_cache_ttl: Duration::from_secs(5),
        }
    }
}

/// The `aud` of access tokens that were asked for without a `resource`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// By scope token: a token names the audiences of all tokens of its scope.
    pub by_scope: BTreeMap<String, Vec<String>>,
    /// Where the scope names none. Empty: the issuer.
    pub otherwise: Vec<String>,
    /// Whether `aud` is a list also when it names one alone, as AMWA IS-10 wants it.
    pub is_always_a_list: bool,
}

/// Who gets a refresh token with an access token for a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshTokens {
    /// Clients that registered the grant type; for a login, only with `offline_access`
    /// ([OpenID Connect Core 11](https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess)).
    Registered,
    /// Every client that acts for users, by codes or by their passwords, asked or not, as AMWA IS-10 wants it.
    Always,
}

/// The `aud` of client assertions ([RFC 7523 3](https://www.rfc-editor.org/rfc/rfc7523#section-3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AssertionAudience {
    /// The issuer, the token endpoint, or the endpoint that is called, alone or in a list: what clients in the wild send.
    IssuerOrEndpoint,
    /// The issuer and nothing else, as one text: no other server can be tricked into getting an assertion for this one.
    Issuer,
}

/// Who must send a `code_challenge` ([RFC 9700 2.1.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.1.1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PkcePolicy {
    /// Every client.
    Everybody,
    /// Clients without a secret; the others may.
    PublicClients,
}

/// Paths of the endpoints below the issuer.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The authorization endpoint.
    pub authorize: String,
    /// The token endpoint.
    pub token: String,
    /// The revocation endpoint.
    pub revoke: String,
    /// The introspection endpoint.
    pub introspect: String,
    /// The userinfo endpoint.
    pub userinfo: String,
    /// The registration endpoint; a client's own registration is below it.
    pub register: String,
    /// The end session endpoint.
    pub end_session: String,
    /// The page that clients ask, from a frame, whether the session is still the same.
    pub check_session: String,
    /// The key set.
    pub jwks: String,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            authorize: "/oauth/authorize".into(),
            token: "/oauth/token".into(),
            revoke: "/oauth/revoke".into(),
            introspect: "/oauth/introspect".into(),
            userinfo: "/oauth/userinfo".into(),
            register: "/oauth/register".into(),
            end_session: "/oauth/logout".into(),
            check_session: "/oauth/check_session".into(),
            jwks: "/.well-known/jwks.json".into(),
        }
    }
}

/// Where the embedder's pages are, as paths or URLs; each gets `?interaction=…`.
#[derive(Clone, Debug)]
pub struct Screens {
    /// The sign-in page.
    pub login: String,
    /// The consent page.
    pub consent: String,
    /// The page to make an account on; without one, people are sent to sign in.
    pub sign_up: Option<String>,
    /// The page to choose an account on; without one, people are sent to sign in.
    pub select_account: Option<String>,
    /// Whether there are pages to log out on at [`Paths::end_session`], and the cookie that [`Paths::check_session`] reads.
    pub logout: bool,
}

impl Default for Screens {
    fn default() -> Self {
        Self {
            login: "/login".into(),
            consent: "/consent".into(),
            sign_up: None,
            select_account: None,
            logout: false,
        }
    }
}
