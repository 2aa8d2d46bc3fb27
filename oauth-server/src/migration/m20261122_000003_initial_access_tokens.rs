//! Permissions to register clients.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, binary_len, string, text},
    sea_orm::DatabaseBackend,
};

const TABLE: &str = "oauth_initial_access_token";

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
            .col(string("id").primary_key())
            .col(binary_len("hash", 32).unique_key())
            .col(text("label"))
            .col(big_integer("created_at"))
            .col(big_integer("expires_at"))
            .take();
        // MariaDB and MySQL compare without regard to case unless told otherwise.
        if manager.get_database_backend() == DatabaseBackend::MySql {
            table.collate("utf8mb4_bin");
        }
        manager.create_table(table).await?;
        let name = "oauth_initial_access_token_expires";
        let index = Index::create().name(name).table(TABLE).col("expires_at").take();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(TABLE).take()).await
    }
}
