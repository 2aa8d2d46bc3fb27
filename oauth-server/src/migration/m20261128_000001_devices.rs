//! Devices on which somebody is signed in without a browser session.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, string, text_null, uuid},
    sea_orm::DatabaseBackend,
};

const TABLE: &str = "oauth_device";

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait is declared so, and async_trait needs the same"
)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create()
            .table(TABLE)
            .col(uuid("authorization_id").primary_key())
            .col(string("user_id"))
            .col(big_integer("created_at"))
            .col(big_integer("last_used_at"))
            .col(text_null("address"))
            .col(text_null("user_agent"))
            .take();
        // MariaDB and MySQL compare without regard to case unless told otherwise.
        if manager.get_database_backend() == DatabaseBackend::MySql {
            table.collate("utf8mb4_bin");
        }
        manager.create_table(table).await?;
        let index = Index::create().name("oauth_device_user").table(TABLE).col("user_id").take();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(TABLE).take()).await
    }
}
