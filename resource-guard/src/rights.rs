//! The `x-nmos-<api>` claims of a token (AMWA IS-10, access token claims), read once.

use crate::pattern::fits;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const PREFIX: &str = "x-nmos-";

/// What a request does to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

#[derive(Clone, Debug, Default)]
struct Patterns {
    read: Vec<String>,
    write: Vec<String>,
}

/// Path patterns by API. Claims that are not as they should be give nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rights(BTreeMap<String, Patterns>);

impl Rights {
    pub(crate) fn of(claims: &Map<String, Value>) -> Self {
        let named = claims.iter().filter_map(|(name, value)| {
            let api = name.strip_prefix(PREFIX).filter(|api| is_api(api))?;
            Some((api.to_owned(), patterns(value)?))
        });
        Self(named.collect())
    }

    /// Whether the token says anything about the API.
    pub(crate) fn mention(&self, api: &str) -> bool {
        self.0.contains_key(api)
    }

    /// Whether the token lets anything of the API be read.
    pub(crate) fn read_something(&self, api: &str) -> bool {
        self.0.get(api).is_some_and(|patterns| !patterns.read.is_empty())
    }

    /// Whether a path below the API's version may be used. A trailing slash of the request is tolerated.
    pub(crate) fn allow(&self, access: Access, api: &str, path: &str, slash: bool) -> bool {
        let Some(patterns) = self.0.get(api) else {
            return false;
        };
        let patterns = match access {
            Access::Read => &patterns.read,
            Access::Write => &patterns.write,
        };
        let slashed = slash.then(|| format!("{path}/"));
        patterns.iter().any(|p| fits(p, path) || slashed.as_ref().is_some_and(|s| fits(p, s)))
    }
}

/// The name of an API as IS-10 allows it in a claim.
pub(crate) fn is_api(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase())
}

fn patterns(value: &Value) -> Option<Patterns> {
    let object = value.as_object()?;
    let list = |name| match object.get(name) {
        None => Some(Vec::new()),
        Some(list) => {
            list.as_array()?.iter().map(|p| p.as_str().map(str::to_owned)).collect::<Option<_>>()
        }
    };
    let patterns = Patterns { read: list("read")?, write: list("write")? };
    let empty = patterns.read.is_empty() && patterns.write.is_empty();
    (!empty).then_some(patterns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rights(claims: &Value) -> Rights {
        Rights::of(claims.as_object().unwrap())
    }

    #[test]
    fn is10_write_does_not_imply_read() {
        let r = rights(&json!({"x-nmos-connection": {"write": ["single/*"]}}));
        assert!(r.allow(Access::Write, "connection", "single/senders", false));
        assert!(!r.allow(Access::Read, "connection", "single/senders", false));
        assert!(!r.allow(Access::Write, "node", "single/senders", false));
        assert!(r.mention("connection") && !r.mention("node"));
    }

    #[test]
    fn a_trailing_slash_is_tolerated_but_never_added() {
        let r = rights(&json!({"x-nmos-connection": {"read": ["bulk", "single/*"]}}));
        assert!(r.allow(Access::Read, "connection", "bulk", true));
        assert!(r.allow(Access::Read, "connection", "single", true));
        assert!(!r.allow(Access::Read, "connection", "single", false));
    }

    #[test]
    fn malformed_claims_give_nothing() {
        for claim in [
            json!("*"),
            json!({}),
            json!({"read": []}),
            json!({"read": "*"}),
            json!({"read": ["*", 7]}),
            json!({"read": ["*"], "write": "*"}),
            json!(["*"]),
            json!(null),
        ] {
            let r = rights(&json!({"x-nmos-node": claim.clone()}));
            assert!(!r.mention("node"), "{claim}");
            assert!(!r.allow(Access::Read, "node", "", false), "{claim}");
        }
        assert!(!rights(&json!({"x-nmos-": {"read": ["*"]}})).mention(""));
    }
}
