//! The Node API, and how it follows the Connection API.

use super::{Bench, CONNECTION, ELSEWHERE, HOST};
use crate::{node::Node, tai::Tai};
use serde_json::{Value, json};

#[tokio::test]
async fn the_node_api_names_what_the_connection_api_has() {
    let bench = Bench::new();
    let itself = bench.get("/x-nmos/node/v1.3/self").await.json();
    assert_eq!(itself["api"]["endpoints"][0]["authorization"], true);
    let devices = bench.get("/x-nmos/node/v1.3/devices/").await.json();
    assert_eq!(devices[0]["node_id"], itself["id"]);
    assert_eq!(devices[0]["controls"][1]["type"], "urn:x-nmos:control:sr-ctrl/v1.1");
    for kind in ["senders", "receivers"] {
        let listed = bench.get(&format!("/x-nmos/node/v1.3/{kind}")).await.json();
        let named = bench.get(&format!("{CONNECTION}/single/{kind}")).await.json();
        let mut ids: Vec<_> = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|r| format!("{}/", r["id"].as_str().unwrap()))
            .collect();
        ids.sort();
        assert_eq!(json!(ids), named);
        assert_eq!(devices[0][kind].as_array().unwrap().len(), 2);
    }
    let flows = bench.get("/x-nmos/node/v1.3/flows").await.json();
    let sources = bench.get("/x-nmos/node/v1.3/sources").await.json();
    let senders = bench.get("/x-nmos/node/v1.3/senders").await.json();
    assert_eq!(flows[0]["source_id"], sources[0]["id"]);
    assert_eq!(senders[0]["flow_id"], flows[0]["id"]);
    let one =
        bench.get(&format!("/x-nmos/node/v1.3/flows/{}", flows[0]["id"].as_str().unwrap())).await;
    assert_eq!(one.json(), flows[0]);
    assert_eq!(Node::new(HOST, 1, bench.node.address).senders, bench.node.senders, "ids stay");
}

/// What the Node API says of `senders/<id>`.
async fn shown(bench: &Bench, which: &str) -> Value {
    bench.get(&format!("/x-nmos/node/v1.3/{which}")).await.json()
}

fn version(resource: &Value) -> Tai {
    Tai::parse(resource["version"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_subscription_follows_what_is_active() {
    let bench = Bench::new();
    let id = bench.receiver();
    let none = json!({"sender_id": null, "active": false});
    assert_eq!(shown(&bench, &id).await["subscription"], none);
    bench.patch(&id, &json!({"sender_id": ELSEWHERE, "master_enable": true})).await;
    assert_eq!(shown(&bench, &id).await["subscription"], none, "what is staged is not active");
    let now = json!({"mode": "activate_immediate"});
    bench.patch(&id, &json!({"activation": now})).await;
    let connected = json!({"sender_id": ELSEWHERE, "active": true});
    assert_eq!(shown(&bench, &id).await["subscription"], connected);
    assert_eq!(shown(&bench, "receivers").await[0]["subscription"], connected);
    bench.patch(&id, &json!({"master_enable": false, "activation": now})).await;
    assert_eq!(shown(&bench, &id).await["subscription"], none);
    // Whoever sends to a group sends to nobody in particular.
    let id = bench.sender();
    for (destination, receiver) in [("auto", Value::Null), ("192.0.2.9", json!(ELSEWHERE))] {
        let change = json!({
            "receiver_id": ELSEWHERE, "master_enable": true, "activation": now,
            "transport_params": [{"destination_ip": destination}],
        });
        assert_eq!(bench.patch(&id, &change).await.status, 200);
        let subscription = json!({"receiver_id": receiver, "active": true});
        assert_eq!(shown(&bench, &id).await["subscription"], subscription);
    }
}

#[tokio::test]
async fn versions_rise_with_every_activation() {
    let bench = Bench::new();
    let other = format!("senders/{}", bench.node.senders[1]);
    let (others, now) = (shown(&bench, &other).await, json!({"mode": "activate_immediate"}));
    // The same moment, one before it, and a later one.
    for time in ["1600000037:5", "1600000030:0", "1600000050:0"] {
        bench.clock.set(time);
        for id in [bench.sender(), bench.receiver()] {
            let (was, device) = (shown(&bench, &id).await, shown(&bench, "devices").await);
            bench.patch(&id, &json!({"master_enable": true})).await;
            assert_eq!(shown(&bench, &id).await, was, "what is staged is not active");
            assert_eq!(shown(&bench, "devices").await, device);
            bench.patch(&id, &json!({"activation": now})).await;
            assert!(version(&shown(&bench, &id).await) > version(&was), "{time}");
            assert!(version(&shown(&bench, "devices").await[0]) > version(&device[0]), "{time}");
        }
    }
    assert_eq!(shown(&bench, &bench.sender()).await["version"], "1600000050:0");
    assert_eq!(shown(&bench, &other).await, others);
}

#[tokio::test]
async fn a_scheduled_activation_shows_when_it_is_time() {
    let bench = Bench::new();
    let id = bench.sender();
    let was = shown(&bench, "devices").await;
    let later = json!({
        "master_enable": true,
        "activation": {"mode": "activate_scheduled_relative", "requested_time": "2:0"},
    });
    assert_eq!(bench.patch(&id, &later).await.status, 202);
    assert_eq!(shown(&bench, "devices").await, was);
    bench.advance("2:0");
    assert_eq!(shown(&bench, "devices").await[0]["version"], "1600000039:5");
    let sender = shown(&bench, &id).await;
    assert_eq!(sender["version"], "1600000039:5");
    assert_eq!(sender["subscription"]["active"], true);
}
