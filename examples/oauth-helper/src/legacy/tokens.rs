//! The tokens of the program this one replaces, which it kept in Redis as they were: read, never written.

use crate::{
    error::Result,
    model::{Client, Record, Tokens},
    redis_link::{RedisServer, failed},
    secret::Secret,
};
use redis::aio::ConnectionManager;

/// Longer texts are no tokens.
const LONGEST: usize = 64 * 1024;

/// The Redis that the old program used.
pub(crate) struct OldTokens {
    connection: ConnectionManager,
    prefix: String,
}

impl OldTokens {
    /// Connects.
    pub(crate) async fn open(server: &RedisServer, prefix: &str) -> Result<Self> {
        Ok(Self { connection: server.connect().await?, prefix: prefix.to_owned() })
    }

    /// The tokens of the client that had this number, if there are any.
    pub(crate) async fn find(
        &self,
        old_id: &str,
        client: &Client,
        now: i64,
    ) -> Result<Option<Record>> {
        let refresh_token = self.text("refresh", old_id).await?;
        let access_token = self.text("access", old_id).await?;
        if refresh_token.is_none() && access_token.is_none() {
            return Ok(None);
        }
        let expires_at = match &access_token {
            // It ended there; the refresh token gets the next one.
            None => Some(now),
            Some(_) => self.seconds(old_id).await?.map(|left| now.saturating_add(left)),
        };
        let tokens = Tokens {
            access_token: access_token.unwrap_or_else(|| Secret::new("")),
            token_type: "Bearer".into(),
            expires_at,
            obtained_at: now,
            refresh_token,
            refresh_expires_at: None,
            scope: None,
            subject: None,
            issued_by: client.issued_by(),
        };
        Ok(Some(Record { tokens: Some(tokens), ..Record::default() }))
    }

    fn key(&self, kind: &str, old_id: &str) -> String {
        format!("{}_{kind}token:_{old_id}", self.prefix)
    }

    async fn text(&self, kind: &str, old_id: &str) -> Result<Option<Secret>> {
        let mut connection = self.connection.clone();
        let found: Option<Vec<u8>> = redis::cmd("GET")
            .arg(self.key(kind, old_id))
            .query_async(&mut connection)
            .await
            .map_err(failed)?;
        let text = found.filter(|f| f.len() <= LONGEST).and_then(|f| String::from_utf8(f).ok());
        let fits = |text: &String| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        Ok(text.filter(fits).map(Secret::new))
    }

    /// How long the access token is kept there, which is how long it lives; `None` where it has no end.
    async fn seconds(&self, old_id: &str) -> Result<Option<i64>> {
        let mut connection = self.connection.clone();
        let left: i64 = redis::cmd("TTL")
            .arg(self.key("access", old_id))
            .query_async(&mut connection)
            .await
            .map_err(failed)?;
        // -1 is no end, -2 is that it has ended meanwhile.
        Ok((left != -1).then_some(left.max(0)))
    }
}
