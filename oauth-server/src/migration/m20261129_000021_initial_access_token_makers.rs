//! Who made an initial access token. Of those from before it is not known.

use sea_orm_migration::{prelude::*, schema::string_null};

const TABLE: &str = "oauth_initial_access_token";
const COLUMN: &str = "made_by";

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait is declared so, and async_trait needs the same"
)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::alter().table(TABLE).add_column(string_null(COLUMN)).take();
        manager.alter_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table(TABLE).drop_column(COLUMN).take()).await
    }
}
