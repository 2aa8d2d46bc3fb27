//! `/admin/api`: rights, approval and the audit log for programs.

use crate::{
    is10_actors::{decoded, is10, json_request, refused},
    support::{Server, json, start},
};
use http::StatusCode;
use oauth_core::{
    model::{Client, ClientId},
    ports::Users as _,
};
use serde_json::{Value, json as object};
use std::collections::BTreeSet;

/// A token for the operator's client itself.
async fn operators_token(server: &Server) -> String {
    server.controller("administration query connection").await;
    let answer = json(server.own_tokens("administration").await).await;
    answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

async fn call(
    server: &Server,
    method: &str,
    path: &str,
    token: &str,
    body: &Value,
) -> (u16, Value) {
    let response = server.send(json_request(method, path, Some(token), body)).await;
    (response.status().as_u16(), json(response).await)
}

#[tokio::test]
async fn rights_are_set_read_and_taken_back_and_count_from_the_next_token_on() {
    let server = is10("").await;
    let token = operators_token(&server).await;
    let ada = server.signed_up("ada").await;
    let path = format!("/admin/api/users/{}/rights", ada.id);
    let right = object!({ "access": "write", "paths": ["single/*"] });
    let (status, answer) =
        call(&server, "PUT", &format!("{path}/connection"), &token, &right).await;
    assert_eq!(status, 200, "{answer}");
    let expected = object!({
        "api": "connection", "access": "write", "paths": ["single/*"], "write_paths": [],
    });
    assert_eq!(answer, expected);
    let (_, all) = call(&server, "GET", &path, &token, &Value::Null).await;
    assert!(all["rights"].as_array().unwrap().contains(&expected), "{all}");
    let tokens = ada.tokens("connection").await;
    let (_, claims) = decoded(tokens["access_token"].as_str().unwrap());
    let both = object!({ "read": ["single/*"], "write": ["single/*"] });
    assert_eq!(claims["x-nmos-connection"], both);
    let right = object!({ "access": "write", "write_paths": ["single/*"] });
    let (status, answer) =
        call(&server, "PUT", &format!("{path}/connection"), &token, &right).await;
    assert_eq!((status, &answer["write_paths"]), (200, &object!(["single/*"])), "{answer}");
    let tokens = ada.tokens("connection").await;
    let (_, claims) = decoded(tokens["access_token"].as_str().unwrap());
    let apart = object!({ "read": ["*"], "write": ["single/*"] });
    assert_eq!(claims["x-nmos-connection"], apart, "reading and writing apart");
    let (status, _) =
        call(&server, "DELETE", &format!("{path}/connection"), &token, &Value::Null).await;
    assert_eq!(status, 200);
    let rights = server.state.store.rights(&ada.id).await.unwrap();
    assert!(rights.iter().all(|right| right.api != "connection"));
    let (_, found) = call(&server, "GET", "/admin/api/users?begins=ad", &token, &Value::Null).await;
    assert_eq!(found["users"][0]["username"], "ada");
    let (_, log) =
        call(&server, "GET", "/admin/api/audit?event=right_set", &token, &Value::Null).await;
    assert_eq!(log["entries"].as_array().unwrap().len(), 3, "{log}");
}

/// The names in a described object: all of them, and those that are always there.
fn described(schema: &Value) -> (BTreeSet<String>, BTreeSet<String>) {
    let all = schema["properties"].as_object().unwrap().keys().cloned().collect();
    let needed = schema["required"].as_array().unwrap();
    (all, needed.iter().map(|name| name.as_str().unwrap().to_owned()).collect())
}

/// Asserts that an answer has what is said of it and nothing else, and so has each thing in its lists.
#[track_caller]
fn fits(answer: &Value, schema: &Value, what: &str) {
    let (all, needed) = described(schema);
    let seen: BTreeSet<String> = answer.as_object().unwrap().keys().cloned().collect();
    assert!(needed.is_subset(&seen) && seen.is_subset(&all), "{what}: {seen:?} is not {all:?}");
    for (name, schema) in schema["properties"].as_object().unwrap() {
        let Some(value) = answer.get(name).filter(|value| !value.is_null()) else { continue };
        let kind = schema["type"].as_str().unwrap();
        let is_it = match kind {
            "array" => value.is_array(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64(),
            _ => value.is_string(),
        };
        assert!(is_it, "{what}: {name} is no {kind}: {value}");
        if schema["items"].get("properties").is_some() {
            let list = value.as_array().unwrap();
            assert!(!list.is_empty(), "{what}: there is something in {name} to compare");
            for item in list {
                fits(item, &schema["items"], name);
            }
        }
    }
}

#[tokio::test]
async fn what_is_said_of_this_api_is_what_it_takes_and_gives() {
    let server = is10("").await;
    let token = operators_token(&server).await;
    let ada = server.signed_up("ada").await;
    let node = object!({
        "client_name": "Camera 7", "client_name#de": "Kamera 7", "scope": "registration",
        "grant_types": ["client_credentials"], "response_types": [],
    });
    let asked = server.send(json_request("POST", "/oauth/register", None, &node)).await;
    let client = json(asked).await["client_id"].as_str().unwrap().to_owned();
    let document = json(server.get("/openapi.json").await).await;
    let of = |method: &str, path: &str| document["paths"][path][method].clone();
    let schema = |operation: &Value| {
        operation["responses"]["200"]["content"]["application/json"]["schema"].clone()
    };
    let (_, list) = call(&server, "GET", "/admin/api/registrations", &token, &Value::Null).await;
    let asked_at = list["registrations"][0]["asked_at"].clone();
    let rights = format!("/admin/api/users/{}/rights", ada.id);
    let right = object!({ "access": "write", "paths": ["a"], "write_paths": ["b"] });
    let answer = object!({ "answer": "approve", "asked_at": asked_at });
    for (method, described_as, path, body) in [
        ("get", "/admin/api/users", "/admin/api/users?begins=a&after=0", Value::Null),
        ("put", "/admin/api/users/{id}/rights/{api}", &*format!("{rights}/query"), right),
        ("get", "/admin/api/users/{id}/rights", &*rights, Value::Null),
        ("get", "/admin/api/registrations", "/admin/api/registrations", Value::Null),
        (
            "post",
            "/admin/api/registrations/{client_id}",
            &*format!("/admin/api/registrations/{client}"),
            answer,
        ),
        ("delete", "/admin/api/users/{id}/rights/{api}", &*format!("{rights}/query"), Value::Null),
        ("get", "/admin/api/audit", "/admin/api/audit?limit=10&since=0", Value::Null),
    ] {
        let operation = of(method, described_as);
        let method = method.to_uppercase();
        let said = &operation["requestBody"]["content"]["application/json"]["schema"];
        if body.is_null() {
            assert!(said.is_null(), "{method} {described_as} takes no body");
        } else {
            // All that is described is taken, nothing else is, and what must be there must.
            let (all, needed) = described(said);
            assert_eq!(all, body.as_object().unwrap().keys().cloned().collect(), "{described_as}");
            let mut more = body.clone();
            more["undescribed"] = "x".into();
            let mut wrong = vec![more];
            for name in needed {
                let mut less = body.clone();
                less.as_object_mut().unwrap().remove(&name);
                wrong.push(less);
            }
            for body in wrong {
                let (status, answer) = call(&server, &method, path, &token, &body).await;
                assert_eq!((status, answer["error"].as_str()), (400, Some("invalid_request")));
                assert!(operation["responses"].get("400").is_some());
            }
        }
        let (status, answer) = call(&server, &method, path, &token, &body).await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
        fits(&answer, &schema(&operation), described_as);
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let server = is10("").await;
    let token = operators_token(&server).await;
    let ada = server.signed_up("ada").await;
    let before = server.state.store.rights(&ada.id).await.unwrap();
    let at = |user: &str, api: &str| format!("/admin/api/users/{user}/rights/{api}");
    let good = object!({ "access": "read" });
    for (path, body, status, error) in [
        (at("nobody", "query"), good.clone(), 404, "not_found"),
        (at(ada.id.as_str(), "made-up"), good.clone(), 404, "not_found"),
        (at(ada.id.as_str(), "query"), object!({ "access": "all" }), 400, "invalid_request"),
        (at(ada.id.as_str(), "query"), object!({}), 400, "invalid_request"),
        (
            at(ada.id.as_str(), "query"),
            object!({ "access": "read", "path": ["x"] }),
            400,
            "invalid_request",
        ),
        (
            at(ada.id.as_str(), "query"),
            object!({ "access": "read", "paths": ["/single/*"] }),
            400,
            "invalid_request",
        ),
        (
            at(ada.id.as_str(), "query"),
            object!({ "access": "read", "paths": ["a b"] }),
            400,
            "invalid_request",
        ),
        (
            at(ada.id.as_str(), "query"),
            object!({ "access": "read", "write_paths": ["a"] }),
            400,
            "invalid_request",
        ),
        (
            at(ada.id.as_str(), "query"),
            object!({ "access": "write", "write_paths": ["/a"] }),
            400,
            "invalid_request",
        ),
    ] {
        let (seen, answer) = call(&server, "PUT", &path, &token, &body).await;
        assert_eq!((seen, answer["error"].as_str()), (status, Some(error)), "{path} {body}");
    }
    assert_eq!(server.state.store.rights(&ada.id).await.unwrap(), before);
}

#[tokio::test]
async fn only_administrators_and_clients_of_the_operator_may() {
    let server = is10("").await;
    let path = "/admin/api/registrations";
    let get = |token: Option<String>| {
        let request = json_request("GET", path, token.as_deref(), &Value::Null);
        server.send(request)
    };
    let none = get(None).await;
    assert_eq!(none.headers()["www-authenticate"], "Bearer realm=\"oauth\"");
    refused(none, 401, "invalid_token").await;
    refused(get(Some("made-up".into())).await, 401, "invalid_token").await;
    let token = operators_token(&server).await;
    assert_eq!(get(Some(token)).await.status(), StatusCode::OK);

    // A token of another scope, and the right scope in the wrong hands.
    let ada = server.signed_up("ada").await;
    let of = |tokens: Value| tokens["access_token"].as_str().unwrap().to_owned();
    let other = of(ada.tokens("query").await);
    refused(get(Some(other)).await, 403, "insufficient_scope").await;
    let hers = of(ada.tokens("administration").await);
    refused(get(Some(hers.clone())).await, 403, "insufficient_scope").await;
    server.state.store.set_admin(&ada.id, true).await.unwrap();
    assert_eq!(get(Some(hers.clone())).await.status(), StatusCode::OK, "she is one now");
    server.state.store.set_admin(&ada.id, false).await.unwrap();
    refused(get(Some(hers)).await, 403, "insufficient_scope").await;
}

#[tokio::test]
async fn a_client_that_somebody_else_made_is_no_operator() {
    let server = is10("").await;
    let ada = server.signed_up("ada").await;
    let owned = |client| Client { owner: Some(ada.id.clone()), ..client };
    server.controller_with("administration", owned).await;
    let answer = json(server.own_tokens("administration").await).await;
    let token = answer["access_token"].as_str().unwrap();
    let request = json_request("GET", "/admin/api/audit", Some(token), &Value::Null);
    refused(server.send(request).await, 403, "insufficient_scope").await;
}

#[tokio::test]
async fn programs_answer_clients_that_ask() {
    let server = is10("").await;
    let token = operators_token(&server).await;
    let body = object!({
        "client_name": "Web", "client_name#de": "Netz",
        "redirect_uris": ["https://client.example/cb"],
    });
    let made = json(server.send(json_request("POST", "/oauth/register", None, &body)).await).await;
    let (_, all) = call(&server, "GET", "/admin/api/registrations", &token, &Value::Null).await;
    let asked = &all["registrations"][0];
    assert_eq!(asked["client_id"], made["client_id"]);
    assert_eq!(asked["texts"], object!([{ "name": "client_name#de", "text": "Netz" }]));
    let id = made["client_id"].as_str().unwrap();
    let path = format!("/admin/api/registrations/{id}");
    let said = |answer: &str, at: &Value| object!({ "answer": answer, "asked_at": at });
    for (body, status, error) in [
        (said("maybe", &asked["asked_at"]), 400, "invalid_request"),
        (said("approve", &object!(1)), 409, "conflict"),
        (object!({ "answer": "approve" }), 400, "invalid_request"),
    ] {
        let (seen, answer) = call(&server, "POST", &path, &token, &body).await;
        assert_eq!((seen, answer["error"].as_str()), (status, Some(error)), "{body}");
    }
    let yes = said("approve", &asked["asked_at"]);
    assert_eq!(call(&server, "POST", &path, &token, &yes).await.0, 200);
    let clients = &server.state.provider.env().clients;
    assert!(clients.client(&ClientId::new(id)).await.unwrap().is_some());
    let (status, answer) = call(&server, "POST", &path, &token, &yes).await;
    assert_eq!((status, answer["error"].as_str()), (404, Some("not_found")));
}

#[tokio::test]
async fn without_the_setting_there_is_no_such_thing() {
    let server = start("").await;
    assert_eq!(server.get("/admin/api/audit").await.status(), StatusCode::NOT_FOUND);
    let scopes = &server.state.provider.metadata()["scopes_supported"];
    assert!(!scopes.as_array().unwrap().contains(&object!("administration")));
}
