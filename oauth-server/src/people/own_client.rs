//! The built-in client that the tokens of the user service belong to.
//!
//! It is registered at every start, belongs to nobody, and nobody can act for it: its secret is random and known to no
//! one, and it has no redirect URI, no grant type and no response type. So no request to the authorization or token
//! endpoint is ever its own. Its tokens come from [`People`](super::People) alone.

use crate::{config::Config, state::AppState};
use oauth_core::{
    error::PortError,
    model::{
        Client, ClientAuth, ClientId, ClientMetadata, HashedToken, Scope, SecretHash, SecretMethod,
        Timestamp, TokenFormat,
    },
    ports::ClientStore as _,
};
use std::collections::BTreeSet;

/// The id of the client. No other client can have it.
pub const ID: &str = "oauth-server";
/// The scope of a token with which somebody manages the own account and, by role, others.
pub const ACCOUNT: &str = "account";
/// The scope of a token of nobody in particular.
pub const GUEST: &str = "guest";

/// The id, as the library takes it.
pub fn id() -> ClientId {
    ClientId::new(ID)
}

/// A scope of this one word, which is [`ACCOUNT`] or [`GUEST`].
pub(super) fn scope(word: &str) -> Scope {
    Scope::parse(word).unwrap_or_default()
}

/// Registers the client, or brings it up to date.
pub async fn register(state: &AppState) -> Result<(), PortError> {
    let known = state.store.client(&id()).await?;
    let mut secret = [0; 32];
    state.provider.env().random.fill(&mut secret);
    let fresh = wanted(&state.config, &secret, state.now());
    let Some(known) = known else {
        // Of two processes that start at once, one is first.
        state.store.insert_client(fresh).await?;
        return Ok(());
    };
    let wanted = Client { auth: known.auth.clone(), created_at: known.created_at, ..fresh };
    if *known != wanted {
        state.store.replace_client(wanted).await?;
    }
    Ok(())
}

fn wanted(config: &Config, secret: &[u8; 32], now: Timestamp) -> Client {
    let hash = HashedToken::from_stored(secret);
    Client {
        id: id(),
        name: "This server".into(),
        uri: None,
        owner: None,
        // What was drawn is kept in place of a hash, so not even who drew it knows what it would be a hash of.
        auth: hash.map_or(ClientAuth::PrivateKeyJwt, |hash| {
            ClientAuth::Secret(SecretMethod::Basic, SecretHash::Sha256(hash))
        }),
        redirect_uris: Vec::new(),
        grant_types: BTreeSet::new(),
        response_types: BTreeSet::new(),
        scope: Scope::parse(&format!("{ACCOUNT} {GUEST}")).unwrap_or_default(),
        access_token_format: Some(TokenFormat::Jwt(config.tokens.access_token_algorithm)),
        access_token_ttl: None,
        skip_consent: false,
        metadata: ClientMetadata::default(),
        registration_token: None,
        created_at: now,
        expires_at: None,
    }
}
