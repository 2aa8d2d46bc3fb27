//! The profile of a user where it is kept: read and written in one transaction, with the row held.

use oauth_core::{
    error::PortError,
    model::UserId,
    seaorm::{
        SeaStore,
        entity::user::{Column, Entity},
    },
};
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, EntityTrait as _, QueryFilter as _, QuerySelect as _,
    sea_query::Expr,
};
use serde_json::{Map, Value};

/// Changes the profile of a user by what a function makes of the present one, so that a person who saves the page
/// does not undo what an administrator says at the same moment, nor the other way round. `None` from the function
/// leaves everything as it is. Returns the profile as it is then; `None` when there is no such user.
pub async fn change<F>(
    store: &SeaStore,
    id: &UserId,
    with: F,
) -> Result<Option<Map<String, Value>>, PortError>
where
    F: FnOnce(&Map<String, Value>) -> Option<Map<String, Value>> + Send + 'static,
{
    let id = id.clone();
    store.write(move |t| Box::pin(async move { replace(t, &id, with).await })).await
}

async fn replace(
    t: &DatabaseTransaction,
    id: &UserId,
    with: impl FnOnce(&Map<String, Value>) -> Option<Map<String, Value>> + Send,
) -> Result<Option<Map<String, Value>>, PortError> {
    // On SQLite writers follow each other anyway.
    let row: Option<Option<String>> = Entity::find_by_id(id.as_str())
        .select_only()
        .column(Column::Profile)
        .lock_exclusive()
        .into_tuple()
        .one(t)
        .await?;
    let Some(text) = row else { return Ok(None) };
    let current = text.as_deref().map_or_else(|| Ok(Map::new()), serde_json::from_str);
    let current: Map<String, Value> = current.map_err(PortError::new)?;
    let Some(wanted) = with(&current).filter(|wanted| *wanted != current) else {
        return Ok(Some(current));
    };
    let text = serde_json::to_string(&wanted).map_err(PortError::new)?;
    Entity::update_many()
        .col_expr(Column::Profile, Expr::value(text))
        .filter(Column::Id.eq(id.as_str()))
        .exec(t)
        .await?;
    Ok(Some(wanted))
}
