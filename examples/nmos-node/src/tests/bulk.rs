//! Many changes in one request.

use super::{Bench, CONNECTION, ELSEWHERE, everything};
use serde_json::{Value, json};

#[tokio::test]
async fn bulk_does_each_and_says_how_it_went() {
    let bench = Bench::new();
    let ids = &bench.node.senders;
    let now = json!({"master_enable": true, "activation": {"mode": "activate_immediate"}});
    let body = json!([
        {"id": ids[0], "params": now},
        {"id": ids[1], "params": {"master_enable": 7}},
        {"id": bench.node.receivers[0], "params": now},
        {"id": ELSEWHERE, "params": now},
        {"id": ids[1], "params": 7},
        {"id": ids[1], "params": {"activation": {"mode": "activate_scheduled_relative", "requested_time": "9:0"}}},
        {"id": ids[1], "params": now},
    ]);
    for slash in ["", "/"] {
        let bench = Bench::new();
        let path = format!("{CONNECTION}/bulk/senders{slash}");
        let answer = bench.ask("POST", &path, Some(&everything()), &body.to_string()).await;
        assert_eq!(answer.status, 200);
        let codes: Vec<_> =
            answer.json().as_array().unwrap().iter().map(|o| o["code"].clone()).collect();
        assert_eq!(codes, [200, 400, 404, 404, 400, 202, 423]);
        assert_eq!(answer.json()[0]["id"], json!(ids[0]));
        assert!(answer.json()[1]["error"].is_string());
        assert_eq!(bench.active(&bench.sender()).await["master_enable"], true);
    }
    let path = format!("{CONNECTION}/bulk/senders");
    for (path, body, status) in [
        (path.as_str(), "{}", 400),
        (&path, "", 400),
        (&path, &json!(vec![json!({}); 1_001]).to_string(), 400),
        ("/x-nmos/connection/v1.1/bulk/others", "[]", 404),
    ] {
        bench.ask("POST", path, Some(&everything()), body).await.refuses(status);
    }
}

#[tokio::test]
async fn one_malformed_item_and_nothing_is_done() {
    let bench = Bench::new();
    let change = json!({"master_enable": true});
    for which in [bench.sender(), bench.receiver()] {
        let (kind, id) = which.split_once('/').unwrap();
        let before = bench.staged(&which).await;
        let (path, good) =
            (format!("{CONNECTION}/bulk/{kind}"), json!({"id": id, "params": change}));
        for bad in [
            json!({"params": change}),
            json!({"id": id}),
            json!({"id": id, "params": change, "more": 1}),
            json!({"id": id, "more": change}),
            json!({"id": "x", "params": change}),
            json!({"id": 7, "params": change}),
            json!({"id": id.to_uppercase(), "params": change}),
            json!({"id": "00000000-0000-0000-0000-000000000000", "params": change}),
            json!({}),
            json!([]),
            json!("x"),
            Value::Null,
        ] {
            let body = json!([good, bad]).to_string();
            bench.ask("POST", &path, Some(&everything()), &body).await.refuses(400);
            assert_eq!(bench.staged(&which).await, before, "{bad}");
        }
    }
}
