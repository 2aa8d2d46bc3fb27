//! The text of a failure goes to the log and to nobody else.

use crate::support::{CALLBACK, PASSWORD, Reply, Setup, USER, USERNAME, run};
use async_trait::async_trait;
use oauth_core::{
    error::{ErrorCode, OAuthError, PortError},
    grants::{Implicit, Password},
    http::error_json,
    model::{Client, Scope, TokenFormat, UserId},
    ports::Claims,
};
use proptest::prelude::*;
use serde_json::{Map, Value};

/// Claims that cannot be had.
struct Failing(String);

#[async_trait]
impl Claims for Failing {
    async fn claims(
        &self,
        _: Option<&UserId>,
        _: &Client,
        _: &Scope,
    ) -> Result<Map<String, Value>, PortError> {
        Err(PortError::new(self.0.clone()))
    }
}

/// The section sign, which no response contains.
const MARK: char = '\u{a7}';

/// A text that cannot occur in a response by accident.
fn cause() -> impl Strategy<Value = String> {
    "[^\0]{0,20}".prop_map(|text| format!("{text}\u{a7}<b>\"$'{text}"))
}

/// The responses to everything, while all of the store or only its writes fail with this text.
async fn failures(text: &str, all: bool) -> Vec<(String, Reply)> {
    let world = Setup::new()
        .builder(|b| b.grant(Implicit).grant(Password))
        .client("opaque", |c| c.access_token_format = Some(TokenFormat::Opaque))
        .start()
        .await;
    let code = world.request("web").code().await;
    let tokens = world.tokens("web").await;
    let refresh = tokens.refresh_token.unwrap();
    let login = world.request("other").send().await;
    let consent = world.request("other").send().await.sign_in(USER).await;
    let own = world.token("web", "client_credentials").issues().await.access_token;
    if all {
        world.store.fail(Some(text));
        // The signing keys are due to be read again.
        world.after(61);
    } else {
        world.store.fail_writes(Some(text));
    }
    let password = world.token("web", "password").set("username", USERNAME);
    let implicit = world.request("web").signed_in(USER).set("response_type", "token");
    vec![
        ("code".into(), world.redeem("web", &code).send().await),
        ("refresh".into(), world.refresh("web", &refresh).send().await),
        ("password".into(), password.set("password", PASSWORD).send().await),
        ("opaque".into(), world.token("opaque", "client_credentials").send().await),
        ("revoke".into(), world.revoke("web", &refresh).send().await),
        ("revoke access".into(), world.revoke("web", &tokens.access_token).send().await),
        ("revoke own".into(), world.revoke("web", &own).send().await),
        ("introspect".into(), world.introspection("rs", &own).send().await),
        ("authorize".into(), world.request("web").send().await.reply),
        ("remembered".into(), world.request("web").signed_in(USER).send().await.reply),
        ("implicit".into(), implicit.send().await.reply),
        ("login".into(), login.sign_in(USER).await.reply),
        ("consent".into(), consent.approve().await.reply),
        ("jwks".into(), world.get("/.well-known/jwks.json").await),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_text_of_a_failure_reaches_nobody(text in cause()) {
        run(async {
            let mut kinds = std::collections::BTreeSet::new();
            for all in [false, true] {
                for (what, reply) in failures(&text, all).await {
                    let headers = format!("{:?}", reply.headers);
                    let encoded: String =
                        form_urlencoded::byte_serialize("\u{a7}".as_bytes()).collect();
                    for seen in [reply.text(), &headers] {
                        prop_assert!(!seen.contains(MARK) && !seen.contains(&encoded), "{what} {seen}");
                        prop_assert!(!seen.contains("port failed"), "{what} {seen}");
                    }
                    let kind = match reply.status {
                        500 if reply.text().starts_with('{') => {
                            prop_assert_eq!(reply.text(), "{\"error\":\"server_error\"}");
                            "json"
                        }
                        500 => {
                            reply.is_page("server_error");
                            "page"
                        }
                        302 | 303 if reply.location().starts_with(CALLBACK) => {
                            let answer = reply.answer();
                            prop_assert_eq!(answer.get("error"), Some("server_error"));
                            "redirect"
                        }
                        status => {
                            prop_assert!(status == 200 && !all || what == "jwks", "{} {}", what, status);
                            continue;
                        }
                    };
                    kinds.insert(kind);
                }
            }
            prop_assert_eq!(kinds.len(), 3);
            Ok(())
        })?;
    }

    #[test]
    fn nor_does_that_of_an_embedders_claims(text in cause()) {
        run(async {
            let port = Failing(text.clone());
            let world = Setup::new().builder(|b| b.grant(Implicit).claims(port)).start().await;
            let reply = world.token("web", "client_credentials").send().await;
            prop_assert_eq!(reply.text(), "{\"error\":\"server_error\"}");
            let answer = world.request("web").set("response_type", "token").answer().await;
            prop_assert_eq!(answer.get("error"), Some("server_error"));
            prop_assert_eq!(answer.get("error_description"), None);
            Ok(())
        })?;
    }

    #[test]
    fn an_error_is_shown_without_its_cause(text in cause()) {
        let error = OAuthError::from(PortError::new(text.clone()));
        prop_assert_eq!(error.code(), ErrorCode::ServerError);
        prop_assert!(!error.to_string().contains(MARK));
        prop_assert!(error.causes().contains(&text));
        let error = OAuthError::invalid_request("x").because(text);
        prop_assert!(!error.to_string().contains(MARK));
        let body = run(axum::body::to_bytes(error_json(&error).into_body(), 10_000)).unwrap();
        prop_assert_eq!(&body[..], br#"{"error":"invalid_request","error_description":"x"}"#);
    }
}
