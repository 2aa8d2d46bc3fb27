//! Transport parameters and transport files.

use super::{Bench, CONNECTION};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv6Addr};

/// An SDP with this line among the others.
fn sdp(line: &str) -> Value {
    let data = format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=x\r\nt=0 0\r\nm=video 5004 RTP/AVP 96\r\n\
         c=IN IP4 239.1.1.1/32\r\n{line}a=rtpmap:96 raw/90000\r\n"
    );
    json!({"data": data, "type": "application/sdp"})
}

#[tokio::test]
async fn parameters_follow_each_transport_file() {
    let bench = Bench::new();
    let id = bench.receiver();
    bench.patch(&id, &json!({"transport_params": [{"rtp_enabled": false}]})).await;
    for (line, source) in [
        ("a=source-filter: incl IN IP4 239.1.1.1 192.0.2.7\r\n", json!("192.0.2.7")),
        ("", Value::Null),
        // As IS-05 writes it, and the first of several.
        ("a=source-filter:incl IN IP4 239.1.1.1 192.0.2.8 192.0.2.9\r\n", json!("192.0.2.8")),
        ("a=source-filter: excl IN IP4 239.1.1.1 192.0.2.7\r\n", Value::Null),
    ] {
        let staged = bench.patch(&id, &json!({"transport_file": sdp(line)})).await.json();
        let leg = &staged["transport_params"][0];
        assert_eq!(leg["source_ip"], source, "{line}");
        assert_eq!(
            (&leg["multicast_ip"], &leg["rtp_enabled"]),
            (&json!("239.1.1.1"), &json!(true))
        );
    }
    let told = json!({
        "transport_file": sdp(""),
        "transport_params": [{"source_ip": "192.0.2.5", "rtp_enabled": false}],
    });
    let staged = bench.patch(&id, &told).await.json();
    let leg = &staged["transport_params"][0];
    assert_eq!((&leg["source_ip"], &leg["rtp_enabled"]), (&json!("192.0.2.5"), &json!(false)));
    let without = json!({"transport_file": {"data": null, "type": null}});
    let after = bench.patch(&id, &without).await.json();
    assert_eq!(&after["transport_params"][0], leg, "taking the file away changes no parameter");
}

#[tokio::test]
async fn a_sender_sends_where_its_interface_reaches() {
    let six = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
    for (bench, good, bad) in [
        (Bench::new(), "239.1.1.1", ["ff02::1", "2001:db8::9"]),
        (Bench::at(six), "ff15::1", ["239.1.1.1", "192.0.2.9"]),
    ] {
        let id = bench.sender();
        let to = |destination: &str| {
            json!({
                "master_enable": true, "activation": {"mode": "activate_immediate"},
                "transport_params": [{"destination_ip": destination}],
            })
        };
        for bad in bad {
            bench.patch(&id, &to(bad)).await.refuses(400);
        }
        let constraints = bench.get(&format!("{CONNECTION}/single/{id}/constraints")).await.json();
        assert!(constraints[0]["destination_ip"]["pattern"].is_string());
        let (family, other) = if good.contains(':') { ("IP6", "IP4") } else { ("IP4", "IP6") };
        for destination in ["auto", good] {
            assert_eq!(bench.patch(&id, &to(destination)).await.status, 200);
            let active = bench.active(&id).await["transport_params"][0]["destination_ip"].clone();
            let file = bench.get(&format!("{CONNECTION}/single/{id}/transportfile")).await.text;
            let line = format!("c=IN {family} {}", active.as_str().unwrap());
            assert!(file.contains(&line) && !file.contains(other), "{file}");
        }
    }
}
