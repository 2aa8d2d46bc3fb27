//! Clients and users of the configuration, written to the database at start.

use crate::{
    access_rights,
    config::{AuthMethod, ClientEntry, Config, Secret, UserEntry},
    policy, registration,
    state::AppState,
};
use oauth_core::{
    client_auth::{open_secret, seal_secret},
    error::PortError,
    model::{Client, ClientAuth, ClientId, HashedToken, SecretHash, SecretMethod},
    ports::{ClientStore as _, Verdict},
    seaorm::{NewUser, new_user_id},
};

/// Registers the server's own client and those of the configuration, or brings them up to date, and makes the users
/// that are not there.
pub async fn seed(state: &AppState) -> Result<(), PortError> {
    crate::people::own_client::register(state).await?;
    for entry in &state.config.clients {
        client(state, entry).await?;
    }
    for entry in &state.config.users {
        user(state, entry).await?;
    }
    Ok(())
}

async fn client(state: &AppState, entry: &ClientEntry) -> Result<(), PortError> {
    let env = state.provider.env();
    let known = state.store.client(&ClientId::new(entry.id.clone())).await?;
    let auth = auth(state, entry, known.as_ref().map(|c| &c.auth)).await?;
    let rules = registration::rules(state.provider.grants(), &state.config);
    let checked = policy::draft(&state.config, entry).and_then(|draft| draft.check(&rules));
    let checked =
        checked.map_err(|_| PortError::new("a client of the configuration breaks a rule"))?;
    // What a known client has of its own stays: when it was made, and what was looked up for it then.
    let fresh = match &known {
        Some(known) => checked.replace(env, known).await,
        None => checked.register(env, None).await,
    };
    let fresh = fresh.map_err(|_| PortError::new("a client of the configuration breaks a rule"))?;
    let wanted = Client {
        id: ClientId::new(entry.id.clone()),
        owner: None,
        auth,
        skip_consent: entry.skip_consent,
        registration_token: None,
        expires_at: None,
        ..fresh.client
    };
    if known.as_deref() == Some(&wanted) {
        return Ok(());
    }
    // Of two processes that start at once, one inserts; the other then replaces like with like.
    if known.is_some() || !state.store.insert_client(wanted.clone()).await? {
        state.store.replace_client(wanted).await?;
    }
    tracing::info!(client.id = entry.id, "client of the configuration registered");
    Ok(())
}

async fn auth(
    state: &AppState,
    entry: &ClientEntry,
    known: Option<&ClientAuth>,
) -> Result<ClientAuth, PortError> {
    let method = match entry.auth_method {
        AuthMethod::Basic => Some(SecretMethod::Basic),
        AuthMethod::Post => Some(SecretMethod::Post),
        AuthMethod::SecretJwt => None,
        AuthMethod::PrivateKeyJwt => return Ok(ClientAuth::PrivateKeyJwt),
        AuthMethod::None => return Ok(ClientAuth::Public),
    };
    let secret = entry.secret.as_ref().ok_or_else(|| PortError::new("a client has no secret"))?;
    let Some(method) = method else {
        return Ok(sealed(state, entry, secret, known));
    };
    Ok(ClientAuth::Secret(method, secret_hash(state, secret, known).await?))
}

/// The secret, sealed. What is stored stays when it is the same secret.
fn sealed(
    state: &AppState,
    entry: &ClientEntry,
    secret: &Secret,
    known: Option<&ClientAuth>,
) -> ClientAuth {
    let env = state.provider.env();
    let id = ClientId::new(entry.id.clone());
    if let Some(ClientAuth::SecretJwt(stored)) = known
        && open_secret(env, &id, stored).is_ok_and(|s| *s == *secret.reveal().as_bytes())
    {
        return ClientAuth::SecretJwt(stored.clone());
    }
    ClientAuth::SecretJwt(seal_secret(env, &id, secret.reveal()))
}

/// What to keep of a secret: a plain hash of a strong one, Argon2id of one that somebody thought up. The stored
/// hash stays when the secret still fits it.
async fn secret_hash(
    state: &AppState,
    secret: &Secret,
    known: Option<&ClientAuth>,
) -> Result<SecretHash, PortError> {
    if secret.is_strong() {
        return Ok(SecretHash::Sha256(HashedToken::of(secret.reveal())));
    }
    if let Some(ClientAuth::Secret(_, SecretHash::Argon2(phc))) = known
        && state.passwords.verify(Some(phc), secret.reveal()).await? == Verdict::Right
    {
        return Ok(SecretHash::Argon2(phc.clone()));
    }
    Ok(SecretHash::Argon2(state.passwords.hash(secret.reveal()).await?))
}

async fn user(state: &AppState, entry: &UserEntry) -> Result<(), PortError> {
    if state.store.account_by_name(&entry.name).await?.is_some() {
        return Ok(());
    }
    let env = state.provider.env();
    let now = env.clock.now();
    let password = entry.password.as_ref().map_or("", Secret::reveal);
    let profile = entry.claims.profile(now);
    let mut profile =
        profile.ok_or_else(|| PortError::new("a user of the configuration breaks a rule"))?;
    // The address has a place of its own, and whether it is confirmed beside it.
    let email = profile.remove("email").and_then(|email| email.as_str().map(str::to_owned));
    let email_verified = profile.remove("email_verified") == Some(true.into());
    let new = NewUser {
        password_hash: Some(state.passwords.hash(password).await?),
        is_admin: entry.admin,
        email,
        email_verified,
        ..NewUser::new(new_user_id(now, &*env.random), entry.name.clone(), now)
    };
    let Some(id) = state.store.create_user(new).await? else {
        tracing::warn!("a user of the configuration is not made: somebody has the name or address");
        return Ok(());
    };
    // They were checked with everything else of the configuration.
    let rights = access_rights::parse(&id, &entry.rights).unwrap_or_default();
    state.store.set_rights(&id, rights).await?;
    state.store.set_profile(&id, profile).await?;
    tracing::info!(user.id = %id, "user of the configuration made");
    Ok(())
}

/// Dangers that are on, as log lines.
pub fn warn(state: &AppState) {
    for (grant_type, why) in state.provider.grants().warnings() {
        tracing::warn!(grant_type, why, "dangerous grant type is on");
    }
    let config: &Config = &state.config;
    if config.general.authenticator == crate::config::Authenticator::Any {
        tracing::warn!("authenticator is \"any\": every password is accepted");
    }
    if config.server.danger_plain_http {
        tracing::warn!(
            "server.danger_plain_http is on: without a proxy that does TLS, passwords and tokens can be read on the way"
        );
    }
    if config.outgoing.danger_plain_http {
        tracing::warn!(
            "outgoing.danger_plain_http is on: keys that clients publish can be replaced on the way"
        );
    }
    if config.registration.danger_loopback {
        tracing::warn!(
            "registration.danger_loopback is on: what is at an address on this machine is not the client's alone"
        );
    }
    if config.grants.danger_plain_pkce {
        tracing::warn!(
            "grants.danger_plain_pkce is on: the code verifier can be read in the authorization request"
        );
    }
}
