//! Clients that programs registered, and those that nobody but the operator made.

use crate::state::AppState;
use oauth_core::{
    error::PortError,
    model::{Client, ClientId},
    seaorm::entity::client::{Column, Entity},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, sea_query::Expr,
};

/// The youngest `most` clients that were registered at the registration endpoint and have not expired, and how many
/// there are in all.
pub async fn registered(state: &AppState, most: u64) -> Result<(Vec<Client>, u64), PortError> {
    let now = state.now().unix();
    let of_programs =
        || Entity::find().filter(Column::RegistrationToken.is_not_null()).filter(lives(now));
    let rows = of_programs()
        .order_by_desc(Column::CreatedAt)
        .order_by_asc(Column::Id)
        .limit(most)
        .all(state.store.database())
        .await?;
    let all = of_programs().count(state.store.database()).await?;
    Ok((rows.into_iter().map(Client::try_from).collect::<Result<_, _>>()?, all))
}

/// The client of this id, if it was registered at the registration endpoint.
pub async fn registered_as(state: &AppState, id: &ClientId) -> Result<Option<Client>, PortError> {
    let row = Entity::find_by_id(id.as_str())
        .filter(Column::RegistrationToken.is_not_null())
        .filter(lives(state.now().unix()))
        .one(state.store.database())
        .await?;
    row.map(Client::try_from).transpose()
}

/// Whether nobody but the operator can have made the client, and nobody else can pass for it.
pub async fn is_operators(state: &AppState, id: &ClientId) -> Result<bool, PortError> {
    let client = state.provider.env().clients.client(id).await?;
    Ok(client
        .is_some_and(|c| c.owner.is_none() && c.registration_token.is_none() && !c.is_public()))
}

fn lives(now: i64) -> Expr {
    Column::ExpiresAt.is_null().or(Column::ExpiresAt.gt(now))
}
