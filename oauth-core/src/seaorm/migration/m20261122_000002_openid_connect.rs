//! What OpenID Connect adds: profiles of users, metadata of clients, browser sessions and their end.

use super::exact;
use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, binary_len_null, blob_null, integer, string, string_null,
        text_null, uuid,
    },
};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait leaves them out, and async_trait takes it literally"
)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in columns() {
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        for table in [session_client(), logout_notice()] {
            manager.create_table(exact(table, manager)).await?;
        }
        for &(name, table, column) in INDEXES {
            manager
                .create_index(Index::create().name(name).table(table).col(column).take())
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["oauth_logout_notice", "oauth_session_client"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        // SQLite does not give up a column that an index is on.
        for &(name, table, _) in INDEXES.iter().filter(|(_, table, _)| is_older(table)) {
            manager.drop_index(Index::drop().name(name).table(table).to_owned()).await?;
        }
        for (table, column) in columns().into_iter().rev() {
            let name = column.get_column_name();
            manager.alter_table(Table::alter().table(table).drop_column(name).take()).await?;
        }
        Ok(())
    }
}

/// Whether the table is of an earlier step.
fn is_older(table: &str) -> bool {
    matches!(table, "oauth_client" | "oauth_authorization")
}

const INDEXES: &[(&str, &str, &str)] = &[
    ("oauth_client_expires", "oauth_client", "expires_at"),
    ("oauth_authorization_sid", "oauth_authorization", "sid"),
    ("oauth_session_client_client", "oauth_session_client", "client_id"),
    ("oauth_session_client_user", "oauth_session_client", "user_id"),
    ("oauth_session_client_expires", "oauth_session_client", "expires_at"),
    ("oauth_logout_notice_client", "oauth_logout_notice", "client_id"),
    ("oauth_logout_notice_due", "oauth_logout_notice", "due_at"),
];

/// SQLite takes one at a time.
fn columns() -> [(&'static str, ColumnDef); 8] {
    [
        ("oauth_user", text_null("profile")),
        ("oauth_client", blob_null("secret_sealed")),
        ("oauth_client", text_null("metadata")),
        ("oauth_client", binary_len_null("registration_token", 32)),
        ("oauth_client", big_integer_null("expires_at")),
        ("oauth_authorization", string_null("sid")),
        ("oauth_authorization", string_null("acr")),
        ("oauth_authorization", text_null("openid")),
    ]
}

fn session_client() -> TableCreateStatement {
    Table::create()
        .table("oauth_session_client")
        .col(string("sid"))
        .col(string("client_id"))
        .col(string("user_id"))
        .col(big_integer("expires_at"))
        .primary_key(Index::create().col("sid").col("client_id"))
        .take()
}

fn logout_notice() -> TableCreateStatement {
    Table::create()
        .table("oauth_logout_notice")
        .col(uuid("id").primary_key())
        .col(string("client_id"))
        .col(string("user_id"))
        .col(string("sid"))
        .col(integer("attempts"))
        .col(big_integer("created_at"))
        .col(big_integer("due_at"))
        .take()
}
