//! The page that clients keep in a frame and ask whether the session is still the same:
//! [Session Management 3.2](https://openid.net/specs/openid-connect-session-1_0.html#OPiframe).

use super::{Edge, form_post::hash_source};
use crate::openid::browser_state;
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{Html, IntoResponse, Response},
};

/// The script does by the cookie what [`session_state`](crate::openid::session_state) did by the session.
const SCRIPT: &str = include_str!("check_session.js");
const PLAIN: &str = "oauth_browser_state";
/// The prefix makes browsers insist on https, this host and the root path.
const SECURE: &str = "__Host-oauth_browser_state";

/// The page. Any site may have it in a frame: that is what it is for.
pub(super) async fn page(State(edge): State<Edge>) -> Response {
    let cookie = cookie_name(edge.provider().env().issuer.is_https());
    let html = format!(
        "<!doctype html>\n<html lang=\"en\" data-cookie=\"{cookie}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <title>Session</title>\n</head>\n<body>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    );
    let policy = format!(
        "default-src 'none'; script-src '{}'; frame-ancestors *; base-uri 'none'",
        hash_source(SCRIPT)
    );
    let mut headers = HeaderMap::new();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let cached = HeaderValue::from_static("public, max-age=300");
    headers.insert(header::CACHE_CONTROL, cached);
    (headers, Html(html)).into_response()
}

/// The `Set-Cookie` value that tells the page of the session the browser now has, or that it has none any more.
/// Send it wherever a session begins or ends.
///
/// The script must read it, also in a frame of another site. It is derived from the session and does not lead back.
#[expect(clippy::missing_panics_doc, reason = "words of ours and base64url may stand in a header")]
pub fn browser_state_cookie(https: bool, sid: Option<&str>) -> HeaderValue {
    let name = cookie_name(https);
    let value = sid.map(browser_state).unwrap_or_default();
    let age = if sid.is_some() { "" } else { "; Max-Age=0" };
    // Without https browsers take no cookie that other sites may bring along.
    let reach = if https { "SameSite=None; Secure" } else { "SameSite=Lax" };
    HeaderValue::from_str(&format!("{name}={value}; Path=/; {reach}{age}"))
        .expect("base64url may stand in a header")
}

const fn cookie_name(https: bool) -> &'static str {
    if https { SECURE } else { PLAIN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_for_the_script_and_for_frames() {
        let state = browser_state("s");
        for (https, sid, expected) in [
            (
                true,
                Some("s"),
                format!("__Host-oauth_browser_state={state}; Path=/; SameSite=None; Secure"),
            ),
            (false, Some("s"), format!("oauth_browser_state={state}; Path=/; SameSite=Lax")),
            (false, None, "oauth_browser_state=; Path=/; SameSite=Lax; Max-Age=0".to_owned()),
        ] {
            assert_eq!(browser_state_cookie(https, sid), expected.as_str());
        }
    }

    #[test]
    fn the_script_can_stand_in_a_page() {
        assert!(!SCRIPT.contains("</"));
    }
}
