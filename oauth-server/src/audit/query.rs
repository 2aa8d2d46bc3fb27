//! Reading the audit log, checking its seals, and deleting what is over.

use super::log::{AuditLog, Kind};
use crate::entity::audit::{Column, Entity, Model};
use oauth_core::{
    error::PortError,
    model::{HashedToken, Timestamp},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Select,
};
use serde_json::{Value, json};
use std::time::Duration;

/// Rows that are read at once.
const PAGE: u64 = 500;

/// Which rows; what is not given does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this kind.
    pub kind: Option<Kind>,
    /// Of this user, by its identifier.
    pub user: Option<String>,
    /// Of this client.
    pub client: Option<String>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Older than the row of this id.
    pub before: Option<String>,
}

impl Filter {
    fn select(&self) -> Select<Entity> {
        // A database takes no NUL; nobody has such a name.
        let text = |text: &Option<String>| text.as_ref().map(|text| text.replace('\0', "\u{fffd}"));
        let mut query = Entity::find();
        if let Some(kind) = self.kind {
            query = query.filter(Column::Event.eq(kind.as_str()));
        }
        if let Some(user) = text(&self.user) {
            query = query.filter(Column::UserId.eq(user));
        }
        if let Some(client) = text(&self.client) {
            query = query.filter(Column::ClientId.eq(client));
        }
        if let Some(since) = self.since {
            query = query.filter(Column::At.gte(since.unix()));
        }
        if let Some(until) = self.until {
            query = query.filter(Column::At.lt(until.unix()));
        }
        if let Some(before) = text(&self.before) {
            query = query.filter(Column::Id.lt(before));
        }
        query.order_by_desc(Column::Id)
    }
}

/// What checking all seals found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// How many rows there are.
    pub rows: u64,
    /// The ids of rows that are not as they were written.
    pub changed: Vec<String>,
    /// The ids of rows before which others are missing.
    pub gaps: Vec<String>,
}

impl Verification {
    /// Whether nothing was found.
    pub const fn is_whole(&self) -> bool {
        self.changed.is_empty() && self.gaps.is_empty()
    }
}

impl AuditLog {
    /// At most `limit` rows, the latest first.
    pub async fn list(&self, filter: &Filter, limit: u64) -> Result<Vec<Model>, PortError> {
        Ok(filter.select().limit(limit).all(self.store.database()).await?)
    }

    /// All rows, the latest first, at most `limit` of them, read piece by piece.
    pub async fn export(&self, filter: &Filter, limit: u64) -> Result<Vec<Model>, PortError> {
        let (mut filter, mut all) = (filter.clone(), Vec::new());
        loop {
            let left = Ord::min(limit.saturating_sub(all.len() as u64), PAGE);
            let rows = self.list(&filter, left).await?;
            let Some(last) = rows.last() else { return Ok(all) };
            filter.before = Some(last.id.clone());
            all.extend(rows);
        }
    }

    /// Checks every seal. The first row of a process may be gone, because its time was over; none between others.
    pub async fn verify(&self) -> Result<Verification, PortError> {
        let mut found = Verification::default();
        let mut last: Option<Model> = None;
        loop {
            let mut query =
                Entity::find().order_by_asc(Column::Chain).order_by_asc(Column::Sequence);
            if let Some(last) = &last {
                let later = Column::Chain
                    .eq(last.chain.as_str())
                    .and(Column::Sequence.gt(last.sequence))
                    .or(Column::Chain.gt(last.chain.as_str()));
                query = query.filter(later);
            }
            let rows = query.limit(PAGE).all(self.store.database()).await?;
            if rows.is_empty() {
                return Ok(found);
            }
            for row in rows {
                self.check(last.as_ref(), &row, &mut found);
                last = Some(row);
            }
        }
    }

    fn check(&self, before: Option<&Model>, row: &Model, found: &mut Verification) {
        found.rows += 1;
        // Hashed on both sides, so that the comparison tells nothing by the time it takes.
        let digest = |seal: &[u8]| HashedToken::of(&format!("{seal:?}"));
        if digest(&self.seals.of(row)) != digest(&row.seal) {
            found.changed.push(row.id.clone());
        }
        let follows = match before.filter(|before| before.chain == row.chain) {
            Some(before) => before.sequence + 1 == row.sequence && before.seal == row.previous,
            None => row.sequence > 0 || row.previous.iter().all(|byte| *byte == 0),
        };
        if !follows {
            found.gaps.push(row.id.clone());
        }
    }

    /// Deletes at most `limit` rows that were kept for as long as they are to be: of every chain the first ones. A clock
    /// may have been set back, and of two rows at the same moment either may be written first; a row that is to be kept
    /// keeps all that come after it, so that nothing is missing between others.
    pub async fn sweep(
        &self,
        retention: Option<Duration>,
        now: Timestamp,
        limit: u64,
    ) -> Result<u64, PortError> {
        let Some(retention) = retention else { return Ok(0) };
        let until = now.minus(retention).unix();
        let (mut gone, mut chain) = (0, String::new());
        while gone < limit {
            let next = Entity::find().filter(Column::Chain.gt(chain.as_str()));
            let Some(oldest) = self.first(next).await? else { break };
            if oldest.at <= until {
                gone += self.sweep_chain(&oldest, until, limit - gone).await?;
            }
            chain = oldest.chain;
        }
        Ok(gone)
    }

    /// Deletes the rows of a chain from its oldest on, up to the first that is to be kept.
    async fn sweep_chain(&self, oldest: &Model, until: i64, limit: u64) -> Result<u64, PortError> {
        let chain = oldest.chain.clone();
        let kept =
            Entity::find().filter(Column::Chain.eq(chain.as_str())).filter(Column::At.gt(until));
        let kept = self.first(kept).await?.map_or(i64::MAX, |row| row.sequence);
        let end = Ord::min(kept, oldest.sequence.saturating_add_unsigned(limit));
        self.store
            .write(move |t| {
                Box::pin(async move {
                    let gone = Entity::delete_many()
                        .filter(Column::Chain.eq(chain))
                        .filter(Column::Sequence.lt(end))
                        .exec(t)
                        .await?;
                    Ok(gone.rows_affected)
                })
            })
            .await
    }

    /// The first one of these rows, chain by chain.
    async fn first(&self, rows: Select<Entity>) -> Result<Option<Model>, PortError> {
        let rows = rows.order_by_asc(Column::Chain).order_by_asc(Column::Sequence);
        Ok(rows.one(self.store.database()).await?)
    }
}

/// A row for programs.
pub fn described(row: &Model) -> Value {
    json!({
        "id": row.id,
        "at": row.at,
        "event": row.event,
        "user_id": row.user_id,
        "client_id": row.client_id,
        "scope": row.scope,
        "grant_type": row.grant_type,
        "address": row.address,
        "detail": row.detail,
    })
}

/// Rows as comma-separated values. A cell that a spreadsheet would take for a formula begins with an apostrophe.
pub fn csv(rows: &[Model]) -> String {
    let mut out = String::from("id,at,event,user_id,client_id,scope,grant_type,address,detail\r\n");
    for row in rows {
        let at = row.at.to_string();
        let cells = [
            Some(&row.id),
            Some(&at),
            Some(&row.event),
            row.user_id.as_ref(),
            row.client_id.as_ref(),
            row.scope.as_ref(),
            row.grant_type.as_ref(),
            row.address.as_ref(),
            row.detail.as_ref(),
        ];
        let cells: Vec<_> = cells.into_iter().map(|c| cell(c.map_or("", String::as_str))).collect();
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    out
}

fn cell(text: &str) -> String {
    let guarded = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if guarded.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn cells_are_quoted_and_are_no_formulas() {
        for (text, written) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "'=1+1"),
            ("@cmd", "'@cmd"),
            ("", ""),
        ] {
            assert_eq!(cell(text), written);
        }
    }
}
