//! `/admin/users`.

use crate::{
    pages_actors::{PASSWORD, Page, SignedIn},
    pages_admin::{administrator, once, refused},
    support::{Server, json, logged, start},
};
use http::StatusCode;
use oauth_core::{
    model::{Access, UserId},
    ports::Users as _,
    testing::TestDatabase,
};
use serde_json::json as object;

const USERS: &str = "/admin/users";

fn path(id: &UserId, act: &str) -> String {
    format!("/admin/users/{id}{act}")
}

/// Says yes to a question.
async fn yes(admin: &SignedIn<'_>, path: &str) -> Page {
    let once = once(admin, path).await;
    admin.post(path, &[("confirm", "yes"), ("once", &once)]).await
}

async fn found(admin: &SignedIn<'_>, query: &str) -> Vec<String> {
    let page = admin.get(&format!("{USERS}{query}")).await;
    let count = page.html.matches("id=\"user-").count();
    (1..=count).map(|i| page.by_id(&format!("user-{i}"))).collect()
}

async fn account(server: &Server, id: &UserId) -> oauth_core::seaorm::UserAccount {
    server.state.store.account(id).await.unwrap().unwrap()
}

#[tokio::test]
async fn people_are_found_by_the_beginning_of_their_names() {
    let databases = [TestDatabase::sqlite().await, TestDatabase::postgres().await];
    for database in databases {
        let server = start(&format!("[database]\nurl = \"{}\"", database.url())).await;
        are_found(&server).await;
        server.state.store.close().await.unwrap();
    }
}

async fn are_found(server: &Server) {
    let ada = administrator(server, "ada").await;
    for name in ["Adam", "ad_hoc", "ad-lib", "bob", "xad", "ÅSA"] {
        server.user(name, PASSWORD).await;
    }
    let all = found(&ada, "").await;
    assert_eq!(all.len(), 7);
    let mut some = found(&ada, "?name=AD").await;
    some.sort();
    assert_eq!(some, ["Adam", "ad-lib", "ad_hoc", "ada"]);
    let mut some = found(&ada, "?name=ada").await;
    some.sort();
    assert_eq!(some, ["Adam", "ada"], "the whole name is a beginning too");
    assert_eq!(
        found(&ada, "?name=ad_").await,
        ["ad_hoc"],
        "what stands for anything elsewhere does not here"
    );
    assert_eq!(found(&ada, "?name=%C3%A5s").await, ["ÅSA"]);
    for nobody in ["?name=zoe", "?name=%25", "?name=%5C", "?name=b&after=zzz"] {
        assert!(ada.get(&format!("{USERS}{nobody}")).await.has("nobody"), "{nobody}");
    }
    let page = ada.get("/admin/users?name=%3Cscript%3E").await;
    assert!(!page.html.contains("<script"));
    assert_eq!(page.value("name"), "<script>");
}

#[tokio::test]
async fn a_long_list_goes_on() {
    let server = start("").await;
    let ada = administrator(&server, "ada").await;
    for i in 0..60 {
        let new = oauth_core::seaorm::NewUser::new(
            UserId::new(format!("id-{i}")),
            format!("u{i:02}"),
            server.state.now(),
        );
        server.state.store.create_user(new).await.unwrap();
    }
    let page = ada.get("/admin/users?name=u").await;
    assert_eq!((page.by_id("user-1"), page.by_id("user-50")), ("u00".into(), "u49".into()));
    let page = ada.get(&page.href("next")).await;
    assert_eq!((page.by_id("user-1"), page.by_id("user-10")), ("u50".into(), "u59".into()));
    assert!(!page.has("next"));
}

#[tokio::test]
async fn a_person_is_locked_out_after_a_question_and_let_in_again() {
    let server = start("").await;
    let ada = administrator(&server, "ada").await;
    let eve = server.signed_up("eve").await;
    let client = eve.create_client(&[]).await;
    let code = eve.allow(&client.id).await;
    let tokens = client.exchange(&server, &code).await;
    let page = ada.get(&path(&eve.id, "")).await;
    assert_eq!((page.by_id("user-id"), page.by_id("who")), (eve.id.to_string(), "eve".into()));
    assert!(page.has("session-1") && page.has("disable") && !page.has("enable"));

    let question = path(&eve.id, "/disable");
    let mark = once(&ada, &question).await;
    for form in [&[][..], &[("confirm", "yes")], &[("once", &*mark)]] {
        assert_eq!(ada.post(&question, form).await.location(), question);
    }
    assert!(!account(&server, &eve.id).await.disabled, "asking does nothing");
    let log = logged(async {
        let page = yes(&ada, &question).await;
        assert_eq!(page.location(), path(&eve.id, "?done=disabled"));
    })
    .await;
    assert!(log.contains("user locked out") && log.contains(eve.id.as_str()), "{log}");
    assert!(account(&server, &eve.id).await.disabled);
    assert_eq!(eve.get("/account").await.location(), "/login?to=account");
    let form = [("username", "eve"), ("password", PASSWORD)];
    assert_eq!(server.visitor().post("/login", &form).await.status, StatusCode::FORBIDDEN);
    let basic = Some((&*client.id, client.secret.as_deref().unwrap()));
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    let answer = json(server.post("/oauth/token", basic, &refresh).await).await;
    assert_eq!(answer["error"], "invalid_grant");
    let page = ada.get(&path(&eve.id, "?done=disabled")).await;
    assert_eq!(page.by_id("who"), "eve locked out");
    assert!(page.has("no-sessions") && page.has("enable") && !page.has("disable"));

    let page = ada.post(&path(&eve.id, "/enable"), &[]).await;
    assert_eq!(page.location(), path(&eve.id, "?done=enabled"));
    assert_eq!(server.visitor().post("/login", &form).await.location(), "/");
}

#[tokio::test]
async fn administrators_are_made_and_unmade_after_a_question() {
    let server = start("").await;
    let ada = administrator(&server, "ada").await;
    let eve = server.signed_up("eve").await;
    let (promote, demote) = (path(&eve.id, "/promote"), path(&eve.id, "/demote"));
    assert_eq!(ada.post(&promote, &[]).await.location(), promote);
    assert!(!account(&server, &eve.id).await.is_admin);
    let mark = once(&ada, &promote).await;
    let form = [("confirm", "yes"), ("once", &*mark)];
    assert_eq!(ada.post(&promote, &form).await.location(), path(&eve.id, "?done=promoted"));
    assert_eq!(eve.get("/admin").await.status, StatusCode::OK);
    assert_eq!(yes(&ada, &demote).await.location(), path(&eve.id, "?done=demoted"));
    refused(&eve.get("/admin").await, StatusCode::NOT_FOUND, "not_found");
    assert_eq!(ada.post(&promote, &form).await.location(), path(&eve.id, "?done=already"));
    assert!(!account(&server, &eve.id).await.is_admin, "an old form does nothing again");
}

#[tokio::test]
async fn nobody_does_it_to_oneself() {
    let server = start("").await;
    let ada = administrator(&server, "ada").await;
    let page = ada.get(&path(&ada.id, "")).await;
    assert!(page.has("self") && !page.has("disable") && !page.has("demote"));
    for act in ["/disable", "/demote", "/promote"] {
        let path = path(&ada.id, act);
        refused(&ada.get(&path).await, StatusCode::FORBIDDEN, "own_account");
        let form = [("confirm", "yes"), ("once", "mark")];
        refused(&ada.post(&path, &form).await, StatusCode::FORBIDDEN, "own_account");
    }
    let account = account(&server, &ada.id).await;
    assert!(account.is_admin && !account.disabled);
}

#[tokio::test]
async fn a_person_is_signed_out_everywhere() {
    let server = start("").await;
    let ada = administrator(&server, "ada").await;
    let eve = server.signed_up("eve").await;
    let page = ada.post(&path(&eve.id, "/sign_out"), &[]).await;
    assert_eq!(page.location(), path(&eve.id, "?done=signed_out"));
    assert!(!eve.get("/").await.has("nav-logout") && ada.get("/").await.has("nav-logout"));
    let page = ada.post(&path(&ada.id, "/sign_out"), &[]).await;
    assert_eq!(page.location(), "/login?to=admin-users");
    assert!(!ada.get("/").await.has("nav-logout"));
}

#[tokio::test]
async fn a_person_is_signed_out_of_programs_too() {
    let server = start("").await;
    let ada = administrator(&server, "ada").await;
    let eve = server.user("eve", PASSWORD).await;
    assert!(ada.get(&path(&eve, "")).await.has("no-sessions"));
    let login = object!({"username": "eve", "password": PASSWORD});
    let login = server.tell("/login", login).await;
    let page = ada.get(&path(&eve, "")).await;
    assert!(page.has("program-1") && page.has("sign-out"), "{}", page.html);
    assert!(!page.has("session-1") && !page.has("no-sessions"), "{}", page.html);
    let page = ada.post(&path(&eve, "/sign_out"), &[]).await;
    assert_eq!(page.location(), path(&eve, "?done=signed_out"));
    let refresh = object!({"refresh_token": login.text("refresh_token")});
    server.tell("/refresh", refresh).await.refuses(401, "refresh_invalid");
    assert!(ada.get(&path(&eve, "")).await.has("no-sessions"));
}

#[tokio::test]
async fn what_is_on_the_page_is_said_to_be_verified_and_nothing_else() {
    let server = start("").await;
    let ada = administrator(&server, "ada").await;
    let eve = server.signed_up("eve").await;
    let verified = path(&eve.id, "/verified");
    assert!(ada.get(&path(&eve.id, "")).await.has("no-claims"));
    let form = [("claim", "email"), ("value", "eve@example.org"), ("verified", "yes")];
    let done = |word: &str| path(&eve.id, &format!("?done={word}"));
    assert_eq!(ada.post(&verified, &form).await.location(), done("changed"), "there is none");
    eve.post("/account/profile", &[("phone_number", "+442079460958")]).await;
    let address = async |text| {
        let set = server.state.store.set_email(&eve.id, Some(text), false).await;
        assert_eq!(set.unwrap(), oauth_core::seaorm::people::EmailChange::Done);
    };
    address("eve@example.org").await;
    let page = ada.get(&path(&eve.id, "")).await;
    assert_eq!(
        (page.by_id("email"), page.by_id("email-state")),
        ("eve@example.org".into(), "not verified".into())
    );
    let log = logged(async {
        assert_eq!(ada.post(&verified, &form).await.location(), done("verified"));
    })
    .await;
    assert!(
        log.contains("e-mail address said to be verified") && !log.contains("eve@example"),
        "{log}"
    );
    let profile = async || object!(server.state.store.profile(&eve.id).await.unwrap());
    assert_eq!(
        (&profile().await["email_verified"], &profile().await["phone_number_verified"]),
        (&true.into(), &false.into())
    );
    assert_eq!(ada.get(&path(&eve.id, "")).await.by_id("email-state"), "verified");
    let phone = [("claim", "phone_number"), ("value", "+442079460958"), ("verified", "yes")];
    assert_eq!(ada.post(&verified, &phone).await.location(), done("verified"));
    // The person writes another address while the administrator looks at the old one.
    address("mallory@example.org").await;
    assert_eq!(ada.post(&verified, &form).await.location(), done("changed"));
    assert_eq!(profile().await["email_verified"], false);
    assert_eq!(profile().await["phone_number_verified"], true);
    let no = [("claim", "phone_number"), ("value", "+442079460958"), ("verified", "no")];
    assert_eq!(ada.post(&verified, &no).await.location(), done("unverified"));
    assert_eq!(profile().await["phone_number_verified"], false);
    for bad in [
        &[("claim", "email"), ("value", "mallory@example.org")][..],
        &[("claim", "email"), ("value", "mallory@example.org"), ("verified", "maybe")],
        &[("claim", "email"), ("verified", "yes")],
        &[("claim", "name"), ("value", "Eve"), ("verified", "yes")],
        &[("value", "mallory@example.org"), ("verified", "yes")],
    ] {
        refused(&ada.post(&verified, bad).await, StatusCode::BAD_REQUEST, "invalid_request");
    }
    assert_eq!(profile().await["email_verified"], false);
}

/// Whoever signs in while being locked out has no session that comes to life when the person is let in again.
#[tokio::test]
async fn no_sign_in_outlives_being_locked_out() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let server = start(&format!("[database]\nurl = {:?}", database.url())).await;
        let ada = administrator(&server, "ada").await;
        let eve = server.user("eve", PASSWORD).await;
        let question = path(&eve, "/disable");
        let mark = once(&ada, &question).await;
        let form = [("username", "eve"), ("password", PASSWORD)];
        let yes = [("confirm", "yes"), ("once", &*mark)];
        let visitors = [server.visitor(), server.visitor(), server.visitor()];
        let signing_in =
            futures_util::future::join_all(visitors.iter().map(|v| v.post("/login", &form)));
        let (_, page) = tokio::join!(signing_in, ada.post(&question, &yes));
        assert_eq!(page.location(), path(&eve, "?done=disabled"));
        assert_eq!(
            ada.post(&path(&eve, "/enable"), &[]).await.location(),
            path(&eve, "?done=enabled")
        );
        for visitor in &visitors {
            assert!(!visitor.get("/").await.has("nav-logout"));
        }
        assert!(ada.get(&path(&eve, "")).await.has("no-sessions"));
    }
}

/// Two administrators change two rights of one person at the same time; neither undoes what the other does.
#[tokio::test]
async fn rights_set_at_once_do_not_undo_each_other() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let server = start(&format!("[database]\nurl = {:?}", database.url())).await;
        let ada = administrator(&server, "ada").await;
        let eve = server.user("eve", PASSWORD).await;
        let set = path(&eve, "/rights");
        for _ in 0..8 {
            for (query, node) in [("write", "none"), ("none", "write")] {
                let forms =
                    [[("api", "query"), ("access", query)], [("api", "node"), ("access", node)]];
                let (one, two) = tokio::join!(ada.post(&set, &forms[0]), ada.post(&set, &forms[1]));
                assert_eq!(one.location(), path(&eve, "?done=rights"));
                assert_eq!(two.location(), path(&eve, "?done=rights"));
                let rights = server.state.store.rights(&eve).await.unwrap();
                let given: Vec<_> = rights.iter().map(|r| (&*r.api, r.access)).collect();
                let wanted = if query == "write" { "query" } else { "node" };
                assert_eq!(given, [(wanted, Access::Write)], "what was taken back stays so");
            }
        }
    }
}

#[tokio::test]
async fn rights_are_set_one_api_at_a_time() {
    let server = start("").await;
    let ada = administrator(&server, "ada").await;
    let eve = server.signed_up("eve").await;
    let set = path(&eve.id, "/rights");
    let right = async |api: &str| {
        let rights = server.state.store.rights(&eve.id).await.unwrap();
        rights.into_iter().find(|r| r.api == api).map(|r| (r.access, r.paths))
    };
    assert_eq!(right("query").await, Some((Access::Read, vec![])));
    let before = right("connection").await;
    let page = ada.get(&path(&eve.id, "")).await;
    assert!(page.html.contains("id=\"right-query-read\" checked"), "{}", page.html);
    let log = logged(async {
        let form = [("api", "query"), ("access", "write"), ("paths", "single/*\r\n\r\n bulk \r\n")];
        let page = ada.post(&set, &form).await;
        assert_eq!(page.location(), path(&eve.id, "?done=rights"));
    })
    .await;
    assert!(log.contains("right set") && log.contains("query write"), "{log}");
    assert_eq!(right("query").await, Some((Access::Write, vec!["single/*".into(), "bulk".into()])));
    assert_eq!(right("connection").await, before);
    assert_eq!(ada.get(&path(&eve.id, "")).await.by_id("paths-query"), "single/*\nbulk");
    let apart = [("api", "query"), ("access", "write"), ("write_paths", "subscriptions\r\n")];
    ada.post(&set, &apart).await;
    let rights = server.state.store.rights(&eve.id).await.unwrap();
    let query = rights.iter().find(|r| r.api == "query").unwrap();
    assert_eq!((&*query.paths, &*query.write_paths), (&[][..], &["subscriptions".to_owned()][..]));
    let page = ada.get(&path(&eve.id, "")).await;
    assert_eq!(page.by_id("write-paths-query"), "subscriptions");
    let form = [("api", "query"), ("access", "write"), ("write_paths", "/x")];
    let page = ada.post(&set, &form).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!((page.problems(), page.by_id("write_paths")), (vec!["write_paths"], "/x".into()));
    ada.post(&set, &[("api", "query"), ("access", "none"), ("paths", "")]).await;
    assert_eq!(right("query").await, None);

    let form = [("api", "query"), ("access", "read"), ("paths", "two words")];
    let page = ada.post(&set, &form).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!((page.problems(), page.by_id("paths")), (vec!["paths"], "two words".into()));
    let many = "a\n".repeat(51);
    for paths in [&*many, &"a".repeat(201), "a\u{202e}"] {
        let form = [("api", "query"), ("access", "read"), ("paths", paths)];
        assert_eq!(ada.post(&set, &form).await.problems(), ["paths"]);
    }
    let form = [("api", "nonsense"), ("access", "read"), ("paths", "")];
    refused(&ada.post(&set, &form).await, StatusCode::NOT_FOUND, "not_found");
    for bad in
        [&[("access", "read")][..], &[("api", "query")], &[("api", "query"), ("access", "all")]]
    {
        refused(&ada.post(&set, bad).await, StatusCode::BAD_REQUEST, "invalid_request");
    }
    assert_eq!(right("query").await, None);
}

#[tokio::test]
async fn somebody_unknown_is_not_found() {
    let server = start("").await;
    let ada = administrator(&server, "ada").await;
    for id in ["nobody", "%00", "%ff", "a%2fb", "..%2f"] {
        for act in ["", "/disable", "/promote", "/demote", "/reset_factors"] {
            let page = ada.get(&format!("/admin/users/{id}{act}")).await;
            refused(&page, StatusCode::NOT_FOUND, "not_found");
        }
        for act in [
            "disable",
            "enable",
            "promote",
            "demote",
            "reset_factors",
            "sign_out",
            "verified",
            "rights",
        ] {
            let form = [("confirm", "yes"), ("once", "x")];
            let page = ada.post(&format!("/admin/users/{id}/{act}"), &form).await;
            refused(&page, StatusCode::NOT_FOUND, "not_found");
        }
    }
}

#[tokio::test]
async fn second_factors_are_taken_away_for_whoever_lost_the_device() {
    let server = start("[audit]\nenabled = true\n").await;
    let ada = administrator(&server, "ada").await;
    let eve = server.signed_up("eve").await;
    let page = ada.get(&path(&eve.id, "")).await;
    assert!(!page.has("reset-factors"), "there is nothing to take away");
    let _ = server.state.store.set_email(&eve.id, Some("eve@example.org"), true).await.unwrap();
    crate::second_factor::enrol(&eve).await;
    let page = ada.get(&path(&eve.id, "")).await;
    assert_eq!(
        (page.by_id("second-factor"), page.by_id("passkeys")),
        ("has one".into(), "0".into())
    );
    let reset = path(&eve.id, "/reset_factors");
    let log = logged(async {
        let page = yes(&ada, &reset).await;
        assert_eq!(page.location(), path(&eve.id, "?done=factors_reset"));
    })
    .await;
    assert!(log.contains("second factors of a user reset"), "{log}");
    assert!(!server.state.second_factor.is_needed(&eve.id).await.unwrap());
    let again = server.visitor().sign_in("eve").await;
    let activity = again.get("/account/activity").await.html;
    assert!(activity.contains("Your second factor was taken away"), "{activity}");
    assert!(activity.contains("The people who run this server"), "{activity}");
    let audit = ada.get("/admin/audit").await.html;
    assert!(audit.contains("Second factors reset"), "{audit}");
    // Eve is told, and not again where there is nothing left to take away.
    yes(&ada, &reset).await.location();
    let letters = server.letters().await;
    let subjects: Vec<_> = letters.iter().map(|letter| letter.subject.as_str()).collect();
    let gone = "Your second factor for 127.0.0.1:4999 was taken away";
    assert_eq!(subjects, ["A second factor for 127.0.0.1:4999 was set up", gone]);
    assert!(letters.iter().all(|letter| letter.to == "eve@example.org"));
    // Nobody else may, and nobody does it to itself.
    refused(&eve.get(&reset).await, StatusCode::NOT_FOUND, "not_found");
    let own = path(&ada.id, "/reset_factors");
    refused(&ada.get(&own).await, StatusCode::FORBIDDEN, "own_account");
}
