//! One file per table; each ends with the conversions between its row and the model.
//!
//! A row that cannot be read back is an error, never a default: nobody gains rights from a damaged row.

pub mod access_right;
pub mod auth_code;
pub mod authorization;
pub mod client;
pub mod consent;
pub mod cutoff;
pub mod logout_notice;
pub mod pending_authorization;
pub mod seen;
pub mod session_client;
pub mod signing_key;
pub mod token;
pub mod user;

use crate::{
    error::PortError,
    model::{HashedToken, Login, ResourceUri, Scope, Timestamp, UserId},
};
use serde::{Serialize, de::DeserializeOwned};

/// A stored value that no version of this crate wrote.
#[derive(Debug, thiserror::Error)]
#[error("a stored {0} cannot be read")]
struct Damaged(&'static str);

fn damaged(what: &'static str) -> PortError {
    PortError::new(Damaged(what))
}

pub(super) fn hash_bytes(hash: &HashedToken) -> Vec<u8> {
    hash.as_bytes().to_vec()
}

pub(super) fn scope(text: &str) -> Result<Scope, PortError> {
    Scope::parse(text).ok_or_else(|| damaged("scope"))
}

/// URIs hold no spaces, so a space separates them.
pub(super) fn resources_text(uris: &[ResourceUri]) -> String {
    let texts: Vec<_> = uris.iter().map(ResourceUri::as_str).collect();
    texts.join(" ")
}

fn resources(text: &str) -> Result<Vec<ResourceUri>, PortError> {
    text.split_ascii_whitespace()
        .map(|uri| ResourceUri::parse(uri).map_err(|_| damaged("resource")))
        .collect()
}

pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("the models have string keys and finite numbers only")
}

pub(super) fn from_json<T: DeserializeOwned>(
    text: &str,
    what: &'static str,
) -> Result<T, PortError> {
    serde_json::from_str(text).map_err(|_| damaged(what))
}

/// The `amr` column: a JSON list, or nothing where nothing is known.
pub(super) fn amr_text(login: &Login) -> Option<String> {
    (!login.amr.is_empty()).then(|| json(&login.amr))
}

/// The sign-in behind a code or token. What its authorization knows of it is kept there alone.
fn login(
    user: String,
    at: i64,
    amr: Option<&str>,
    parent: Option<&authorization::Model>,
) -> Result<Login, PortError> {
    Ok(Login {
        user: UserId::new(user),
        at: Timestamp::from_unix(at),
        amr: amr.map_or_else(|| Ok(Vec::new()), |text| from_json(text, "amr"))?,
        acr: parent.and_then(|p| p.acr.clone()),
        sid: parent.and_then(|p| p.sid.clone()),
    })
}
