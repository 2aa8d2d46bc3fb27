//! What happened to accounts.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, string, text_null},
    sea_orm::DatabaseBackend,
};

const TABLE: &str = "oauth_activity";

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
            .col(big_integer("id").auto_increment().primary_key())
            .col(string("user_id"))
            .col(big_integer("at"))
            .col(string("what"))
            .col(text_null("about"))
            .col(text_null("network"))
            .col(text_null("user_agent"))
            .take();
        // MariaDB and MySQL compare without regard to case unless told otherwise.
        if manager.get_database_backend() == DatabaseBackend::MySql {
            table.collate("utf8mb4_bin");
        }
        manager.create_table(table).await?;
        for (name, columns) in
            [("oauth_activity_user", &["user_id", "id"][..]), ("oauth_activity_at", &["at"])]
        {
            let mut index = Index::create().name(name).table(TABLE).take();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(TABLE).take()).await
    }
}
