//! When what is staged becomes active.

use crate::{answer::NmosError, tai::Tai};
use serde_json::{Value, json};

/// What a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Nothing, and nothing of what was scheduled either.
    None,
    Now,
    At(Tai),
    In(Tai),
}

/// Further ahead than anybody plans: a month.
const LONGEST: u64 = 31 * 24 * 3600;

impl Wish {
    pub(super) fn read(value: &Value) -> Result<Self, NmosError> {
        let fields = value.as_object().ok_or(NmosError::bad("activation is an object"))?;
        if fields.keys().any(|k| !["mode", "requested_time"].contains(&&**k)) {
            return Err(NmosError::bad("activation has mode and requested_time, and nothing else"));
        }
        let requested = match fields.get("requested_time") {
            None | Some(Value::Null) => None,
            Some(time) => {
                let time = time.as_str().and_then(Tai::parse);
                Some(time.ok_or(NmosError::bad("requested_time is <seconds>:<nanoseconds>"))?)
            }
        };
        let mode = fields.get("mode").ok_or(NmosError::bad("activation has no mode"))?;
        match (mode.as_str(), requested) {
            (None, None) if mode.is_null() => Ok(Self::None),
            (Some("activate_immediate"), None) => Ok(Self::Now),
            (Some("activate_scheduled_absolute"), Some(at)) => Ok(Self::At(at)),
            (Some("activate_scheduled_relative"), Some(time)) => Ok(Self::In(time)),
            _ => Err(NmosError::bad(
                "activation has an unknown mode, or a time that does not fit it",
            )),
        }
    }
}

/// An activation that is done or will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Activation {
    mode: &'static str,
    requested: Option<Tai>,
    pub(super) at: Tai,
}

impl Activation {
    /// The moment of a wish. A moment that has passed is now: late is better than never.
    pub(super) fn plan(wish: Wish, now: Tai) -> Result<Option<Self>, NmosError> {
        let (mode, requested, at) = match wish {
            Wish::None => return Ok(None),
            Wish::Now => ("activate_immediate", None, now),
            Wish::At(at) => ("activate_scheduled_absolute", Some(at), at.max(now)),
            Wish::In(time) => ("activate_scheduled_relative", Some(time), now.plus(time)),
        };
        if at.since(now).as_secs() > LONGEST {
            return Err(NmosError::bad("that is too far ahead"));
        }
        Ok(Some(Self { mode, requested, at }))
    }

    pub(super) fn is_immediate(&self) -> bool {
        self.requested.is_none()
    }

    pub(super) fn document(activation: Option<&Self>) -> Value {
        json!({
            "mode": activation.map(|a| a.mode),
            "requested_time": activation.and_then(|a| a.requested).map(|t| t.to_string()),
            "activation_time": activation.map(|a| a.at.to_string()),
        })
    }
}
