//! Who calls: a token in the `Authorization` header, with nothing before it.

use super::refusal::No;
use crate::{
    people::{Caller, Error, GUEST_PREFIX, Need, Refusal, is_guest, own_client},
    state::AppState,
};
use http::{HeaderMap, header};
use oauth_core::{
    error::PortError,
    jose::verify,
    model::{
        AuthorizationId, HashedToken, Login, Role, Scope, SigningAlgorithm, Token, TokenKind,
        UserId,
    },
    params::Params,
};
use uuid::Uuid;

/// The token of the one `Authorization` header.
pub(super) fn token(headers: &HeaderMap) -> Result<Option<&str>, No> {
    let mut all = headers.get_all(header::AUTHORIZATION).into_iter();
    let Some(value) = all.next() else { return Ok(None) };
    let text = value.to_str().map_err(|_| No::HEADER)?.trim();
    if all.next().is_some() || text.contains(char::is_whitespace) {
        return Err(No::HEADER);
    }
    Ok((!text.is_empty()).then_some(text))
}

/// Whoever holds the access token of the request.
pub(super) async fn caller(state: &AppState, headers: &HeaderMap) -> Result<Caller, No> {
    let presented = token(headers)?;
    match state.people().caller(presented).await {
        Ok(caller) => Ok(caller),
        Err(e) => Err(explain(state, presented, e).await),
    }
}

/// Why a token is not good: one that was good once has ended, and others never were.
pub(super) async fn explain(state: &AppState, presented: Option<&str>, error: Error) -> No {
    if !matches!(error, Error::Refused(Refusal::TokenInvalid)) {
        return error.into();
    }
    match is_ours(state, presented).await {
        Ok(true) => No::REVOKED,
        Ok(false) => No::MALFORMED,
        Err(e) => e.into(),
    }
}

/// Whoever calls, if its address is confirmed.
pub(super) async fn registered(state: &AppState, headers: &HeaderMap) -> Result<Caller, No> {
    caller(state, headers).await?.needs(Need::Registered).map_err(|_| No::REGISTERED_ONLY)
}

/// Whoever calls, if it is this user or an administrator.
pub(super) async fn own_or_admin(
    state: &AppState,
    headers: &HeaderMap,
    id: &UserId,
) -> Result<Caller, No> {
    let caller = caller(state, headers).await?.needs(Need::User).map_err(|_| No::NOT_YOURS)?;
    let may = caller.subject == *id || Need::Admin.is_met_by(caller.role);
    if may { Ok(caller) } else { Err(No::NOT_YOURS) }
}

/// Whoever calls; without a token, somebody who sees what everybody sees.
pub(super) async fn anyone(state: &AppState, headers: &HeaderMap) -> Result<Caller, No> {
    if token(headers)?.is_some() {
        return caller(state, headers).await;
    }
    let (subject, at) = (UserId::new(GUEST_PREFIX), state.now());
    Ok(Caller {
        subject: subject.clone(),
        role: Role::Anonymous,
        account: None,
        login: Login { user: subject, at, amr: Vec::new(), acr: None, sid: None },
        authorization: AuthorizationId(Uuid::nil()),
        scope: Scope::default(),
    })
}

/// A refresh token of a user, as it was sent and as it is kept. It is not used up by this.
pub(super) async fn refresh_token<'h>(
    state: &AppState,
    headers: &'h HeaderMap,
) -> Result<(&'h str, Token), No> {
    let presented = token(headers)?.ok_or(No::MISSING)?;
    let found = state.provider.env().grants.token(&HashedToken::of(presented)).await?;
    let Some(found) = found.filter(|token| token.client == own_client::id()) else {
        let is_access = is_ours(state, Some(presented)).await?;
        return Err(if is_access { No::REFRESH_ONLY } else { Refusal::RefreshInvalid.into() });
    };
    if found.kind != TokenKind::Refresh {
        return Err(No::REFRESH_ONLY);
    }
    match found.user() {
        Some(user) if !is_guest(user) => Ok((presented, found)),
        _ => Err(No::NO_USER),
    }
}

/// The token of a letter: in the query, where links have it, or in the header.
pub(super) fn letter_token(headers: &HeaderMap, query: Option<&str>) -> Result<String, No> {
    let query = Params::parse(query.unwrap_or_default().as_bytes()).map_err(|_| No::INPUT)?;
    match (query.get("token"), token(headers)?) {
        (Some(text), _) | (None, Some(text)) => Ok(text.to_owned()),
        (None, None) => Err(No::MISSING),
    }
}

/// Whether it is an access token that this server signed, whatever became of it.
async fn is_ours(state: &AppState, presented: Option<&str>) -> Result<bool, PortError> {
    let Some(presented) = presented else { return Ok(false) };
    let env = state.provider.env();
    let keys = env.key_snapshot(env.clock.now()).await?;
    let jwt = verify(presented, keys.verification(), &SigningAlgorithm::ALL);
    Ok(jwt.is_ok_and(|jwt| jwt.is_typ("at+jwt")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn s2_02_the_header_is_a_token_and_nothing_else() {
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            }
            token(&headers).map(|text| text.map(str::to_owned))
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["",]), Ok(None));
        assert_eq!(read(&["a.b.c"]), Ok(Some("a.b.c".into())));
        for bad in [&["Bearer a.b.c"][..], &["a.b.c", "a.b.c"], &["a b"]] {
            assert_eq!(read(bad), Err(No::HEADER), "{bad:?}");
        }
    }
}
