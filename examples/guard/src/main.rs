//! A resource server of another machine: it knows the issuer's address and its own name, and nothing else.
//!
//! ```sh
//! ISSUER=http://127.0.0.1:4999 AUDIENCE=http://127.0.0.1:4999 cargo run -p guard
//! curl -i http://127.0.0.1:8081/me                                      # 401
//! curl -i http://127.0.0.1:8081/me -H "Authorization: Bearer $TOKEN"    # 200, or 403 without the scope
//! ```
//!
//! A token that was asked for without `resource` is meant for the issuer itself; hence the audience above. `GUARD=off`
//! shows what the switch does: every request passes, and the log says so.

use anyhow::Context as _;
use axum::{
    Router,
    extract::Path,
    routing::{any, get},
};
use resource_guard::{Guard, GuardBuilder, Methods, Principal, http::Method};
use std::env;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    let guard = settings()?.start().await?;
    let listen = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8081".to_owned());
    let listener = TcpListener::bind(&listen).await.with_context(|| listen.clone())?;
    let address = listener.local_addr()?;
    tracing::info!("listening on http://{address}");
    axum::serve(listener, app(&guard)?).await?;
    Ok(())
}

/// The guard of this server. With `CLIENT_ID` and `CLIENT_SECRET` it also takes opaque tokens, which it introspects.
fn settings() -> anyhow::Result<GuardBuilder> {
    let issuer = env::var("ISSUER").context("ISSUER is missing")?;
    let audience = env::var("AUDIENCE").context("AUDIENCE is missing")?;
    let mut builder = Guard::for_issuer(&issuer)
        .audience(audience)
        .condition(env::var("GUARD").as_deref() != Ok("off"));
    if let (Ok(id), Ok(secret)) = (env::var("CLIENT_ID"), env::var("CLIENT_SECRET")) {
        builder = builder.introspection(format!("{issuer}/oauth/introspect"), id, secret);
    }
    Ok(builder)
}

/// Every way of guarding a route once.
fn app(guard: &Guard) -> anyhow::Result<Router> {
    let notes = Methods::new()
        .read("notes.read")?
        .write("notes.write")?
        .on(Method::DELETE, "notes.admin")?;
    Ok(Router::new()
        .route("/x-nmos/connection/v1.1/{*path}", any(connection))
        .layer(guard.nmos())
        .route("/me", get(me).layer(guard.needs("profile")))
        .route("/notes", any(wrote).layer(guard.with(notes)))
        .route("/greeting", get(greeting).layer(guard.any_token().optional()))
        .route("/health", get(|| async { "ok\n" })))
}

async fn me(who: Principal) -> String {
    format!("hello {}, through {}\n", who.subject(), who.client_id().unwrap_or("no client"))
}

async fn wrote(who: Option<Principal>, method: Method) -> String {
    format!("{method} by {}\n", who.as_ref().map_or("nobody", Principal::subject))
}

async fn greeting(who: Option<Principal>) -> String {
    who.map_or_else(|| "hello\n".to_owned(), |who| format!("hello {}\n", who.subject()))
}

async fn connection(method: Method, Path(path): Path<String>) -> String {
    format!("{method} {path}\n")
}
