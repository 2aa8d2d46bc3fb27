//! Signing in through other providers: through a second server of ours, and through one that lies.

use crate::{
    pages_actors::{Page, SignedIn, Visitor, interaction, parameter},
    second_factor_demanded::{EVERYBODY, SET_UP},
    social_liar::{CLIENT, Liar, OUTGOING, SECRET, Says, key},
    support::{Server, TestClock, logged, start_in, two_on},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join;
use http::StatusCode;
use oauth_core::{
    jose::{left_half_hash, sign_hmac},
    model::{MacAlgorithm, SigningAlgorithm, UserId},
    testing::TestDatabase,
};
use oauth_server::entity::{identity, session};
use sea_orm::{EntityTrait as _, PaginatorTrait as _};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpListener;

/// Somebody who was sent away.
pub struct Away {
    pub url: String,
    pub state: String,
    pub nonce: String,
}

impl Away {
    #[track_caller]
    pub fn of(page: &Page) -> Self {
        let url = page.location().to_owned();
        let get = |name| parameter(&url, name).unwrap_or_default();
        Self { state: get("state"), nonce: get("nonce"), url: url.clone() }
    }
}

async fn leave(visitor: &Visitor<'_>, provider: &str) -> Away {
    Away::of(&visitor.post(&format!("/login/with/{provider}"), &[]).await)
}

/// Where the honest answer of the liar leads.
pub fn back(liar: &Liar, away: &Away, code: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("code", code)
        .append_pair("state", &away.state)
        .append_pair("iss", &liar.issuer);
    format!("/login/from/liar?{}", query.finish())
}

/// Comes with an honest answer about this subject.
async fn sign_in(visitor: &Visitor<'_>, liar: &Liar, subject: &str) -> Page {
    let away = leave(visitor, "liar").await;
    liar.code("good", liar.tokens(&liar.claims(visitor.server, &away.nonce, subject)));
    visitor.get(&back(liar, &away, "good")).await
}

#[track_caller]
pub fn refused(page: &Page, status: u16, code: &str) {
    assert_eq!(page.status, status, "{}", page.html);
    assert_eq!(page.by_id("error-code"), code);
    assert!(page.has("again"), "there is a way back");
}

async fn users(server: &Server) -> usize {
    server.state.store.accounts(None, 100).await.unwrap().len()
}

async fn identities(server: &Server) -> Vec<identity::Model> {
    identity::Entity::find().all(server.state.store.database()).await.unwrap()
}

/// A second server of ours as the provider, on a real port, with ada in it; the first one knows it.
async fn pair() -> (Server, Server) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let clock = TestClock::new();
    let up = format!(
        "[server]\npublic_url = \"{issuer}\"\n[[client]]\nid = \"{CLIENT}\"\nsecret = \"{SECRET}\"\n\
         redirect_uris = [\"http://127.0.0.1:4999/login/from/up\"]\nscope = \"openid profile email\"\n\
         skip_consent = true\nmetadata = {{ id_token_signed_response_alg = \"ES256\" }}\n[[user]]\nname = \"ada\"\n\
         password = \"correct horse\"\nclaims = {{ name = \"Ada Lovelace\", email = \"ada@example.org\", email_verified = true }}\n"
    );
    let up = start_in(&up, tempfile::tempdir().unwrap(), clock.clone()).await;
    let router = up.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let down = format!(
        "{OUTGOING}[[upstream]]\nid = \"up\"\ntitle = \"Upstream\"\nissuer = \"{issuer}\"\nclient_id = \"{CLIENT}\"\n\
         client_secret = \"{SECRET}\"\n"
    );
    let down = start_in(&down, tempfile::tempdir().unwrap(), clock).await;
    (up, down)
}

/// Goes to the provider and signs in there as ada; where the provider sends the browser back to.
async fn through(up: &Visitor<'_>, away: &Away) -> String {
    let at = away.url.find("/oauth/").unwrap();
    let page = up.get(&away.url[at..]).await;
    let login = page.header("location").to_owned();
    if !login.starts_with("/login") {
        return local(&login);
    }
    let form = [
        ("interaction", &*interaction(&login)),
        ("username", "ada"),
        ("password", "correct horse"),
    ];
    let page = up.post("/login", &form).await;
    local(page.header("location"))
}

/// The path of an address of ours.
#[track_caller]
fn local(address: &str) -> String {
    address.strip_prefix("http://127.0.0.1:4999").unwrap_or_else(|| panic!("{address}")).to_owned()
}

#[tokio::test]
async fn s0_02_people_sign_in_through_another_server_and_stay_the_same() {
    let (up, down) = pair().await;
    let login = down.visitor().get("/login").await;
    assert!(login.has("with-up"), "{}", login.html);
    assert!(login.header("content-security-policy").contains("form-action 'self' http:"));
    assert!(down.visitor().get("/signup").await.has("with-up"));
    let (browser, elsewhere) = (down.visitor(), up.visitor());
    let away = leave(&browser, "up").await;
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", "http://127.0.0.1:4999/login/from/up"),
        ("scope", "openid profile email"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(parameter(&away.url, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!((away.state.len(), away.nonce.len()), (43, 43));
    let page = browser.get(&through(&elsewhere, &away).await).await;
    assert_eq!(page.location(), "/");
    let account = browser.get("/account").await;
    assert_eq!(account.by_id("who"), "ada");
    let made = down.state.store.account_by_name("ada").await.unwrap().unwrap();
    assert!(!made.has_password && !made.is_admin);
    let sessions = session::Entity::find().all(down.state.store.database()).await.unwrap();
    assert_eq!(sessions[0].amr, "fed", "nobody typed a password here");
    // Once more, in another browser: the same account.
    let other = down.visitor();
    let away = leave(&other, "up").await;
    assert_eq!(other.get(&through(&elsewhere, &away).await).await.location(), "/");
    assert_eq!(users(&down).await, 1);
    let rows = identities(&down).await;
    assert_eq!(rows.len(), 1);
    assert_eq!((&*rows[0].user_id, rows[0].tokens.is_some()), (made.id.as_str(), false));
}

#[tokio::test]
async fn s0_02_an_application_that_waits_gets_its_answer() {
    let (up, down) = pair().await;
    down.relying_party("rp", &[]).await;
    let (browser, elsewhere) = (down.visitor(), up.visitor());
    let login = browser.authorize("rp", &[("scope", "openid")]).await;
    let waits = interaction(&login);
    let page = browser.get(&login).await;
    assert!(page.html.contains(&format!("name=\"interaction\" value=\"{waits}\"")));
    let away = Away::of(&browser.post("/login/with/up", &[("interaction", &waits)]).await);
    let page = browser.get(&through(&elsewhere, &away).await).await;
    let to = page.header("location").to_owned();
    assert!(to.starts_with("/consent?interaction="), "{to}");
    // A no there loses nothing: the page leads back to the same request.
    let other = down.visitor();
    let waits = interaction(&other.authorize("rp", &[("scope", "openid")]).await);
    let away = Away::of(&other.post("/login/with/up", &[("interaction", &waits)]).await);
    let issuer = up.state.config.issuer();
    let no =
        format!("/login/from/up?error=access_denied&state={}&iss={}", away.state, issuer.as_str());
    let page = other.get(&no).await;
    refused(&page, 403, "access_denied");
    assert_eq!(page.href("again"), format!("/login?interaction={waits}"));
    assert_eq!(other.get(&page.href("again")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn s0_03_the_client_proves_itself_and_the_code_with_pkce() {
    let liar = Liar::open().await;
    for (method, basic) in [("client_secret_basic", true), ("client_secret_post", false)] {
        let server = liar.server(&format!("auth_method = \"{method}\"")).await;
        let browser = server.visitor();
        let away = leave(&browser, "liar").await;
        liar.code("good", liar.tokens(&liar.claims(&server, &away.nonce, "1")));
        assert_eq!(browser.get(&back(&liar, &away, "good")).await.location(), "/");
        let asked = liar.asked().pop().unwrap();
        assert_eq!(asked.authorization.starts_with("Basic "), basic);
        assert_eq!(asked.form.get("client_secret").map(String::as_str), (!basic).then_some(SECRET));
        assert_eq!(asked.form["redirect_uri"], "http://127.0.0.1:4999/login/from/liar");
        let verifier = oauth_core::model::HashedToken::of(&asked.form["code_verifier"]);
        let challenge = URL_SAFE_NO_PAD.encode(verifier.as_bytes());
        assert_eq!(parameter(&away.url, "code_challenge"), Some(challenge));
    }
}

#[tokio::test]
async fn s0_03_every_lie_of_an_id_token_is_refused() {
    let liar = Liar::open().await;
    let server = liar.server("").await;
    let now = oauth_core::ports::Clock::now(&*server.clock).unix();
    let browser = server.visitor();
    let lies: Vec<(Value, &str)> = vec![
        (json!({"iss": "https://other.example"}), "id_token_issuer"),
        (json!({"iss": null}), "id_token_malformed"),
        (json!({"aud": "other"}), "id_token_audience"),
        (json!({"aud": ["other"]}), "id_token_audience"),
        (json!({"aud": [CLIENT, "other"]}), "id_token_audience"),
        (json!({"aud": [CLIENT, "other"], "azp": "other"}), "id_token_audience"),
        (json!({"azp": "other"}), "id_token_audience"),
        (json!({"aud": null}), "id_token_malformed"),
        (json!({"exp": now - 61}), "id_token_time"),
        (json!({"iat": now + 61}), "id_token_time"),
        (json!({"nbf": now + 61}), "id_token_time"),
        (json!({"exp": null}), "id_token_malformed"),
        (json!({"iat": null}), "id_token_malformed"),
        (json!({"nonce": "of-another-sign-in"}), "id_token_nonce"),
        (json!({"nonce": null}), "id_token_nonce"),
        (json!({"sub": null}), "id_token_malformed"),
        (json!({"sub": ""}), "id_token_malformed"),
        (json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}), "id_token_at_hash"),
    ];
    for (lie, code) in lies {
        let away = leave(&browser, "liar").await;
        let mut claims = liar.claims(&server, &away.nonce, "1");
        for (name, value) in lie.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        liar.code("lie", liar.tokens(&claims));
        let page = browser.get(&back(&liar, &away, "lie")).await;
        refused(&page, 502, code);
    }
    assert_eq!(users(&server).await, 0);
    assert!(browser.cookie("oauth_session").is_none());
    // The twins.
    let hash = left_half_hash(SigningAlgorithm::ES256, "upstream-access-hush");
    for truth in [
        json!({"at_hash": hash}),
        json!({"aud": [CLIENT, "other"], "azp": CLIENT}),
        json!({"exp": now - 59}),
    ] {
        let away = leave(&browser, "liar").await;
        let mut claims = liar.claims(&server, &away.nonce, "1");
        claims.as_object_mut().unwrap().extend(truth.as_object().unwrap().clone());
        liar.code("truth", liar.tokens(&claims));
        assert_eq!(browser.get(&back(&liar, &away, "truth")).await.location(), "/");
    }
}

#[tokio::test]
async fn s0_03_every_lie_of_a_signature_is_refused() {
    let liar = Liar::open().await;
    let server = liar.server("").await;
    let browser = server.visitor();
    let other = key();
    let public = serde_json::to_vec(liar.signer.public_jwk()).unwrap();
    let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    for code in ["none", "hs256", "key", "signature", "garbage", "absent"] {
        let away = leave(&browser, "liar").await;
        let claims = liar.claims(&server, &away.nonce, "1");
        let honest = liar.signer.sign("JWT", &claims).unwrap();
        let (token, expected) = match code {
            "none" => (
                format!("{}.{}.", encode(json!({"alg": "none"})), encode(claims)),
                "id_token_algorithm",
            ),
            "hs256" => (
                sign_hmac("JWT", &claims, &public, MacAlgorithm::HS256).unwrap(),
                "id_token_algorithm",
            ),
            "key" => (other.sign("JWT", &claims).unwrap(), "id_token_key"),
            "signature" => {
                let (head, _) = honest.rsplit_once('.').unwrap();
                let foreign = other.sign("JWT", &claims).unwrap();
                (format!("{head}.{}", foreign.rsplit_once('.').unwrap().1), "id_token_signature")
            }
            "garbage" => ("a.b.c".to_owned(), "id_token_malformed"),
            _ => (String::new(), "id_token_missing"),
        };
        liar.code("lie", Liar::answer(&token));
        if token.is_empty() {
            let bare = json!({"access_token": "a", "token_type": "Bearer"});
            liar.code("lie", Says::Json(bare));
        }
        refused(&browser.get(&back(&liar, &away, "lie")).await, 502, expected);
    }
    assert_eq!(users(&server).await, 0);
}

#[tokio::test]
async fn s0_03_a_new_key_is_found_but_not_more_often_than_is_good() {
    let liar = Liar::open().await;
    let server = liar.server("").await;
    let browser = server.visitor();
    assert_eq!(sign_in(&browser, &liar, "1").await.location(), "/");
    assert_eq!(liar.keys_read(), 1);
    let new = key();
    liar.publish(&[&liar.signer, &new]);
    let come = async |expected: Option<&str>| {
        let visitor = server.visitor();
        let away = leave(&visitor, "liar").await;
        let claims = liar.claims(&server, &away.nonce, "2");
        liar.code("new", Liar::answer(&new.sign("JWT", &claims).unwrap()));
        let page = visitor.get(&back(&liar, &away, "new")).await;
        match expected {
            Some(code) => refused(&page, 502, code),
            None => assert_eq!(page.location(), "/"),
        }
    };
    come(Some("id_token_key")).await;
    come(Some("id_token_key")).await;
    assert_eq!(liar.keys_read(), 1, "they were read a moment ago");
    server.clock.advance(Duration::from_secs(10));
    come(None).await;
    assert_eq!(liar.keys_read(), 2);
}

#[tokio::test]
async fn s0_02_garbage_floods_redirects_and_silence_are_refused() {
    let liar = Liar::open().await;
    let server = liar.server("").await;
    let browser = server.visitor();
    for (says, code) in [
        (Says::Status(400), "upstream_token"),
        (Says::Status(500), "upstream_unreachable"),
        (Says::Text("<html>"), "upstream_token"),
        (Says::Json(json!({"error": "invalid_grant"})), "upstream_token"),
        (
            Says::Json(json!({"access_token": "a", "token_type": "mac", "id_token": "x"})),
            "upstream_token",
        ),
        (Says::Redirect, "upstream_unreachable"),
        (Says::Flood, "upstream_unreachable"),
    ] {
        let away = leave(&browser, "liar").await;
        liar.code("lie", says);
        refused(&browser.get(&back(&liar, &away, "lie")).await, 502, code);
    }
    let hasty = liar.hasty_server().await;
    let waiting = hasty.visitor();
    let away = leave(&waiting, "liar").await;
    liar.code("lie", Says::Hang);
    let answer = waiting.get(&back(&liar, &away, "lie")).await;
    refused(&answer, 502, "upstream_unreachable");
    // Userinfo is asked for what the id token does not say, and must be about the same person.
    for (says, code) in [
        (Says::Json(json!({"sub": "2", "email": "eve@example.com"})), "upstream_userinfo"),
        (Says::Text("[]"), "upstream_userinfo"),
        (Says::Status(401), "upstream_userinfo"),
        (Says::Flood, "upstream_unreachable"),
    ] {
        let away = leave(&browser, "liar").await;
        let mut claims = liar.claims(&server, &away.nonce, "1");
        claims.as_object_mut().unwrap().remove("email");
        liar.code("good", liar.tokens(&claims));
        liar.userinfo(says);
        refused(&browser.get(&back(&liar, &away, "good")).await, 502, code);
    }
    assert_eq!(users(&server).await, 0);
    assert_eq!(sign_in(&browser, &liar, "1").await.location(), "/", "nothing of it is kept");
}

#[tokio::test]
async fn s0_02_metadata_that_is_not_its_own_is_refused() {
    let liar = Liar::open().await;
    let with = |name: &str, value: &str| {
        let mut document = liar.true_metadata();
        document[name] = json!(value);
        Says::Json(document)
    };
    for (says, code) in [
        (with("issuer", "https://other.example"), "upstream_metadata"),
        (with("issuer", &format!("{}/", liar.issuer)), "upstream_metadata"),
        (with("authorization_endpoint", "javascript:alert(1)"), "upstream_metadata"),
        (Says::Text("nonsense"), "upstream_metadata"),
        (Says::Status(404), "upstream_unreachable"),
        (Says::Redirect, "upstream_unreachable"),
        (Says::Flood, "upstream_unreachable"),
        (Says::Hang, "upstream_unreachable"),
    ] {
        let hangs = matches!(says, Says::Hang);
        liar.metadata(says);
        let server = if hangs { liar.hasty_server().await } else { liar.server("").await };
        refused(&server.visitor().post("/login/with/liar", &[]).await, 502, code);
    }
}

#[tokio::test]
async fn s0_02_an_answer_belongs_to_one_departure_of_one_browser_to_one_provider() {
    let (liar, other) = (Liar::open().await, Liar::open().await);
    let toml = format!("{OUTGOING}{}{}", liar.entry("liar", ""), other.entry("other", ""));
    let server = start_in(&toml, tempfile::tempdir().unwrap(), TestClock::new()).await;
    let browser = server.visitor();
    let unknown = |page: &Page| refused(page, 400, "state_unknown");
    unknown(&browser.get("/login/from/liar?code=x&state=made-up").await);
    unknown(&browser.get("/login/from/liar?code=x").await);
    let away = leave(&browser, "liar").await;
    liar.code("good", liar.tokens(&liar.claims(&server, &away.nonce, "1")));
    let there = back(&liar, &away, "good");
    // Another browser, with a cookie of its own or without.
    let stranger = server.visitor();
    unknown(&stranger.get(&there).await);
    leave(&stranger, "liar").await;
    unknown(&stranger.get(&there).await);
    // Another provider.
    unknown(&browser.get(&there.replace("/from/liar", "/from/other")).await);
    // Whoever came wrongly has not used it up.
    assert_eq!(browser.get(&there).await.location(), "/");
    unknown(&browser.get(&there).await);
    // Too late.
    let late = server.visitor();
    let away = leave(&late, "liar").await;
    server.clock.advance(Duration::from_mins(10));
    unknown(&late.get(&back(&liar, &away, "good")).await);
    assert_eq!(users(&server).await, 1);
    assert!(oauth_server::maintenance::sweep(&server.state).await.unwrap() >= 1);
}

#[tokio::test]
async fn s0_02_whose_answer_it_is_comes_before_everything_else() {
    let (liar, other) = (Liar::open().await, Liar::open().await);
    let server = liar.server("").await;
    let browser = server.visitor();
    for query in [
        format!("code=good&iss={}", other.issuer),
        format!("code=good&iss={}/", liar.issuer),
        "code=good".to_owned(),
        format!("error=access_denied&iss={}", other.issuer),
        "error=access_denied".to_owned(),
    ] {
        let away = leave(&browser, "liar").await;
        let page = browser.get(&format!("/login/from/liar?state={}&{query}", away.state)).await;
        refused(&page, 400, "issuer_mismatch");
    }
    assert!(liar.asked().is_empty(), "no code went anywhere");
    for (query, status, code) in [
        ("error=access_denied", 403, "access_denied"),
        ("error=server_error&error_description=%3Cb%3Ehush", 502, "upstream_error"),
        ("x=y", 502, "upstream_error"),
    ] {
        let away = leave(&browser, "liar").await;
        let there = format!("/login/from/liar?state={}&iss={}&{query}", away.state, liar.issuer);
        let page = browser.get(&there).await;
        refused(&page, status, code);
        assert!(!page.html.contains("hush"), "the words of others are not repeated");
    }
    // A provider that does not say that it names itself need not, but must not name another.
    let mut document = liar.true_metadata();
    document["authorization_response_iss_parameter_supported"] = json!(false);
    liar.metadata(Says::Json(document));
    let server = liar.server("").await;
    let browser = server.visitor();
    let away = leave(&browser, "liar").await;
    liar.code("good", liar.tokens(&liar.claims(&server, &away.nonce, "1")));
    let page = browser.get(&format!("/login/from/liar?code=good&state={}", away.state)).await;
    assert_eq!(page.location(), "/");
}

#[tokio::test]
async fn s0_16_no_other_site_sends_people_away_and_no_provider_is_made_up() {
    let liar = Liar::open().await;
    let server = liar.server("").await;
    let browser = server.visitor();
    let mut request = crate::support::form_request("/login/with/liar", None, &[]);
    request.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
    assert_eq!(browser.send(request).await.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.post("/login/with/nobody", &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get("/login/from/nobody").await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get("/login/with/liar").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn s0_04_tokens_of_the_provider_are_in_no_answer_and_no_log_and_sealed_where_they_are_kept() {
    let liar = Liar::open().await;
    let server = liar.server("keep_tokens = true").await;
    let browser = server.visitor();
    let mut pages = Vec::new();
    let log = logged(async {
        pages.push(sign_in(&browser, &liar, "1").await);
        pages.push(browser.get("/account/identities").await);
    })
    .await;
    let kept = identities(&server).await[0].tokens.clone().expect("they are kept");
    for secret in ["upstream-access-hush", "upstream-refresh-hush", SECRET] {
        assert!(!log.contains(secret), "{secret} in the log");
        for page in &pages {
            assert!(!page.html.contains(secret) && !format!("{:?}", page.headers).contains(secret));
        }
        assert!(!kept.windows(secret.len()).any(|part| part == secret.as_bytes()));
    }
    assert!(!log.contains("ada@example.org"), "{log}");
}

#[tokio::test]
async fn s0_17_an_identity_is_never_found_by_an_address() {
    let liar = Liar::open().await;
    let server = liar.server("").await;
    assert_eq!(sign_in(&server.visitor(), &liar, "1").await.location(), "/");
    // The same address and name, another subject: another person.
    assert_eq!(sign_in(&server.visitor(), &liar, "2").await.location(), "/");
    let rows = identities(&server).await;
    assert_eq!(rows.len(), 2);
    assert_ne!(rows[0].user_id, rows[1].user_id);
    let names = server.state.store.accounts(None, 10).await.unwrap();
    let names: Vec<_> = names.into_iter().map(|a| a.username).collect();
    assert_eq!(names, ["ada", "ada.lovelace"].map(String::from).to_vec());
}

#[tokio::test]
async fn s0_17_an_address_lets_in_only_if_everybody_says_so() {
    let liar = Liar::open().await;
    // (trusted, verified there, confirmed here) and what becomes of it.
    for (trusted, there, here, outcome) in [
        (true, true, true, "linked"),
        (true, true, false, "new"),
        (true, false, true, "new"),
        (false, true, true, "refused"),
        (false, false, true, "new"),
    ] {
        let server = liar.server(if trusted { "trust_email = \"verified\"" } else { "" }).await;
        let bob = server.user("bob", crate::pages_actors::PASSWORD).await;
        let email = Some("Ada@Example.org");
        let _ = server.state.store.set_email(&bob, email, here).await.unwrap();
        let browser = server.visitor();
        let away = leave(&browser, "liar").await;
        let mut claims = liar.claims(&server, &away.nonce, "1");
        claims["email_verified"] = json!(there);
        liar.code("good", liar.tokens(&claims));
        let page = browser.get(&back(&liar, &away, "good")).await;
        let case = format!("{trusted} {there} {here}");
        match outcome {
            "refused" => {
                refused(&page, 403, "email_taken");
                assert_eq!(
                    (users(&server).await, identities(&server).await.len()),
                    (1, 0),
                    "{case}"
                );
            }
            "linked" => {
                assert_eq!(page.location(), "/");
                assert_eq!(identities(&server).await[0].user_id, bob.as_str(), "{case}");
                let letter = server.letter_to("Ada@Example.org").await;
                assert!(
                    letter.text.contains("The Liar was linked to your account bob"),
                    "{}",
                    letter.text
                );
                assert_eq!(letter.link("/account"), "http://127.0.0.1:4999/account/identities");
            }
            _ => {
                assert_eq!(page.location(), "/");
                assert_ne!(identities(&server).await[0].user_id, bob.as_str(), "{case}");
                assert_eq!(users(&server).await, 2, "{case}");
            }
        }
    }
    // Whoever is new brings a verified address along, from a provider that is trusted with it.
    let server = liar.server("trust_email = \"verified\"").await;
    sign_in(&server.visitor(), &liar, "1").await;
    let ada = server.state.store.account_by_email("ada@example.org").await.unwrap().unwrap();
    assert!(ada.email_verified);
}

#[tokio::test]
async fn s0_17_who_may_come_in() {
    let liar = Liar::open().await;
    let server = liar.server("signup = false").await;
    let browser = server.visitor();
    refused(&sign_in(&browser, &liar, "1").await, 403, "signup_closed");
    assert_eq!(users(&server).await, 0);
    let server = liar.server("").await;
    let browser = server.visitor();
    sign_in(&browser, &liar, "1").await;
    let id = UserId::new(identities(&server).await[0].user_id.clone());
    assert!(server.state.store.set_disabled(&id, true).await.unwrap());
    refused(&sign_in(&server.visitor(), &liar, "1").await, 403, "account_disabled");
    // Whoever is gone takes the identities along, and comes back as somebody new.
    assert!(server.state.store.remove_user(&id).await.unwrap());
    assert!(identities(&server).await.is_empty());
    assert_eq!(sign_in(&server.visitor(), &liar, "1").await.location(), "/");
    assert_ne!(identities(&server).await[0].user_id, id.as_str());
}

#[tokio::test]
async fn s0_17_too_many_new_accounts_from_one_address_have_to_wait() {
    use axum::extract::ConnectInfo;
    let liar = Liar::open().await;
    let toml = format!(
        "{OUTGOING}{}[throttle]\nsignup_attempts = 1\nfirst_delay = \"1m\"\n",
        liar.entry("liar", "")
    );
    let server = start_in(&toml, tempfile::tempdir().unwrap(), TestClock::new()).await;
    let mut last = None;
    for subject in ["1", "2", "3"] {
        let browser = server.visitor();
        let away = leave(&browser, "liar").await;
        liar.code("good", liar.tokens(&liar.claims(&server, &away.nonce, subject)));
        let mut request =
            http::Request::get(back(&liar, &away, "good")).body(axum::body::Body::empty()).unwrap();
        request
            .extensions_mut()
            .insert(ConnectInfo(std::net::SocketAddr::from(([198, 51, 100, 7], 1))));
        last = Some(browser.send(request).await);
    }
    refused(&last.unwrap(), 429, "too_many_requests");
    assert_eq!(users(&server).await, 2);
}

async fn link(person: &SignedIn<'_>, liar: &Liar, subject: &str) -> Page {
    let away = Away::of(&person.post("/account/identities/link", &[("provider", "liar")]).await);
    liar.code("good", liar.tokens(&liar.claims(person.server, &away.nonce, subject)));
    person.get(&back(liar, &away, "good")).await
}

#[tokio::test]
async fn s0_17_identities_are_linked_and_unlinked_on_the_account_page() {
    let liar = Liar::open().await;
    let server = liar.server("").await;
    let bob = server.signed_up("bob").await;
    let empty = bob.get("/account/identities").await;
    assert!(empty.has("no-identities") && empty.has("link-liar"), "{}", empty.html);
    assert!(empty.header("content-security-policy").contains("form-action 'self' http:"));
    assert_eq!(link(&bob, &liar, "1").await.location(), "/account/identities?done=linked");
    assert_eq!(link(&bob, &liar, "1").await.location(), "/account/identities?done=linked_before");
    let page = bob.get("/account/identities?done=linked").await;
    assert_eq!(page.by_id("identity-1"), "The Liar");
    assert!(page.html.contains("ada@example.org"));
    // It is bob who signs in with it now.
    let browser = server.visitor();
    assert_eq!(sign_in(&browser, &liar, "1").await.location(), "/");
    assert_eq!(browser.get("/account").await.by_id("who"), "bob");
    // Nobody else can have it.
    let eve = server.signed_up("eve").await;
    refused(&link(&eve, &liar, "1").await, 409, "identity_taken");
    let id = page.value("identity");
    let form = [("identity", &*id)];
    let done = eve.post("/account/identities/unlink", &form).await;
    assert_eq!(done.location(), "/account/identities?done=unlinked_before");
    assert_eq!(identities(&server).await.len(), 1);
    let done = bob.post("/account/identities/unlink", &form).await;
    assert_eq!(done.location(), "/account/identities?done=unlinked");
    assert!(identities(&server).await.is_empty());
}

#[tokio::test]
async fn s0_17_a_provider_does_not_stand_for_the_second_factor_unless_it_may() {
    let liar = Liar::open().await;
    for (more, asked) in [("", true), ("second_factor = false", false)] {
        let server = liar.server(more).await;
        let bob = server.signed_up("bob").await;
        let (app, _) = crate::second_factor::enrol(&bob).await;
        assert_eq!(link(&bob, &liar, "1").await.location(), "/account/identities?done=linked");
        let browser = server.visitor();
        let page = sign_in(&browser, &liar, "1").await;
        if !asked {
            assert_eq!(page.location(), "/");
            assert_eq!(browser.get("/account").await.by_id("who"), "bob");
            continue;
        }
        assert_eq!(page.location(), "/login/second-factor");
        assert!(browser.cookie("oauth_session").is_none(), "half a sign-in is none");
        let page = browser.post("/login/second-factor", &[("code", &app.code(&server))]).await;
        assert_eq!(page.location(), "/");
        assert_eq!(browser.get("/account").await.by_id("who"), "bob");
        let sessions = session::Entity::find().all(server.state.store.database()).await.unwrap();
        assert!(sessions.iter().any(|s| s.amr == "fed otp mfa"), "{sessions:?}");
    }
}

#[tokio::test]
async fn a_second_factor_that_is_demanded_is_set_up_after_a_provider_that_does_not_stand_for_it() {
    let liar = Liar::open().await;
    for (more, asked) in [("second_factor = true\n", true), ("second_factor = false\n", false)] {
        let server = liar.server(&format!("{more}{EVERYBODY}")).await;
        let browser = server.visitor();
        let page = sign_in(&browser, &liar, "1").await;
        if !asked {
            assert_eq!(page.location(), "/");
            assert_eq!(browser.get("/account").await.by_id("who"), "ada", "its word is believed");
            continue;
        }
        assert_eq!(page.location(), SET_UP);
        assert!(browser.cookie("oauth_session").is_none(), "half a sign-in is none");
        let app = crate::second_factor::App::given(&browser.get(SET_UP).await);
        let page = browser.post(SET_UP, &[("code", &app.code(&server))]).await;
        assert_eq!(page.href("kept"), "/", "{}", page.html);
        let sessions = session::Entity::find().all(server.state.store.database()).await.unwrap();
        assert!(sessions.iter().any(|s| s.amr == "fed otp mfa"), "{sessions:?}");
    }
}

#[tokio::test]
async fn s0_17_the_last_way_to_sign_in_stays() {
    let liar = Liar::open().await;
    let server = liar.server("").await;
    let browser = server.visitor();
    sign_in(&browser, &liar, "1").await;
    let id = browser.get("/account/identities").await.value("identity");
    let form = [("identity", &*id)];
    let page = browser.post("/account/identities/unlink", &form).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.has("problem"));
    assert_eq!(identities(&server).await.len(), 1);
    // With a second one the first may go.
    let away = Away::of(&browser.post("/account/identities/link", &[("provider", "liar")]).await);
    liar.code("good", liar.tokens(&liar.claims(&server, &away.nonce, "2")));
    browser.get(&back(&liar, &away, "good")).await;
    let done = browser.post("/account/identities/unlink", &form).await;
    assert_eq!(done.location(), "/account/identities?done=unlinked");
    assert_eq!(identities(&server).await.len(), 1);
}

#[tokio::test]
async fn s0_17_linking_needs_a_recent_sign_in_and_the_same_person() {
    let liar = Liar::open().await;
    let server = liar.server("").await;
    let bob = server.signed_up("bob").await;
    let away = Away::of(&bob.post("/account/identities/link", &[("provider", "liar")]).await);
    liar.code("good", liar.tokens(&liar.claims(&server, &away.nonce, "1")));
    // Meanwhile somebody else signed in in this browser.
    server.user("carol", crate::pages_actors::PASSWORD).await;
    let form = [("username", "carol"), ("password", crate::pages_actors::PASSWORD)];
    assert_eq!(bob.post("/login", &form).await.location(), "/");
    refused(&bob.get(&back(&liar, &away, "good")).await, 403, "link_other_user");
    assert!(identities(&server).await.is_empty());
    server.clock.advance(Duration::from_hours(1));
    for (path, form) in [
        ("/account/identities/link", [("provider", "liar")]),
        ("/account/identities/unlink", [("identity", "AAAA")]),
    ] {
        assert_eq!(bob.post(path, &form).await.location(), "/login?to=identities");
    }
    assert_eq!(bob.get("/login?to=identities").await.status, StatusCode::OK);
    let nobody = server.visitor();
    let page = nobody.post("/account/identities/link", &[("provider", "liar")]).await;
    assert_eq!(page.location(), "/login?to=identities");
}

#[tokio::test]
async fn s0_02_who_has_to_sign_in_anew_is_asked_anew_there() {
    let liar = Liar::open().await;
    for (more, auth_time, expected) in [
        ("", None, Some("sign_in_not_fresh")),
        ("", Some(-3600), Some("sign_in_not_fresh")),
        ("", Some(0), None),
        ("danger_trust_session = true", None, None),
    ] {
        let server = liar.server(more).await;
        server.relying_party("rp", &[]).await;
        let browser = server.visitor();
        let login = browser.authorize("rp", &[("scope", "openid"), ("prompt", "login")]).await;
        let form = [("interaction", &*interaction(&login))];
        let away = Away::of(&browser.post("/login/with/liar", &form).await);
        assert_eq!(parameter(&away.url, "prompt").as_deref(), Some("login"));
        assert_eq!(parameter(&away.url, "max_age").as_deref(), Some("0"));
        let mut claims = liar.claims(&server, &away.nonce, "1");
        match auth_time {
            Some(offset) => {
                claims["auth_time"] = json!(claims["iat"].as_i64().unwrap() + offset);
            }
            None => drop(claims.as_object_mut().unwrap().remove("auth_time")),
        }
        liar.code("good", liar.tokens(&claims));
        let page = browser.get(&back(&liar, &away, "good")).await;
        match expected {
            Some(code) => refused(&page, 403, code),
            None => assert!(page.header("location").starts_with("/consent"), "{more}: {page:?}"),
        }
    }
}

#[tokio::test]
async fn s0_02_a_server_without_openid_connect_is_asked_who_it_is() {
    let liar = Liar::open().await;
    let toml = format!(
        "{OUTGOING}[[upstream]]\nid = \"liar\"\nauthorization_endpoint = \"{0}/authorize\"\ntoken_endpoint = \"{0}/token\"\n\
         userinfo_endpoint = \"{0}/userinfo\"\nclient_id = \"{CLIENT}\"\nclient_secret = \"{SECRET}\"\nscopes = [\"read:user\"]\n\
         parameters = [\"allow_signup=false\"]\n",
        liar.issuer
    );
    let server = start_in(&toml, tempfile::tempdir().unwrap(), TestClock::new()).await;
    let bare = json!({"access_token": "upstream-access-hush", "token_type": "bearer", "scope": "read:user"});
    liar.code("good", Says::Json(bare));
    let come = async || {
        let browser = server.visitor();
        let away = leave(&browser, "liar").await;
        assert_eq!(parameter(&away.url, "scope").as_deref(), Some("read:user"));
        assert_eq!(parameter(&away.url, "allow_signup").as_deref(), Some("false"));
        assert_eq!(parameter(&away.url, "nonce"), None);
        browser.get(&format!("/login/from/liar?code=good&state={}", away.state)).await
    };
    for says in [Says::Json(json!({"login": "ada"})), Says::Status(404), Says::Text("no")] {
        liar.userinfo(says);
        refused(&come().await, 502, "upstream_userinfo");
    }
    liar.userinfo(Says::Json(json!({"id": 4711, "login": "Ada", "name": null, "email": null})));
    assert_eq!(come().await.location(), "/");
    assert_eq!(come().await.location(), "/");
    assert_eq!(liar.asked().pop().unwrap().authorization, "Bearer upstream-access-hush");
    let rows = identities(&server).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (&*rows[0].subject, &*rows[0].issuer),
        ("4711", &*format!("{}/userinfo", liar.issuer))
    );
    assert_eq!(users(&server).await, 1);
}

/// Two processes on one database that know the same provider.
async fn two(liar: &Liar, database: &TestDatabase) -> (Server, Server) {
    two_on(database, &format!("{OUTGOING}{}", liar.entry("liar", ""))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn s0_02_of_two_returns_with_one_state_one_counts() {
    let (liar, database) = (Liar::open().await, TestDatabase::postgres().await);
    let (one, other) = two(&liar, &database).await;
    for round in 0..8 {
        let (a, b) = (one.visitor(), other.visitor());
        let away = leave(&a, "liar").await;
        b.plant("oauth_upstream", &a.cookie("oauth_upstream").unwrap());
        liar.code("good", liar.tokens(&liar.claims(&one, &away.nonce, "1")));
        let there = back(&liar, &away, "good");
        let (first, second) = join(a.get(&there), b.get(&there)).await;
        let mut statuses = [first.status.as_u16(), second.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 400], "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s0_17_two_first_sign_ins_at_once_make_one_account() {
    let (liar, database) = (Liar::open().await, TestDatabase::postgres().await);
    let (one, other) = two(&liar, &database).await;
    for round in 1..=8 {
        let subject = format!("subject-{round}");
        let (a, b) = (one.visitor(), other.visitor());
        let (first, second) = (leave(&a, "liar").await, leave(&b, "liar").await);
        liar.code("a", liar.tokens(&liar.claims(&one, &first.nonce, &subject)));
        liar.code("b", liar.tokens(&liar.claims(&one, &second.nonce, &subject)));
        let (there, too) = (back(&liar, &first, "a"), back(&liar, &second, "b"));
        let (first, second) = join(a.get(&there), b.get(&too)).await;
        assert_eq!((first.location(), second.location()), ("/", "/"));
        assert_eq!(users(&one).await, round, "round {round}");
    }
    let count = identity::Entity::find().count(one.state.store.database()).await.unwrap();
    assert_eq!(count, 8);
}

#[test]
fn s0_02_providers_that_cannot_work_are_named() {
    use oauth_server::config::{Sources, load};
    let check = |mode: &str, entry: &str| -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("social.toml");
        std::fs::write(&path, format!("mode = \"{mode}\"\n{entry}")).unwrap();
        match load(&Sources { files: vec![path], ..Sources::default() }) {
            Ok(_) => String::new(),
            Err(problems) => problems.to_string(),
        }
    };
    let good = format!(
        "[[upstream]]\nid = \"a\"\nissuer = \"https://op.example\"\nclient_id = \"c\"\nclient_secret = \"{SECRET}\"\n"
    );
    assert_eq!(check("testing", &good), "");
    assert!(!check("production", &good).contains("upstream"));
    for (from, to, key) in [
        ("id = \"a\"", "id = \"A/b\"", "upstream[0].id"),
        ("https://op.example", "http://op.example", "upstream[0].issuer"),
        ("https://op.example", "https://op.example?a=b", "upstream[0].issuer"),
        ("client_id = \"c\"\n", "", "upstream[0].client_id"),
        (&*format!("client_secret = \"{SECRET}\"\n"), "", "upstream[0].client_secret"),
        ("issuer = \"https://op.example\"\n", "", "upstream[0].token_endpoint"),
        (
            "client_id = \"c\"\n",
            "client_id = \"c\"\ntoken_endpoint = \"https://op.example/t\"\n",
            "upstream[0].token_endpoint",
        ),
        (
            "client_id = \"c\"\n",
            "client_id = \"c\"\nauth_method = \"none\"\n",
            "upstream[0].client_secret",
        ),
        (
            "client_id = \"c\"\n",
            "client_id = \"c\"\nparameters = [\"state=x\"]\n",
            "upstream[0].parameters",
        ),
        (
            "client_id = \"c\"\n",
            "client_id = \"c\"\nparameters = [\"x\"]\n",
            "upstream[0].parameters",
        ),
    ] {
        let problems = check("testing", &good.replace(from, to));
        assert!(problems.contains(key), "{key}: {problems}");
    }
    assert!(check("testing", &format!("{good}{good}")).contains("upstream[1].id"));
    let placeholder = good.replace(SECRET, "changeme");
    assert!(check("production", &placeholder).contains("upstream[0].client_secret"));
}
