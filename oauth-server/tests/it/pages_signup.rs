//! `/signup`.

use crate::{
    pages_actors::{PASSWORD, interaction},
    support::start,
};
use http::StatusCode;
use oauth_core::model::Access;

/// A form with one field in place of another.
fn form<'a>(name: &'a str, password: &'a str) -> [(&'a str, &'a str); 2] {
    [("username", name), ("password", password)]
}

async fn rights_of(server: &crate::support::Server, name: &str) -> Vec<(String, Access)> {
    let account = server.state.store.account_by_name(name).await.unwrap().unwrap();
    let rights = server.state.users.rights(&account.id).await.unwrap();
    rights.into_iter().map(|r| (r.api, r.access)).collect()
}

#[tokio::test]
async fn signing_up_signs_in() {
    let server = start("").await;
    let ada = server.visitor();
    let page = ada.get("/signup").await;
    assert_eq!(
        (page.status, page.by_id("main").contains("Create an account")),
        (StatusCode::OK, true)
    );
    let page = ada.post("/signup", &form(" Ada ", PASSWORD)).await;
    assert_eq!(page.location(), "/");
    let cookie = page.header("set-cookie");
    assert!(
        cookie.starts_with("oauth_session=") && cookie.contains("; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    assert!(
        ada.get("/").await.by_id("nav-logout").contains("Ada"),
        "the name is kept without the spaces"
    );
    assert_eq!(ada.get("/signup").await.location(), "/");
}

#[tokio::test]
async fn a_field_that_nobody_sees_is_left_empty_by_people() {
    for (honeypot, website, made) in
        [(true, "https://spam.example", false), (true, "", true), (false, "x", true)]
    {
        let server = start(&format!("[signup]\nhoneypot = {honeypot}\n")).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/signup").await.has("website"), honeypot);
        let [name, password] = form("ada", PASSWORD);
        let page = visitor.post("/signup", &[name, password, ("website", website)]).await;
        let account = server.state.store.account_by_name("ada").await.unwrap();
        assert_eq!(account.is_some(), made, "{honeypot} {website}");
        if !made {
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert_eq!((page.problems(), &*page.value("username")), (vec!["username"], "ada"));
        }
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_at_once_and_the_rest_is_kept() {
    let server = start("").await;
    let ada = server.visitor();
    let bad = [
        ("username", "two <words>"),
        ("password", "short"),
        ("right:query", "all"),
        ("right:node", "write"),
    ];
    let page = ada.post("/signup", &bad).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(page.problems(), ["username", "password", "rights"]);
    assert_eq!((&*page.value("username"), &*page.value("password")), ("two <words>", ""));
    assert!(page.html.contains("id=\"right-node-write\" value=\"write\" checked"), "{}", page.html);
    assert!(
        page.html
            .contains("aria-invalid=\"true\" aria-describedby=\"username-hint username-problem\"")
    );
    assert!(!page.html.contains("short"), "a password is never in a page");
    for (name, password, fields) in [
        ("", PASSWORD, &["username"][..]),
        ("ada", "", &["password"]),
        ("ada", "1234567", &["password"]),
        ("ada", "Password1!", &["password"]),
        ("ada.lovelace", "ADA.lovelace", &["password"]),
        (&"a".repeat(65), PASSWORD, &["username"]),
        ("ada", &"x".repeat(1025), &["password"]),
        ("a\u{202e}b", PASSWORD, &["username"]),
        ("", "", &["username", "password"]),
    ] {
        let page = ada.post("/signup", &form(name, password)).await;
        assert_eq!(
            (page.status, page.problems()),
            (StatusCode::UNPROCESSABLE_ENTITY, fields.to_vec()),
            "{name}"
        );
    }
    assert_eq!(
        ada.post("/signup", &form("ada", &"x y ".repeat(256))).await.location(),
        "/",
        "long ones are welcome"
    );
}

#[tokio::test]
async fn a_taken_name_is_refused_whatever_its_case() {
    let server = start("").await;
    server.signed_up("Ada").await;
    for name in ["Ada", "ada", " ADA "] {
        let page = server.visitor().post("/signup", &form(name, PASSWORD)).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(page.problems(), ["username"]);
        assert!(page.by_id("username-problem").contains("taken"));
        assert_eq!(page.header("set-cookie"), "");
    }
}

#[tokio::test]
async fn two_at_once_make_one_account() {
    let server = start("").await;
    let (one, two) = (server.visitor(), server.visitor());
    let taken = form("ada", PASSWORD);
    let (one, two) = tokio::join!(one.post("/signup", &taken), two.post("/signup", &taken));
    let mut statuses = [one.status, two.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::SEE_OTHER, StatusCode::UNPROCESSABLE_ENTITY]);
}

#[tokio::test]
async fn rights_are_what_one_chose_where_one_may() {
    let server = start("[signup]\naccess_rights = \"choose\"").await;
    let page = server.visitor().get("/signup").await;
    assert!(
        page.html.contains(
            "name=\"right:connection\" id=\"right-connection-read\" value=\"read\" checked"
        )
    );
    server.signed_up("ada").await;
    let own = |api: &str, access| (api.to_owned(), access);
    let expected = [
        own("connection", Access::Write),
        own("node", Access::None),
        own("query", Access::Read),
        own("registration", Access::None),
    ];
    assert_eq!(rights_of(&server, "ada").await, expected);
}

#[tokio::test]
async fn rights_are_not_what_one_chose_where_one_may_not() {
    for (setting, expected) in [
        ("access_rights = \"none\"", Access::None),
        ("access_rights = \"fixed\"\ndefault_access = \"read\"", Access::Read),
    ] {
        let server = start(&format!("[signup]\n{setting}")).await;
        assert!(!server.visitor().get("/signup").await.has("rights"));
        server.signed_up("mallory").await;
        let rights = rights_of(&server, "mallory").await;
        assert!(rights.len() == 4 && rights.iter().all(|(_, a)| *a == expected), "{rights:?}");
    }
}

#[tokio::test]
async fn signing_up_can_be_closed() {
    let server = start("[signup]\nopen = false").await;
    let ada = server.visitor();
    for page in [ada.get("/signup").await, ada.post("/signup", &form("ada", PASSWORD)).await] {
        assert_eq!(
            (page.status, &*page.by_id("error-code")),
            (StatusCode::FORBIDDEN, "signup_closed")
        );
    }
    assert!(!ada.get("/").await.has("signup") && !ada.get("/login").await.has("signup"));
    assert_eq!(server.state.store.account_by_name("ada").await.unwrap(), None);
}

#[tokio::test]
async fn many_accounts_from_one_place_take_time() {
    let server = start("[throttle]\nsignup_attempts = 2").await;
    for name in ["a", "b"] {
        server.signed_up(name).await;
    }
    let third = async || server.visitor().post("/signup", &form("c", PASSWORD)).await;
    while third().await.status == StatusCode::SEE_OTHER {}
    let page = third().await;
    assert_eq!((page.status, page.problems()), (StatusCode::TOO_MANY_REQUESTS, vec!["username"]));
    assert!(page.header("retry-after").parse::<u64>().unwrap() > 0);
}

#[tokio::test]
async fn whoever_signs_up_for_an_application_goes_on_to_it() {
    let server = start("").await;
    let maker = server.signed_up("maker").await;
    let client = maker.create_client(&[]).await;
    let ada = server.visitor();
    let login = ada.authorize(&client.id, &[]).await;
    let page = ada.get(&login).await;
    let link = page.html.split("href=\"/signup").nth(1).unwrap().split('"').next().unwrap();
    let page = ada.get(&format!("/signup{link}")).await;
    assert_eq!(page.by_id("client-name"), "Camera wall");
    let id = interaction(&login);
    assert_eq!(page.value("interaction"), id);
    let bad = [("username", "ada"), ("password", "short"), ("interaction", &id)];
    assert_eq!(
        ada.post("/signup", &bad).await.value("interaction"),
        id,
        "a mistake does not lose the way"
    );
    let good = [("username", "ada"), ("password", PASSWORD), ("interaction", &id)];
    let page = ada.post("/signup", &good).await;
    assert!(page.location().starts_with("/consent?interaction="), "{}", page.location());
    assert_eq!(ada.get(page.location()).await.by_id("who"), "ada");
}

const CREATE: [(&str, &str); 2] = [("scope", "openid"), ("prompt", "create")];

#[tokio::test]
async fn prompt_create_4_1_the_form_comes_first_with_a_way_to_sign_in() {
    let server = start("").await;
    server.relying_party("rp", &[]).await;
    let ada = server.visitor();
    let to = ada.authorize("rp", &CREATE).await;
    assert!(to.starts_with("/signup?interaction="), "{to}");
    let page = ada.get(&to).await;
    assert_eq!((&*page.by_id("client-name"), page.has("known")), ("Camera wall", false));
    assert_eq!(page.href("login"), format!("/login?interaction={}", interaction(&to)));
    assert!(ada.get(&page.href("login")).await.has("login-form"));
    let id = interaction(&to);
    let form = [&form("ada", PASSWORD)[..], &[("interaction", &*id)]].concat();
    let consent = ada.post("/signup", &form).await.location().to_owned();
    assert_eq!(ada.get(&consent).await.by_id("who"), "ada");
}

#[tokio::test]
async fn prompt_create_4_1_whoever_is_signed_in_may_make_another_account_or_not() {
    let server = start("").await;
    server.relying_party("rp", &[]).await;
    let ada = server.signed_up("ada").await;
    let to = ada.authorize("rp", &CREATE).await;
    let page = ada.get(&to).await;
    assert!(page.by_id("known").contains("You are signed in as ada"), "{}", page.html);
    let login = page.href("login");
    assert_eq!(ada.get(&login).await.by_id("continue"), "Continue as ada");
    let id = interaction(&login);
    let page = ada.post("/login", &[("interaction", &id), ("continue", "ada")]).await;
    assert_eq!(ada.get(page.location()).await.by_id("who"), "ada");
    let id = interaction(&ada.authorize("rp", &CREATE).await);
    let form = [&form("eve", PASSWORD)[..], &[("interaction", &*id)]].concat();
    let page = ada.post("/signup", &form).await;
    assert_eq!(ada.get(page.location()).await.by_id("who"), "eve");
}

#[tokio::test]
async fn prompt_create_4_1_where_signing_up_is_closed_people_sign_in() {
    let server = start("[signup]\nopen = false").await;
    server.relying_party("rp", &[]).await;
    let values = server.state.provider.metadata()["prompt_values_supported"].as_array().unwrap();
    assert!(!values.contains(&"create".into()), "{values:?}");
    server.user("ada", PASSWORD).await;
    for signed_in in [false, true] {
        let ada = server.visitor().sign_in("ada").await;
        if !signed_in {
            ada.post("/logout", &[]).await;
        }
        let to = ada.authorize("rp", &CREATE).await;
        assert!(to.starts_with("/login?"), "{to}");
        let page = ada.get(&to).await;
        assert!(!page.has("signup") && page.has("continue") == signed_in);
        let id = interaction(&to);
        let answer = if signed_in { ("continue", "ada") } else { ("password", PASSWORD) };
        let form = [("interaction", &*id), ("username", "ada"), answer];
        let page = ada.post("/login", &form).await;
        assert_eq!(ada.get(page.location()).await.by_id("who"), "ada");
    }
}
