//! AMWA IS-10, A26: the audit log.

use crate::{
    is10_actors::{CONTROLLER, SECRET, in_folder, is10, json_request},
    pages_actors::PASSWORD,
    support::{Server, TestClock, json, start},
};
use http::StatusCode;
use oauth_core::{
    model::Access,
    ports::{Clock as _, SystemRandom},
    testing::{ManualClock, TestDatabase},
};
use oauth_server::{
    audit::{AuditLog, Entry, Filter, Kind, csv},
    entity::audit::{Column, Entity, Model},
    maintenance,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, sea_query::Expr};
use serde_json::{Value, json as object};
use std::{sync::Arc, time::Duration};

async fn rows(server: &Server) -> Vec<Model> {
    let mut rows = server.state.audit.export(&Filter::default(), 1000).await.unwrap();
    rows.reverse();
    rows
}

/// The rows of one kind, the latest first.
pub async fn of_kind(server: &Server, kind: Kind) -> Vec<Model> {
    let filter = Filter { kind: Some(kind), ..Filter::default() };
    server.state.audit.export(&filter, 1000).await.unwrap()
}

/// Everything that has to be written down; returns what was secret.
async fn everything(server: &Server) -> Vec<String> {
    server.controller("query connection registration").await;
    let ada = server.signed_up("ada").await;
    server.right(&ada.id, "query", Access::Read, &[]).await;
    let code = ada.code("query", &[]).await;
    let basic = Some((CONTROLLER, SECRET));
    let form = crate::is10_actors::redeem(&code);
    let tokens = json(server.post("/oauth/token", basic, &form).await).await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let next = json(server.post("/oauth/token", basic, &form).await).await;
    let own = json(server.own_tokens("registration").await).await;
    let revoked = [("token", next["refresh_token"].as_str().unwrap())];
    assert_eq!(server.post("/oauth/revoke", basic, &revoked).await.status(), StatusCode::OK);
    let body = object!({
        "client_name": "Camera 7", "grant_types": ["client_credentials"], "response_types": [],
        "scope": "registration",
    });
    let response = server.send(json_request("POST", "/oauth/register", None, &body)).await;
    let client = json(response).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    vec![
        code,
        text(&tokens["access_token"]),
        text(&tokens["refresh_token"]),
        text(&next["access_token"]),
        text(&next["refresh_token"]),
        text(&own["access_token"]),
        text(&client["client_secret"]),
        text(&client["registration_access_token"]),
        PASSWORD.to_owned(),
    ]
}

#[tokio::test]
async fn a26_every_authorization_registration_first_token_and_refresh_is_written_without_secrets() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let server = is10(&format!("[database]\nurl = \"{}\"", database.url())).await;
        let secrets = everything(&server).await;
        let rows = rows(&server).await;
        let events: Vec<&str> = rows.iter().map(|row| row.event.as_str()).collect();
        let mut sorted = events.clone();
        sorted.sort_unstable();
        let expected = [
            "authorized",
            "client_asked",
            "token_issued",
            "token_issued",
            "token_refreshed",
            "token_revoked",
        ];
        assert_eq!(sorted, expected);
        let ada = server.state.store.account_by_name("ada").await.unwrap().unwrap().id;
        for row in &rows {
            assert_eq!(row.at, oauth_core::ports::Clock::now(&*server.clock).unix());
            assert!(row.client_id.is_some(), "{row:?}");
            let by_ada = row.user_id.as_deref() == Some(ada.as_str());
            let of_user = ["authorized", "token_refreshed"].contains(&row.event.as_str())
                || row.grant_type.as_deref() == Some("authorization_code");
            assert_eq!(by_ada, of_user, "{row:?}");
            assert_eq!(row.address.as_deref(), Some("0.0.0.0"), "the tests have no network");
            let text = format!("{row:?}");
            assert!(secrets.iter().all(|secret| !text.contains(secret)), "{text}");
        }
        let issued = of_kind(&server, Kind::TokenIssued).await;
        let of_client = issued.iter().find(|row| row.user_id.is_none()).unwrap();
        assert_eq!(of_client.grant_type.as_deref(), Some("client_credentials"));
        assert_eq!(of_client.scope.as_deref(), Some("registration"));
        assert!(server.state.audit.verify().await.unwrap().is_whole());
        server.state.store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a26_no_token_leaves_that_is_not_written_down() {
    let server = is10("").await;
    server.controller("registration").await;
    let table = "DROP TABLE oauth_audit";
    let dropped = server.state.store.write(move |t| {
        Box::pin(async move {
            sea_orm::ConnectionTrait::execute_unprepared(t, table).await?;
            Ok(())
        })
    });
    dropped.await.unwrap();
    let answer = server.own_tokens("registration").await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let answer = json(answer).await;
    assert!(answer.get("access_token").is_none() && answer["error"] == "server_error", "{answer}");
}

#[tokio::test]
async fn a26_it_is_off_in_the_standard_profile_and_cannot_be_turned_off_in_is10() {
    let server = start("").await;
    server.controller("query").await;
    server.own_tokens("query").await;
    assert!(rows(&server).await.is_empty() && !server.state.audit.is_on());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.toml");
    std::fs::write(&file, "profile = \"is10\"\n[audit]\nenabled = false").unwrap();
    let sources = oauth_server::config::Sources { files: vec![file], ..Default::default() };
    let problems = oauth_server::config::load(&sources).unwrap_err();
    assert_eq!(problems.0[0].key, "audit.enabled");
}

#[tokio::test]
async fn a26_whoever_changes_or_removes_a_row_is_found_out() {
    let server = is10("").await;
    for _ in 0..5 {
        let entry = Entry::new(Kind::Key).detail("made");
        server.state.audit.write(entry).await.unwrap();
    }
    let all = rows(&server).await;
    let in_order = |rows: &[Model]| rows.iter().map(|row| row.sequence).collect::<Vec<_>>();
    let mut sequence = in_order(&all);
    sequence.sort_unstable();
    assert_eq!(sequence, [0, 1, 2, 3, 4]);
    let by_sequence = |n: i64| all.iter().find(|row| row.sequence == n).unwrap().id.clone();
    let verify = || server.state.audit.verify();
    assert!(verify().await.unwrap().is_whole());
    let (second, third, fourth) = (by_sequence(1), by_sequence(2), by_sequence(3));

    let set = |id: String, detail: &'static str| {
        server.state.store.write(move |t| {
            Box::pin(async move {
                let update = Entity::update_many()
                    .col_expr(Column::Detail, Expr::value(detail))
                    .filter(Column::Id.eq(id));
                Ok(update.exec(t).await?.rows_affected)
            })
        })
    };
    assert_eq!(set(second.clone(), "something else").await.unwrap(), 1);
    assert_eq!(verify().await.unwrap().changed, std::slice::from_ref(&second));
    set(second, "made").await.unwrap();
    assert!(verify().await.unwrap().is_whole());

    let gone = third.clone();
    let delete = server.state.store.write(move |t| {
        Box::pin(async move { Ok(Entity::delete_by_id(gone).exec(t).await?.rows_affected) })
    });
    assert_eq!(delete.await.unwrap(), 1);
    let found = verify().await.unwrap();
    assert_eq!((found.changed, found.gaps), (Vec::new(), vec![fourth]));
}

#[tokio::test]
async fn a26_many_processes_write_at_once_and_every_row_is_whole() {
    let database = TestDatabase::postgres().await;
    let more = format!("[database]\nurl = \"{}\"", database.url());
    let a = is10(&more).await;
    let key = std::fs::read(a.folder.path().join("data/sealing.key")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    std::fs::write(folder.path().join("data/sealing.key"), key).unwrap();
    let b = in_folder("is10", &more, folder, TestClock::new()).await;
    let write = |i: usize| {
        let server = if i.is_multiple_of(2) { &a } else { &b };
        server.state.audit.write(Entry::new(Kind::Key).detail(i.to_string()))
    };
    for outcome in futures_util::future::join_all((0..200).map(write)).await {
        outcome.unwrap();
    }
    let found = a.state.audit.verify().await.unwrap();
    assert!(found.is_whole() && found.rows == 200, "{found:?}");
    for server in [a, b] {
        server.state.store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a26_rows_go_when_their_time_is_over_and_not_before() {
    let server = is10("[audit]\nretention = \"30d\"").await;
    server.state.audit.write(Entry::new(Kind::Key)).await.unwrap();
    server.clock.advance(Duration::from_hours(24 * 30) - Duration::from_secs(1));
    maintenance::sweep(&server.state).await.unwrap();
    assert_eq!(rows(&server).await.len(), 1);
    server.state.audit.write(Entry::new(Kind::Key)).await.unwrap();
    server.clock.advance(Duration::from_secs(1));
    maintenance::sweep(&server.state).await.unwrap();
    assert_eq!(rows(&server).await.len(), 1);
    assert!(server.state.audit.verify().await.unwrap().is_whole(), "what is over is no gap");
}

#[tokio::test]
async fn a26_what_is_over_leaves_no_gap_though_the_clock_was_set_back() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let server = is10(&format!("[database]\nurl = \"{}\"", database.url())).await;
        let clock = ManualClock::default();
        let start = clock.now();
        let after = |seconds| start.plus(Duration::from_secs(seconds));
        let process = || {
            let store = server.state.store.clone();
            let (clock, random) = (Arc::new(clock.clone()), Arc::new(SystemRandom));
            AuditLog::new(store, &[7; 32], (clock, random), true)
        };
        let (log, other) = (process(), process());
        for (log, seconds) in
            [(&log, 0), (&log, 100), (&log, 0), (&log, 50), (&log, 200), (&other, 1000)]
        {
            clock.set(after(seconds));
            log.write(Entry::new(Kind::Key)).await.unwrap();
        }
        for (seconds, limit, gone) in [
            (0, 100, 1),
            (50, 100, 0),
            (99, 100, 0),
            (100, 2, 2),
            (100, 2, 1),
            (100, 2, 0),
            (199, 100, 0),
            (200, 100, 1),
        ] {
            let now = after(seconds).plus(Duration::from_hours(1));
            let swept = log.sweep(Some(Duration::from_hours(1)), now, limit).await.unwrap();
            assert_eq!(swept, gone, "{seconds}");
            assert!(log.verify().await.unwrap().is_whole(), "{seconds}");
        }
        assert_eq!(log.verify().await.unwrap().rows, 1, "that of the other process");
        server.state.store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a26_administrators_search_it_and_take_it_away_and_nobody_else() {
    let server = is10("").await;
    everything(&server).await;
    let admin = server.operator("root").await;
    let page = admin.get("/admin/audit").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.html.contains("Token refreshed") && page.html.contains("ada"), "{}", page.html);
    let page = admin.get("/admin/audit?event=authorized&user=ada").await;
    assert_eq!(page.html.matches("<li class=\"thing\">").count(), 1);
    assert!(admin.get("/admin/audit?user=nobody").await.has("none"));
    assert!(admin.get("/admin/audit?from=2031-01-01").await.has("none"));
    let file = admin.get("/admin/audit/export?format=csv&event=authorized").await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert!(file.header("content-disposition").starts_with("attachment"));
    assert_eq!(file.html.lines().count(), 2, "{}", file.html);
    let file = admin.get("/admin/audit/export?format=json").await;
    let all: Vec<Value> = serde_json::from_str(&file.html).unwrap();
    assert!(all.len() >= 6);
    let page = admin.get("/admin/audit/export?format=exe").await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    let ada = server.visitor().sign_in("ada").await;
    for path in ["/admin/audit", "/admin/audit/export?format=csv"] {
        let page = ada.get(path).await;
        assert_eq!((page.status, &*page.by_id("error-code")), (StatusCode::NOT_FOUND, "not_found"));
        assert!(server.visitor().get(path).await.location().starts_with("/login"));
    }
}

#[tokio::test]
async fn a26_tokens_of_the_servers_own_front_ends_are_written_down_too() {
    let server = is10("").await;
    let ada = server.user("ada", PASSWORD).await;
    let login = object!({ "username": "ada", "password": PASSWORD });
    let first = server.tell("/login", login).await.body;
    let refresh = first["refresh_token"].as_str().unwrap();
    let next = server.tell("/refresh", object!({ "refresh_token": refresh })).await.body;
    let guest = server.tell("/guest", Value::Null).await.body;
    let token = next["access_token"].as_str().unwrap();
    let gone = server.call("POST", "/logout").token(token).send().await;
    assert!(gone.status.is_success(), "{}", gone.body);
    let rows = rows(&server).await;
    let seen: Vec<_> = rows
        .iter()
        .map(|row| {
            let of_ada = row.user_id.as_deref() == Some(ada.as_str());
            (row.event.as_str(), row.grant_type.as_deref(), of_ada)
        })
        .collect();
    let expected = [
        ("token_issued", Some("first_party"), true),
        ("token_refreshed", Some("refresh_token"), true),
        ("token_issued", Some("first_party"), false),
        ("token_revoked", None, true),
    ];
    assert_eq!(seen, expected);
    assert!(rows[2].user_id.as_deref().is_some_and(|user| user.starts_with("guest:")));
    let secrets = [&first["access_token"], &first["refresh_token"], &next["access_token"]];
    let secrets = [&secrets[..], &[&next["refresh_token"], &guest["access_token"]]].concat();
    for row in &rows {
        assert_eq!(row.client_id.as_deref(), Some("oauth-server"));
        let text = format!("{row:?}");
        assert!(secrets.iter().all(|s| !text.contains(s.as_str().unwrap())), "{text}");
        assert!(!text.contains(PASSWORD));
    }
}

#[tokio::test]
async fn a26_no_first_party_token_leaves_that_is_not_written_down() {
    let server = is10("").await;
    server.user("ada", PASSWORD).await;
    let dropped = server.state.store.write(move |t| {
        Box::pin(async move {
            sea_orm::ConnectionTrait::execute_unprepared(t, "DROP TABLE oauth_audit").await?;
            Ok(())
        })
    });
    dropped.await.unwrap();
    let answer = server.tell("/login", object!({ "username": "ada", "password": PASSWORD })).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.body.get("access_token").is_none(), "{}", answer.body);
}

#[tokio::test]
async fn a26_tokens_in_the_cookies_of_a_browser_are_written_down() {
    let server = is10("[bff]\ncookie = \"jwt\"\n").await;
    let ada = server.signed_up("ada").await;
    assert_eq!(of_kind(&server, Kind::TokenIssued).await.len(), 0);
    let page = ada.get("/auth/login?return_to=/app").await;
    assert_eq!(page.location(), "/app");
    let issued = of_kind(&server, Kind::TokenIssued).await;
    assert_eq!((issued.len(), issued[0].grant_type.as_deref()), (1, Some("first_party")));
    assert_eq!(issued[0].user_id.as_deref(), Some(ada.id.as_str()));
}

#[tokio::test]
async fn a26_a_credential_that_comes_back_is_written_down() {
    let server = is10("").await;
    server.controller("query").await;
    let ada = server.signed_up("ada").await;
    server.right(&ada.id, "query", Access::Read, &[]).await;
    let code = ada.code("query", &[]).await;
    let basic = Some((CONTROLLER, SECRET));
    let form = crate::is10_actors::redeem(&code);
    assert_eq!(server.post("/oauth/token", basic, &form).await.status(), StatusCode::OK);
    let again = server.post("/oauth/token", basic, &form).await;
    assert_eq!(again.status(), StatusCode::BAD_REQUEST);
    let rows = of_kind(&server, Kind::Replayed).await;
    assert_eq!((rows.len(), rows[0].client_id.as_deref()), (1, Some(CONTROLLER)));
}

#[tokio::test]
async fn a26_what_people_do_with_their_clients_is_written_down() {
    let server = is10("").await;
    let ada = server.signed_up("ada").await;
    let made = ada.create_client(&[]).await;
    let path = format!("/clients/{}", made.id);
    let once = ada.get(&format!("{path}/secret")).await.value("once");
    assert_eq!(
        ada.post(&format!("{path}/secret"), &[("once", &once)]).await.status,
        StatusCode::OK
    );
    let form = crate::pages_actors::client_form(&[("client_name", "Another name")]);
    let saved = ada.post(&format!("{path}/edit"), &form).await;
    assert!(saved.location().ends_with("done=saved"), "{}", saved.html);
    ada.post(&format!("{path}/delete"), &[]).await;
    let rows = rows(&server).await;
    let seen: Vec<&str> = rows.iter().map(|row| row.event.as_str()).collect();
    assert_eq!(seen, ["client_registered", "client_changed", "client_changed", "client_removed"]);
    for row in rows {
        assert_eq!(row.client_id.as_deref(), Some(made.id.as_str()));
        assert_eq!(row.user_id.as_deref(), Some(ada.id.as_str()));
    }
}

#[tokio::test]
async fn a26_what_is_taken_away_is_no_formula() {
    let server = is10("").await;
    let entry = Entry::new(Kind::Key).detail("=HYPERLINK(\"https://evil.example\")");
    server.state.audit.write(entry).await.unwrap();
    let text = csv(&rows(&server).await);
    assert!(text.contains("\"'=HYPERLINK(\"\"https://evil.example\"\")\""), "{text}");
}
