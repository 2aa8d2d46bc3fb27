//! RFC 6749 2.3: client authentication.

use crate::support::{ODD_ID, ODD_SECRET, SECRET, Setup, World};
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use oauth_core::{
    error::PortError,
    model::{ClientAuth, SecretHash, SecretMethod},
    ports::{Passwords, Verdict},
};

#[tokio::test]
async fn s2_3_1_each_client_authenticates_by_its_own_method() {
    let world = World::new().await;
    for client in ["web", "post", ODD_ID] {
        world.token(client, "client_credentials").issues().await;
    }
    for client in ["spa", "native"] {
        world.tokens_of_public(client).await;
    }
}

#[tokio::test]
async fn s2_3_1_a_wrong_method_is_refused() {
    let world = World::new().await;
    let ask = || world.token("web", "client_credentials").anonymous();
    ask().basic("web", SECRET).issues().await;
    ask().set("client_id", "web").set("client_secret", SECRET).refuses("invalid_client").await;
    ask().set("client_id", "web").refuses("invalid_client").await;
    ask().basic("post", SECRET).refuses("invalid_client").await;
    ask().refuses("invalid_client").await;
}

#[tokio::test]
async fn s2_3_1_a_wrong_secret_is_refused() {
    let world = World::new().await;
    let ask = || world.token("web", "client_credentials").anonymous();
    for wrong in ["", "Secret", "secret ", "secre", "secret\u{e9}", "secretsecret"] {
        ask().basic("web", wrong).refuses("invalid_client").await;
    }
    for (id, secret) in [("post", "x"), ("post", "secret "), ("other", SECRET)] {
        ask().set("client_id", id).set("client_secret", secret).refuses("invalid_client").await;
    }
}

#[tokio::test]
async fn s2_3_1_both_halves_are_form_urlencoded() {
    let world = World::new().await;
    let ask = |pair: &str| {
        let header = format!("Basic {}", STANDARD.encode(pair));
        let ask = world.token(ODD_ID, "client_credentials").anonymous();
        ask.header("authorization", &header)
    };
    ask("odd+one%3A+%2B%25%C3%A9:s+e%3Ac%2Br%25e%2Ft+%C3%A9%3F").issues().await;
    ask("odd%20one%3a%20%2b%25%c3%a9:s%20e%3ac%2br%25e%2ft%20%c3%a9%3f").issues().await;
    ask(&format!("{ODD_ID}:{ODD_SECRET}")).refuses("invalid_client").await;
}

#[tokio::test]
async fn s2_3_1_headers_that_are_no_credentials_are_refused() {
    let world = World::new().await;
    let pair = STANDARD.encode("web:secret");
    for header in [
        String::new(),
        "Basic".into(),
        "Basic ".into(),
        format!("Basic{pair}"),
        format!("Bearer {pair}"),
        format!("Basic {pair}="),
        "Basic d2Vi".into(),
        "Basic /////w==".into(),
        format!("Basic {}", STANDARD.encode(":secret")),
        format!("Basic {}", STANDARD.encode("web%00:secret")),
        format!("Basic {}", STANDARD.encode("%ff:secret")),
    ] {
        world
            .token("web", "client_credentials")
            .anonymous()
            .header("authorization", &header)
            .refuses("invalid_client")
            .await;
    }
    world
        .token("web", "client_credentials")
        .anonymous()
        .header("authorization", &format!("bAsIc {pair}"))
        .issues()
        .await;
}

#[tokio::test]
async fn s2_3_only_one_method_per_request() {
    let world = World::new().await;
    let ask = || world.token("web", "client_credentials");
    ask().set("client_secret", SECRET).refuses("invalid_request").await;
    ask().set("client_id", "web").set("client_secret", SECRET).refuses("invalid_request").await;
    ask().set("client_id", "post").refuses("invalid_request").await;
    ask().set("client_id", "web").issues().await;
    ask().header("authorization", "Basic d2ViOnNlY3JldA==").refuses("invalid_request").await;
}

#[tokio::test]
async fn s2_3_1_a_public_client_sends_no_secret() {
    let world = World::new().await;
    let ask = |code: &str| world.redeem("spa", code);
    let code = world.request("spa").code().await;
    ask(&code).set("client_secret", "guess").refuses("invalid_client").await;
    ask(&code).anonymous().basic("spa", "guess").refuses("invalid_client").await;
    ask(&code).anonymous().basic("spa", "").refuses("invalid_client").await;
    ask(&code).issues().await;
}

/// Whoever guesses ids learns nothing.
#[tokio::test]
async fn s5_2_an_unknown_client_gets_the_bytes_of_a_wrong_secret() {
    let world = World::new().await;
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect"] {
        let ask = |id: &str| {
            let ask = crate::support::Ask::new(&world, path);
            ask.set("grant_type", "client_credentials").set("token", "x").basic(id, "wrong")
        };
        let known = ask("web").send().await;
        for id in ["nobody", "Web", "web ", "wéb", "spa", "web\u{200b}", &"w".repeat(5000)] {
            let unknown = ask(id).send().await;
            unknown.refuses("invalid_client");
            assert_eq!(known.body, unknown.body);
            assert_eq!(known.headers, unknown.headers);
        }
    }
}

#[tokio::test]
async fn s2_2_client_ids_are_compared_byte_by_byte() {
    let world = World::new().await;
    for id in ["WEB", "web ", " web", "web\t", "ｗeb", "web\u{0301}"] {
        world
            .token("web", "client_credentials")
            .anonymous()
            .basic(id, SECRET)
            .refuses("invalid_client")
            .await;
        world.request("web").set("client_id", id).shows("invalid_request").await;
    }
}

/// Hashes by appending an exclamation mark; busy on demand.
struct Slow;

#[async_trait]
impl Passwords for Slow {
    async fn hash(&self, secret: &str) -> Result<String, PortError> {
        Ok(format!("{secret}!"))
    }
    async fn verify(&self, phc: Option<&str>, secret: &str) -> Result<Verdict, PortError> {
        Ok(match secret {
            "busy" => Verdict::Busy,
            _ if phc == Some(&format!("{secret}!")) => Verdict::Right,
            _ => Verdict::Wrong,
        })
    }
}

#[tokio::test]
async fn a_hand_chosen_secret_goes_through_the_passwords_port() {
    let world = Setup::new()
        .client("hand", |c| {
            let hash = SecretHash::Argon2("chosen!".into());
            c.auth = ClientAuth::Secret(SecretMethod::Basic, hash);
        })
        .builder(|b| b.passwords(Slow))
        .start()
        .await;
    let ask = |secret: &str| {
        let ask = world.token("hand", "client_credentials").anonymous();
        ask.basic("hand", secret)
    };
    ask("chosen").issues().await;
    ask("other").refuses("invalid_client").await;
    ask("busy").refuses("temporarily_unavailable").await;
}

#[tokio::test]
async fn without_a_passwords_port_hand_chosen_secrets_are_refused() {
    let world = Setup::new()
        .client("hand", |c| {
            let hash = SecretHash::Argon2(String::new());
            c.auth = ClientAuth::Secret(SecretMethod::Basic, hash);
        })
        .start()
        .await;
    for secret in ["", "x"] {
        world
            .token("hand", "client_credentials")
            .anonymous()
            .basic("hand", secret)
            .refuses("invalid_client")
            .await;
    }
}
