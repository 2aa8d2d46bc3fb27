//! The Node API of AMWA IS-04, as far as a controller needs it to find the senders and receivers of this node.

use crate::{
    answer::{NmosError, listing, ok},
    connection::Connections,
};
use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::{get, put},
};
use serde_json::{Value, json};
use std::{net::IpAddr, sync::Arc};
use uuid::{Builder, Uuid};

/// The version of what never changes.
const VERSION: &str = "1:0";
const KINDS: [&str; 6] = ["devices/", "flows/", "receivers/", "self/", "senders/", "sources/"];

/// What this node has: one device, with senders and receivers.
pub(crate) struct Node {
    host: String,
    port: u16,
    pub(crate) address: IpAddr,
    id: Uuid,
    device: Uuid,
    pub(crate) senders: Vec<Uuid>,
    pub(crate) receivers: Vec<Uuid>,
}

impl Node {
    /// The ids follow from the host name, so that they stay the same.
    pub(crate) fn new(host: &str, port: u16, address: IpAddr) -> Self {
        let id = |what: &str| named(&format!("{host}/{what}"));
        Self {
            host: host.to_owned(),
            port,
            address,
            id: id("node"),
            device: id("device"),
            senders: vec![id("sender 1"), id("sender 2")],
            receivers: vec![id("receiver 1"), id("receiver 2")],
        }
    }

    fn base(&self) -> String {
        format!("https://{}:{}/x-nmos", self.host, self.port)
    }

    /// What every resource has, and the rest of it, which may know a version of its own.
    fn core(id: Uuid, label: &str, rest: Value) -> Value {
        let mut core = json!({
            "id": id, "version": VERSION, "label": label, "description": label, "tags": {},
        });
        if let (Value::Object(core), Value::Object(rest)) = (&mut core, rest) {
            core.extend(rest);
        }
        core
    }

    fn itself(&self) -> Value {
        let endpoint = json!({
            "host": self.host, "port": self.port, "protocol": "https", "authorization": true,
        });
        let api = json!({"versions": ["v1.3"], "endpoints": [endpoint]});
        Self::core(
            self.id,
            "example node",
            json!({
                "href": format!("https://{}:{}/", self.host, self.port), "hostname": self.host,
                "api": api, "caps": {}, "services": [], "clocks": [{"name": "clk0", "ref_type": "internal"}],
                "interfaces": [{
                    "name": "eth0", "chassis_id": null, "port_id": "02-00-00-00-00-01",
                }],
            }),
        )
    }

    fn devices(&self, connections: &Connections) -> Vec<Value> {
        let control = |version: &str| {
            json!({
                "href": format!("{}/connection/{version}/", self.base()),
                "type": format!("urn:x-nmos:control:sr-ctrl/{version}"), "authorization": true,
            })
        };
        let device = json!({
            "type": "urn:x-nmos:device:generic", "node_id": self.id, "senders": self.senders,
            "receivers": self.receivers, "controls": [control("v1.0"), control("v1.1")],
            "version": connections.version().to_string(),
        });
        vec![Self::core(self.device, "example device", device)]
    }

    /// A source or flow of each sender.
    fn behind(&self, sender: Uuid, what: &str) -> Uuid {
        named(&format!("{}/{sender}/{what}", self.host))
    }

    fn sources(&self) -> Vec<Value> {
        let source = |sender: &Uuid| {
            let rest = json!({
                "caps": {}, "device_id": self.device, "parents": [], "clock_name": "clk0",
                "format": "urn:x-nmos:format:video", "grain_rate": {"numerator": 25, "denominator": 1},
            });
            Self::core(self.behind(*sender, "source"), "example source", rest)
        };
        self.senders.iter().map(source).collect()
    }

    fn flows(&self) -> Vec<Value> {
        let component = |name: &str, width: u32| json!({"name": name, "width": width, "height": 1080, "bit_depth": 10});
        let flow = |sender: &Uuid| {
            let rest = json!({
                "source_id": self.behind(*sender, "source"), "device_id": self.device, "parents": [],
                "format": "urn:x-nmos:format:video", "media_type": "video/raw",
                "grain_rate": {"numerator": 25, "denominator": 1}, "frame_width": 1920,
                "frame_height": 1080, "interlace_mode": "progressive", "colorspace": "BT709",
                "transfer_characteristic": "SDR",
                "components": [component("Y", 1920), component("Cb", 960), component("Cr", 960)],
            });
            Self::core(self.behind(*sender, "flow"), "example flow", rest)
        };
        self.senders.iter().map(flow).collect()
    }

    fn senders(&self, connections: &Connections) -> Vec<Value> {
        let sender = |id: &Uuid| {
            let now = connections.subscription(*id)?;
            let manifest =
                format!("{}/connection/v1.1/single/senders/{id}/transportfile", self.base());
            let rest = json!({
                "caps": {}, "flow_id": self.behind(*id, "flow"), "device_id": self.device,
                "transport": "urn:x-nmos:transport:rtp.mcast", "manifest_href": manifest,
                "interface_bindings": ["eth0"], "subscription": now.document,
                "version": now.version.to_string(),
            });
            Some(Self::core(*id, "example sender", rest))
        };
        self.senders.iter().filter_map(sender).collect()
    }

    fn receivers(&self, connections: &Connections) -> Vec<Value> {
        let receiver = |id: &Uuid| {
            let now = connections.subscription(*id)?;
            let rest = json!({
                "device_id": self.device, "transport": "urn:x-nmos:transport:rtp",
                "interface_bindings": ["eth0"], "format": "urn:x-nmos:format:video",
                "caps": {"media_types": ["video/raw"]},
                "subscription": now.document, "version": now.version.to_string(),
            });
            Some(Self::core(*id, "example receiver", rest))
        };
        self.receivers.iter().filter_map(receiver).collect()
    }

    fn list(&self, connections: &Connections, kind: &str) -> Option<Vec<Value>> {
        match kind {
            "devices" => Some(self.devices(connections)),
            "flows" => Some(self.flows()),
            "receivers" => Some(self.receivers(connections)),
            "senders" => Some(self.senders(connections)),
            "sources" => Some(self.sources()),
            _ => None,
        }
    }
}

/// An id that a name always leads to.
fn named(name: &str) -> Uuid {
    let hash = digest(&SHA256, name.as_bytes());
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    Builder::from_random_bytes(bytes).into_uuid()
}

pub(crate) fn routes(node: Arc<Node>, connections: Arc<Connections>) -> Router {
    let mut router = Router::new();
    for slash in ["", "/"] {
        let path = |path: &str| format!("/x-nmos/node{path}{slash}");
        router = router
            .route(&path(""), get(async || listing(&["v1.3/"])))
            .route(&path("/v1.3"), get(async || listing(&KINDS)))
            .route(&path("/v1.3/{kind}"), get(kind))
            .route(&path("/v1.3/{kind}/{id}"), get(one))
            .route(&path("/v1.3/receivers/{id}/target"), put(target));
    }
    router.with_state((node, connections))
}

/// Who is here, and what they do at the moment.
type Present = State<(Arc<Node>, Arc<Connections>)>;

async fn kind(
    State((node, connections)): Present,
    Path(kind): Path<String>,
) -> Result<Response, NmosError> {
    if kind == "self" {
        return Ok(ok(&node.itself()));
    }
    Ok(ok(&Value::from(node.list(&connections, &kind).ok_or(NmosError::NOT_FOUND)?)))
}

async fn one(
    State((node, connections)): Present,
    Path((kind, id)): Path<(String, String)>,
) -> Result<Response, NmosError> {
    let list = node.list(&connections, &kind).unwrap_or_default();
    let found = list.iter().find(|resource| resource["id"] == id.as_str());
    found.map(ok).ok_or(NmosError::NOT_FOUND)
}

/// The way to connect before IS-05.
async fn target() -> NmosError {
    NmosError::new(StatusCode::NOT_IMPLEMENTED, "connections are made through the Connection API")
}
