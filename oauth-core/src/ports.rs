//! Floor 1: what the protocol asks of the outside world. An embedder replaces any of them.

use crate::{
    error::{ErrorCode, PortError},
    model::{
        AccessRight, AuthCode, Authorization, AuthorizationId, Client, ClientId, Committed,
        Consent, Epoch, HashedToken, Issuance, Login, LogoutNotice, Participant,
        PendingAuthorization, Scope, StoredKey, Timestamp, Token, User, UserId,
    },
};
use async_trait::async_trait;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Registered clients.
#[async_trait]
pub trait ClientStore: Send + Sync {
    /// The client, if it is registered. A store has no clock and gives expired ones too, until they are swept; the
    /// provider leaves them out.
    async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, PortError>;
    /// The clients a user made, oldest first.
    async fn clients_of(&self, owner: &UserId) -> Result<Vec<Client>, PortError>;
    /// Registers a client; false when the id is taken.
    async fn insert_client(&self, client: Client) -> Result<bool, PortError>;
    /// Registers a client that nobody has approved of yet: until somebody does, [`client`](Self::client) must not give
    /// it, and [`current_client`](Self::current_client) must. False when the id is taken.
    async fn insert_pending_client(&self, client: Client) -> Result<bool, PortError> {
        let _ = client;
        Err(PortError::new("this store keeps no clients that await approval"))
    }
    /// Replaces a client's registration where what is stored is still `before`, as
    /// [`replace_unchanged_client`](Self::replace_unchanged_client) does, and has it await approval again, all or nothing.
    async fn replace_pending_client(
        &self,
        client: Client,
        before: &Client,
    ) -> Result<bool, PortError> {
        let _ = (client, before);
        Err(PortError::new("this store keeps no clients that await approval"))
    }
    /// The client as it is now, whatever may be remembered of it: for whoever is about to change it, and for itself.
    async fn current_client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, PortError> {
        self.client(id).await
    }
    /// Replaces a client's registration; false when there is none. One that is kept for good stays so, whatever the
    /// replacement says of its expiry: it may have been used since it was read.
    async fn replace_client(&self, client: Client) -> Result<bool, PortError>;
    /// The same where what is stored is still `before`, but for its expiry: what was decided about that one is not
    /// written over another, which somebody may have approved of meanwhile. False where it is not.
    async fn replace_unchanged_client(
        &self,
        client: Client,
        before: &Client,
    ) -> Result<bool, PortError>;
    /// Removes a client with everything issued to it; false when there is none.
    async fn remove_client(&self, id: &ClientId) -> Result<bool, PortError>;
    /// Takes the expiry from a client that has been used; false when there is none of this id.
    async fn keep_client(&self, id: &ClientId) -> Result<bool, PortError>;
}

/// Everything that is issued and expires.
///
/// Correctness under concurrency rests on [`commit`](Self::commit), the one place where a one-time
/// credential is used up.
#[async_trait]
pub trait GrantStore: Send + Sync {
    /// The code with this hash, used up and revoked ones included.
    async fn code(&self, hash: &HashedToken) -> Result<Option<AuthCode>, PortError>;
    /// The token with this hash, used up and revoked ones included.
    async fn token(&self, hash: &HashedToken) -> Result<Option<Token>, PortError>;
    /// Stores a pending authorization under the hash of its interaction id.
    async fn suspend(
        &self,
        interaction: HashedToken,
        pending: PendingAuthorization,
    ) -> Result<(), PortError>;
    /// The pending authorization with this interaction id.
    async fn pending(
        &self,
        interaction: &HashedToken,
    ) -> Result<Option<PendingAuthorization>, PortError>;
    /// Uses up the credential and writes what is issued for it: all or nothing, once, whatever else runs.
    async fn commit(&self, issuance: Issuance) -> Result<Committed, PortError>;
    /// Revokes an authorization and so everything below it.
    async fn revoke(&self, id: AuthorizationId, at: Timestamp) -> Result<(), PortError>;
    /// Revokes one token.
    async fn revoke_token(&self, hash: &HashedToken, at: Timestamp) -> Result<(), PortError>;
    /// The newest epoch. Whoever is about to write a new authorization reads it before what that rests on, such as a
    /// session or a password: see [`NewAuthorization::since`](crate::model::NewAuthorization::since).
    async fn epoch(&self) -> Result<Epoch, PortError>;
    /// Revokes all authorizations of a user, or only those for one client, and forgets the consents to them. It begins a
    /// new [epoch](Self::epoch): no authorization of the user that was begun before it is written after this.
    async fn revoke_user(
        &self,
        user: &UserId,
        client: Option<&ClientId>,
        at: Timestamp,
    ) -> Result<(), PortError>;
    /// The user's authorizations that are not revoked and still have something live below them, newest first.
    async fn authorizations(
        &self,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Vec<Authorization>, PortError>;
    /// The remembered consent of a user to a client.
    async fn consent(&self, user: &UserId, client: &ClientId)
    -> Result<Option<Consent>, PortError>;
    /// All remembered consents of a user.
    async fn consents(&self, user: &UserId) -> Result<Vec<Consent>, PortError>;
    /// Marks a key as seen until a time; true for exactly one caller while it is marked.
    async fn see(
        &self,
        kind: &str,
        key: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, PortError>;
    /// Whether a key is marked as seen.
    async fn seen(&self, kind: &str, key: &str, now: Timestamp) -> Result<bool, PortError>;
    /// Ends a browser session, all or nothing: revokes its OpenID Connect authorizations that were given without
    /// `offline_access`, notes for each client that took part that it is to be told, and returns them. A second
    /// call returns nobody.
    async fn end_session(&self, sid: &str, at: Timestamp) -> Result<Vec<Participant>, PortError>;
    /// Takes at most `limit` notices that are due, each for one caller, until `lease` passes.
    async fn due_logouts(
        &self,
        now: Timestamp,
        lease: Timestamp,
        limit: u64,
    ) -> Result<Vec<LogoutNotice>, PortError>;
    /// Deletes a notice, or makes it due again at a time with one attempt more.
    async fn settle_logout(
        &self,
        id: uuid::Uuid,
        retry_at: Option<Timestamp>,
    ) -> Result<(), PortError>;
    /// Deletes at most `limit` rows of each kind that nobody can need after `now`; returns how many went. With a client
    /// that has expired goes everything issued to it; a notice is kept for [`LogoutNotice::KEPT_FOR`] at most.
    async fn sweep(&self, now: Timestamp, limit: u64) -> Result<u64, PortError>;
}

/// People. Their identifiers have at most 255 ASCII characters, since each is the `sub` of somebody's tokens; whoever
/// has another is refused with `server_error` where OpenID Connect is spoken.
#[async_trait]
pub trait Users: Send + Sync {
    /// The user, if it exists and may sign in.
    async fn user(&self, id: &UserId) -> Result<Option<User>, PortError>;
    /// Checks a name and a password, with equal work for unknown names.
    async fn sign_in(&self, name: &str, password: &str) -> Result<SignIn, PortError>;
    /// Whether name and password alone sign this user in where nobody can be asked for more, as in the password grant
    /// ([RFC 6749 4.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.3)). No for whoever has a second factor.
    async fn password_suffices(&self, id: &UserId) -> Result<bool, PortError> {
        let _ = id;
        Ok(true)
    }
    /// The user's standard claims, `sub` not among them
    /// ([OpenID Connect Core 5.1](https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims)).
    async fn profile(&self, id: &UserId) -> Result<Map<String, Value>, PortError> {
        let _ = id;
        Ok(Map::new())
    }
    /// The user's rights on APIs.
    async fn rights(&self, id: &UserId) -> Result<Vec<AccessRight>, PortError> {
        let _ = id;
        Ok(Vec::new())
    }
}

/// What came of an attempt to sign in with a password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignIn {
    /// Name and password belong together.
    Accepted(UserId),
    /// The name is unknown, the password is wrong, or the user is disabled: nobody is told which.
    Refused,
    /// Too many attempts, or too many at once; nothing was checked. Seconds to wait.
    Throttled(u64),
}

/// Further claims for access tokens.
#[async_trait]
pub trait Claims: Send + Sync {
    /// Claims to add; reserved names are left out when merging.
    async fn claims(
        &self,
        user: Option<&UserId>,
        client: &Client,
        scope: &Scope,
    ) -> Result<Map<String, Value>, PortError>;

    /// Claims to add that depend on the sign-in, such as which browser session it was. Reserved names are left out.
    fn login_claims(&self, login: &Login, client: &Client) -> Map<String, Value> {
        let _ = (login, client);
        Map::new()
    }
}

/// Browser sessions of the embedder, so that somebody who is signed in is not asked again.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Who is signed in, judged by the headers of a request.
    async fn login(&self, headers: &http::HeaderMap) -> Result<Option<Login>, PortError>;
}

/// Who may register clients at the registration endpoint ([RFC 7591 3](https://www.rfc-editor.org/rfc/rfc7591#section-3)).
#[async_trait]
pub trait Registrars: Send + Sync {
    /// Judges an attempt by its initial access token, if it carries one.
    async fn admit(&self, initial_access_token: Option<&str>) -> Result<Admission, PortError>;
    /// Whether somebody has to approve of it when a client changes its registration so that it reaches further than
    /// before, or presents itself differently.
    fn must_approve_changes(&self) -> bool {
        false
    }
}

/// What came of an attempt to register.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Admission {
    /// The client may be registered.
    Granted {
        /// The user it belongs to, if anybody.
        owner: Option<UserId>,
        /// When it is removed unless it was used by then.
        expires_at: Option<Timestamp>,
        /// What names the initial access token it came with, and whoever made that, for those who read the audit trail.
        /// Never the token.
        invitation: Option<String>,
    },
    /// The client may be registered, and nothing acts for it before somebody has approved of it.
    Pending {
        /// The user it belongs to, if anybody.
        owner: Option<UserId>,
        /// When it is removed unless somebody has approved of it by then.
        expires_at: Option<Timestamp>,
    },
    /// Registration needs an initial access token, and none was sent.
    TokenRequired,
    /// The initial access token is not good.
    TokenRefused,
    /// Too many attempts. Seconds to wait.
    Throttled(u64),
}

/// A record of what was decided. For metrics and audit trails; never for secrets.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Something happened.
    fn record(&self, event: &Event<'_>);
    /// Writes down for good what was authorized, issued, registered, revoked or came back. It is done, and waited for, before the
    /// answer: where it fails, the answer is withheld.
    async fn keep(&self, event: &Event<'_>) -> Result<(), PortError> {
        let _ = event;
        Ok(())
    }
}

/// What an [`Audit`] hears of.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A person let a client act, by a fresh or a remembered consent.
    Authorized {
        /// The client.
        client: &'a ClientId,
        /// The person.
        user: &'a UserId,
        /// What was granted.
        scope: &'a Scope,
    },
    /// The token endpoint issued tokens.
    TokenIssued {
        /// By this grant.
        grant_type: &'a str,
        /// To this client.
        client: &'a ClientId,
        /// For this user, if any.
        user: Option<&'a UserId>,
        /// What the access token is good for.
        scope: &'a str,
    },
    /// A client used the registration endpoint.
    Registration {
        /// For what.
        act: RegistrationAct,
        /// The client.
        client: &'a ClientId,
        /// The user it belongs to, if any.
        owner: Option<&'a UserId>,
        /// The most it may be granted.
        scope: &'a Scope,
        /// What names the initial access token it registered itself with, if any: see [`Admission::Granted`].
        invitation: Option<&'a str>,
    },
    /// An endpoint refused a request.
    Refused {
        /// The endpoint: `authorize`, `token`, `revoke`, `introspect`, `userinfo`, `register` or `end_session`.
        endpoint: &'static str,
        /// The error code the peer saw.
        error: ErrorCode,
    },
    /// A token was revoked by its client.
    Revoked {
        /// The client.
        client: &'a ClientId,
    },
    /// A used-up code or refresh token came back; what was issued from it is revoked.
    Replayed {
        /// The client that presented it.
        client: &'a ClientId,
    },
}

/// What a client did at the registration endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistrationAct {
    /// It registered itself, and somebody has yet to approve of it.
    Asked,
    /// It changed its registration.
    Changed,
    /// It registered itself.
    Registered,
    /// It removed itself.
    Removed,
}

/// Public keys of other authorization servers that are published beside the own ones, so that a resource server finds
/// all of them in one place, as AMWA IS-10 recommends. Nothing that this provider accepts is ever verified with them.
pub trait HostedKeys: Send + Sync {
    /// Public JWKs, each with a `kid`.
    fn keys(&self) -> Arc<Vec<Value>>;
}

/// Sealed signing keys.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// All stored keys.
    async fn keys(&self) -> Result<Vec<StoredKey>, PortError>;
    /// Adds a key; false when its sequence number is taken, because another process was first.
    async fn insert_key(&self, key: StoredKey) -> Result<bool, PortError>;
    /// Withdraws a key at once; false when there is none.
    async fn retire_key(&self, kid: &str, at: Timestamp) -> Result<bool, PortError>;
    /// Deletes a key that no live token needs.
    async fn remove_key(&self, kid: &str) -> Result<(), PortError>;
}

/// Checks secrets that people chose. Implementations bound how many run at once.
#[async_trait]
pub trait Passwords: Send + Sync {
    /// Hashes a secret to a PHC string.
    async fn hash(&self, secret: &str) -> Result<String, PortError>;
    /// Whether the secret fits the PHC string; with `None` the same work is done and the answer is no.
    async fn verify(&self, phc: Option<&str>, secret: &str) -> Result<Verdict, PortError>;
}

/// The outcome of a password check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not checked: too many checks are running.
    Busy,
    /// It fits.
    Right,
    /// It does not fit.
    Wrong,
}

/// Outgoing HTTP, for documents that clients publish and for messages to them.
///
/// Addresses come from registrations, so from strangers: an implementation goes to https only, bounds time and
/// size, follows no redirect, and refuses addresses inside the operator's own network
/// ([RFC 9700 4.11](https://www.rfc-editor.org/rfc/rfc9700#section-4.11),
/// [OpenID Connect Core 17.2](https://openid.net/specs/openid-connect-core-1_0.html#UntrustedURLs)).
#[async_trait]
pub trait Fetch: Send + Sync {
    /// The body that a GET answers with status 200, at most `limit` bytes of it.
    async fn get(&self, url: &str, limit: usize) -> Result<Vec<u8>, FetchProblem>;
    /// Posts a form; the body of an answer with status 200 or 204 does not matter.
    async fn post_form(&self, url: &str, form: &str) -> Result<(), FetchProblem>;
    /// The body that another server answers with status 200, at most `limit` bytes of it, to a request in our own name:
    /// as its client, or with a token of its.
    ///
    /// Nothing in this crate needs it. Where it is not implemented, every address is refused.
    async fn ask(&self, url: &str, ask: &Ask<'_>, limit: usize) -> Result<Vec<u8>, FetchProblem> {
        let _ = (url, ask, limit);
        Err(FetchProblem::Address("no requests in our own name are made here"))
    }
}

/// What another server is asked. It is to answer with JSON.
#[derive(Clone, Copy, Default)]
pub struct Ask<'a> {
    /// The form that is posted; a GET where there is none.
    pub form: Option<&'a str>,
    /// The value of the `Authorization` header.
    pub authorization: Option<&'a str>,
}

impl std::fmt::Debug for Ask<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ask(..)")
    }
}

/// Why something could not be fetched or sent. The text is for the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchProblem {
    /// The address is not one this server goes to.
    #[error("the address is not acceptable: {0}")]
    Address(&'static str),
    /// The peer answered with another status.
    #[error("the answer has status {0}")]
    Status(u16),
    /// The answer is longer than the limit.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// No answer, or not in time.
    #[error("there was no answer")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Randomness fit for keys.
pub trait Random: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, out: &mut [u8]);
}

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock port")]
    fn now(&self) -> Timestamp {
        let since =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }
}

/// The generator of aws-lc, seeded by the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, out: &mut [u8]) {
        aws_lc_rs::rand::fill(out).expect("the operating system gives random bytes");
    }
}
