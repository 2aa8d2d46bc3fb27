//! One-time passwords of an app: six digits by HMAC-SHA-1 every thirty seconds, which is what every app can
//! ([RFC 6238](https://www.rfc-editor.org/rfc/rfc6238)).

use crate::entity::totp::{ActiveModel, Column, Entity};
use fast_qr::{
    QRBuilder,
    convert::{Builder as _, svg::SvgBuilder},
};
use oauth_core::{
    error::PortError,
    model::{Timestamp, UserId},
};
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, EntityTrait as _, QueryFilter as _, QuerySelect as _,
    TryInsertResult,
    sea_query::{Expr, OnConflict},
};
use std::fmt;
use totp_rs::{Algorithm, Builder, Secret, Totp};

/// Bytes of a secret ([RFC 4226 4](https://www.rfc-editor.org/rfc/rfc4226#section-4): 160 bits are recommended).
pub(super) const SECRET_LENGTH: usize = 20;
const DIGITS: usize = 6;
const PERIOD: u64 = 30;
/// Steps before and after the present one that count too: a clock may be off, and people type slowly.
const SKEW: u16 = 1;

/// What somebody needs to set up an app, shown on one page.
pub struct Enrolment {
    /// The secret in base32, in groups, to be typed.
    pub secret: String,
    /// The same as a picture for a camera: an SVG document.
    pub picture: String,
}

impl fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Enrolment(..)")
    }
}

/// The name of the server as apps can show it: they split a label at its colon.
pub(super) fn label(text: &str) -> String {
    let place = text.split_once("://").map_or(text, |(_, host)| host);
    place.replace(':', " ")
}

pub(super) fn enrolment(secret: &[u8], user: &str, place: &str) -> Option<Enrolment> {
    let totp = with_label(secret, user, place)?;
    let address = totp.to_url().ok()?;
    let code = QRBuilder::new(address).build().ok()?;
    let picture = SvgBuilder::default().margin(2).to_str(&code);
    let base32 = Secret::from(secret).to_base32();
    let groups: Vec<&str> =
        base32.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    Some(Enrolment { secret: groups.join(" "), picture })
}

fn with_label(secret: &[u8], user: &str, place: &str) -> Option<Totp> {
    builder(secret).with_account_name(label(user)).with_issuer(Some(place.to_owned())).build().ok()
}

fn builder(secret: &[u8]) -> Builder {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(SKEW)
        .with_step_duration(PERIOD)
        .with_secret(secret)
}

/// The step that these digits belong to, if they belong to one near now. Spaces do not count.
pub(super) fn step(secret: &[u8], typed: &str, now: Timestamp) -> Option<i64> {
    let digits: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.len() != DIGITS || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let totp = builder(secret).build().ok()?;
    let step = totp.check(&digits, u64::try_from(now.unix()).ok()?)?;
    i64::try_from(step).ok()
}

/// Writes a key over what was begun before; false when something is confirmed already.
pub(super) async fn replace_begun(
    t: &DatabaseTransaction,
    row: ActiveModel,
) -> Result<bool, PortError> {
    let confirmed = Expr::col((Entity, Column::Confirmed));
    let instead = OnConflict::column(Column::UserId)
        .update_columns([Column::Sealed, Column::Confirmed, Column::LastStep, Column::CreatedAt])
        .action_and_where(sea_orm::ExprTrait::eq(confirmed, false))
        .to_owned();
    let inserted = Entity::insert(row).on_conflict(instead).try_insert();
    Ok(!matches!(
        inserted.exec_without_returning(t).await?,
        TryInsertResult::Inserted(0) | TryInsertResult::Conflicted
    ))
}

/// Confirms this very secret and uses the step up; false when it is another one by now, or confirmed already.
pub(super) async fn confirm(
    t: &DatabaseTransaction,
    user: &UserId,
    sealed: Vec<u8>,
    step: i64,
) -> Result<bool, PortError> {
    let update = Entity::update_many()
        .col_expr(Column::Confirmed, Expr::value(true))
        .col_expr(Column::LastStep, Expr::value(step))
        .filter(Column::UserId.eq(user.as_str()))
        .filter(Column::Confirmed.eq(false))
        .filter(Column::Sealed.eq(sealed));
    Ok(update.exec(t).await?.rows_affected == 1)
}

/// Uses a step up with all before it; false when it is used up already, or the secret is another one by now.
pub(super) async fn consume(
    t: &DatabaseTransaction,
    user: &UserId,
    step: i64,
    sealed: Vec<u8>,
) -> Result<bool, PortError> {
    let update = Entity::update_many()
        .col_expr(Column::LastStep, Expr::value(step))
        .filter(Column::UserId.eq(user.as_str()))
        .filter(Column::Confirmed.eq(true))
        .filter(Column::LastStep.lt(step))
        .filter(Column::Sealed.eq(sealed));
    Ok(update.exec(t).await?.rows_affected == 1)
}

/// Whether the user has a confirmed secret; whoever takes it away waits for the transaction.
pub(super) async fn hold_confirmed(
    t: &DatabaseTransaction,
    user: &UserId,
) -> Result<bool, PortError> {
    let row = Entity::find_by_id(user.as_str()).lock_exclusive().one(t).await?;
    Ok(row.is_some_and(|row| row.confirmed))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of [RFC 6238 B](https://www.rfc-editor.org/rfc/rfc6238#appendix-B), whose codes there have eight
    /// digits; the last six are ours.
    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn rfc6238_b_codes_belong_to_their_steps() {
        for (now, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            assert_eq!(step(SECRET, code, Timestamp::from_unix(now)), Some(now / 30), "{code}");
        }
    }

    #[test]
    fn a_code_is_good_one_step_early_and_late_and_no_more() {
        let code = "050471";
        let of = 1_111_111_111 / 30;
        for (offset, good) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let now = Timestamp::from_unix((of + offset) * 30);
            assert_eq!(step(SECRET, code, now), good.then_some(of), "{offset}");
        }
    }

    #[test]
    fn only_six_digits_are_a_code() {
        let now = Timestamp::from_unix(1_111_111_111);
        assert!(step(SECRET, " 050 471 ", now).is_some());
        for typed in ["", "50471", "0504710", "05047a", "٠٥٠٤٧١", "050471\0"] {
            assert_eq!(step(SECRET, typed, now), None, "{typed:?}");
        }
    }

    #[test]
    fn an_enrolment_is_for_apps_and_for_fingers() {
        let shown = enrolment(SECRET, "ada:l", &label("https://auth.example:8443")).unwrap();
        assert_eq!(shown.secret, "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert!(shown.picture.starts_with("<svg"), "{}", shown.picture);
        let url = with_label(SECRET, "ada:l", &label("https://auth.example:8443")).unwrap();
        let url = url.to_url().unwrap();
        assert!(url.contains("issuer=auth.example%208443"), "{url}");
        assert!(!format!("{shown:?}").contains("GEZD"));
    }
}
