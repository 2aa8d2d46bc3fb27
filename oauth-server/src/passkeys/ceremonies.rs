//! Adding a passkey and signing in with one. Each takes two requests: the first hands out a challenge, the second brings
//! the answer of an authenticator.
//!
//! Between the two there is a row under the hash of a cookie. Whoever answers uses it up first, whatever the answer is
//! worth, by one statement; so no challenge is answered twice.

mod adding;
mod proof;

use super::{Passkeys, place::Place};
use crate::entity::ceremony::{ActiveModel, Column, Entity};
use http::{HeaderMap, HeaderValue};
use oauth_core::{
    error::PortError,
    http::cookie,
    model::{HashedToken, PlainToken, UserId},
};
pub use proof::Proof;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Set};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::time::Duration;
use webauthn_rs::prelude::{Webauthn, WebauthnBuilder, WebauthnError};

/// How long somebody may take.
const PATIENCE: Duration = Duration::from_mins(5);
/// Characters of 256 bits in base64url.
const LENGTH: usize = 43;
const PLAIN: &str = "oauth_passkey";
const SECURE: &str = "__Host-oauth_passkey";
/// The most bytes of an answer. Those with an attestation have a few thousand.
const LONGEST: usize = 16 * 1024;

/// What is begun.
pub struct Begun {
    /// What the script of the page gives to the browser.
    pub options: Value,
    /// What the browser keeps.
    pub cookie: HeaderValue,
}

/// Why nothing came of it.
#[derive(Debug)]
pub enum Refusal {
    /// The authenticator has counted less than before: there may be a copy of it. Whose it is.
    Counter(UserId),
    /// Something failed inside.
    Inside(PortError),
    /// Somebody has this passkey already.
    Known,
    /// Its owner is locked out, or gone.
    Locked,
    /// What came is no answer of an authenticator.
    Malformed,
    /// There are enough.
    Many,
    /// Nobody can use passkeys here.
    Off,
    /// Nothing is under way: it took too long, was finished already, or began in another browser.
    Over,
    /// Too many attempts. Seconds to wait.
    Throttled(u64),
    /// Nobody here has this passkey.
    Unknown,
    /// The authenticator did not check who holds it.
    Unverified,
    /// The answer is not right.
    Wrong(WebauthnError),
}

impl Refusal {
    /// A word for the log and for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Counter(_) => "counter",
            Self::Inside(_) => "server_error",
            Self::Known => "known",
            Self::Locked => "locked",
            Self::Malformed => "malformed",
            Self::Many => "too_many",
            Self::Off => "off",
            Self::Over => "over",
            Self::Throttled(_) => "throttled",
            Self::Unknown => "unknown",
            Self::Unverified => "unverified",
            Self::Wrong(e) => reason(e),
        }
    }
}

/// The commoner ways in which an answer can be wrong, in a word.
const fn reason(e: &WebauthnError) -> &'static str {
    match e {
        WebauthnError::MismatchedChallenge => "wrong_challenge",
        WebauthnError::InvalidRPOrigin => "wrong_origin",
        WebauthnError::CredentialCrossOrigin => "framed",
        WebauthnError::InvalidRPIDHash => "wrong_host",
        WebauthnError::AuthenticationFailure => "wrong_signature",
        WebauthnError::InvalidClientDataType => "wrong_type",
        _ => "wrong",
    }
}

impl From<PortError> for Refusal {
    fn from(e: PortError) -> Self {
        Self::Inside(e)
    }
}

impl From<sea_orm::DbErr> for Refusal {
    fn from(e: sea_orm::DbErr) -> Self {
        Self::Inside(e.into())
    }
}

impl From<WebauthnError> for Refusal {
    fn from(e: WebauthnError) -> Self {
        match e {
            WebauthnError::UserNotVerified => Self::Unverified,
            e => Self::Wrong(e),
        }
    }
}

/// What is under way.
#[derive(Clone, Copy)]
enum Kind {
    Register,
    SignIn,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::SignIn => "sign_in",
        }
    }
}

impl Passkeys {
    /// What checks answers.
    fn webauthn(&self) -> Result<Webauthn, Refusal> {
        let Ok(Place { id, origin }) = &self.place else { return Err(Refusal::Off) };
        Ok(WebauthnBuilder::new(id, origin)?.rp_name(id).timeout(PATIENCE).build()?)
    }

    /// Keeps what is under way, in place of what the browser had begun before; the cookie.
    async fn suspend(
        &self,
        headers: &HeaderMap,
        kind: Kind,
        user: Option<&UserId>,
        state: &impl Serialize,
    ) -> Result<HeaderValue, Refusal> {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes);
        let secret = PlainToken::from_bytes(bytes);
        let before = self.presented(headers);
        let row = ActiveModel {
            hash: Set(secret.hash().as_bytes().to_vec()),
            kind: Set(kind.as_str().to_owned()),
            user_id: Set(user.map(|user| user.as_str().to_owned())),
            state: Set(serde_json::to_string(state).map_err(PortError::new)?),
            expires_at: Set(self.now().plus(PATIENCE).unix()),
        };
        self.store
            .write(move |t| {
                Box::pin(async move {
                    if let Some(before) = before {
                        Entity::delete_by_id(before.as_bytes().to_vec()).exec(t).await?;
                    }
                    Entity::insert(row).exec_without_returning(t).await?;
                    Ok(())
                })
            })
            .await?;
        Ok(self.cookie(&secret.reveal(), PATIENCE.as_secs()))
    }

    /// What was under way in this browser, used up by this.
    async fn resume<S: DeserializeOwned>(
        &self,
        headers: &HeaderMap,
        kind: Kind,
        user: Option<&UserId>,
    ) -> Result<S, Refusal> {
        let hash = self.presented(headers).ok_or(Refusal::Over)?.as_bytes().to_vec();
        let row = Entity::find_by_id(hash.clone()).one(self.store.database()).await?;
        let row = row.ok_or(Refusal::Over)?;
        let mut gone = Entity::delete_many()
            .filter(Column::Hash.eq(hash))
            .filter(Column::Kind.eq(kind.as_str()))
            .filter(Column::ExpiresAt.gt(self.now().unix()));
        gone = match user {
            Some(user) => gone.filter(Column::UserId.eq(user.as_str())),
            None => gone.filter(Column::UserId.is_null()),
        };
        let used = self
            .store
            .write(move |t| Box::pin(async move { Ok(gone.exec(t).await?.rows_affected == 1) }));
        if !used.await? {
            return Err(Refusal::Over);
        }
        serde_json::from_str(&row.state).map_err(|e| PortError::new(e).into())
    }

    /// Tells the browser to forget what was under way.
    pub fn forget(&self) -> HeaderValue {
        self.cookie("", 0)
    }

    fn presented(&self, headers: &HeaderMap) -> Option<HashedToken> {
        let value = cookie(headers, self.cookie_name())?;
        let well_formed = value.len() == LENGTH
            && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        well_formed.then(|| HashedToken::of(value))
    }

    const fn cookie_name(&self) -> &'static str {
        if self.https { SECURE } else { PLAIN }
    }

    fn cookie(&self, value: &str, seconds: u64) -> HeaderValue {
        let name = self.cookie_name();
        let secure = if self.https { "; Secure" } else { "" };
        let text =
            format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
        HeaderValue::from_str(&text).expect("base64url may stand in a header")
    }
}

/// Reads what the script of the page sent.
fn read<A: DeserializeOwned>(text: &str) -> Result<A, Refusal> {
    if text.len() > LONGEST {
        return Err(Refusal::Malformed);
    }
    serde_json::from_str(text).map_err(|_| Refusal::Malformed)
}

/// What a credential is found by.
fn key(credential: &[u8]) -> Vec<u8> {
    use aws_lc_rs::digest::{SHA256, digest};
    digest(&SHA256, credential).as_ref().to_vec()
}
