//! One sender or receiver: what is staged, what is active, and what is scheduled.

use super::{
    activation::Activation,
    patch::{Patch, peer_field},
    transport::{Kind, Transport},
    versions::Versions,
};
use crate::{answer::NmosError, tai::Tai};
use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use std::{net::IpAddr, sync::Arc};

pub(super) struct Endpoint {
    kind: Kind,
    transport: Transport,
    staged: Setting,
    active: Setting,
    /// How the active setting became that.
    activated: Option<Activation>,
    /// What will become active, and when.
    scheduled: Option<Activation>,
    /// Of what is active.
    version: Tai,
    versions: Arc<Versions>,
}

/// Everything that can be staged.
#[derive(Clone)]
struct Setting {
    peer: Value,
    enable: bool,
    params: Map<String, Value>,
    file: Value,
}

/// A change that was made.
pub(super) struct Applied {
    pub(super) status: StatusCode,
    pub(super) staged: Value,
    /// When to look again.
    pub(super) scheduled: Option<Tai>,
}

/// What the Node API says about what is active.
pub(crate) struct Subscription {
    pub(crate) version: Tai,
    pub(crate) document: Value,
}

impl Endpoint {
    pub(super) fn new(
        kind: Kind,
        number: usize,
        address: IpAddr,
        versions: &Arc<Versions>,
    ) -> Self {
        let transport = Transport::new(kind, number, address);
        let staged = Setting {
            peer: Value::Null,
            enable: false,
            params: transport.initial(),
            file: json!({"data": null, "type": null}),
        };
        let active = Setting { params: transport.resolved(&staged.params), ..staged.clone() };
        let (version, versions) = (versions.latest(), versions.clone());
        let (activated, scheduled) = (None, None);
        Self { kind, transport, staged, active, activated, scheduled, version, versions }
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn constraints(&self) -> Value {
        json!([self.transport.constraints()])
    }

    pub(super) fn staged(&self) -> Value {
        self.document(&self.staged, self.scheduled.as_ref())
    }

    pub(super) fn active(&self) -> Value {
        self.document(&self.active, self.activated.as_ref())
    }

    fn document(&self, setting: &Setting, activation: Option<&Activation>) -> Value {
        let mut document = Map::new();
        document.insert("master_enable".to_owned(), json!(setting.enable));
        document.insert("activation".to_owned(), Activation::document(activation));
        document.insert("transport_params".to_owned(), json!([setting.params]));
        document.insert(peer_field(self.kind).to_owned(), setting.peer.clone());
        if self.kind == Kind::Receiver {
            document.insert("transport_file".to_owned(), setting.file.clone());
        }
        Value::Object(document)
    }

    /// Who is on the other side is said of a connection that is on, and of a sender only if it sends to one receiver.
    pub(super) fn subscription(&self) -> Subscription {
        let destination = self.active.params.get("destination_ip").and_then(Value::as_str);
        let shared = destination.is_some_and(is_group);
        let peer =
            if self.active.enable && !shared { self.active.peer.clone() } else { Value::Null };
        let field = peer_field(self.kind);
        let document = json!({"active": self.active.enable, field: peer});
        Subscription { version: self.version, document }
    }

    /// When what is scheduled will become active.
    pub(super) fn due(&self) -> Option<Tai> {
        self.scheduled.map(|scheduled| scheduled.at)
    }

    /// Does what is due.
    pub(super) fn settle(&mut self, now: Tai) {
        if let Some(due) = self.scheduled.filter(|scheduled| scheduled.at <= now) {
            self.activate(due);
        }
    }

    fn activate(&mut self, activation: Activation) {
        let params = self.transport.resolved(&self.staged.params);
        self.active = Setting { params, ..self.staged.clone() };
        self.activated = Some(activation);
        self.scheduled = None;
        self.version = self.versions.rise(activation.at);
        tracing::info!(kind = ?self.kind, enabled = self.active.enable, "activated");
    }

    /// Changes what is staged. While something is scheduled nothing is, except that it may be called off.
    pub(super) fn patch(&mut self, body: &Value, now: Tai) -> Result<Applied, NmosError> {
        let patch = Patch::read(self.kind, &self.transport, body)?;
        let calls_off = patch.activation == Some(super::activation::Wish::None);
        if self.scheduled.is_some() && !calls_off {
            return Err(NmosError::LOCKED);
        }
        let plan = match patch.activation {
            Some(wish) => Activation::plan(wish, now)?,
            None => None,
        };
        self.scheduled = None;
        self.stage(patch);
        match plan {
            Some(plan) if plan.is_immediate() => {
                self.activate(plan);
                let staged = self.document(&self.staged, Some(&plan));
                Ok(Applied { status: StatusCode::OK, staged, scheduled: None })
            }
            Some(plan) => {
                self.scheduled = Some(plan);
                let (status, staged) = (StatusCode::ACCEPTED, self.staged());
                Ok(Applied { status, staged, scheduled: Some(plan.at) })
            }
            None => Ok(Applied { status: StatusCode::OK, staged: self.staged(), scheduled: None }),
        }
    }

    fn stage(&mut self, patch: Patch) {
        let staged = &mut self.staged;
        if let Some(peer) = patch.peer {
            staged.peer = peer;
        }
        if let Some(enable) = patch.enable {
            staged.enable = enable;
        }
        if let Some(file) = patch.file {
            staged.file = file;
        }
        staged.params.extend(patch.params.unwrap_or_default());
    }

    /// The SDP of a sender that sends ([RFC 4566](https://www.rfc-editor.org/rfc/rfc4566)).
    pub(super) fn transport_file(&self) -> Option<String> {
        if self.kind != Kind::Sender || !self.active.enable {
            return None;
        }
        let text = |name: &str| Some(self.active.params.get(name)?.as_str()?.to_owned());
        let (source, group) = (text("source_ip")?, text("destination_ip")?);
        let port = self.active.params.get("destination_port")?.as_u64()?;
        let family = if source.contains(':') { "IP6" } else { "IP4" };
        let connection =
            if is_group(&group) && family == "IP4" { format!("{group}/32") } else { group.clone() };
        Some(format!(
            "v=0\r\no=- 1 1 IN {family} {source}\r\ns=example sender\r\nt=0 0\r\n\
             m=video {port} RTP/AVP 96\r\nc=IN {family} {connection}\r\n\
             a=source-filter: incl IN {family} {group} {source}\r\na=rtpmap:96 raw/90000\r\n\
             a=fmtp:96 sampling=YCbCr-4:2:2; width=1920; height=1080; depth=10; exactframerate=25; \
             colorimetry=BT709; PM=2110GPM; SSN=ST2110-20:2017\r\na=ts-refclk:localmac=02-00-00-00-00-01\r\n\
             a=mediaclk:direct=0\r\n"
        ))
    }
}

fn is_group(address: &str) -> bool {
    address.parse::<IpAddr>().is_ok_and(|ip| ip.is_multicast())
}
