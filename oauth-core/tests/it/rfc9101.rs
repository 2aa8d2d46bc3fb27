//! RFC 9101 and OpenID Connect Core 6: authorization requests in a JWT, by value and by reference.

mod reference;
mod signature;

use crate::support::{
    CALLBACK, ISSUER, Published, Setup, Walk, World,
    jwt::{ClientKey, Draft, assertion, jwks, request_object},
};
use oauth_core::{
    model::{
        Client, PendingAuthorization, RedirectUri, Resource, ResourceUri, Scope,
        VerificationAlgorithm,
    },
    ports::Clock as _,
    testing::fixtures::{resource, scope},
};
use serde_json::json;

const JWKS_URI: &str = "https://client.example/jwks";
const REQUEST_URI: &str = "https://client.example/request.jwt";
/// The other redirect URI of the client, which the request outside does not name.
const OTHER_CALLBACK: &str = "https://client.example/other";
const API: &str = "https://api.example/v1";

/// How a request object travels.
#[derive(Clone, Copy)]
enum By {
    Value,
    Reference,
}

const BOTH: [By; 2] = [By::Value, By::Reference];

struct Stage {
    world: World,
    published: Published,
}

impl Stage {
    /// With the client `web`, which has one key for each algorithm and two redirect URIs, and this about it changed.
    async fn with(change: impl FnOnce(&mut Client)) -> Self {
        let published = Published::new();
        let fetch = published.clone();
        let api = |uri: &str| Resource {
            uri: resource(uri),
            access_token_format: None,
            access_token_ttl: None,
            scope: Scope::default(),
        };
        let world = Setup::new()
            .client("web", |c| {
                c.metadata.jwks = Some(jwks(&VerificationAlgorithm::ALL.map(ClientKey::of)));
                c.metadata.request_uris = vec![format!("{REQUEST_URI}#old")];
                c.redirect_uris.push(RedirectUri::parse(OTHER_CALLBACK).unwrap());
                change(c);
            })
            .builder(move |b| {
                b.fetch(fetch).resource(api(API)).resource(api("https://api.example/v2"))
            })
            .start()
            .await;
        Self { world, published }
    }

    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A request with everything right outside, and this object.
    fn carrying(&self, by: By, token: &str) -> Walk<'_> {
        let walk = self.world.request("web");
        match by {
            By::Value => walk.set("request", token),
            By::Reference => {
                self.published.put(REQUEST_URI, token);
                walk.set("request_uri", REQUEST_URI)
            }
        }
    }

    async fn accepts(&self, token: &str) {
        for by in BOTH {
            let pending = self.pending(self.carrying(by, token)).await;
            assert_eq!(pending.state.as_deref(), Some("inside"));
        }
    }

    /// The refusal goes to where the request outside has proven it may go.
    async fn refuses(&self, token: &str) {
        for by in BOTH {
            let answer = self.carrying(by, token).refuses("invalid_request_object").await;
            assert_eq!(answer.get("state"), Some("st"));
        }
    }

    /// What the request has come to when a person is asked to sign in.
    async fn pending(&self, walk: Walk<'_>) -> PendingAuthorization {
        let step = walk.send().await;
        let id = step.reply.interaction("/login");
        self.world.provider.interaction(&id, &step.browser).await.unwrap().pending
    }
}

fn es256() -> &'static ClientKey {
    ClientKey::of(VerificationAlgorithm::ES256)
}

fn good() -> Draft {
    request_object("web")
}

fn signed(draft: &Draft) -> String {
    draft.sign(es256())
}

#[tokio::test]
async fn oidc_core_6_1_a_whole_flow() {
    let stage = Stage::new().await;
    for by in BOTH {
        let answer = stage.carrying(by, &signed(&good().claim("scope", "a"))).answer().await;
        assert_eq!((answer.to.as_str(), answer.get("state")), (CALLBACK, Some("inside")));
        let issued = stage.world.redeem("web", answer.get("code").unwrap()).issues().await;
        assert_eq!(issued.scope, "a");
    }
}

#[tokio::test]
async fn oidc_core_6_1_what_is_inside_supersedes_what_is_outside() {
    let stage = Stage::new().await;
    let inside = good().claim("scope", "a").claim("redirect_uri", OTHER_CALLBACK);
    for by in BOTH {
        let walk = stage.carrying(by, &signed(&inside)).set("login_hint", "ada");
        let answer = walk.clone().answer().await;
        assert_eq!(answer.to, OTHER_CALLBACK);
        let pending = stage.pending(walk).await;
        assert_eq!(pending.scope.to_string(), "a");
        assert_eq!(pending.redirect_uri, OTHER_CALLBACK);
        assert_eq!(pending.login_hint.as_deref(), Some("ada"), "left open inside");
    }
}

#[tokio::test]
async fn oidc_core_6_1_what_is_missing_inside_is_taken_from_outside() {
    let stage = Stage::new().await;
    for by in BOTH {
        let token = signed(&Draft::new(&json!({"scope": "a"})));
        let pending = stage.pending(stage.carrying(by, &token)).await;
        assert_eq!(pending.scope.to_string(), "a");
        assert_eq!(pending.state.as_deref(), Some("st"));
        // What is empty inside is not there, inside or outside.
        let pending = stage.pending(stage.carrying(by, &signed(&good().claim("state", "")))).await;
        assert_eq!(pending.state, None);
        // Nothing but the client need be outside.
        let bare = stage.carrying(by, &signed(&good()));
        let bare = ["response_type", "redirect_uri", "scope", "state", "code_challenge"]
            .into_iter()
            .fold(bare, Walk::unset);
        let pending = stage.pending(bare.unset("code_challenge_method")).await;
        assert_eq!(pending.state.as_deref(), Some("inside"));
    }
}

#[tokio::test]
async fn oidc_core_6_1_a_redirect_uri_inside_must_be_registered_too() {
    let stage = Stage::new().await;
    let inside = signed(&good().claim("redirect_uri", "https://evil.example/cb"));
    for by in BOTH {
        stage.carrying(by, &inside).shows("invalid_request").await;
        // Nor does a good one inside help a refusal to a bad one outside.
        let walk = stage.carrying(by, &signed(&good().claim("exp", 1)));
        walk.set("redirect_uri", "https://evil.example/cb").shows("invalid_request_object").await;
        // A good one inside is all that counts when all is well.
        let walk = stage.carrying(by, &signed(&good()));
        let answer = walk.set("redirect_uri", "https://evil.example/cb").answer().await;
        assert_eq!(answer.to, CALLBACK);
    }
}

#[tokio::test]
async fn s4_what_the_object_says_of_itself() {
    let stage = Stage::new().await;
    let now = stage.world.clock.now().unix();
    for (name, right) in [
        ("iss", json!("web")),
        ("aud", json!([ISSUER, "https://other.example"])),
        ("exp", json!(now - 29)),
        ("nbf", json!(now + 30)),
        ("iat", json!(now + 30)),
        ("sub", json!("somebody")),
        ("jti", json!("x")),
        ("unknown", json!("x")),
    ] {
        stage.accepts(&signed(&good().claim(name, right))).await;
    }
    for (name, wrong) in [
        ("iss", vec![json!("other"), json!(""), json!(7), json!(null), json!(["web"])]),
        ("aud", vec![json!("https://other.example"), json!([]), json!(null), json!([7])]),
        ("exp", vec![json!(now - 30), json!("soon"), json!(null)]),
        ("nbf", vec![json!(now + 31), json!("now"), json!(null)]),
        ("iat", vec![json!(now + 31), json!("now"), json!(null)]),
        ("client_id", vec![json!("other"), json!(""), json!(7), json!(null)]),
        ("response_type", vec![json!("token"), json!("code token"), json!(["code"])]),
        ("request", vec![json!("x"), json!("")]),
        ("request_uri", vec![json!(REQUEST_URI), json!("")]),
    ] {
        for wrong in wrong {
            stage.refuses(&signed(&good().claim(name, wrong))).await;
        }
    }
    let bare = good().without("iss").without("aud").without("client_id").without("response_type");
    stage.accepts(&signed(&bare)).await;
}

/// RFC 9101 10.8: what the client has signed for something else.
#[tokio::test]
async fn s10_8_another_jwt_of_the_client_is_no_request() {
    let stage = Stage::new().await;
    let now = stage.world.clock.now();
    stage.refuses(&signed(&assertion("web", ISSUER, now))).await;
    stage.refuses(&signed(&good().claim("sub", "web"))).await;
    for typ in ["at+jwt", "client-authentication+jwt", "dpop+jwt", ""] {
        stage.refuses(&signed(&good().header("typ", typ))).await;
    }
    for typ in ["JWT", "oauth-authz-req+jwt", "application/oauth-authz-req+jwt"] {
        stage.accepts(&signed(&good().header("typ", typ))).await;
    }
}

#[tokio::test]
async fn oidc_core_6_1_values_are_those_of_the_query() {
    let stage = Stage::new().await;
    let inside = good()
        .claim("scope", "openid a")
        .claim("max_age", 77)
        .claim("claims", json!({"userinfo": {"email": null}}))
        .claim("resource", json!([API, "https://api.example/v2"]));
    let inside = signed(&inside);
    let openid = Stage::with(|c| c.scope = scope("openid email a b c")).await;
    for by in BOTH {
        let pending = openid.pending(openid.carrying(by, &inside)).await;
        assert_eq!(pending.max_age, Some(77));
        assert!(pending.claims.userinfo.contains_key("email"));
        let resources: Vec<_> = pending.resources.iter().map(ResourceUri::as_str).collect();
        assert_eq!(resources, [API, "https://api.example/v2"]);
    }
    // As text they are good too.
    let inside = good().claim("max_age", "78").claim("resource", API);
    let pending = stage.pending(stage.carrying(By::Value, &signed(&inside))).await;
    assert_eq!((pending.max_age, pending.resources.len()), (Some(78), 1));
    for (name, wrong) in [
        ("max_age", json!(1.5)),
        ("max_age", json!(1e300)),
        ("max_age", json!(null)),
        ("state", json!(true)),
        ("state", json!({"a": 1})),
        ("state", json!(["st"])),
        ("state", json!("a\0b")),
        ("scope", json!(["a", "b"])),
        ("claims", json!(["email"])),
        ("resource", json!([API, 7])),
        ("resource", json!({"uri": API})),
        ("unknown", json!({})),
        ("unknown\0", json!("x")),
    ] {
        stage.refuses(&signed(&good().claim(name, wrong))).await;
    }
    let many = (0..100).fold(good(), |draft, n| draft.claim(&format!("p{n}"), "x"));
    stage.refuses(&signed(&many)).await;
}
