//! Id tokens that come back as hints: `id_token_hint` of
//! [OpenID Connect Core 3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest) and of
//! [RP-Initiated Logout 2](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout).

use super::subject;
use crate::{
    env::Env,
    error::PortError,
    jose::verify,
    model::{Client, ClientId, SigningAlgorithm, Timestamp, UserId},
};

/// What an id token of ours says about whom and for whom it was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    /// The client it was issued to.
    pub(crate) client: ClientId,
    /// The user, by the name that this client knows it by.
    pub(crate) subject: String,
    /// The browser session it came out of.
    pub(crate) sid: Option<String>,
}

impl Hint {
    /// Whether it is about this user. `client` is the client it was issued to.
    pub(crate) fn is_about(&self, env: &Env, client: &Client, user: &UserId) -> bool {
        client.id == self.client && subject(env, client, user) == self.subject
    }
}

/// Reads an id token of this provider. It may have expired: a hint says who was here, and admits nobody.
/// Nothing for whatever else is presented, also for other tokens that the same keys have signed.
pub(crate) async fn read_hint(
    env: &Env,
    token: &str,
    now: Timestamp,
) -> Result<Option<Hint>, PortError> {
    let keys = env.key_snapshot(now).await?;
    let Ok(jwt) = verify(token, keys.hints(), &SigningAlgorithm::ALL) else {
        return Ok(None);
    };
    // Access and logout tokens have types of their own. A signed userinfo answer has the same type as an id token,
    // but never expires.
    let is_id_token = jwt.is_typ("JWT")
        && jwt.text("iss") == Some(env.issuer.as_str())
        && jwt.expires_at().is_some()
        && jwt.claims.contains_key("auth_time");
    let (Some(client), Some(subject), true) = (jwt.text("aud"), jwt.text("sub"), is_id_token)
    else {
        return Ok(None);
    };
    Ok(Some(Hint {
        client: ClientId::new(client),
        subject: subject.to_owned(),
        sid: jwt.text("sid").map(str::to_owned),
    }))
}
