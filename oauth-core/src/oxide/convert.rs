//! The same values under the names of oxide-auth.

use crate::model::{CodeChallenge, Scope, Timestamp};
use oxide_auth::{
    code_grant::extensions::Pkce,
    primitives::{
        grant::{Extensions, Value},
        registrar::{ExactUrl, RegisteredUrl},
        scope::Scope as OxideScope,
    },
};
use std::time::{Duration, SystemTime};

/// The end of the year 9999: later times do not fit every calendar.
const LATEST: u64 = 253_402_300_799;

/// A time, for `DateTime<Utc>::from`.
pub(super) fn time(at: Timestamp) -> SystemTime {
    let seconds = u64::try_from(at.unix()).unwrap_or(0).min(LATEST);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

pub(super) fn scope(scope: &Scope) -> OxideScope {
    scope.to_string().parse().expect("both sides have the grammar of RFC 6749 3.3")
}

pub(super) fn our_scope(scope: &OxideScope) -> Option<Scope> {
    Scope::parse(&scope.to_string())
}

/// A URL that leads nowhere, where the traits want one and there is none.
pub(super) fn nowhere() -> RegisteredUrl {
    let url = ExactUrl::new("about:invalid".into()).expect("about:invalid is a URL");
    RegisteredUrl::Exact(url)
}

/// The challenge as oxide-auth's own PKCE extension stores it.
pub(super) fn pkce_extension(challenge: &CodeChallenge) -> Extensions {
    let mut pkce = Pkce::required();
    let (method, text) = match challenge {
        CodeChallenge::S256(text) => ("S256", text),
        CodeChallenge::Plain(text) => {
            pkce.allow_plain();
            ("plain", text)
        }
    };
    let mut extensions = Extensions::new();
    if let Ok(Some(value)) = pkce.challenge(Some(method.into()), Some(text.into())) {
        extensions.set(&pkce, value);
    }
    extensions
}

/// Method and challenge, from what oxide-auth's PKCE extension or ours stored; `Err` when they are unreadable.
pub(super) fn pkce_of(mut extensions: Extensions) -> Result<Option<(&'static str, String)>, ()> {
    let Some(value) = extensions.remove(&Pkce::required()) else {
        return Ok(None);
    };
    let Value::Private(Some(mut text)) = value else {
        return Err(());
    };
    match text.pop() {
        Some('S') => Ok(Some(("S256", text))),
        Some('p') => Ok(Some(("plain", text))),
        _ => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxide_auth::primitives::grant::GrantExtension as _;

    #[test]
    fn the_stored_form_of_pkce_is_read_as_the_pinned_release_writes_it() {
        let text = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned();
        for (challenge, method) in [
            (CodeChallenge::S256(text.clone()), "S256"),
            (CodeChallenge::Plain(text.clone()), "plain"),
        ] {
            let extensions = pkce_extension(&challenge);
            assert_eq!(extensions.public().count(), 0, "it is a secret of the server");
            assert_eq!(pkce_of(extensions), Ok(Some((method, text.clone()))));
        }
        assert_eq!(pkce_of(Extensions::new()), Ok(None));
        let mut odd = Extensions::new();
        odd.set_raw(Pkce::required().identifier().into(), Value::public(None));
        assert_eq!(pkce_of(odd), Err(()));
    }

    #[test]
    fn times_and_scopes_survive() {
        for (at, seconds) in [(-5, 0), (7, 7), (i64::MAX, LATEST)] {
            let t = time(Timestamp::from_unix(at));
            let since = t.duration_since(SystemTime::UNIX_EPOCH).unwrap();
            assert_eq!(since.as_secs(), seconds);
        }
        let ours = Scope::parse("b a").unwrap();
        assert_eq!(our_scope(&scope(&ours)), Some(ours));
    }
}
