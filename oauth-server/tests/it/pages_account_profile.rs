//! `/account/profile`: the standard claims of
//! [OpenID Connect Core 5.1](https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims).

use crate::{
    pages_actors::{PASSWORD, SignedIn},
    support::{Server, form_request, start},
};
use futures_util::future::join_all;
use http::StatusCode;
use oauth_core::{model::UserId, ports::Users as _, testing::TestDatabase};
use oauth_server::profile::{self, Flag};
use serde_json::{Value, json};
use std::time::Duration;

const PATH: &str = "/account/profile";

/// Every field with something good in it.
const ALL: [(&str, &str); 20] = [
    ("name", "Ada Lovelace"),
    ("given_name", "Augusta Ada"),
    ("middle_name", "King"),
    ("family_name", "Lovelace"),
    ("nickname", "Ada"),
    ("preferred_username", "countess"),
    ("phone_number", "+44 20 7946 0958"),
    ("picture", "https://ada.example/me.jpg"),
    ("profile", "https://ada.example/about"),
    ("website", "http://ada.example"),
    ("birthdate", "1815-12-10"),
    ("gender", "female"),
    ("locale", "en-GB"),
    ("zoneinfo", "Europe/London"),
    ("formatted", "12 St James's Square\r\nLondon"),
    ("street_address", "12 St James's Square"),
    ("postal_code", "SW1Y 4JH"),
    ("locality", "London"),
    ("region", "Westminster"),
    ("country", "United Kingdom"),
];

async fn stored(server: &Server, id: &UserId) -> Value {
    Value::Object(server.state.store.profile(id).await.unwrap())
}

async fn verify(server: &Server, id: &UserId, flag: Flag) {
    let now = server.state.now();
    let with = move |current: &serde_json::Map<String, Value>| {
        let mut profile = current.clone();
        assert!(flag.set(&mut profile, true, now));
        Some(profile)
    };
    let changed = profile::change(&server.state.store, id, with).await.unwrap();
    changed.unwrap().expect("there is this user");
}

#[tokio::test]
async fn s5_1_every_claim_can_be_written_and_comes_back() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let page = ada.post(PATH, &ALL).await;
    assert_eq!(page.location(), "/account/profile?done=saved");
    let page = ada.get(page.location()).await;
    assert_eq!(page.by_id("notice"), "Saved.");
    for (field, text) in ALL {
        let shown = match field {
            "formatted" | "street_address" => page.by_id(field),
            field => page.value(field),
        };
        let kept = match field {
            "phone_number" => "+442079460958".to_owned(),
            _ => text.replace('\r', ""),
        };
        assert_eq!(shown, kept, "{field}");
    }
    let expected = json!({
        "name": "Ada Lovelace", "given_name": "Augusta Ada", "middle_name": "King",
        "family_name": "Lovelace", "nickname": "Ada", "preferred_username": "countess",
        "phone_number": "+442079460958", "phone_number_verified": false,
        "picture": "https://ada.example/me.jpg", "profile": "https://ada.example/about",
        "website": "http://ada.example", "birthdate": "1815-12-10", "gender": "female",
        "locale": "en-GB", "zoneinfo": "Europe/London",
        "address": {
            "formatted": "12 St James's Square\nLondon", "street_address": "12 St James's Square",
            "postal_code": "SW1Y 4JH", "locality": "London", "region": "Westminster",
            "country": "United Kingdom",
        },
        "updated_at": server.state.now().unix(),
    });
    assert_eq!(stored(&server, &ada.id).await, expected);
    let claims = server.state.users.profile(&ada.id).await.unwrap();
    assert_eq!(Value::Object(claims), expected, "what the protocol reads");
}

/// Each field with something bad, and what is said about it.
fn wrong() -> Vec<(&'static str, String, &'static str)> {
    let web = "Give a full web address that begins with https:// or http://.";
    let number = "Write the number with its country code, such as +44 20 7946 0958.";
    let invisible = "Leave out invisible and control characters.";
    let long = "a".repeat(201);
    let very_long = "a".repeat(1001);
    let (line, text) = ("Use at most 200 characters.", "Use at most 1000 characters.");
    [
        ("name", "a\u{202e}b", invisible),
        ("given_name", &*long, line),
        ("middle_name", "a\u{200b}b", invisible),
        ("family_name", "a\u{7}b", invisible),
        ("nickname", &long, line),
        ("preferred_username", &long, line),
        ("phone_number", "020 7946 0958", number),
        (
            "phone_number",
            "+44 (0)20 7946 0958",
            "Leave out the (0): from abroad it is not dialled.",
        ),
        ("picture", "javascript:alert(1)", web),
        ("profile", "ada.example", web),
        ("website", "ftp://ada.example", web),
        (
            "birthdate",
            "1815-02-29",
            "Write the date as 1815-12-10, the year alone as 1815, or the day without the year as 0000-12-10.",
        ),
        ("gender", &long, line),
        ("locale", "en_GB", "Give a language such as en, en-GB or pt-BR, with hyphens."),
        (
            "zoneinfo",
            "London time",
            "Give the name of a time zone such as Europe/Paris or America/New_York.",
        ),
        ("formatted", &very_long, text),
        ("street_address", "a\u{202e}b", invisible),
        ("postal_code", &long, line),
        ("locality", "a\u{feff}b", invisible),
        ("region", &long, line),
        ("country", "a\nb", invisible),
    ]
    .map(|(field, bad, why)| (field, bad.to_owned(), why))
    .into()
}

#[tokio::test]
async fn s5_1_each_claim_that_is_wrong_is_said_at_its_field() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    ada.post(PATH, &ALL).await;
    let before = stored(&server, &ada.id).await;
    for (field, bad, why) in wrong() {
        let form: Vec<_> = ALL
            .iter()
            .map(|&(name, good)| (name, if name == field { &*bad } else { good }))
            .collect();
        let page = ada.post(PATH, &form).await;
        assert_eq!(
            (page.status, page.problems()),
            (StatusCode::UNPROCESSABLE_ENTITY, vec![field]),
            "{field}: {}",
            page.html
        );
        assert_eq!(page.by_id(&format!("{field}-problem")), why, "{field}");
        if field != "name" {
            assert_eq!(page.value("name"), "Ada Lovelace", "what was typed stays");
        }
    }
    assert_eq!(stored(&server, &ada.id).await, before, "nothing was written");
}

#[tokio::test]
async fn everything_wrong_is_said_at_once() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let page = ada.post(PATH, &[("phone_number", "x"), ("locality", "a\u{0}")]).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST, "a NUL is no text at all");
    let page = ada.post(PATH, &[("website", "x"), ("phone_number", "x"), ("locale", "x")]).await;
    assert_eq!(page.problems(), ["phone_number", "website", "locale"]);
    assert_eq!(page.value("website"), "x", "what was typed stays");
    assert_eq!(stored(&server, &ada.id).await, json!({}));
}

#[tokio::test]
async fn nothing_empty_is_kept() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let nothing: Vec<_> = ALL.iter().map(|(name, _)| (*name, " ")).collect();
    let page = ada.post(PATH, &nothing).await;
    assert_eq!(page.location(), "/account/profile?done=unchanged");
    assert_eq!(ada.get(page.location()).await.by_id("notice"), "Nothing was changed.");
    assert_eq!(stored(&server, &ada.id).await, json!({}));
    ada.post(PATH, &ALL).await;
    ada.post(PATH, &nothing).await;
    let now = server.state.now().unix();
    assert_eq!(stored(&server, &ada.id).await, json!({"updated_at": now}));
}

#[tokio::test]
async fn s5_1_updated_at_is_the_time_of_the_last_change() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    ada.post(PATH, &ALL).await;
    let begin = server.state.now().unix();
    server.clock.advance(Duration::from_mins(1));
    assert_eq!(ada.post(PATH, &ALL).await.location(), "/account/profile?done=unchanged");
    assert_eq!(stored(&server, &ada.id).await["updated_at"], begin);
    ada.post(PATH, &[("nickname", "Countess")]).await;
    let profile = stored(&server, &ada.id).await;
    assert_eq!(profile, json!({"nickname": "Countess", "updated_at": begin + 60}));
}

#[tokio::test]
async fn s5_1_the_preferred_username_is_the_user_name_unless_there_is_another() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let preferred =
        async || server.state.users.profile(&ada.id).await.unwrap()["preferred_username"].clone();
    assert_eq!(preferred().await, "ada");
    assert_eq!(ada.get(PATH).await.by_id("preferred_username-hint"), "Left empty, it is ada.");
    ada.post(PATH, &[("preferred_username", "countess")]).await;
    assert_eq!(preferred().await, "countess");
    let nobody = UserId::new("nobody");
    assert!(server.state.users.profile(&nobody).await.unwrap().is_empty());
}

#[tokio::test]
async fn s5_1_nobody_verifies_what_is_said_about_oneself() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let claims = [
        ("email", "ada@example.org"),
        ("phone_number", "+442079460958"),
        ("email_verified", "true"),
        ("phone_number_verified", "true"),
        ("updated_at", "1"),
        ("sub", "eve"),
    ];
    ada.post(PATH, &claims).await;
    let profile = stored(&server, &ada.id).await;
    let now = server.state.now().unix();
    assert_eq!(
        profile,
        json!({"phone_number": "+442079460958", "phone_number_verified": false, "updated_at": now}),
        "the address has a page of its own"
    );
    assert_eq!(ada.get(PATH).await.by_id("phone_number-hint"), "Not verified.");
}

#[tokio::test]
async fn s5_1_what_changes_is_no_longer_verified() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let flags = async || {
        let profile = stored(&server, &ada.id).await;
        (profile["email_verified"].clone(), profile["phone_number_verified"].clone())
    };
    ada.post(PATH, &ALL).await;
    let _ = server.state.store.set_email(&ada.id, Some("ada@example.org"), false).await.unwrap();
    verify(&server, &ada.id, Flag::Email).await;
    verify(&server, &ada.id, Flag::PhoneNumber).await;
    let page = ada.get(PATH).await;
    assert_eq!(
        (&*page.by_id("email"), &*page.by_id("email-hint")),
        ("ada@example.org", "confirmed")
    );
    assert!(page.by_id("phone_number-hint").starts_with("Verified."));
    let both = |email, number| [("email", email), ("phone_number", number)];
    ada.post(PATH, &both("eve@example.org", "+44 20 7946 0958")).await;
    assert_eq!(flags().await, (true.into(), true.into()), "the same stays verified");
    assert_eq!(stored(&server, &ada.id).await["email"], "ada@example.org");
    ada.post(PATH, &both("eve@example.org", "+442079460959")).await;
    assert_eq!(flags().await, (true.into(), false.into()));
    ada.post(PATH, &both("eve@example.org", "+442079460958")).await;
    assert_eq!(flags().await, (true.into(), false.into()), "and does not become so again");
    ada.post(PATH, &both("", "")).await;
    assert_eq!(flags().await, (true.into(), Value::Null));
}

#[tokio::test]
async fn who_saves_does_not_undo_what_somebody_else_just_said() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let server = start(&format!("[database]\nurl = {:?}", database.url())).await;
        let ada = server.signed_up("ada").await;
        ada.post(PATH, &ALL).await;
        let address = Some("ada@example.org");
        let _ = server.state.store.set_email(&ada.id, address, false).await.unwrap();
        let nicknames: Vec<String> = (0..8).map(|i| format!("A{i}")).collect();
        let posts = nicknames.iter().map(|nickname| {
            let ada = &ada;
            let form = ALL.map(
                |(name, text)| if name == "nickname" { (name, &**nickname) } else { (name, text) },
            );
            async move { ada.post(PATH, &form).await }
        });
        let (saved, ()) = tokio::join!(join_all(posts), verify(&server, &ada.id, Flag::Email));
        assert!(saved.iter().all(|page| page.location() == "/account/profile?done=saved"));
        let profile = stored(&server, &ada.id).await;
        assert_eq!(profile["email_verified"], true, "{profile}");
        assert!(nicknames.iter().any(|nickname| profile["nickname"] == **nickname));
    }
}

#[tokio::test]
async fn a_profile_is_of_one_person_alone() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let eve: SignedIn<'_> = server.signed_up("eve").await;
    ada.post(PATH, &ALL).await;
    eve.post(PATH, &[("name", "Eve"), ("sub", ada.id.as_str()), ("username", "ada")]).await;
    assert_eq!(stored(&server, &ada.id).await["name"], "Ada Lovelace");
    assert!(!eve.get(PATH).await.html.contains("Lovelace"));
}

#[tokio::test]
async fn no_other_site_changes_a_profile() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let mut request = form_request(PATH, None, &ALL);
    request.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
    request.headers_mut().insert("host", "127.0.0.1:4999".parse().unwrap());
    let page = ada.send(request).await;
    assert_eq!(
        (page.status, &*page.by_id("error-code")),
        (StatusCode::FORBIDDEN, "cross_site_request")
    );
    assert_eq!(stored(&server, &ada.id).await, json!({}));
    let page = ada.post(PATH, &[("name", "a"), ("name", "b")]).await;
    assert_eq!(
        (page.status, &*page.by_id("error-code")),
        (StatusCode::BAD_REQUEST, "invalid_request")
    );
}

#[tokio::test]
async fn nothing_said_becomes_markup() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let evil = "</p></textarea><script>alert(1)</script>\"'><img src=x>";
    let form = [("name", evil), ("formatted", evil)];
    ada.post(PATH, &form).await;
    let wrong = [&form[..], &[("website", evil), ("country", evil)]].concat();
    let pages = [ada.get(PATH).await, ada.post(PATH, &wrong).await];
    for page in pages {
        assert!(!page.html.contains("<script") && !page.html.contains("<img"), "{}", page.html);
        assert_eq!(page.value("name"), evil);
        assert!(
            page.html.contains(">\n&#60;/p&#62;&#60;/textarea&#62;&#60;script"),
            "{}",
            page.html
        );
    }
}

#[tokio::test]
async fn users_of_the_configuration_bring_their_claims() {
    let server = start(
        "[[user]]\nname = \"ada\"\npassword = \"nine lives and a lantern\"\n[user.claims]\nname = \"Ada Lovelace\"\n\
         email = \"ada@example.org\"\nemail_verified = true\nphone_number = \"+44 20 7946 0958\"\n\
         address = { locality = \"London\", country = \"United Kingdom\" }\n",
    )
    .await;
    let account = server.state.store.account_by_name("ada").await.unwrap().unwrap();
    let now = server.state.now().unix();
    assert_eq!(
        stored(&server, &account.id).await,
        json!({"name": "Ada Lovelace", "email": "ada@example.org", "email_verified": true,
               "phone_number": "+442079460958", "phone_number_verified": false,
               "address": {"locality": "London", "country": "United Kingdom"}, "updated_at": now})
    );
    let ada = server.visitor();
    ada.post("/login", &[("username", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(ada.get(PATH).await.value("locality"), "London");
}
