//! One-time tokens that travel in letters, and who has yet to confirm an address.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, binary_len, boolean, string, text},
    sea_orm::DatabaseBackend,
};

const INDEXES: [(&str, &str, &str); 3] = [
    ("oauth_mail_token_user", "oauth_mail_token", "user_id"),
    ("oauth_mail_token_expires", "oauth_mail_token", "expires_at"),
    ("oauth_unconfirmed_expires", "oauth_unconfirmed", "expires_at"),
];

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait is declared so, and async_trait needs the same"
)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for mut table in [mail_token(), unconfirmed()] {
            // MariaDB and MySQL compare without regard to case unless told otherwise.
            if manager.get_database_backend() == DatabaseBackend::MySql {
                table.collate("utf8mb4_bin");
            }
            manager.create_table(table).await?;
        }
        for (name, table, column) in INDEXES {
            let index = Index::create().name(name).table(table).col(column).take();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["oauth_unconfirmed", "oauth_mail_token"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn mail_token() -> TableCreateStatement {
    Table::create()
        .table("oauth_mail_token")
        .col(binary_len("hash", 32).primary_key())
        .col(string("purpose"))
        .col(string("user_id"))
        .col(text("email"))
        .col(big_integer("created_at"))
        .col(big_integer("expires_at"))
        .take()
}

fn unconfirmed() -> TableCreateStatement {
    Table::create()
        .table("oauth_unconfirmed")
        .col(string("user_id").primary_key())
        .col(boolean("removes_account"))
        .col(big_integer("expires_at"))
        .take()
}
