//! Signing what is issued, with the key of the hour.

use crate::{
    env::Env,
    error::{OAuthError, PortError},
    model::{SigningAlgorithm, Timestamp},
};
use serde::Serialize;

/// A JWT of this `typ` over the claims.
pub(crate) async fn sign<T: Serialize>(
    env: &Env,
    alg: SigningAlgorithm,
    typ: &str,
    claims: &T,
    now: Timestamp,
) -> Result<String, OAuthError> {
    let keys = env.key_snapshot(now).await?;
    let signer = keys
        .signer(alg, now)
        .ok_or_else(|| PortError::new(format!("there is no signing key for {alg}")))?;
    Ok(signer.sign(typ, claims).map_err(PortError::new)?)
}
