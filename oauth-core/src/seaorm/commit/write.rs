//! Writing what is issued, once the credential is used up.

use super::super::{
    entity::{auth_code, authorization, consent, token},
    only::Only,
    sessions,
};
use crate::{
    error::PortError,
    model::{AuthorizationId, Consent, Issuance, Parent, Scope, Timestamp},
};
use sea_orm::{DatabaseTransaction, EntityTrait, QuerySelect, TryInsertResult};

pub(super) async fn write(
    on: &DatabaseTransaction,
    issuance: &Issuance,
    parent: Option<AuthorizationId>,
) -> Result<(), PortError> {
    if let Parent::New(new) = &issuance.parent {
        let row = authorization::ActiveModel::new_row(new, issuance.at, last_expiry(issuance));
        authorization::Entity::insert(row).exec_without_returning(on).await?;
    }
    if let Some(code) = &issuance.code {
        let parent = parent.ok_or_else(|| PortError::new("a code needs an authorization"))?;
        let row = auth_code::ActiveModel::new_row(code, parent);
        auth_code::Entity::insert(row).exec_without_returning(on).await?;
    }
    if !issuance.tokens.is_empty() {
        let rows = issuance.tokens.iter().map(|t| token::ActiveModel::new_row(t, parent));
        token::Entity::insert_many(rows).exec_without_returning(on).await?;
    }
    if let Parent::New(new) = &issuance.parent
        && new.openid.is_some()
        && let Some(sid) = &new.sid
    {
        sessions::join(on, sid, new).await?;
    }
    if let Some(consent) = &issuance.consent {
        remember(on, consent).await?;
    }
    Ok(())
}

fn last_expiry(issuance: &Issuance) -> Timestamp {
    let tokens = issuance.tokens.iter().map(|t| t.expires_at);
    let code = issuance.code.iter().map(|c| c.expires_at);
    tokens.chain(code).fold(issuance.at, Timestamp::max)
}

/// Inserts the consent, or widens the one there is. The row lock keeps a second scope given at the same
/// moment from being lost; a consent withdrawn at that moment is given anew.
async fn remember(on: &DatabaseTransaction, given: &Consent) -> Result<(), PortError> {
    const TRIES: usize = 3;
    let key = (given.user.as_str().to_owned(), given.client.as_str().to_owned());
    for _ in 0..TRIES {
        let inserted = consent::Entity::insert(consent::ActiveModel::from(given))
            .on_conflict_do_nothing()
            .exec_without_returning(on)
            .await?;
        if matches!(inserted, TryInsertResult::Inserted(1)) {
            return Ok(());
        }
        if let Some(old) =
            consent::Entity::find_by_id(key.clone()).lock_exclusive().only(on).await?
        {
            let old = Consent::try_from(old)?;
            let scope = Scope::parse(&format!("{} {}", old.scope, given.scope))
                .expect("scope tokens joined by a space are a scope");
            let merged = Consent { scope, ..given.clone() };
            consent::Entity::update(consent::ActiveModel::from(&merged))
                .exec_without_returning(on)
                .await?;
            return Ok(());
        }
    }
    Err(PortError::new("the consent was withdrawn again and again while it was given"))
}
