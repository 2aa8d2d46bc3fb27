//! Recovery codes: ten for each user, shown once, kept as hashes, gone when used.

use crate::entity::recovery_code::{ActiveModel, Column, Entity};
use oauth_core::{
    error::PortError,
    model::{HashedToken, UserId},
    ports::Random,
};
use sea_orm::{ColumnTrait as _, DatabaseTransaction, EntityTrait as _, QueryFilter as _, Set};

const HOW_MANY: usize = 10;
/// Letters of a code: 80 bits, so that a hash is as good as the code for whoever reads the database.
const LENGTH: usize = 16;
const GROUP: usize = 4;
/// Letters that are not taken for one another.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// What has the form of a recovery code.
pub(super) struct RecoveryCode(HashedToken);

impl RecoveryCode {
    /// Reads what was typed: case, spaces and dashes do not count.
    pub(super) fn parse(typed: &str) -> Option<Self> {
        let plain: String = typed
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_lowercase())
            .collect();
        let is_one = plain.len() == LENGTH && plain.bytes().all(|b| ALPHABET.contains(&b));
        is_one.then(|| Self(HashedToken::of(&plain)))
    }
}

/// New codes, to be shown and to be stored.
pub(super) fn fresh(user: &UserId, random: &dyn Random) -> (Vec<String>, Vec<ActiveModel>) {
    let mut shown = Vec::with_capacity(HOW_MANY);
    let mut rows = Vec::with_capacity(HOW_MANY);
    for _ in 0..HOW_MANY {
        let mut bytes = [0; LENGTH];
        random.fill(&mut bytes);
        let plain: String = bytes
            .iter()
            .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)))
            .map(|&letter| char::from(letter))
            .collect();
        rows.push(ActiveModel {
            user_id: Set(user.as_str().to_owned()),
            hash: Set(HashedToken::of(&plain).as_bytes().to_vec()),
        });
        let groups: Vec<&str> = plain
            .as_bytes()
            .chunks(GROUP)
            .filter_map(|group| std::str::from_utf8(group).ok())
            .collect();
        shown.push(groups.join("-"));
    }
    (shown, rows)
}

/// Puts these in place of all that are left.
pub(super) async fn replace(
    t: &DatabaseTransaction,
    user: &UserId,
    rows: Vec<ActiveModel>,
) -> Result<(), PortError> {
    Entity::delete_many().filter(Column::UserId.eq(user.as_str())).exec(t).await?;
    Entity::insert_many(rows).exec_without_returning(t).await?;
    Ok(())
}

/// Uses a code up; false when it is none of this user's, or was used.
pub(super) async fn consume(
    t: &DatabaseTransaction,
    user: &UserId,
    code: &RecoveryCode,
) -> Result<bool, PortError> {
    let key = (user.as_str().to_owned(), code.0.as_bytes().to_vec());
    Ok(Entity::delete_by_id(key).exec(t).await?.rows_affected == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use oauth_core::ports::SystemRandom;

    #[test]
    fn codes_are_many_different_and_readable_again() {
        let (shown, rows) = fresh(&UserId::new("u"), &SystemRandom);
        assert_eq!((shown.len(), rows.len()), (10, 10));
        for (code, row) in shown.iter().zip(&rows) {
            assert_eq!(code.len(), 19, "{code}");
            for typed in [code.clone(), code.to_uppercase(), code.replace('-', " ")] {
                let read = RecoveryCode::parse(&typed).unwrap();
                assert_eq!(read.0.as_bytes().to_vec(), *row.hash.as_ref());
            }
        }
        let mut different = shown.clone();
        different.sort();
        different.dedup();
        assert_eq!(different.len(), 10);
    }

    #[test]
    fn nothing_else_is_a_code() {
        for typed in
            ["", "123456", "abcd-efgh-jkmn-pqr", "abcd-efgh-jkmn-pqrst", "abcd-efgh-jkmn-pqrl"]
        {
            assert!(RecoveryCode::parse(typed).is_none(), "{typed}");
        }
    }
}
