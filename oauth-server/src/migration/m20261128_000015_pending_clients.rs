//! Clients that await approval.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, string, string_null},
    sea_orm::DatabaseBackend,
};

const TABLE: &str = "oauth_client_approval";

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
            .col(string("client_id").primary_key())
            .col(big_integer("asked_at"))
            .col(big_integer("expires_at"))
            .col(string_null("address"))
            .take();
        // MariaDB and MySQL compare without regard to case unless told otherwise.
        if manager.get_database_backend() == DatabaseBackend::MySql {
            table.collate("utf8mb4_bin");
        }
        manager.create_table(table).await?;
        let name = "oauth_client_approval_expires";
        let index = Index::create().name(name).table(TABLE).col("expires_at").take();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(TABLE).take()).await
    }
}
