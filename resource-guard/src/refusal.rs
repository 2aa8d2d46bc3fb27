//! A *no* that the peer sees ([RFC 6750 3](https://www.rfc-editor.org/rfc/rfc6750#section-3)).

use crate::{path::UnsafePath, verify::Rejection};
use http::{HeaderValue, Response, StatusCode, header};
use oauth_core::{error::ErrorCode, jose::JwtProblem, model::Scope};
use serde_json::{Map, Value};
use std::{borrow::Cow, time::Duration};

/// The form of challenges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Style {
    /// As RFC 6750 shows them: `Bearer realm="r", error="invalid_token"`. A token for another audience is
    /// `invalid_token`.
    #[default]
    Rfc6750,
    /// As NMOS clients read them: `Bearer error=invalid_token, realm="r"`. A token for another audience is
    /// `insufficient_scope`, bodies are `{code, error, debug}`, and answers carry the headers of CORS.
    Nmos,
}

/// The protection space named in challenges: printable ASCII without quotes and backslashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Realm(Cow<'static, str>);

impl Realm {
    pub(crate) fn parse(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let plain = |b: u8| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\');
        (!text.is_empty() && text.bytes().all(plain)).then_some(Self(Cow::Owned(text)))
    }
}

impl Default for Realm {
    fn default() -> Self {
        Self(Cow::Borrowed("resource"))
    }
}

/// How one guarded route refuses.
#[derive(Clone, Debug)]
pub(crate) struct Voice {
    pub(crate) style: Style,
    pub(crate) realm: Realm,
}

/// Why a request is refused: status and words for the peer, and a reason for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    code: Option<ErrorCode>,
    description: Option<&'static str>,
    scope: Option<Scope>,
    retry_after: Option<Duration>,
    max_age: Option<Duration>,
    reason: Cow<'static, str>,
}

impl Refusal {
    const fn new(status: StatusCode, code: Option<ErrorCode>, reason: &'static str) -> Self {
        Self {
            status,
            code,
            description: Some(reason),
            scope: None,
            retry_after: None,
            max_age: None,
            reason: Cow::Borrowed(reason),
        }
    }

    /// 401 without an error code: the request carries no token.
    pub const fn no_token() -> Self {
        let mut refusal = Self::new(StatusCode::UNAUTHORIZED, None, "the request carries no token");
        refusal.description = None;
        refusal
    }

    /// 400 `invalid_request`. The description must be plain ASCII without quotes.
    pub const fn invalid_request(description: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Some(ErrorCode::InvalidRequest), description)
    }

    /// 401 `invalid_token`. The description must be plain ASCII without quotes.
    pub const fn invalid_token(description: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, Some(ErrorCode::InvalidToken), description)
    }

    /// 403 `insufficient_scope`, with the scope that would do.
    pub fn insufficient_scope(needed: Option<Scope>) -> Self {
        const WHY: &str = "the access token does not allow this";
        let mut refusal = Self::new(StatusCode::FORBIDDEN, Some(ErrorCode::InsufficientScope), WHY);
        refusal.scope = needed;
        refusal
    }

    /// 401 `insufficient_user_authentication`: the person signed in too long ago
    /// ([RFC 9470 3](https://www.rfc-editor.org/rfc/rfc9470#section-3)).
    pub const fn stale(max_age: Duration) -> Self {
        const WHY: &str = "this needs a more recent sign-in";
        let code = ErrorCode::InsufficientUserAuthentication;
        let mut refusal = Self::new(StatusCode::UNAUTHORIZED, Some(code), WHY);
        refusal.max_age = Some(max_age);
        refusal
    }

    /// 403 `access_denied`: the request may be another site's. The description must be plain ASCII without quotes.
    pub const fn forged(description: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, Some(ErrorCode::AccessDenied), description)
    }

    /// 401 `invalid_token`: the token is good, but for another use than this route takes.
    pub(crate) const fn other_use() -> Self {
        Self::invalid_token("tokens for this use are not taken here")
    }

    /// What the peer is told beside the code, if anything.
    pub const fn description(&self) -> Option<&'static str> {
        self.description
    }

    /// 503: whether the request may pass cannot be decided now.
    pub const fn unavailable(retry_after: Duration) -> Self {
        const WHY: &str = "whether the access token is good cannot be decided at the moment";
        let code = ErrorCode::TemporarilyUnavailable;
        let mut refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, Some(code), WHY);
        refusal.retry_after = Some(retry_after);
        refusal
    }

    /// 500: the guard is set up wrongly, and so nobody passes.
    pub const fn misconfigured() -> Self {
        const WHY: &str = "the resource server is misconfigured";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Some(ErrorCode::ServerError), WHY)
    }

    pub(crate) fn rejected(rejection: &Rejection, style: Style) -> Self {
        let refusal = match rejection {
            Rejection::Audience if style == Style::Nmos => Self::insufficient_scope(None),
            Rejection::Audience => Self::invalid_token("the access token is for another audience"),
            Rejection::Jwt(JwtProblem::Expired) => {
                Self::invalid_token("the access token has expired")
            }
            Rejection::Revoked => Self::invalid_token("the access token has been revoked"),
            Rejection::Unavailable { retry_after } => Self::unavailable(*retry_after),
            _ => Self::invalid_token("the access token is not valid"),
        };
        Self { reason: rejection.to_string().into(), ..refusal }
    }

    pub(crate) fn unsafe_path(problem: UnsafePath) -> Self {
        let refusal = Self::invalid_request("the path cannot be judged safely");
        Self { reason: problem.to_string().into(), ..refusal }
    }

    /// The status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The error code, if the peer is told one.
    pub const fn code(&self) -> Option<ErrorCode> {
        self.code
    }

    /// What the log of the resource server says.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The answer to give, for handlers that refuse by what a body says. The realm is `resource`.
    pub fn into_response<B: From<String>>(self, style: Style) -> Response<B> {
        self.response(&Voice { style, realm: Realm::default() })
    }

    pub(crate) fn response<B: From<String>>(&self, voice: &Voice) -> Response<B> {
        let mut response = Response::new(B::from(self.body(voice.style)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status.is_client_error()
            && let Ok(challenge) = HeaderValue::try_from(self.challenge(voice))
        {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        response
    }

    /// `{error, error_description}`; empty where the request just carried no token. The error object of NMOS APIs is
    /// `{code, error, debug}`: the status, a sentence for people, and what may help a programmer.
    fn body(&self, style: Style) -> String {
        let mut body = Map::new();
        if style == Style::Nmos {
            let told = self.description.unwrap_or(&self.reason);
            body.insert("code".into(), self.status.as_u16().into());
            body.insert("error".into(), told.into());
            body.insert("debug".into(), self.code.map(ErrorCode::as_str).into());
            return Value::Object(body).to_string();
        }
        if let Some(code) = self.code {
            body.insert("error".into(), code.as_str().into());
        }
        if let Some(description) = self.description {
            body.insert("error_description".into(), description.into());
        }
        Value::Object(body).to_string()
    }

    fn challenge(&self, voice: &Voice) -> String {
        let realm = format!("realm=\"{}\"", voice.realm.0);
        let error = self.code.map(ErrorCode::as_str);
        let mut parts = Vec::new();
        match voice.style {
            Style::Rfc6750 => {
                parts.push(realm);
                parts.extend(error.map(|e| format!("error=\"{e}\"")));
                parts.extend(self.description.map(|d| format!("error_description=\"{d}\"")));
            }
            Style::Nmos => {
                parts.extend(error.map(|e| format!("error={e}")));
                parts.push(realm);
            }
        }
        parts.extend(self.scope.as_ref().map(|scope| format!("scope=\"{scope}\"")));
        parts.extend(self.max_age.map(|age| format!("max_age=\"{}\"", age.as_secs())));
        format!("Bearer {}", parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn challenge(refusal: &Refusal, style: Style) -> String {
        refusal.challenge(&Voice { style, realm: Realm::parse("api").unwrap() })
    }

    #[test]
    fn rfc6750_s3_challenges() {
        let scope = Refusal::insufficient_scope(Scope::parse("b a"));
        assert_eq!(challenge(&Refusal::no_token(), Style::Rfc6750), r#"Bearer realm="api""#);
        assert_eq!(
            challenge(&scope, Style::Rfc6750),
            r#"Bearer realm="api", error="insufficient_scope", error_description="the access token does not allow this", scope="a b""#
        );
        assert_eq!(
            challenge(&scope, Style::Nmos),
            r#"Bearer error=insufficient_scope, realm="api", scope="a b""#
        );
        assert_eq!(challenge(&Refusal::no_token(), Style::Nmos), r#"Bearer realm="api""#);
    }

    #[test]
    fn r5_bodies_in_both_forms() {
        let read =
            |refusal: &Refusal, style| serde_json::from_str::<Value>(&refusal.body(style)).unwrap();
        let scope = Refusal::insufficient_scope(None);
        assert_eq!(
            read(&scope, Style::Nmos),
            json!({"code": 403, "error": "the access token does not allow this", "debug": "insufficient_scope"})
        );
        assert_eq!(
            read(&Refusal::no_token(), Style::Nmos),
            json!({"code": 401, "error": "the request carries no token", "debug": null})
        );
        assert_eq!(read(&Refusal::no_token(), Style::Rfc6750), json!({}));
        assert_eq!(read(&scope, Style::Rfc6750)["error"], "insufficient_scope");
    }

    #[test]
    fn realms_cannot_break_out() {
        for bad in ["", "a\"b", "a\\b", "é", "a\nb"] {
            assert_eq!(Realm::parse(bad), None, "{bad:?}");
        }
    }
}
