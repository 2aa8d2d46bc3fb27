//! Who calls: the check of the access tokens of the user service, against what the database knows at this moment.

use super::{
    People,
    error::{Error, Refusal},
    guest, own_client,
};
use crate::sign_in::is_fresh;
use oauth_core::{
    error::PortError,
    jose::verify,
    model::{
        AuthorizationId, HashedToken, Login, Role, Scope, SigningAlgorithm, Timestamp, Token,
        TokenKind, UserId,
    },
    seaorm::UserAccount,
};
use std::time::Duration;

/// Longer texts are no tokens of ours and are not looked up.
const LONGEST: usize = 16 * 1024;

/// Whoever holds a good access token.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The user, or `guest:` and a number for a guest.
    pub subject: UserId,
    /// What the caller is to the server, at this moment.
    pub role: Role,
    /// The user; none for a guest.
    pub account: Option<UserAccount>,
    /// How and when the caller proved who it is.
    pub login: Login,
    /// What the token hangs below, and so the device it was issued to.
    pub authorization: AuthorizationId,
    /// What the token allows.
    pub scope: Scope,
}

/// What a caller must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nobody in particular, and nobody else.
    GuestToken,
    /// Whoever has a token.
    Anyone,
    /// Any user, with a confirmed address or without.
    User,
    /// A user whose address is confirmed, where there is one.
    Registered,
    /// One of the staff.
    Staff,
    /// An administrator.
    Admin,
}

impl Need {
    /// Whether the role is enough.
    pub fn is_met_by(self, role: Role) -> bool {
        match self {
            Self::GuestToken => role == Role::Anonymous,
            Self::Anyone => true,
            Self::User => role >= Role::Guest,
            Self::Registered => role >= Role::Registered,
            Self::Staff => role >= Role::Staff,
            Self::Admin => role >= Role::Admin,
        }
    }
}

impl Caller {
    /// The caller, if it is what it must be.
    pub fn needs(self, need: Need) -> Result<Self, Refusal> {
        if need.is_met_by(self.role) { Ok(self) } else { Err(Refusal::NotAllowed) }
    }

    /// The caller, if it proved who it is not longer ago than this.
    pub fn fresh(self, now: Timestamp, within: Duration) -> Result<Self, Refusal> {
        if is_fresh(self.login.at, within, now) { Ok(self) } else { Err(Refusal::SignInAgain) }
    }

    /// The user; a guest is none.
    pub fn user(&self) -> Result<&UserAccount, Refusal> {
        self.account.as_ref().ok_or(Refusal::NotAllowed)
    }
}

impl People<'_> {
    /// Who holds this access token. It must be one of this service, for this server, alive, and its user must not be
    /// locked out. What the user is, is read now: a role that was taken away is gone at once.
    pub async fn caller(&self, presented: Option<&str>) -> Result<Caller, Error> {
        let presented = presented.ok_or(Refusal::TokenMissing)?;
        if presented.len() > LONGEST {
            return Err(Refusal::TokenInvalid.into());
        }
        let env = self.state.provider.env();
        let now = env.clock.now();
        let Some(token) = env.grants.token(&HashedToken::of(presented)).await? else {
            return Err(self.unknown(presented, now).await?.into());
        };
        let is_ours = token.kind == TokenKind::Access
            && token.client == own_client::id()
            && token.resources.is_empty()
            && token.revoked_at.is_none();
        let (true, Some(login), Some(authorization)) =
            (is_ours, token.login.clone(), token.authorization)
        else {
            return Err(Refusal::TokenInvalid.into());
        };
        if !token.is_live(now) {
            return Err(Refusal::TokenExpired.into());
        }
        let (role, account) = self.standing(&token, &login.user).await?;
        let (subject, scope) = (login.user.clone(), token.scope);
        Ok(Caller { subject, role, account, login, authorization, scope })
    }

    async fn standing(
        &self,
        token: &Token,
        subject: &UserId,
    ) -> Result<(Role, Option<UserAccount>), Error> {
        if guest::is_guest(subject) {
            let fits = token.scope.contains(own_client::GUEST);
            return if fits {
                Ok((Role::Anonymous, None))
            } else {
                Err(Refusal::TokenInvalid.into())
            };
        }
        let account = self.state.store.account(subject).await?;
        let account = account.filter(|a| !a.disabled && token.scope.contains(own_client::ACCOUNT));
        let account = account.ok_or(Refusal::TokenInvalid)?;
        Ok((account.role(), Some(account)))
    }

    /// A token without a row: one of ours whose row went when it had expired, or no token at all.
    async fn unknown(&self, presented: &str, now: Timestamp) -> Result<Refusal, PortError> {
        let env = self.state.provider.env();
        let keys = env.key_snapshot(now).await?;
        let Ok(jwt) = verify(presented, keys.verification(), &SigningAlgorithm::ALL) else {
            return Ok(Refusal::TokenInvalid);
        };
        let was_ours = jwt.is_typ("at+jwt")
            && jwt.text("iss") == Some(env.issuer.as_str())
            && jwt.text("client_id") == Some(own_client::ID)
            && jwt.expires_at().is_some_and(|exp| exp <= now);
        Ok(if was_ours { Refusal::TokenExpired } else { Refusal::TokenInvalid })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_needs() {
        use Need::{Admin, Anyone, GuestToken, Registered, Staff, User};
        for (role, met) in [
            (Role::Anonymous, &[GuestToken, Anyone][..]),
            (Role::Guest, &[Anyone, User]),
            (Role::Registered, &[Anyone, User, Registered]),
            (Role::Staff, &[Anyone, User, Registered, Staff]),
            (Role::Admin, &[Anyone, User, Registered, Staff, Admin]),
        ] {
            for need in [GuestToken, Anyone, User, Registered, Staff, Admin] {
                assert_eq!(need.is_met_by(role), met.contains(&need), "{role:?} {need:?}");
            }
        }
    }
}
