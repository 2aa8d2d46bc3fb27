//! Reading a change of what is staged, whole or not at all.

use super::{
    activation::Wish,
    id::is_id,
    transport::{Kind, Transport},
};
use crate::answer::NmosError;
use serde_json::{Map, Value};

/// Longer than any transport file.
const LONGEST_FILE: usize = 64 * 1024;

/// A change that is acceptable. What it does not name stays as it is.
#[derive(Debug, Default)]
pub(super) struct Patch {
    pub(super) peer: Option<Value>,
    pub(super) enable: Option<bool>,
    pub(super) activation: Option<Wish>,
    pub(super) params: Option<Map<String, Value>>,
    pub(super) file: Option<Value>,
}

/// The field that names the other side.
pub(super) const fn peer_field(kind: Kind) -> &'static str {
    match kind {
        Kind::Sender => "receiver_id",
        Kind::Receiver => "sender_id",
    }
}

impl Patch {
    pub(super) fn read(kind: Kind, transport: &Transport, body: &Value) -> Result<Self, NmosError> {
        let fields = body.as_object().ok_or(NmosError::bad("the body must be an object"))?;
        let mut patch = Self::default();
        let mut told = Map::new();
        for (name, value) in fields {
            match name.as_str() {
                "master_enable" => {
                    let on = value.as_bool().ok_or(NmosError::bad("master_enable is yes or no"))?;
                    patch.enable = Some(on);
                }
                "activation" => patch.activation = Some(Wish::read(value)?),
                "transport_params" => told = one_leg(transport, value)?,
                "transport_file" if kind == Kind::Receiver => patch.file = Some(file(value)?),
                name if name == peer_field(kind) => patch.peer = Some(peer(value)?),
                _ => return Err(NmosError::bad("the body has a field that cannot be changed")),
            }
        }
        // What the request says itself counts more than what the file says.
        let mut params = match patch.file.as_ref().and_then(|file| file["data"].as_str()) {
            Some(sdp) => Transport::read_sdp(sdp)?,
            None => Map::new(),
        };
        params.extend(told);
        patch.params = (!params.is_empty()).then_some(params);
        Ok(patch)
    }
}

/// The parameters of the one interface that there is.
fn one_leg(transport: &Transport, value: &Value) -> Result<Map<String, Value>, NmosError> {
    match value.as_array().map(Vec::as_slice) {
        Some([Value::Object(leg)]) => {
            transport.check(leg)?;
            Ok(leg.clone())
        }
        _ => Err(NmosError::bad("transport_params is a list of one object")),
    }
}

fn peer(value: &Value) -> Result<Value, NmosError> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::String(text) if is_id(text) => Ok(value.clone()),
        _ => Err(NmosError::bad("the id of the other side is not a UUID")),
    }
}

fn file(value: &Value) -> Result<Value, NmosError> {
    let fields = value.as_object().filter(|fields| fields.len() == 2);
    let of = |name: &str| fields.and_then(|fields| fields.get(name));
    match (of("data"), of("type")) {
        (Some(Value::Null), Some(Value::Null)) => Ok(value.clone()),
        (Some(Value::String(data)), Some(Value::String(kind)))
            if kind == "application/sdp" && data.len() <= LONGEST_FILE =>
        {
            Ok(value.clone())
        }
        (Some(_), Some(_)) => {
            Err(NmosError::bad("transport_file must be an SDP of type application/sdp"))
        }
        _ => Err(NmosError::bad("transport_file has data and type, and nothing else")),
    }
}
