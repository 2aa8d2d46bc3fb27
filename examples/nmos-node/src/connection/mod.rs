//! The Connection API of AMWA IS-05, versions 1.0 and 1.1.

mod activation;
mod bulk;
mod endpoint;
mod id;
mod patch;
mod transport;
mod versions;

use crate::{
    answer::{NmosError, answer, listing, ok},
    node::Node,
    tai::{Clock, Tai},
};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use endpoint::{Applied, Endpoint, Subscription};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use transport::Kind;
use uuid::Uuid;
use versions::Versions;

/// How long the time is trusted to pass as it did, since clocks are set.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The senders and receivers of this node.
pub(crate) struct Connections {
    endpoints: BTreeMap<Uuid, Mutex<Endpoint>>,
    versions: Arc<Versions>,
    clock: Arc<dyn Clock>,
}

impl Connections {
    pub(crate) fn new(node: &Node, clock: Arc<dyn Clock>) -> Arc<Self> {
        let versions = Arc::new(Versions::new(clock.now()));
        let of = |kind: Kind, ids: &[Uuid]| {
            let new = |(i, id): (usize, &Uuid)| {
                (*id, Mutex::new(Endpoint::new(kind, i, node.address, &versions)))
            };
            ids.iter().enumerate().map(new).collect::<Vec<_>>()
        };
        let senders = of(Kind::Sender, &node.senders);
        let receivers = of(Kind::Receiver, &node.receivers);
        let endpoints = senders.into_iter().chain(receivers).collect();
        Arc::new(Self { endpoints, versions, clock })
    }

    /// Has a sender or receiver do what was scheduled for a time that has come.
    fn settled<'a>(&self, endpoint: &'a Mutex<Endpoint>) -> MutexGuard<'a, Endpoint> {
        let mut endpoint = endpoint.lock().unwrap_or_else(PoisonError::into_inner);
        endpoint.settle(self.clock.now());
        endpoint
    }

    /// Works on one sender or receiver, after it did what was due.
    fn with<T>(
        &self,
        kind: &str,
        id: &str,
        work: impl FnOnce(&mut Endpoint) -> T,
    ) -> Result<T, NmosError> {
        let kind = Kind::parse(kind).ok_or(NmosError::NOT_FOUND)?;
        let id = Uuid::parse_str(id).map_err(|_| NmosError::NOT_FOUND)?;
        let mut endpoint = self.settled(self.endpoints.get(&id).ok_or(NmosError::NOT_FOUND)?);
        if endpoint.kind() != kind {
            return Err(NmosError::NOT_FOUND);
        }
        Ok(work(&mut endpoint))
    }

    /// Changes what is staged, and activates it now or when it is time.
    fn patch(self: &Arc<Self>, kind: &str, id: &str, body: &Value) -> Result<Applied, NmosError> {
        let now = self.clock.now();
        let applied = self.with(kind, id, |endpoint| endpoint.patch(body, now))??;
        if let Some(at) = applied.scheduled {
            tokio::spawn(self.clone().watch(kind.to_owned(), id.to_owned(), at));
        }
        Ok(applied)
    }

    /// Looks until what is scheduled for this moment is done or called off: whoever looks does what is due.
    async fn watch(self: Arc<Self>, kind: String, id: String, at: Tai) {
        while self.with(&kind, &id, |endpoint| endpoint.due()) == Ok(Some(at)) {
            let ahead = at.since(self.clock.now());
            tokio::time::sleep(ahead.min(LOOK_AGAIN)).await;
        }
    }

    /// What the Node API says about a sender or receiver and changes with what is active.
    pub(crate) fn subscription(&self, id: Uuid) -> Option<Subscription> {
        Some(self.settled(self.endpoints.get(&id)?).subscription())
    }

    /// The version of the device, which rises when a sender or receiver of it changes.
    pub(crate) fn version(&self) -> Tai {
        for endpoint in self.endpoints.values() {
            drop(self.settled(endpoint));
        }
        self.versions.latest()
    }

    /// What is active of `senders/<id>`, without doing what is due.
    #[cfg(test)]
    pub(crate) fn untouched(&self, which: &str) -> Value {
        let id = Uuid::parse_str(which.rsplit('/').next().unwrap()).unwrap();
        self.endpoints[&id].lock().unwrap().active()
    }

    fn ids(&self, kind: Kind) -> Vec<String> {
        let of_kind = |endpoint: &Mutex<Endpoint>| {
            endpoint.lock().unwrap_or_else(PoisonError::into_inner).kind() == kind
        };
        let ids = self.endpoints.iter().filter(|(_, endpoint)| of_kind(endpoint));
        ids.map(|(id, _)| format!("{id}/")).collect()
    }
}

pub(crate) fn routes(connections: Arc<Connections>) -> Router {
    let mut router = Router::new();
    for slash in ["", "/"] {
        let path = |path: &str| format!("/x-nmos/connection{path}{slash}");
        router = router.route(&path(""), get(async || listing(&["v1.0/", "v1.1/"])));
        for version in ["/v1.0", "/v1.1"] {
            let path = |below: &str| path(&format!("{version}{below}"));
            router = router
                .route(&path(""), get(async || listing(&["bulk/", "single/"])))
                .route(&path("/single"), get(async || listing(&["receivers/", "senders/"])))
                .route(&path("/bulk"), get(async || listing(&["receivers/", "senders/"])))
                .route(&path("/bulk/{kind}"), post(bulk::bulk))
                .route(&path("/single/{kind}"), get(endpoints))
                .route(&path("/single/{kind}/{id}/constraints"), get(constraints))
                .route(&path("/single/{kind}/{id}/staged"), get(staged).patch(stage))
                .route(&path("/single/{kind}/{id}/active"), get(active))
                .route(&path("/single/{kind}/{id}/transportfile"), get(transport_file));
        }
        router = router
            .route(&path("/v1.0/single/{kind}/{id}"), get(below_v1_0))
            .route(&path("/v1.1/single/{kind}/{id}"), get(below_v1_1))
            .route(&path("/v1.1/single/{kind}/{id}/transporttype"), get(transport_type));
    }
    router.with_state(connections)
}

type Connected = State<Arc<Connections>>;
type Which = Path<(String, String)>;
/// A body, or why there is none, which handlers say in their own words.
type Sent = Result<Bytes, BytesRejection>;

async fn endpoints(
    State(connections): Connected,
    Path(kind): Path<String>,
) -> Result<Response, NmosError> {
    let kind = Kind::parse(&kind).ok_or(NmosError::NOT_FOUND)?;
    Ok(ok(&json!(connections.ids(kind))))
}

async fn below_v1_0(State(connections): Connected, which: Which) -> Result<Response, NmosError> {
    below(&connections, which, &[])
}

async fn below_v1_1(State(connections): Connected, which: Which) -> Result<Response, NmosError> {
    below(&connections, which, &["transporttype/"])
}

fn below(
    connections: &Connections,
    Path((kind, id)): Which,
    also: &[&str],
) -> Result<Response, NmosError> {
    let kind = connections.with(&kind, &id, |endpoint| endpoint.kind())?;
    let mut names = vec!["constraints/", "staged/", "active/"];
    if kind == Kind::Sender {
        names.push("transportfile/");
    }
    names.extend(also);
    Ok(listing(&names))
}

async fn constraints(
    State(connections): Connected,
    Path((kind, id)): Which,
) -> Result<Response, NmosError> {
    connections.with(&kind, &id, |endpoint| ok(&endpoint.constraints()))
}

async fn staged(
    State(connections): Connected,
    Path((kind, id)): Which,
) -> Result<Response, NmosError> {
    connections.with(&kind, &id, |endpoint| ok(&endpoint.staged()))
}

async fn active(
    State(connections): Connected,
    Path((kind, id)): Which,
) -> Result<Response, NmosError> {
    connections.with(&kind, &id, |endpoint| ok(&endpoint.active()))
}

async fn stage(
    State(connections): Connected,
    Path((kind, id)): Which,
    body: Sent,
) -> Result<Response, NmosError> {
    // Whether it exists comes before whether the body is good.
    connections.with(&kind, &id, |_| ())?;
    let applied = connections.patch(&kind, &id, &json_of(body)?)?;
    Ok(answer(applied.status, &applied.staged))
}

async fn transport_type(
    State(connections): Connected,
    Path((kind, id)): Which,
) -> Result<Response, NmosError> {
    connections.with(&kind, &id, |_| ok(&json!("urn:x-nmos:transport:rtp")))
}

/// The SDP of a sender that sends. Never a redirect: a token would not follow it.
async fn transport_file(
    State(connections): Connected,
    Path((kind, id)): Which,
) -> Result<Response, NmosError> {
    let file = connections.with(&kind, &id, |endpoint| endpoint.transport_file())?;
    let headers = [(header::CONTENT_TYPE, "application/sdp")];
    file.map(|sdp| (headers, sdp).into_response())
        .ok_or(NmosError::new(StatusCode::NOT_FOUND, "there is no transport file at the moment"))
}

fn json_of(body: Sent) -> Result<Value, NmosError> {
    let body = body.map_err(|problem| match problem.status() {
        StatusCode::PAYLOAD_TOO_LARGE => NmosError::TOO_LARGE,
        _ => NmosError::bad("the body did not arrive"),
    })?;
    serde_json::from_slice(&body).map_err(|_| NmosError::bad("the body is not JSON"))
}
