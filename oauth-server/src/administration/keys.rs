//! Signing keys: what each is doing, the next one, and withdrawing one.

use crate::{
    audit::{Entry, Kind},
    forms::Rotate,
    maintenance,
    state::AppState,
};
use oauth_core::{
    error::PortError,
    keys::RotateWhen,
    model::{SigningAlgorithm, StoredKey, Timestamp},
};

/// What a key is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// It is published, and will sign.
    Waiting,
    /// It signs.
    Signing,
    /// Another one signs; it is published for the sake of tokens it signed, until then.
    Former(Option<Timestamp>),
    /// It is withdrawn.
    Retired,
}

impl Doing {
    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "next",
            Self::Signing => "signing",
            Self::Former(_) => "former",
            Self::Retired => "retired",
        }
    }
}

/// Every key there is with what it is doing, by algorithm and age. Read anew from the database, so that what another
/// process did a moment ago is among it.
pub async fn list(state: &AppState) -> Result<Vec<(StoredKey, Doing)>, PortError> {
    let now = state.now();
    let env = state.provider.env();
    let snapshot = env.keys.reload(now).await?;
    let doing = |key: &StoredKey| match key {
        k if k.retired_at.is_some_and(|at| at <= now) => Doing::Retired,
        k if snapshot.signer(k.alg, now).is_some_and(|s| s.kid() == k.kid) => Doing::Signing,
        k if k.sign_from > now => Doing::Waiting,
        k => Doing::Former(
            snapshot.replaced_at(k).map(|at| at.plus(env.policy.access_token_max_ttl)),
        ),
    };
    Ok(snapshot.stored().map(|key| (key.clone(), doing(key))).collect())
}

/// Makes the next key of an algorithm; returns its id.
pub async fn rotate(
    state: &AppState,
    alg: SigningAlgorithm,
    when: RotateWhen,
) -> Result<String, PortError> {
    let kid = state.provider.env().keys.rotate(alg, when, state.now()).await?;
    state.audit.write(Entry::new(Kind::Key).detail(format!("{kid} ({alg}) made"))).await?;
    Ok(kid)
}

/// Makes the next key that forms are encrypted to; returns its id, or none where forms are not encrypted.
pub async fn rotate_forms(state: &AppState, when: Rotate) -> Result<Option<String>, PortError> {
    let Some(kid) = state.forms.rotate(when).await? else { return Ok(None) };
    state.audit.write(Entry::new(Kind::Key).detail(format!("{kid} (forms) made"))).await?;
    Ok(Some(kid))
}

/// Withdraws a key, and makes another one where it was the last of its algorithm; false when there is none of this
/// id.
pub async fn retire(state: &AppState, kid: &str) -> Result<bool, PortError> {
    if !state.provider.env().keys.retire(kid, state.now()).await? {
        return Ok(false);
    }
    state.audit.write(Entry::new(Kind::Key).detail(format!("{kid} withdrawn"))).await?;
    maintenance::maintain_keys(state).await?;
    Ok(true)
}
