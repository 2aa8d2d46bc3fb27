//! What a browser's session is like, in a form that can be compared without learning anything:
//! [OpenID Connect Session Management 2](https://openid.net/specs/openid-connect-session-1_0.html#CreatingUpdatingSessions).

use crate::{
    env::Env,
    model::{ClientId, HashedToken},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use url::{Origin, Url};

/// The state of a browser with this session: the same as long as the session is, and nothing by which it could be
/// continued. For the cookie that the page of [`check_session`](crate::config::Paths::check_session) reads.
pub fn browser_state(sid: &str) -> String {
    let state = HashedToken::of(&format!("oauth-core: state of the browser in session {sid}"));
    URL_SAFE_NO_PAD.encode(state.as_bytes())
}

/// The `session_state` of an answer to this redirect URI, computed as the page at
/// [`check_session`](crate::config::Paths::check_session) does it. Nothing where the redirect URI belongs to no
/// origin that a browser knows, since no frame from there can ever ask.
pub fn session_state(
    client: &ClientId,
    redirect_uri: &str,
    browser_state: &str,
    salt: &str,
) -> Option<String> {
    let origin = Url::parse(redirect_uri).ok()?.origin();
    if matches!(origin, Origin::Opaque(_)) {
        return None;
    }
    let origin = origin.ascii_serialization();
    let hash = HashedToken::of(&format!("{client} {origin} {browser_state} {salt}"));
    Some(format!("{}.{salt}", URL_SAFE_NO_PAD.encode(hash.as_bytes())))
}

/// The `session_state` of an answer in the session, with a fresh salt.
pub(crate) fn fresh_session_state(
    env: &Env,
    client: &ClientId,
    redirect_uri: &str,
    sid: &str,
) -> Option<String> {
    session_state(client, redirect_uri, &browser_state(sid), &env.jti())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(client: &str, uri: &str, sid: &str, salt: &str) -> Option<String> {
        session_state(&ClientId::new(client), uri, &browser_state(sid), salt)
    }

    #[test]
    fn oidc_session_s2_depends_on_client_origin_session_and_salt() {
        let known = state("c", "https://c.example/cb", "s", "x").unwrap();
        let other_path = state("c", "https://c.example:443/other?a=b", "s", "x").unwrap();
        assert_eq!(known, other_path);
        assert_eq!(known.split_once('.').unwrap().1, "x");
        assert!(!known.contains(' '));
        for (client, uri, sid, salt) in [
            ("d", "https://c.example/cb", "s", "x"),
            ("c", "http://c.example/cb", "s", "x"),
            ("c", "https://c.example:444/cb", "s", "x"),
            ("c", "https://c.example/cb", "t", "x"),
            ("c", "https://c.example/cb", "s", "y"),
        ] {
            assert_ne!(
                state(client, uri, sid, salt).unwrap(),
                known,
                "{client} {uri} {sid} {salt}"
            );
        }
    }

    #[test]
    fn oidc_session_s2_is_for_origins_only() {
        assert_eq!(state("c", "com.example.app:/cb", "s", "x"), None);
        assert_eq!(state("c", "no address", "s", "x"), None);
    }

    #[test]
    fn the_state_of_a_browser_does_not_tell_its_session() {
        let state = browser_state("a-session");
        assert_eq!(state, browser_state("a-session"));
        assert_ne!(state, browser_state("b-session"));
        assert!(!state.contains("session"));
        // It may stand in a cookie.
        assert!(state.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
    }
}
