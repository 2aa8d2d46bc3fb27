//! Pure: must a person act before the request can be answered?

use crate::{
    error::{ErrorCode, OAuthError},
    model::PendingAuthorization,
};

#[derive(Debug)]
pub(super) enum Step {
    /// Somebody must sign in.
    Login,
    /// The signed-in person must agree.
    Consent,
    /// Nothing is missing.
    Grant,
    /// A person is needed and `prompt=none` forbids asking.
    Refuse(OAuthError),
}

pub(super) fn decide(pending: &PendingAuthorization, consented: bool) -> Step {
    let asks_for = |word: &str| pending.prompt.iter().any(|p| p == word);
    let silent = asks_for("none");
    let must_sign_in = pending.login.is_none() || asks_for("login") || asks_for("select_account");
    if must_sign_in && silent {
        return Step::Refuse(OAuthError::new(ErrorCode::LoginRequired, "nobody is signed in"));
    }
    if must_sign_in {
        return Step::Login;
    }
    match consented && !asks_for("consent") {
        true => Step::Grant,
        false if silent => {
            Step::Refuse(OAuthError::new(ErrorCode::ConsentRequired, "nobody has agreed yet"))
        }
        false => Step::Consent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClientId, Login, Scope, Timestamp, UserId};

    fn step(prompt: &[&str], signed_in: bool, consented: bool) -> String {
        let pending = PendingAuthorization {
            client: ClientId::new("c"),
            response_type: "code".into(),
            redirect_uri: "https://c.example/cb".into(),
            redirect_uri_was_sent: true,
            state: None,
            scope: Scope::default(),
            resources: vec![],
            challenge: None,
            prompt: prompt.iter().map(|&p| p.into()).collect(),
            login_hint: None,
            login: signed_in.then(|| Login {
                user: UserId::new("u"),
                at: Timestamp::from_unix(0),
                amr: vec![],
            }),
            browser: String::new(),
            expires_at: Timestamp::from_unix(1),
        };
        match decide(&pending, consented) {
            Step::Refuse(e) => e.code().as_str().into(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn oidc_core_3_1_2_1_prompt() {
        for (prompt, signed_in, consented, expected) in [
            (&[][..], false, false, "Login"),
            (&[], true, false, "Consent"),
            (&[], true, true, "Grant"),
            (&["none"], false, true, "login_required"),
            (&["none"], true, false, "consent_required"),
            (&["none"], true, true, "Grant"),
            (&["login"], true, true, "Login"),
            (&["select_account"], true, true, "Login"),
            (&["consent"], true, true, "Consent"),
            (&["login", "consent"], true, true, "Login"),
        ] {
            assert_eq!(step(prompt, signed_in, consented), expected, "{prompt:?}");
        }
    }
}
