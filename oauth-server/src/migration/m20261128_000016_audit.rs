//! The audit log.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, binary_len, string, string_null, text_null},
    sea_orm::DatabaseBackend,
};

const TABLE: &str = "oauth_audit";

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
            .col(big_integer("at"))
            .col(string("event"))
            .col(string_null("user_id"))
            .col(string_null("client_id"))
            .col(text_null("scope"))
            .col(string_null("grant_type"))
            .col(string_null("address"))
            .col(text_null("detail"))
            .col(string("chain"))
            .col(big_integer("sequence"))
            .col(binary_len("previous", 32))
            .col(binary_len("seal", 32))
            .take();
        // MariaDB and MySQL compare without regard to case unless told otherwise.
        if manager.get_database_backend() == DatabaseBackend::MySql {
            table.collate("utf8mb4_bin");
        }
        manager.create_table(table).await?;
        for column in ["at", "user_id", "client_id"] {
            let name = format!("oauth_audit_{column}");
            let index = Index::create().name(name).table(TABLE).col(column).take();
            manager.create_index(index).await?;
        }
        let chain = Index::create()
            .name("oauth_audit_chain")
            .table(TABLE)
            .col("chain")
            .col("sequence")
            .unique()
            .take();
        manager.create_index(chain).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(TABLE).take()).await
    }
}
