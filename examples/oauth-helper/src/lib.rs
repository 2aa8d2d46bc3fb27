//! Gets, keeps and refreshes OAuth tokens for many services.
//!
//! ```no_run
//! # async fn example() -> oauth_helper::Result<()> {
//! let store = oauth_helper::TokenStore::builder("/home/me/.local/share/my-program").open().await?;
//! let token = store.client("calendar").await?.access_token().await?;
//! # drop(token); Ok(()) }
//! ```
//!
//! Every client is asked for tokens by an [`OAuthClient`]; a [`TokenStore`] keeps what it needs for that. The
//! metadata of clients is in one file and never secret; secrets are in a [vault](vault::Vault).

pub mod cli;
pub mod client;
pub mod clock;
pub mod device;
pub mod error;
mod files;
mod flights;
mod grants;
pub mod hooks;
mod id_token;
pub mod legacy;
pub mod login;
pub mod loopback;
pub mod metadata;
pub mod model;
mod pages;
pub mod presets;
#[cfg(feature = "redis")]
mod redis_link;
pub mod registry;
mod renew;
pub mod seal;
pub mod secret;
pub mod settings;
pub mod store;
pub mod vault;
pub mod web;
pub mod wire;

pub use client::{AccessToken, OAuthClient};
pub use error::{Error, Result};
pub use model::{Client, Credentials};
pub use secret::Secret;
pub use store::{TokenStore, TokenStoreBuilder};
