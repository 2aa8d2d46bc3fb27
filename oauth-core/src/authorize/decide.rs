//! Pure: must a person act before the request can be answered?

use crate::{
    error::{ErrorCode, OAuthError},
    model::{Login, PendingAuthorization, Timestamp},
};
use serde_json::Value;
use std::time::Duration;

#[derive(Debug)]
pub(super) enum Step {
    /// Somebody must sign in.
    Login,
    /// Somebody must make an account, or sign in after all.
    SignUp,
    /// The person must say as whom to go on.
    SelectAccount,
    /// The signed-in person must agree.
    Consent,
    /// Nothing is missing.
    Grant,
    /// A person is needed and `prompt=none` forbids asking, or has signed in and is not the one who was asked for.
    Refuse(OAuthError),
}

/// What the request itself does not say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// Whether the person has agreed, now or before.
    pub(super) consented: bool,
    /// Whether the person is the one the client expects, if it expects anybody.
    pub(super) is_expected: bool,
    /// Whether the sign-in reached the authentication context that is demanded, if one is.
    pub(super) is_strong: bool,
    /// Now.
    pub(super) now: Timestamp,
}

pub(super) fn decide(pending: &PendingAuthorization, facts: Facts) -> Step {
    let silent = pending.asks_for("none");
    let nobody = || {
        Step::Refuse(OAuthError::new(
            ErrorCode::LoginRequired,
            "nobody is signed in, or not recently enough",
        ))
    };
    if pending.asks_for("create") {
        return Step::SignUp;
    }
    let Some(login) = &pending.login else {
        return if silent { nobody() } else { Step::Login };
    };
    if pending.asks_for("login") || is_stale(pending, login, facts.now) {
        return if silent { nobody() } else { Step::Login };
    }
    let is_strong = facts.is_strong;
    if !facts.is_expected || !is_strong {
        let refuse = |code, why| Step::Refuse(OAuthError::new(code, why));
        return match (silent, pending.signed_in_here) {
            (true, _) if is_strong => {
                refuse(ErrorCode::LoginRequired, "somebody else is signed in")
            }
            (true, _) => refuse(ErrorCode::LoginRequired, "the sign-in does not have this acr"),
            (false, false) => Step::Login,
            (false, true) if is_strong => {
                refuse(ErrorCode::LoginRequired, "somebody else has signed in")
            }
            (false, true) => refuse(
                ErrorCode::UnmetAuthenticationRequirements,
                "the sign-in does not have this acr",
            ),
        };
    }
    if pending.asks_for("select_account") {
        return Step::SelectAccount;
    }
    match facts.consented && !pending.asks_for("consent") {
        true => Step::Grant,
        false if silent => {
            Step::Refuse(OAuthError::new(ErrorCode::ConsentRequired, "nobody has agreed yet"))
        }
        false => Step::Consent,
    }
}

/// Whether the sign-in is older than the client wants. One made for this request is not, however long the person
/// then looked at the next page.
fn is_stale(pending: &PendingAuthorization, login: &Login, now: Timestamp) -> bool {
    let too_old = |max_age| login.at.plus(Duration::from_secs(max_age)) < now || max_age == 0;
    !pending.signed_in_here && pending.max_age.is_some_and(too_old)
}

/// Whether an authentication context that is demanded was reached
/// ([OpenID Connect Core 5.5.1.1](https://openid.net/specs/openid-connect-core-1_0.html#acrSemantics)). `order` has the
/// contexts that there are, the weakest first: who proved more has proven less, too.
pub(super) fn is_strong_enough(
    order: &[String],
    pending: &PendingAuthorization,
    login: &Login,
) -> bool {
    let demanded = demanded(pending);
    demanded.is_empty() || demanded.into_iter().any(|wanted| reaches(order, login, wanted))
}

/// The authentication context to tell the client: of those it demands the first that was reached, else what was.
pub(super) fn told(
    order: &[String],
    pending: &PendingAuthorization,
    login: &Login,
) -> Option<String> {
    let mut demanded = demanded(pending).into_iter();
    let reached = demanded.find(|wanted| reaches(order, login, wanted));
    reached.map(str::to_owned).or_else(|| login.acr.clone())
}

fn demanded(pending: &PendingAuthorization) -> Vec<&str> {
    let acr = pending.claims.id_token.get("acr").filter(|acr| acr.essential);
    acr.into_iter().flat_map(|acr| &acr.values).filter_map(Value::as_str).collect()
}

fn reaches(order: &[String], login: &Login, wanted: &str) -> bool {
    let place = |acr: &str| order.iter().position(|known| known == acr);
    let Some(acr) = login.acr.as_deref() else { return false };
    acr == wanted || matches!((place(acr), place(wanted)), (Some(has), Some(wants)) if has >= wants)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClaimRequest, ClaimsRequest, ClientId, ResponseMode, Scope, UserId};

    const NOW: i64 = 1_000;

    fn pending(prompt: &[&str], login: Option<i64>) -> PendingAuthorization {
        PendingAuthorization {
            client: ClientId::new("c"),
            response_type: "code".into(),
            response_mode: ResponseMode::Query,
            redirect_uri: "https://c.example/cb".into(),
            redirect_uri_was_sent: true,
            state: None,
            scope: Scope::default(),
            resources: vec![],
            challenge: None,
            prompt: prompt.iter().map(|&p| p.into()).collect(),
            login_hint: None,
            nonce: None,
            claims: ClaimsRequest::default(),
            max_age: None,
            acr_values: vec![],
            expected_subject: None,
            ui_locales: vec![],
            signed_in_here: false,
            login: login.map(|at| Login {
                user: UserId::new("u"),
                at: Timestamp::from_unix(at),
                amr: vec![],
                acr: Some("pwd".into()),
                sid: None,
            }),
            browser: String::new(),
            first: None,
            expires_at: Timestamp::from_unix(2_000),
        }
    }

    fn step(pending: &PendingAuthorization, consented: bool, is_expected: bool) -> String {
        let order = ["pwd", "mfa"].map(str::to_owned);
        let login = pending.login.as_ref();
        let is_strong = login.is_none_or(|login| is_strong_enough(&order, pending, login));
        let facts = Facts { consented, is_expected, is_strong, now: Timestamp::from_unix(NOW) };
        match decide(pending, facts) {
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
            (&["select_account"], true, true, "SelectAccount"),
            (&["select_account"], false, true, "Login"),
            (&["consent"], true, true, "Consent"),
            (&["login", "consent"], true, true, "Login"),
            (&["login", "select_account"], true, true, "Login"),
            (&["create"], false, false, "SignUp"),
            (&["create"], true, true, "SignUp"),
        ] {
            let pending = pending(prompt, signed_in.then_some(NOW));
            assert_eq!(step(&pending, consented, true), expected, "{prompt:?}");
        }
    }

    #[test]
    fn oidc_core_3_1_2_1_max_age() {
        let with = |max_age, at, prompt: &[&str], signed_in_here| {
            let pending = pending(prompt, Some(at));
            let max_age = Some(max_age);
            step(&PendingAuthorization { max_age, signed_in_here, ..pending }, true, true)
        };
        assert_eq!(with(10, NOW - 10, &[], false), "Grant");
        assert_eq!(with(10, NOW - 11, &[], false), "Login");
        assert_eq!(with(10, NOW - 11, &["none"], false), "login_required");
        assert_eq!(with(0, NOW, &[], false), "Login");
        assert_eq!(with(0, NOW - 60, &[], true), "Grant");
        assert_eq!(with(u64::MAX, 0, &[], false), "Grant");
    }

    #[test]
    fn oidc_core_3_1_2_2_somebody_else_is_expected() {
        let silent = pending(&["none"], Some(NOW));
        assert_eq!(step(&silent, true, false), "login_required");
        let first = pending(&[], Some(NOW));
        assert_eq!(step(&first, true, false), "Login");
        let second = PendingAuthorization { signed_in_here: true, ..first };
        assert_eq!(step(&second, true, false), "login_required");
    }

    #[test]
    fn oidc_core_5_5_1_1_demanded_acr() {
        let with = |essential, value: &str, signed_in_here| {
            let ask = ClaimRequest { essential, values: vec![value.into()] };
            let mut pending = pending(&[], Some(NOW));
            pending.claims.id_token.insert("acr".into(), ask);
            step(&PendingAuthorization { signed_in_here, ..pending }, true, true)
        };
        assert_eq!(with(true, "pwd", false), "Grant");
        assert_eq!(with(false, "mfa", false), "Grant");
        assert_eq!(with(true, "mfa", false), "Login");
        assert_eq!(with(true, "mfa", true), "unmet_authentication_requirements");
    }

    #[test]
    fn oidc_core_5_5_1_1_who_proved_more_has_proven_less_too() {
        let order = ["pwd", "mfa"].map(str::to_owned);
        let outcome = |essential, values: &[&str], acr: &str| {
            let ask =
                ClaimRequest { essential, values: values.iter().map(|&v| v.into()).collect() };
            let mut pending = pending(&[], Some(NOW));
            pending.claims.id_token.insert("acr".into(), ask);
            let login = Login { acr: Some(acr.into()), ..pending.login.clone().unwrap() };
            (is_strong_enough(&order, &pending, &login), told(&order, &pending, &login).unwrap())
        };
        assert_eq!(outcome(true, &["pwd"], "mfa"), (true, "pwd".into()));
        assert_eq!(outcome(true, &["mfa", "pwd"], "mfa"), (true, "mfa".into()));
        assert_eq!(outcome(true, &["mfa", "pwd"], "pwd"), (true, "pwd".into()));
        assert_eq!(outcome(true, &["mfa"], "pwd"), (false, "pwd".into()));
        assert_eq!(outcome(true, &["other"], "mfa"), (false, "mfa".into()));
        assert_eq!(outcome(true, &["pwd"], "other"), (false, "other".into()));
        assert_eq!(outcome(false, &["pwd"], "mfa"), (true, "mfa".into()));
    }
}
