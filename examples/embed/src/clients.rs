//! My clients: a list in the code. A file would do as well, or a table of mine behind `ClientStore`.

use anyhow::Context as _;
use oauth_core::{
    memory::MemoryStore,
    model::{Client, ClientAuth, ClientId, ClientMetadata, RedirectUri, Scope, Timestamp},
};

/// A public client, such as a page in a browser or a program on somebody's computer.
pub(crate) fn mine() -> anyhow::Result<MemoryStore> {
    let words = |words: &[&str]| words.iter().map(|&w| w.to_owned()).collect();
    Ok(MemoryStore::new().with_client(Client {
        id: ClientId::new("notebook"),
        name: "Notebook".into(),
        uri: None,
        owner: None,
        auth: ClientAuth::Public,
        redirect_uris: vec![RedirectUri::parse("http://127.0.0.1/callback")?],
        grant_types: words(&["authorization_code", "refresh_token"]),
        response_types: words(&["code"]),
        scope: Scope::parse("profile").context("a scope")?,
        access_token_format: None,
        access_token_ttl: None,
        skip_consent: false,
        metadata: ClientMetadata::default(),
        registration_token: None,
        created_at: Timestamp::from_unix(0),
        expires_at: None,
    }))
}
