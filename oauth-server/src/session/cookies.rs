//! What a browser is told when a session begins or ends.

use http::{HeaderMap, HeaderValue, header};
use oauth_core::{
    http::{browser_state_cookie, cookie},
    model::HashedToken,
};

/// Characters of 256 bits in base64url.
const LENGTH: usize = 43;
const PLAIN: &str = "oauth_session";
/// The prefix makes browsers insist on https, this host and the root path.
const SECURE: &str = "__Host-oauth_session";

/// The `Set-Cookie` values of a session that begins or ends.
#[derive(Clone, Debug)]
pub struct Cookies {
    /// The session itself.
    pub session: HeaderValue,
    /// What frames of clients may see of it
    /// ([Session Management 3.2](https://openid.net/specs/openid-connect-session-1_0.html#OPiframe)).
    pub browser_state: HeaderValue,
}

impl Cookies {
    /// For a session that begins, with the secret of its cookie.
    pub(super) fn begin(https: bool, secret: &str, sid: &str) -> Self {
        let session = session_cookie(https, secret, "");
        Self { session, browser_state: browser_state_cookie(https, Some(sid)) }
    }

    /// For a session that is over.
    pub(super) fn forget(https: bool) -> Self {
        let session = session_cookie(https, "", "; Max-Age=0");
        Self { session, browser_state: browser_state_cookie(https, None) }
    }

    /// Adds them to a response.
    pub fn put(self, headers: &mut HeaderMap) {
        headers.append(header::SET_COOKIE, self.session);
        headers.append(header::SET_COOKIE, self.browser_state);
    }
}

/// The hash of the cookie of a request, if it is of the right form.
pub(super) fn presented(headers: &HeaderMap, https: bool) -> Option<HashedToken> {
    secret(headers, https).map(HashedToken::of)
}

/// The cookie of a request, if it is of the right form.
pub(super) fn secret(headers: &HeaderMap, https: bool) -> Option<&str> {
    let value = cookie(headers, name(https))?;
    let well_formed = value.len() == LENGTH
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    well_formed.then_some(value)
}

const fn name(https: bool) -> &'static str {
    if https { SECURE } else { PLAIN }
}

fn session_cookie(https: bool, value: &str, age: &str) -> HeaderValue {
    let name = name(https);
    let secure = if https { "; Secure" } else { "" };
    HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}"))
        .expect("base64url may stand in a header")
}
