//! AMWA IS-10: access rights become `x-nmos-*` claims, and narrow the scope.

use crate::support::{Setup, USER, World};
use async_trait::async_trait;
use oauth_core::{
    error::PortError,
    model::{Access, AccessRight, Client, Scope, SigningAlgorithm, TokenFormat, UserId},
    ports::Claims,
    testing::fixtures::scope,
};
use serde_json::{Map, Value, json};

fn right(api: &str, access: Access, paths: &[&str]) -> AccessRight {
    AccessRight {
        paths: paths.iter().map(|&p| p.into()).collect(),
        ..AccessRight::new(UserId::new(USER), api, access)
    }
}

fn setup(format: TokenFormat) -> Setup {
    Setup::new()
        .policy(|p| p.access_token_format = format)
        .client("web", |c| c.scope = scope("connection events query registration"))
        .right(right("connection", Access::Write, &["single/*"]))
        .right(right("registration", Access::Read, &[]))
        .right(right("query", Access::None, &[]))
}

const FORMATS: [TokenFormat; 2] = [TokenFormat::Jwt(SigningAlgorithm::ES256), TokenFormat::Opaque];

fn nmos(token: &Value) -> Map<String, Value> {
    let mut claims = token.as_object().unwrap().clone();
    claims.retain(|name, _| name.starts_with("x-nmos"));
    claims
}

async fn token(world: &World, scope: &str) -> Value {
    let code = world.request("web").set("scope", scope).code().await;
    let response = world.redeem("web", &code).issues().await;
    let token = world.introspect(&response.access_token).await;
    assert_eq!(token["scope"], response.scope.as_str());
    token
}

#[tokio::test]
async fn claims_say_what_the_user_may_do() {
    for format in FORMATS {
        let world = setup(format).start().await;
        let token = token(&world, "connection events query registration").await;
        // `query` is forbidden to the user; `events` is nothing rights are kept for.
        assert_eq!(token["scope"], "connection events registration");
        assert_eq!(
            Value::Object(nmos(&token)),
            json!({
                "x-nmos-connection": {"read": ["single/*"], "write": ["single/*"]},
                "x-nmos-registration": {"read": ["*"]},
            })
        );
    }
}

#[tokio::test]
async fn only_for_what_was_asked() {
    for format in FORMATS {
        let world = setup(format).start().await;
        let token = token(&world, "registration").await;
        assert_eq!(Value::Object(nmos(&token)), json!({"x-nmos-registration": {"read": ["*"]}}));
    }
}

#[tokio::test]
async fn nothing_allowed_is_refused() {
    for format in FORMATS {
        let world = setup(format).start().await;
        let code = world.request("web").set("scope", "query").code().await;
        world.redeem("web", &code).refuses("invalid_scope").await;
    }
}

#[tokio::test]
async fn a_client_for_itself_has_no_rights_of_users() {
    for format in FORMATS {
        let world = setup(format).start().await;
        let response = world.token("web", "client_credentials").issues().await;
        let token = world.introspect(&response.access_token).await;
        assert_eq!(nmos(&token), Map::new());
    }
}

/// A right that was taken away is gone at the next refresh, and a right that was given is there.
#[tokio::test]
async fn a_refresh_asks_again() {
    for format in FORMATS {
        let world = setup(format).start().await;
        let code = world.request("web").set("scope", "connection query").code().await;
        let first = world.redeem("web", &code).issues().await;
        assert_eq!(first.scope, "connection");
        world.store.set_right(right("connection", Access::None, &[]));
        world.store.set_right(right("query", Access::Read, &[]));
        let second = world.refresh("web", &first.refresh_token.unwrap()).issues().await;
        assert_eq!(second.scope, "query");
        let token = world.introspect(&second.access_token).await;
        assert_eq!(Value::Object(nmos(&token)), json!({"x-nmos-query": {"read": ["*"]}}));
    }
}

struct Generous;

#[async_trait]
impl Claims for Generous {
    async fn claims(
        &self,
        _: Option<&UserId>,
        _: &Client,
        _: &Scope,
    ) -> Result<Map<String, Value>, PortError> {
        let all = json!({"read": ["*"], "write": ["*"]});
        Ok(Map::from_iter([("x-nmos-registration".to_owned(), all)]))
    }
}

#[tokio::test]
async fn rights_win_over_claims_of_an_embedder() {
    let world = setup(FORMATS[0]).builder(|b| b.claims(Generous)).start().await;
    let token = token(&world, "registration").await;
    assert_eq!(token["x-nmos-registration"], json!({"read": ["*"]}));
}
