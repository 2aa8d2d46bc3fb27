//! In which epoch something of a user was last revoked, so that what was begun before is not written afterwards.

use super::exact;
use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, string},
};

const TABLE: &str = "oauth_cutoff";

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait leaves them out, and async_trait takes it literally"
)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(TABLE)
            .col(string("user_id").primary_key())
            .col(big_integer("epoch"))
            .col(big_integer_null("expires_at"))
            .take();
        manager.create_table(exact(table, manager)).await?;
        let name = "oauth_cutoff_expires";
        let index = Index::create().name(name).table(TABLE).col("expires_at").take();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(TABLE).take()).await
    }
}
