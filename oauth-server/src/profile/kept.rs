//! The profile of a user where it is kept: read and written in one transaction, with the row held.
//!
//! The e-mail address and whether it is confirmed have columns of their own. Whoever changes a profile sees them among
//! the other claims, and they are kept where they belong.

use crate::people::put_email;
use oauth_core::{
    error::PortError,
    model::UserId,
    seaorm::{
        SeaStore,
        entity::user::{Column, Entity, Model},
        people::{self, EmailChange},
    },
};
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, EntityTrait as _, QueryFilter as _, sea_query::Expr,
};
use serde_json::{Map, Value};

/// A confirmed address belongs to one user, and somebody else is that one.
#[derive(Clone, Copy, Debug)]
pub struct AddressTaken;

impl std::fmt::Display for AddressTaken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("another user has this e-mail address")
    }
}

impl std::error::Error for AddressTaken {}

/// Changes the profile of a user by what a function makes of the present one, so that a person who saves the page
/// does not undo what an administrator says at the same moment, nor the other way round. `None` from the function
/// leaves everything as it is. Returns the profile as it is then; `None` when there is no such user.
pub async fn change<F>(
    store: &SeaStore,
    id: &UserId,
    with: F,
) -> Result<Result<Option<Map<String, Value>>, AddressTaken>, PortError>
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
) -> Result<Result<Option<Map<String, Value>>, AddressTaken>, PortError> {
    // On SQLite writers follow each other anyway.
    let Some(row) = people::hold(t, id).await? else { return Ok(Ok(None)) };
    let current = row.claims()?;
    let Some(wanted) = with(&current).filter(|wanted| *wanted != current) else {
        return Ok(Ok(Some(current)));
    };
    Ok(write(t, &row, &current, wanted.clone()).await?.map(|()| Some(wanted)))
}

/// Writes a profile in place of the one that a row has, which the transaction holds.
pub(crate) async fn write(
    t: &DatabaseTransaction,
    row: &Model,
    current: &Map<String, Value>,
    mut wanted: Map<String, Value>,
) -> Result<Result<(), AddressTaken>, PortError> {
    let id = UserId::new(row.id.as_str());
    let stays =
        [EMAIL, EMAIL_VERIFIED].iter().all(|claim| wanted.get(*claim) == current.get(*claim));
    if stays && row.email.is_none() {
        // An address from before addresses had a column, which nobody vouched for, stays what somebody says.
    } else {
        let email = wanted.remove(EMAIL);
        let verified = wanted.remove(EMAIL_VERIFIED) == Some(true.into());
        if !stays {
            let email = email.as_ref().and_then(Value::as_str);
            match put_email(t, row, email, verified).await? {
                EmailChange::Done | EmailChange::Unknown => {}
                EmailChange::Taken => return Ok(Err(AddressTaken)),
            }
        }
    }
    let text = (!wanted.is_empty()).then(|| Value::Object(wanted).to_string());
    Entity::update_many()
        .col_expr(Column::Profile, Expr::value(text))
        .filter(Column::Id.eq(id.as_str()))
        .exec(t)
        .await?;
    Ok(Ok(()))
}

const EMAIL: &str = "email";
const EMAIL_VERIFIED: &str = "email_verified";
