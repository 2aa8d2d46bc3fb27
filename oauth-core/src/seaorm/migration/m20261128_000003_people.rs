//! What makes users people who can be written to: an address of their own, standing, and who may see what of them.
//!
//! An address that an administrator has vouched for moves from the profile to its own columns, unless somebody else
//! has it. One that nobody vouched for stays in the profile as what a person says: it must not keep its true owner out.

use sea_orm_migration::{
    prelude::*,
    schema::{boolean, string_null, text_null},
    sea_orm::{ConnectionTrait, ExprTrait},
};
use serde_json::{Map, Value};

const TABLE: &str = "oauth_user";
const INDEX: &str = "oauth_user_email_key";

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait leaves them out, and async_trait takes it literally"
)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in columns() {
            manager.alter_table(Table::alter().table(TABLE).add_column(column).take()).await?;
        }
        let index = Index::create().name(INDEX).table(TABLE).col("email_key").unique().take();
        manager.create_index(index).await?;
        move_out(manager.get_connection()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        move_back(manager.get_connection()).await?;
        manager.drop_index(Index::drop().name(INDEX).table(TABLE).to_owned()).await?;
        for column in columns().into_iter().rev() {
            let name = column.get_column_name();
            manager.alter_table(Table::alter().table(TABLE).drop_column(name).take()).await?;
        }
        Ok(())
    }
}

/// SQLite takes one at a time.
fn columns() -> [ColumnDef; 5] {
    [
        text_null("email"),
        string_null("email_key"),
        boolean("email_verified").default(false).take(),
        boolean("is_staff").default(false).take(),
        text_null("visibility"),
    ]
}

/// Verified addresses leave the profiles, those of the oldest users first.
async fn move_out(on: &impl ConnectionTrait) -> Result<(), DbErr> {
    let query = Query::select()
        .columns(["id", "profile"])
        .from(TABLE)
        .and_where(Expr::col("profile").is_not_null())
        .order_by("created_at", Order::Asc)
        .order_by("id", Order::Asc)
        .take();
    let mut taken = std::collections::BTreeSet::new();
    for row in on.query_all(&query).await? {
        let (id, text): (String, String) = (row.try_get("", "id")?, row.try_get("", "profile")?);
        let Ok(mut profile) = serde_json::from_str::<Map<String, Value>>(&text) else { continue };
        let verified = profile.get("email_verified").and_then(Value::as_bool) == Some(true);
        let Some(email) = profile.get("email").and_then(Value::as_str).map(str::to_owned) else {
            continue;
        };
        let key = crate::model::email_key(&email);
        if !verified || key.chars().count() > 255 || !taken.insert(key.clone()) {
            continue;
        }
        profile.remove("email");
        profile.remove("email_verified");
        let kept = (!profile.is_empty()).then(|| Value::Object(profile).to_string());
        let update = Query::update()
            .table(TABLE)
            .value("email", email)
            .value("email_key", key)
            .value("email_verified", true)
            .value("profile", kept)
            .and_where(Expr::col("id").eq(id))
            .take();
        on.execute(&update).await?;
    }
    Ok(())
}

/// Addresses go back to where the step before keeps them.
async fn move_back(on: &impl ConnectionTrait) -> Result<(), DbErr> {
    let query = Query::select()
        .columns(["id", "profile", "email", "email_verified"])
        .from(TABLE)
        .and_where(Expr::col("email").is_not_null())
        .take();
    for row in on.query_all(&query).await? {
        let (id, email): (String, String) = (row.try_get("", "id")?, row.try_get("", "email")?);
        let verified: bool = row.try_get("", "email_verified")?;
        let text: Option<String> = row.try_get("", "profile")?;
        let profile = text.as_deref().map(serde_json::from_str::<Map<String, Value>>);
        let Ok(mut profile) = profile.unwrap_or_else(|| Ok(Map::new())) else { continue };
        profile.insert("email".into(), email.into());
        profile.insert("email_verified".into(), verified.into());
        let update = Query::update()
            .table(TABLE)
            .value("profile", Value::Object(profile).to_string())
            .and_where(Expr::col("id").eq(id))
            .take();
        on.execute(&update).await?;
    }
    Ok(())
}
