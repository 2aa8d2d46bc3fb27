//! Checking what a sector says of its redirect URIs.

use super::field::{Field, Objection};
use crate::{env::Env, model::RedirectUri};
use std::collections::BTreeSet;

/// More than any honest list of redirect URIs needs.
const LONGEST: usize = 64 * 1024;

/// Fetches the list of a sector, in which every redirect URI must be
/// ([OpenID Connect Registration 5](https://openid.net/specs/openid-connect-registration-1_0.html#SectorIdentifierValidation)).
pub(super) async fn agrees(
    env: &Env,
    uri: &str,
    redirect_uris: &[RedirectUri],
) -> Result<(), Objection> {
    let objection =
        |text: &str| Objection { field: Field::SectorIdentifierUri, text: text.to_owned() };
    let body = env.fetch.get(uri, LONGEST).await.map_err(|error| {
        let error: &dyn std::error::Error = &error;
        tracing::info!(error, "a sector identifier cannot be fetched");
        objection("Nothing can be fetched from there.")
    })?;
    let listed: BTreeSet<String> = serde_json::from_slice(&body)
        .map_err(|_| objection("Publish a JSON array of redirect URIs there."))?;
    if redirect_uris.iter().all(|known| listed.contains(known.as_str())) {
        Ok(())
    } else {
        Err(objection("Not all redirect URIs are in the list that is published there."))
    }
}
