//! Guests: tokens for whoever is nobody yet.
//!
//! A front end gets one before anybody signed in, so that what it does can be told apart and counted. It is a speed
//! bump for programs that try forms by the thousand, and no proof of anything. A guest exists in its tokens alone:
//! there is no row of a user, and what it may do is named by the scope `guest`.

use super::{
    People, Tokens,
    error::{Error, Refusal},
    own_client,
};
use crate::{
    shell,
    throttle::{Admission, Subject},
};
use oauth_core::{
    error::PortError,
    model::{HashedToken, Login, Role, Token, TokenKind, User, UserId},
    provider::{FirstParty, Refreshing},
    seaorm::entity::token,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use uuid::{Builder, Uuid};

/// What the subject of a guest begins with. No user has such an id.
pub const GUEST_PREFIX: &str = "guest:";

/// Whether it is the subject of a guest.
pub fn is_guest(id: &UserId) -> bool {
    id.as_str().strip_prefix(GUEST_PREFIX).is_some_and(|rest| Uuid::parse_str(rest).is_ok())
}

/// The guest of this subject, as the library knows users.
pub(crate) fn as_user(id: &UserId) -> Option<User> {
    is_guest(id).then(|| User { id: id.clone(), username: "guest".into() })
}

impl People<'_> {
    /// Tokens for a guest. Counted for each address.
    pub async fn guest(&self) -> Result<Tokens, Error> {
        let settings = &self.state.config.accounts;
        if !settings.guest_tokens {
            return Err(Refusal::Closed("guest tokens").into());
        }
        if let Some(address) = shell::client_address()
            && let Admission::Wait(seconds) =
                self.state.throttle.admit(&Subject::guest(address)).await?
        {
            return Err(Refusal::Throttled(seconds).into());
        }
        let env = self.state.provider.env();
        let mut bytes = [0; 16];
        env.random.fill(&mut bytes);
        let subject = Builder::from_random_bytes(bytes).into_uuid();
        let user = UserId::new(format!("{GUEST_PREFIX}{subject}"));
        let now = env.clock.now();
        let refreshes = u32::from(settings.guest_refreshes);
        let issued = self
            .state
            .provider
            .issue_first_party(FirstParty {
                client: own_client::id(),
                login: Login { user: user.clone(), at: now, amr: Vec::new(), acr: None, sid: None },
                scope: own_client::scope(own_client::GUEST),
                access_token_ttl: Some(settings.guest_token_ttl),
                // Each refresh comes when the token is about to end, so the last one has come by then.
                refresh_until: (refreshes > 0)
                    .then(|| now.plus(settings.guest_token_ttl * (refreshes + 1))),
            })
            .await?;
        Ok(Tokens::of(issued.response, Role::Anonymous, None, issued.authorization))
    }

    /// Refreshes the tokens of a guest, so many times and not longer than the first one said.
    pub(super) async fn refresh_guest(
        &self,
        presented: &str,
        old: &Token,
    ) -> Result<Tokens, Error> {
        let authorization = old.authorization.ok_or(Refusal::RefreshInvalid)?;
        let settings = &self.state.config.accounts;
        // The one that comes next can be had with this one alone, so nobody can be ahead of the count.
        if !settings.guest_tokens
            || self.refresh_tokens_of(authorization.0).await? > u64::from(settings.guest_refreshes)
                && old.consumed_at.is_none()
        {
            return Err(Refusal::RefreshInvalid.into());
        }
        let terms = Refreshing {
            access_token_ttl: Some(settings.guest_token_ttl),
            until: Some(old.expires_at),
        };
        let response = self.refreshed(presented, terms).await?;
        Ok(Tokens::of(response, Role::Anonymous, None, authorization))
    }

    async fn refresh_tokens_of(&self, authorization: Uuid) -> Result<u64, PortError> {
        let issued = token::Entity::find()
            .filter(token::Column::AuthorizationId.eq(authorization))
            .filter(token::Column::Kind.eq("refresh"));
        Ok(issued.count(self.state.store.database()).await?)
    }

    /// The guest who holds this access token becomes this user: the guest's tokens end, and the number of the guest is
    /// returned, by which a front end finds what the guest left behind.
    pub async fn merge_guest(&self, access_token: &str) -> Result<Option<UserId>, Error> {
        let env = self.state.provider.env();
        let now = env.clock.now();
        let found = env.grants.token(&HashedToken::of(access_token)).await?;
        let Some(token) = found.filter(|t| {
            t.kind == TokenKind::Access && t.is_live(now) && t.client == own_client::id()
        }) else {
            return Ok(None);
        };
        let (Some(guest), Some(authorization)) = (token.user(), token.authorization) else {
            return Ok(None);
        };
        if !is_guest(guest) {
            return Ok(None);
        }
        env.grants.revoke(authorization, now).await?;
        Ok(Some(guest.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s2_10_only_a_number_makes_a_guest() {
        for (id, guest) in [
            ("guest:6f1d9f0a-3f6b-4b0e-9d8a-1f2e3d4c5b6a", true),
            ("guest:", false),
            ("guest:admin", false),
            ("6f1d9f0a-3f6b-4b0e-9d8a-1f2e3d4c5b6a", false),
        ] {
            assert_eq!(is_guest(&UserId::new(id)), guest, "{id}");
        }
    }
}
