//! People who sign in through other providers.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, binary_len, blob, blob_null, string, text, text_null},
    sea_orm::DatabaseBackend,
};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait is declared so, and async_trait needs the same"
)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for mut table in [attempt(), identity()] {
            // MariaDB and MySQL compare without regard to case unless told otherwise.
            if manager.get_database_backend() == DatabaseBackend::MySql {
                table.collate("utf8mb4_bin");
            }
            manager.create_table(table).await?;
        }
        for (name, table, column) in [
            ("oauth_upstream_attempt_expires", "oauth_upstream_attempt", "expires_at"),
            ("oauth_identity_user", "oauth_identity", "user_id"),
        ] {
            manager
                .create_index(Index::create().name(name).table(table).col(column).take())
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("oauth_upstream_attempt").take()).await?;
        manager.drop_table(Table::drop().table("oauth_identity").take()).await
    }
}

fn attempt() -> TableCreateStatement {
    Table::create()
        .table("oauth_upstream_attempt")
        .col(binary_len("hash", 32).primary_key())
        .col(binary_len("browser", 32))
        .col(string("upstream"))
        .col(blob("sealed"))
        .col(big_integer("expires_at"))
        .take()
}

fn identity() -> TableCreateStatement {
    Table::create()
        .table("oauth_identity")
        .col(binary_len("hash", 32).primary_key())
        .col(text("issuer"))
        .col(text("subject"))
        .col(string("user_id"))
        .col(string("upstream"))
        .col(text_null("label"))
        .col(big_integer("created_at"))
        .col(big_integer("last_used_at"))
        .col(blob_null("tokens"))
        // An identity goes with the user whose it is.
        .foreign_key(
            ForeignKey::create()
                .name("oauth_identity_user_id")
                .from("oauth_identity", "user_id")
                .to("oauth_user", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}
