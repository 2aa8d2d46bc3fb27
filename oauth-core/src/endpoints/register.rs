//! Dynamic client registration: [RFC 7591](https://www.rfc-editor.org/rfc/rfc7591),
//! [RFC 7592](https://www.rfc-editor.org/rfc/rfc7592) and
//! [OpenID Connect Registration](https://openid.net/specs/openid-connect-registration-1_0.html).

use crate::{
    client_auth,
    env::Env,
    error::{ErrorCode, OAuthError, PortError},
    model::{Client, ClientAuth, ClientId, HashedToken, PlainToken, SecretHash},
    ports::{Admission, Event, Registrars, RegistrationAct as Act, Verdict},
    registration::{self, CheckedClient, ClientDraft, Registered, Rules},
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{fmt, sync::Arc};

/// Longer identifiers and tokens are nobody's.
const LONGEST: usize = 255;
/// What the server says of a registration, and a client does not
/// ([RFC 7592 2.2](https://www.rfc-editor.org/rfc/rfc7592#section-2.2)).
const OURS: [&str; 4] = [
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
];

/// The client information response ([RFC 7591 3.2.1](https://www.rfc-editor.org/rfc/rfc7591#section-3.2.1),
/// [RFC 7592 3](https://www.rfc-editor.org/rfc/rfc7592#section-3)).
#[derive(Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct RegistrationResponse(pub Map<String, Value>);

impl fmt::Debug for RegistrationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RegistrationResponse").field(&self.0.get("client_id")).finish()
    }
}

impl RegistrationResponse {
    /// The client manages itself with the token, which is nowhere but here, as is a secret that was just made.
    fn new(env: &Env, client: &Client, token: PlainToken, secret: Option<PlainToken>) -> Self {
        let mut map = registration::describe(env, client);
        let mut set = |name: &str, value: Value| map.insert(name.to_owned(), value);
        let at = format!("{}/{}", env.issuer.join(&env.paths.register), client.id);
        set("registration_client_uri", at.into());
        set("registration_access_token", token.reveal().into());
        if let Some(secret) = secret {
            set("client_secret", secret.reveal().into());
            set("client_secret_expires_at", 0.into());
        }
        Self(map)
    }
}

/// Why nothing was registered, read, changed or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationRefused {
    /// A token is needed, and none was sent
    /// ([RFC 6750 3](https://www.rfc-editor.org/rfc/rfc6750#section-3)).
    #[error("a token is needed")]
    TokenRequired,
    /// Too many attempts. Seconds to wait.
    #[error("too many attempts, {0} seconds to wait")]
    Throttled(u64),
    /// An error by its code.
    #[error(transparent)]
    Error(#[from] OAuthError),
}

impl RegistrationRefused {
    /// The code.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::TokenRequired => ErrorCode::InvalidToken,
            Self::Throttled(_) => ErrorCode::TemporarilyUnavailable,
            Self::Error(e) => e.code(),
        }
    }
}

impl From<PortError> for RegistrationRefused {
    fn from(e: PortError) -> Self {
        Self::Error(e.into())
    }
}

/// Registers the client that the JSON object describes, if whoever sent it with this initial access token may
/// ([RFC 7591 3](https://www.rfc-editor.org/rfc/rfc7591#section-3)).
pub async fn register(
    env: &Env,
    rules: &Rules,
    registrars: &dyn Registrars,
    initial_access_token: Option<&str>,
    body: &[u8],
) -> Result<RegistrationResponse, RegistrationRefused> {
    let (owner, expires_at, act, invitation) = match registrars.admit(initial_access_token).await? {
        Admission::Granted { owner, expires_at, invitation } => {
            (owner, expires_at, Act::Registered, invitation)
        }
        Admission::Pending { owner, expires_at } => (owner, expires_at, Act::Asked, None),
        Admission::TokenRequired => return Err(RegistrationRefused::TokenRequired),
        Admission::TokenRefused => return Err(refused_token().into()),
        Admission::Throttled(seconds) => return Err(RegistrationRefused::Throttled(seconds)),
    };
    let checked = check(env, rules, object(body)?, None)?;
    let registered = checked.register(env, owner).await;
    let Registered { mut client, secret } = registered.map_err(|o| registration::refusal(&o))?;
    let token = env.secret();
    client.registration_token = Some(token.hash());
    client.expires_at = expires_at;
    let inserted = match act {
        Act::Asked => env.clients.insert_pending_client(client.clone()).await?,
        _ => env.clients.insert_client(client.clone()).await?,
    };
    if !inserted {
        return Err(PortError::new("a new client id was taken").into());
    }
    heard(env, act, &client, invitation.as_deref()).await?;
    tracing::info!(client.id = %client.id, "client registered itself");
    Ok(RegistrationResponse::new(env, &client, token, secret))
}

/// What the client of this registration access token is registered with
/// ([RFC 7592 2.1](https://www.rfc-editor.org/rfc/rfc7592#section-2.1)).
pub async fn registration(
    env: &Env,
    client_id: &str,
    token: Option<&str>,
) -> Result<RegistrationResponse, RegistrationRefused> {
    let (client, token) = managed(env, client_id, token).await?;
    Ok(RegistrationResponse::new(env, &client, token, None))
}

/// Puts what the JSON object describes in the place of the whole registration
/// ([RFC 7592 2.2](https://www.rfc-editor.org/rfc/rfc7592#section-2.2)).
pub async fn update_registration(
    env: &Env,
    (rules, registrars): (&Rules, &dyn Registrars),
    client_id: &str,
    token: Option<&str>,
    body: &[u8],
) -> Result<RegistrationResponse, RegistrationRefused> {
    let (current, token) = managed(env, client_id, token).await?;
    let map = object(body)?;
    is_about(env, &current, &map).await?;
    let checked = check(env, rules, map, Some(&current))?;
    let registered = checked.replace(env, &current).await;
    let Registered { mut client, secret } = registered.map_err(|o| registration::refusal(&o))?;
    client.skip_consent &= !reaches_further(&client, &current);
    // It may have become another meanwhile, of which an administrator has approved.
    let replaced = if registrars.must_approve_changes() && is_another(&client, &current) {
        env.clients.replace_pending_client(client.clone(), &current).await?
    } else {
        env.clients.replace_unchanged_client(client.clone(), &current).await?
    };
    if !replaced {
        return Err(match env.clients.current_client(&client.id).await? {
            Some(_) => OAuthError::new(ErrorCode::TemporarilyUnavailable, BUSY).into(),
            None => refused_token().into(),
        });
    }
    heard(env, Act::Changed, &client, None).await?;
    tracing::info!(client.id = %client.id, "client changed its registration");
    Ok(RegistrationResponse::new(env, &client, token, secret))
}

/// Removes the client with everything issued to it
/// ([RFC 7592 2.3](https://www.rfc-editor.org/rfc/rfc7592#section-2.3)).
pub async fn remove_registration(
    env: &Env,
    client_id: &str,
    token: Option<&str>,
) -> Result<(), RegistrationRefused> {
    let (client, _) = managed(env, client_id, token).await?;
    if !env.clients.remove_client(&client.id).await? {
        return Err(refused_token().into());
    }
    heard(env, Act::Removed, &client, None).await?;
    tracing::info!(client.id = %client.id, "client removed itself");
    Ok(())
}

/// Two requests for one client at the same moment.
const BUSY: &str = "the registration was changed at the same moment; read it, and try again";

async fn heard(
    env: &Env,
    act: Act,
    client: &Client,
    invitation: Option<&str>,
) -> Result<(), PortError> {
    let (owner, scope) = (client.owner.as_ref(), &client.scope);
    let event = Event::Registration { act, client: &client.id, owner, scope, invitation };
    env.audit.keep(&event).await?;
    env.audit.record(&event);
    Ok(())
}

/// Whether it may ask for more than before, or be answered elsewhere. Whoever decided that nobody is asked for consent
/// did not know of that.
fn reaches_further(client: &Client, before: &Client) -> bool {
    !client.scope.is_within(&before.scope)
        || client.redirect_uris.iter().any(|uri| !before.redirect_uris.contains(uri))
}

/// Whether what somebody once approved of would not say what it is now.
fn is_another(client: &Client, before: &Client) -> bool {
    reaches_further(client, before)
        || !client.grant_types.is_subset(&before.grant_types)
        || !client.response_types.is_subset(&before.response_types)
        || client.auth.method() != before.auth.method()
        // All that people are shown of it, whatever language they read.
        || (&client.name, &client.uri, &client.metadata.texts)
            != (&before.name, &before.uri, &before.metadata.texts)
}

/// One answer for a token that is wrong, a client that is unknown, and one that does not manage itself.
const fn refused_token() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidToken, "the token is not good here")
}

async fn managed(
    env: &Env,
    client_id: &str,
    token: Option<&str>,
) -> Result<(Arc<Client>, PlainToken), RegistrationRefused> {
    let token = token.ok_or(RegistrationRefused::TokenRequired)?;
    let presentable =
        [client_id, token].iter().all(|text| text.len() <= LONGEST) && !client_id.contains('\0');
    let client = if presentable {
        env.clients.current_client(&ClientId::new(client_id)).await?
    } else {
        None
    };
    let known = client.as_ref().and_then(|client| client.registration_token);
    // The same work is done where there is nothing to compare with.
    let fits = known.unwrap_or_else(|| HashedToken::of("")).matches(token);
    match (client, known) {
        (Some(client), Some(_)) if fits => Ok((client, PlainToken::from_wire(token))),
        _ => Err(refused_token().into()),
    }
}

fn object(body: &[u8]) -> Result<Map<String, Value>, OAuthError> {
    registration::object(body).ok_or(OAuthError::new(
        ErrorCode::InvalidClientMetadata,
        "the body is not a JSON object in which every name occurs once",
    ))
}

fn check(
    env: &Env,
    rules: &Rules,
    map: Map<String, Value>,
    current: Option<&Client>,
) -> Result<CheckedClient, OAuthError> {
    let map = registration::superseded(map, rules, &env.issuer, env.clock.now())?;
    let mut draft = registration::draft(&map, rules).map_err(|o| registration::refusal(&o))?;
    if let Some(current) = current {
        // A client has no say in these, so it cannot take away what somebody else has decided.
        let ClientDraft { access_token_format, access_token_ttl, .. } = current.into();
        draft = ClientDraft { access_token_format, access_token_ttl, ..draft };
    }
    draft.check(rules).map_err(|o| registration::refusal(&o))
}

/// Whether the request to change a registration names this client, and nothing that is not for the client to say.
async fn is_about(env: &Env, client: &Client, map: &Map<String, Value>) -> Result<(), OAuthError> {
    let wrong = |text| Err(OAuthError::new(ErrorCode::InvalidClientMetadata, text));
    if map.get("client_id").and_then(Value::as_str) != Some(client.id.as_str()) {
        return wrong("client_id is not that of the client");
    }
    let sent = |name: &str| map.get(name).filter(|value| !value.is_null());
    if OURS.iter().any(|name| sent(name).is_some()) {
        return wrong("what the server says of a registration must be left out of it");
    }
    let fits = match sent("client_secret") {
        None => true,
        Some(Value::String(secret)) => has_secret(env, client, secret).await?,
        Some(_) => false,
    };
    if fits { Ok(()) } else { wrong("client_secret is not that of the client") }
}

async fn has_secret(env: &Env, client: &Client, secret: &str) -> Result<bool, OAuthError> {
    if secret.len() > LONGEST {
        return Ok(false);
    }
    Ok(match &client.auth {
        ClientAuth::Secret(_, SecretHash::Sha256(hash)) => hash.matches(secret),
        ClientAuth::Secret(_, SecretHash::Argon2(phc)) => {
            match env.passwords.verify(Some(phc), secret).await? {
                Verdict::Right => true,
                Verdict::Wrong => false,
                Verdict::Busy => {
                    let text = "too busy, try again shortly";
                    return Err(OAuthError::new(ErrorCode::TemporarilyUnavailable, text));
                }
            }
        }
        ClientAuth::SecretJwt(sealed) => {
            let known = client_auth::open_secret(env, &client.id, sealed)?;
            // Hashed on both sides, so that the comparison takes the same time.
            std::str::from_utf8(&known).is_ok_and(|known| HashedToken::of(known).matches(secret))
        }
        ClientAuth::Public | ClientAuth::PrivateKeyJwt => false,
    })
}
