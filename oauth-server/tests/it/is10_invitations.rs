//! AMWA IS-10, A26: whoever lets programs register stands in the audit log.

use crate::{
    command_line::{bad, good},
    is10_actors::{is10, refused},
    is10_audit::of_kind,
    is10_registration::{id, node, register, registered},
    pages_actors::SignedIn,
};
use http::StatusCode;
use oauth_server::audit::Kind;
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};

const INVITE: &str = "/admin/registration/invite";
const REVOKE: &str = "/admin/registration/revoke";

/// An initial access token that an administrator makes on the page: its name, and the token.
async fn invited(admin: &SignedIn<'_>) -> (String, String) {
    let page = admin.post(INVITE, &[("label", "rack 3"), ("days", "7")]).await;
    assert_eq!(page.status, StatusCode::CREATED, "{}", page.html);
    (page.value("token"), page.by_id("initial-access-token"))
}

#[tokio::test]
async fn a26_whoever_makes_and_revokes_an_invitation_is_written_down_without_the_token() {
    let server = is10("").await;
    let root = server.operator("root").await;
    let (name, token) = invited(&root).await;
    let gone = root.post(REVOKE, &[("token", &name)]).await;
    assert_eq!(gone.location(), "/admin/registration?done=revoked");
    for kind in [Kind::Invited, Kind::Uninvited] {
        let rows = of_kind(&server, kind).await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(rows[0].user_id.as_deref(), Some(root.id.as_str()));
        assert_eq!(rows[0].detail, Some(format!("{name} (rack 3)")));
        assert!(!format!("{rows:?}").contains(&token), "{rows:?}");
    }
    // What comes to nothing is no row.
    let never = root.post(INVITE, &[("label", ""), ("days", "never")]).await;
    assert_eq!(never.status, StatusCode::UNPROCESSABLE_ENTITY);
    let again = root.post(REVOKE, &[("token", &name)]).await;
    assert_eq!(again.location(), "/admin/registration?done=no_token");
    let ada = server.signed_up("ada").await;
    let page = ada.post(INVITE, &[("label", ""), ("days", "1")]).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    for kind in [Kind::Invited, Kind::Uninvited] {
        assert_eq!(of_kind(&server, kind).await.len(), 1);
    }
    assert!(server.state.audit.verify().await.unwrap().is_whole());
}

#[test]
fn a26_invitations_of_the_operator_are_written_down_too() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("audit.toml"), "[audit]\nenabled = true").unwrap();
    let with = |arguments: &[&str]| {
        let config = ["--config", "audit.toml", "--output", "json"];
        good(at, &[&config[..], arguments].concat(), "")
    };
    let parsed = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    let made = parsed(&with(&["registration", "invite", "--label", "rack 3"]));
    let name = made["id"].as_str().unwrap();
    with(&["registration", "revoke", name]);
    bad(at, &["--config", "audit.toml", "registration", "revoke", name], "", 1);
    let log = with(&["audit", "list"]);
    let rows = parsed(&log);
    let rows = rows.as_array().unwrap();
    let events: BTreeSet<_> = rows.iter().map(|row| row["event"].as_str().unwrap()).collect();
    assert_eq!(events, BTreeSet::from(["invitation_made", "invitation_revoked"]));
    for row in rows {
        assert_eq!(row["detail"], format!("{name} (rack 3), at the command line"));
        assert!(row["user_id"].is_null(), "{row}");
    }
    assert!(!log.contains(made["initial_access_token"].as_str().unwrap()), "{log}");
}

#[tokio::test]
async fn a26_a_registration_names_its_invitation_and_whoever_made_that() {
    let server = is10("").await;
    let root = server.operator("root").await;
    let (name, token) = invited(&root).await;
    let client = registered(&server, Some(&token), &node()).await;
    let rows = of_kind(&server, Kind::Registered).await;
    assert_eq!((rows.len(), rows[0].client_id.as_deref()), (1, Some(id(&client).as_str())));
    let by = format!("by the initial access token {name}, made by {}", root.id);
    assert_eq!(rows[0].detail, Some(by));
    assert!(!format!("{rows:?}").contains(&token), "{rows:?}");

    // The operator has no name.
    server.clock.advance(Duration::from_secs(1));
    let registrars = &server.state.registrars;
    let (row, own) = registrars.invite(None, "", Duration::from_hours(1)).await.unwrap();
    registered(&server, Some(&own.reveal()), &node()).await;
    let rows = of_kind(&server, Kind::Registered).await;
    assert_eq!(rows[0].detail, Some(format!("by the initial access token {}", row.id)));

    // Whoever comes without one, or with a made-up one, has been let in by nobody.
    refused(register(&server, Some("made-up"), &node()).await, 401, "invalid_token").await;
    registered(&server, None, &node()).await;
    assert_eq!(of_kind(&server, Kind::Registered).await.len(), 2);
    assert_eq!(of_kind(&server, Kind::RegistrationAsked).await[0].detail, None);
}

#[tokio::test]
async fn a26_no_invitation_leaves_that_is_not_written_down() {
    let server = is10("").await;
    let root = server.operator("root").await;
    let dropped = server.state.store.write(move |t| {
        Box::pin(async move {
            sea_orm::ConnectionTrait::execute_unprepared(t, "DROP TABLE oauth_audit").await?;
            Ok(())
        })
    });
    dropped.await.unwrap();
    let page = root.post(INVITE, &[("label", ""), ("days", "1")]).await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!page.has("initial-access-token"), "{}", page.html);
}
