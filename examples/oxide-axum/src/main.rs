//! Serves the example on SQLite in memory, with a client and a user to try it with.

use anyhow::Context as _;
use axum::Router;
use example_oxide_axum::router;
use oauth_core::{
    Provider,
    model::{
        Client, ClientAuth, ClientId, ClientMetadata, HashedToken, RedirectUri, Scope, SecretHash,
        SecretMethod,
    },
    password::Argon2Passwords,
    ports::{ClientStore as _, Clock as _, Passwords as _, Random as _, SystemClock, SystemRandom},
    seaorm::{NewUser, SeaStore, new_user_id},
};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let store = SeaStore::connect("sqlite::memory:").await?;
    store.migrate().await?;
    furnish(&store).await?;
    // The database and its keys are gone with the process, and so may be the key that seals them.
    let mut sealing_key = [0; 32];
    SystemRandom.fill(&mut sealing_key);
    let provider = Provider::builder("http://127.0.0.1:8020".parse()?)
        .store(store)
        .sealing_key(&sealing_key)
        .build()?;
    provider.maintain().await?;
    let app =
        Router::new().merge(router(provider.clone())).merge(oauth_core::http::router(provider));
    axum::serve(TcpListener::bind("127.0.0.1:8020").await?, app).await?;
    Ok(())
}

/// The client `demo` with the secret `demo-secret`, and the user `ada` with the password `correct horse`.
async fn furnish(store: &SeaStore) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let words = |words: &[&str]| words.iter().map(|&w| w.to_owned()).collect();
    store
        .insert_client(Client {
            id: ClientId::new("demo"),
            name: "Demo".into(),
            uri: None,
            owner: None,
            auth: ClientAuth::Secret(
                SecretMethod::Basic,
                SecretHash::Sha256(HashedToken::of("demo-secret")),
            ),
            redirect_uris: vec![RedirectUri::parse("http://127.0.0.1/callback")?],
            grant_types: words(&["authorization_code", "client_credentials", "refresh_token"]),
            response_types: words(&["code"]),
            scope: Scope::parse("profile").context("a scope")?,
            access_token_format: None,
            access_token_ttl: None,
            skip_consent: false,
            metadata: ClientMetadata::default(),
            registration_token: None,
            created_at: now,
            expires_at: None,
        })
        .await?;
    let password = Argon2Passwords::default().hash("correct horse").await?;
    store
        .create_user(NewUser {
            password_hash: Some(password),
            ..NewUser::new(new_user_id(now, &SystemRandom), "ada", now)
        })
        .await?;
    Ok(())
}
