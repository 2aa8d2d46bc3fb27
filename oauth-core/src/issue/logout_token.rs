//! Logout tokens: [Back-Channel Logout 2.4](https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken).

use super::{
    id_token_algorithm,
    protect::{Content, protect},
    sign::sign,
};
use crate::{
    env::Env,
    error::OAuthError,
    model::{Client, Participant, Timestamp},
    openid::{session, subject},
};
use serde_json::json;
use std::time::Duration;

/// The `typ` by which it cannot be taken for an id token.
const TYPE: &str = "logout+jwt";
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// It is made when it is sent, so it need not last.
const LIFE: Duration = Duration::from_mins(2);

/// Makes a logout token for a client that took part in a session, signed and encrypted as its id tokens are.
pub(crate) async fn mint(
    env: &Env,
    client: &Client,
    participant: &Participant,
    now: Timestamp,
) -> Result<String, OAuthError> {
    let claims = json!({
        "iss": env.issuer.as_str(),
        "sub": subject(env, client, &participant.user),
        "aud": client.id.as_str(),
        "iat": now.unix(),
        "exp": now.plus(LIFE).unix(),
        "jti": env.jti(),
        "sid": session(env, client, &participant.sid),
        "events": { EVENT: {} },
    });
    let alg = id_token_algorithm(env, client);
    let signed = Content::Signed(sign(env, alg, TYPE, &claims, now).await?);
    let encryption = client.metadata.id_token_encrypted_response;
    protect(env, client, encryption, signed, now).await
}
