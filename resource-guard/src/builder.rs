//! The settings of a guard.

mod assemble;
mod nmos;

use crate::{
    cookie::CookieToken,
    csrf::Csrf,
    fetch::PlainHttp,
    guard::Switch,
    keys::{KeySource, KeyTimes},
    revocations::{Revocations, WhileSilent},
    verify::{AudienceRule, ClientRule},
};
use oauth_core::{
    jose::KeySet,
    model::SigningAlgorithm,
    ports::{Clock, Random, SystemClock, SystemRandom},
};
use std::{sync::Arc, time::Duration};

/// Settings of a guard. Every default is the strict one.
#[must_use]
pub struct GuardBuilder {
    issuer: Option<String>,
    audiences: Vec<String>,
    audience: AudienceRule,
    /// The host name by which `aud` means this server, as AMWA IS-10 compares names.
    host: Option<String>,
    client: ClientRule,
    /// Whom a guard of several issuers trusts.
    trusted: nmos::Trusted,
    keys: KeyChoice,
    introspection: Option<[String; 3]>,
    asking: When,
    keep_answers: Duration,
    remember: usize,
    algorithms: Vec<SigningAlgorithm>,
    types: Vec<String>,
    untyped: bool,
    untyped_answers: bool,
    leeway: Duration,
    times: KeyTimes,
    timeout: Duration,
    roots: Vec<Vec<u8>>,
    roots_meant: RootsMeant,
    plain: PlainHttp,
    environment_proxy: bool,
    realm: Option<String>,
    api_key: Option<String>,
    cookie: Option<CookieToken>,
    revocations: Option<Arc<dyn Revocations>>,
    while_silent: WhileSilent,
    switch: Switch,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

enum KeyChoice {
    None,
    /// Those of every issuer that is trusted.
    Issuers,
    Discover,
    At(String),
    Fixed(KeySet),
    From(Arc<dyn KeySource>),
}

/// Which certificate authorities count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RootsMeant {
    SystemToo,
    GivenAlone,
}

/// When the introspection endpoint is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    KeysCannotDecide,
    Always,
}

impl Default for GuardBuilder {
    fn default() -> Self {
        Self {
            issuer: None,
            audiences: Vec::new(),
            audience: AudienceRule::Named,
            host: None,
            client: ClientRule::NamedOrNot,
            trusted: nmos::Trusted::default(),
            keys: KeyChoice::None,
            introspection: None,
            asking: When::KeysCannotDecide,
            keep_answers: Duration::from_secs(5),
            remember: 8_192,
            algorithms: SigningAlgorithm::ALL.to_vec(),
            types: vec!["at+jwt".to_owned()],
            untyped: false,
            untyped_answers: false,
            leeway: Duration::ZERO,
            times: KeyTimes {
                refresh: Duration::from_hours(1),
                jitter: None,
                cool_down: Duration::from_secs(30),
            },
            timeout: Duration::from_secs(5),
            roots: Vec::new(),
            roots_meant: RootsMeant::SystemToo,
            plain: PlainHttp::LoopbackOnly,
            environment_proxy: false,
            realm: None,
            api_key: None,
            cookie: None,
            revocations: None,
            while_silent: WhileSilent::Refuse,
            switch: Switch::On,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        }
    }
}

impl GuardBuilder {
    pub(crate) fn for_issuer(issuer: String) -> Self {
        Self { issuer: Some(issuer), keys: KeyChoice::Discover, ..Self::default() }
    }

    /// A name by which tokens mean this server; `aud` must contain one of them, character by character.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// The address of the key set, instead of discovery.
    pub fn jwks_uri(mut self, uri: impl Into<String>) -> Self {
        self.keys = KeyChoice::At(uri.into());
        self
    }

    /// Keys that never change, instead of discovery.
    pub fn keys(mut self, keys: KeySet) -> Self {
        self.keys = KeyChoice::Fixed(keys);
        self
    }

    /// Keys from anywhere else, such as an authorization server in the same process.
    pub fn key_source(mut self, source: impl KeySource + 'static) -> Self {
        self.keys = KeyChoice::From(Arc::new(source));
        self
    }

    /// Asks this endpoint ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)) about tokens that are not JWTs, and
    /// about all of them when the guard has no keys. The guard is a client of the authorization server and sends its
    /// credentials as `client_secret_basic`.
    pub fn introspection(
        mut self,
        endpoint: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> Self {
        self.introspection = Some([endpoint.into(), client_id.into(), client_secret.into()]);
        self
    }

    /// Asks the introspection endpoint about good JWTs too, so that revoked ones are refused.
    pub fn introspect_always(mut self) -> Self {
        self.asking = When::Always;
        self
    }

    /// How long an introspection answer may be used; never beyond the token's life. Default 5 seconds; zero asks for
    /// every request. A revoked token passes for at most this long.
    pub fn keep_introspection(mut self, time: Duration) -> Self {
        self.keep_answers = time;
        self
    }

    /// How many verified JWTs are remembered, each with its text; zero verifies each anew. Default 8192.
    pub fn remember_tokens(mut self, most: usize) -> Self {
        self.remember = most;
        self
    }

    /// The signature algorithms that are accepted. Default: ES256, `EdDSA`, RS256, RS512, PS256.
    pub fn algorithms(mut self, allowed: impl IntoIterator<Item = SigningAlgorithm>) -> Self {
        self.algorithms = allowed.into_iter().collect();
        self
    }

    /// Accepts this `typ` too, such as `JWT` from servers that do not follow RFC 9068. Default: `at+jwt` alone, so
    /// that no ID token is taken for an access token.
    pub fn also_typ(mut self, typ: impl Into<String>) -> Self {
        self.types.push(typ.into());
        self
    }

    /// Accepts JWTs without any `typ` too.
    pub fn also_untyped(mut self) -> Self {
        self.untyped = true;
        self
    }

    /// How far clocks may differ. Default zero: a token of five seconds dies after five seconds.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// How often the key set is refreshed. Default every hour, at most every second; up to a tenth earlier, by chance.
    /// Requests do not wait for that, except for the first one after nothing was asked for twice as long.
    pub fn refresh_keys_every(mut self, time: Duration) -> Self {
        self.times.refresh = time;
        self
    }

    /// How often tokens with unknown keys may lead to a fetch of the key set. Default once in 30 seconds, at most once in
    /// one.
    pub fn key_cool_down(mut self, time: Duration) -> Self {
        self.times.cool_down = time;
        self
    }

    /// How long the authorization server may take to answer. Default 5 seconds.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.timeout = time;
        self
    }

    /// Trusts the certificate authorities of this PEM text in addition to those of the system.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Trusts the certificate authorities given by [`root_certificates`](Self::root_certificates) and no others.
    pub fn only_root_certificates(mut self) -> Self {
        self.roots_meant = RootsMeant::GivenAlone;
        self
    }

    /// Reaches the authorization server through the proxy that the environment names.
    pub fn environment_proxy(mut self) -> Self {
        self.environment_proxy = true;
        self
    }

    /// The realm of challenges. Default: the first audience.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// Accepts `<name>: bearer <token>` beside `Authorization`, such as `X-API-KEY`.
    pub fn api_key_header(mut self, name: impl Into<String>) -> Self {
        self.api_key = Some(name.into());
        self
    }

    /// Accepts a JWT in this cookie, too, such as `__Host-at`, where a request carries no token in a header. The browser
    /// sends it by itself, so such a request must also satisfy the [`Csrf`] rules: its value is the claim `csrf` of the
    /// token, in the header `X-CSRF-Token` or `X-API-KEY`. A value of `X-API-KEY` that begins with `bearer ` is a token,
    /// and then cookies are ignored.
    ///
    /// The name must begin with `__Host-` or `__Secure-`.
    pub fn cookie(mut self, name: impl Into<String>, csrf: Csrf) -> Self {
        self.cookie = Some(CookieToken { name: name.into(), csrf });
        self
    }

    /// Asks a list of revoked tokens about every JWT that is good otherwise. JWTs without `jti` are then refused. While
    /// the list does not answer, requests are refused with 503.
    pub fn revocations(mut self, list: impl Revocations + 'static) -> Self {
        self.revocations = Some(Arc::new(list));
        self
    }

    /// Lets tokens pass while the list of revoked ones does not answer: whoever can keep it silent can use them.
    pub fn danger_pass_while_revocations_are_silent(mut self) -> Self {
        self.while_silent = WhileSilent::Pass;
        self
    }

    /// Switches the guard on or off. Off, every request passes without a token, and a warning says so at start.
    pub fn condition(mut self, on: bool) -> Self {
        self.switch = if on { Switch::On } else { Switch::Off };
        self
    }

    /// The clock by which tokens expire.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The randomness of jitter and pauses.
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.random = random;
        self
    }

    /// Talks to authorization servers over plain http on any host, where something else protects the wire.
    pub fn danger_plain_http(mut self) -> Self {
        self.plain = PlainHttp::Anywhere;
        self
    }

    /// Accepts introspection answers that name no audience: the endpoint then answers for it that the token is meant
    /// for this server ([RFC 7662 4](https://www.rfc-editor.org/rfc/rfc7662#section-4)).
    pub fn danger_introspection_without_audience(mut self) -> Self {
        self.audience = AudienceRule::NamedIfTold;
        self
    }

    /// Accepts introspection answers without `token_type`, from servers whose endpoint knows access tokens alone. One
    /// that knows refresh tokens too may otherwise tell of them in the same words.
    pub fn danger_introspection_without_type(mut self) -> Self {
        self.untyped_answers = true;
        self
    }

    /// Accepts tokens for any audience. Whoever receives such a token may use it at every server that does this.
    pub fn danger_any_audience(mut self) -> Self {
        self.audience = AudienceRule::Anyone;
        self
    }
}

impl std::fmt::Debug for GuardBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuardBuilder")
            .field("issuer", &self.issuer)
            .field("audiences", &self.audiences)
            .finish_non_exhaustive()
    }
}
