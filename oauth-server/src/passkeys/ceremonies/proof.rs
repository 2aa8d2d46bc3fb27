//! Signing in with a passkey. Who it is, the answer says.

use super::{Begun, Kind, Refusal, key, read};
use crate::{
    entity::{
        passkey::{Column, Entity},
        passkey_holder as holder,
    },
    passkeys::Passkeys,
    second_factor::AMR_MFA,
};
use http::HeaderMap;
use oauth_core::{
    error::PortError,
    model::{Timestamp, UserId},
    seaorm::entity::user,
};
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, EntityTrait as _, QueryFilter as _, QuerySelect as _,
    prelude::Uuid, sea_query::Expr,
};
use serde::Deserialize;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PublicKeyCredential, WebauthnError,
};

/// An answer that is right. Whether it is still good, the database says when the session begins.
#[derive(Clone, Debug)]
pub struct Proof {
    user: UserId,
    id: Uuid,
    credential: String,
    count: i64,
    synced: bool,
}

impl Passkeys {
    /// Begins to sign somebody in, who need not say who it is.
    pub async fn begin_sign_in(&self, headers: &HeaderMap) -> Result<Begun, Refusal> {
        let (mut options, state) = self.webauthn()?.start_discoverable_authentication()?;
        // Whether passkeys are offered in the list of a field or in a window of their own, the script says.
        options.mediation = None;
        let cookie = self.suspend(headers, Kind::SignIn, None, &state).await?;
        let options = serde_json::to_value(options).map_err(PortError::new)?;
        Ok(Begun { options, cookie })
    }

    /// Checks the answer of an authenticator.
    pub async fn prove(&self, headers: &HeaderMap, answer: &str) -> Result<Proof, Refusal> {
        let webauthn = self.webauthn()?;
        let state: DiscoverableAuthentication = self.resume(headers, Kind::SignIn, None).await?;
        let answer: PublicKeyCredential = read(answer)?;
        not_framed(&answer)?;
        let (handle, credential) = webauthn
            .identify_discoverable_authentication(&answer)
            .map_err(|_| Refusal::Malformed)?;
        let database = self.store.database();
        let row = Entity::find()
            .filter(Column::CredentialHash.eq(key(credential)))
            .one(database)
            .await?
            .ok_or(Refusal::Unknown)?;
        // It is the owner's own handle that comes back, or the answer is about somebody else.
        let owner = holder::Entity::find_by_id(&*row.user_id).one(database).await?;
        if owner.is_none_or(|owner| owner.handle != handle) {
            return Err(Refusal::Unknown);
        }
        let user = UserId::new(row.user_id);
        let mut passkey: Passkey = serde_json::from_str(&row.credential).map_err(PortError::new)?;
        let found = webauthn.finish_discoverable_authentication_v2(&answer, state, &passkey);
        let found = found.map_err(|e| match e {
            WebauthnError::CredentialPossibleCompromise => Refusal::Counter(user.clone()),
            e => e.into(),
        })?;
        if !found.user_verified() {
            return Err(Refusal::Unverified);
        }
        passkey.update_credential(&found);
        Ok(Proof {
            user,
            id: row.id,
            credential: serde_json::to_string(&passkey).map_err(PortError::new)?,
            count: found.counter().into(),
            synced: found.backup_eligible(),
        })
    }
}

/// What the browser says of where it was asked.
#[derive(Deserialize)]
struct ClientData {
    #[serde(default, rename = "crossOrigin")]
    cross_origin: bool,
}

/// No page of another site has ours within it. The library looks at that only when a passkey is made.
fn not_framed(answer: &PublicKeyCredential) -> Result<(), Refusal> {
    let data: ClientData = serde_json::from_slice(&answer.response.client_data_json)
        .map_err(|_| Refusal::Malformed)?;
    if data.cross_origin { Err(WebauthnError::CredentialCrossOrigin.into()) } else { Ok(()) }
}

impl Proof {
    /// Whose passkey it is.
    pub const fn user(&self) -> &UserId {
        &self.user
    }

    /// How the person proved who it is ([RFC 8176 2](https://www.rfc-editor.org/rfc/rfc8176#section-2)): by a key that is
    /// bound to its device, or may be on several; by a check of the person there; so by more than one factor.
    pub const fn amr(&self) -> [&'static str; 3] {
        [if self.synced { "swk" } else { "hwk" }, "user", AMR_MFA]
    }

    /// Notes the use, in the transaction of the session that begins, by a statement that decides between rivals: a
    /// passkey that was removed meanwhile is good for nothing, and a count is used once.
    pub async fn consume(
        self,
        t: &DatabaseTransaction,
        now: Timestamp,
    ) -> Result<Result<(), Refusal>, PortError> {
        let owner = user::Entity::find_by_id(self.user.as_str()).lock_shared().one(t).await?;
        if owner.is_none_or(|owner| owner.disabled) {
            return Ok(Err(Refusal::Locked));
        }
        let fits = if self.count == 0 {
            Column::SignCount.eq(0)
        } else {
            Column::SignCount.lt(self.count)
        };
        let noted = Entity::update_many()
            .col_expr(Column::Credential, Expr::value(self.credential))
            .col_expr(Column::SignCount, Expr::value(self.count))
            .col_expr(Column::Synced, Expr::value(self.synced))
            .col_expr(Column::LastUsedAt, Expr::value(now.unix()))
            .filter(Column::Id.eq(self.id))
            .filter(Column::UserId.eq(self.user.as_str()))
            .filter(fits)
            .exec(t)
            .await?;
        if noted.rows_affected == 1 {
            return Ok(Ok(()));
        }
        let is_there = Entity::find_by_id(self.id).one(t).await?.is_some();
        Ok(Err(if is_there { Refusal::Counter(self.user) } else { Refusal::Unknown }))
    }
}
