//! The path table of AMWA IS-10 for resource servers.

use super::{Need, Policy, Verdict};
use crate::{
    asked::Asked,
    principal::Principal,
    refusal::{Refusal, Style},
    rights::{Access, is_api},
};
use http::{HeaderMap, Method, header};
use oauth_core::model::Scope;

/// Grants by `x-nmos-*` claims × method × path.
pub(crate) struct Nmos;

/// What a path is in an NMOS server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place<'p> {
    /// `/` or `/x-nmos`: free to read, but for web sockets.
    Root,
    /// `/x-nmos/<api>` or `/x-nmos/<api>/<version>`: readable by whoever may do anything with the API.
    Base(&'p str),
    /// Below the version: by path patterns.
    Below(&'p str, &'p str),
    /// Anywhere else, where no claim reaches.
    Outside,
}

fn place(path: &str) -> Place<'_> {
    let mut parts = path.strip_prefix('/').unwrap_or(path).splitn(4, '/');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("" | "x-nmos"), None, ..) => Place::Root,
        (Some("x-nmos"), Some(api), None, _) if is_api(api) => Place::Base(api),
        (Some("x-nmos"), Some(api), Some(version), rest) if is_api(api) && is_version(version) => {
            rest.map_or(Place::Base(api), |rest| Place::Below(api, rest))
        }
        _ => Place::Outside,
    }
}

/// `v1.3`.
fn is_version(text: &str) -> bool {
    let number = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    text.strip_prefix('v')
        .and_then(|v| v.split_once('.'))
        .is_some_and(|(major, minor)| number(major) && number(minor))
}

fn access(method: &Method) -> Option<Access> {
    match *method {
        Method::GET | Method::HEAD => Some(Access::Read),
        Method::POST | Method::PUT | Method::PATCH | Method::DELETE => Some(Access::Write),
        _ => None,
    }
}

/// Whether the caller may do what an upgrade does at the paths of an API. A list of a Query API that is upgraded is a new
/// subscription (AMWA IS-04, querying), which takes the right to write them (AMWA BCP-003-02).
fn may_upgrade(api: &str, asked: &Asked<'_>, principal: &Principal) -> bool {
    api != "query"
        || !asks_for_websocket(asked.headers())
        || principal.nmos(api).may_write("subscriptions")
}

/// Whether the request asks for a web socket. A handler may be content with less than a whole handshake, and so one
/// word is enough here.
fn asks_for_websocket(headers: &HeaderMap) -> bool {
    let names = |value: &[u8]| value.to_ascii_lowercase().windows(9).any(|w| w == b"websocket");
    headers.get_all(header::UPGRADE).iter().any(|value| names(value.as_bytes()))
}

impl Nmos {
    fn judge(asked: &Asked<'_>, principal: &Principal) -> Result<(), Refusal> {
        let path = asked.path().map_err(Refusal::unsafe_path)?;
        let access = access(asked.method()).ok_or(Refusal::insufficient_scope(None))?;
        for (path, slash) in path.readings() {
            let (api, allowed) = match (place(path), access) {
                (Place::Root, Access::Read) => (None, true),
                (Place::Base(api), Access::Read) => {
                    (Some(api), principal.mentions(api) || principal.scope().contains(api))
                }
                (Place::Below(api, rest), access) => {
                    let allowed = principal.rights().allow(access, api, rest, slash);
                    (Some(api), allowed && may_upgrade(api, asked, principal))
                }
                _ => (None, false),
            };
            if !allowed {
                return Err(Refusal::insufficient_scope(api.and_then(Scope::parse)));
            }
        }
        Ok(())
    }
}

impl Policy for Nmos {
    fn need(&self, asked: &Asked<'_>) -> Result<Need, Refusal> {
        if asked.method() == Method::OPTIONS {
            // Whatever the handler says to that, its body does not leave the guard.
            return Ok(Need::Nothing);
        }
        let path = asked.path().map_err(Refusal::unsafe_path)?;
        let root = path.readings().all(|(path, _)| place(path) == Place::Root);
        // What comes through a web socket is not what is read at its path.
        let reads = access(asked.method()) == Some(Access::Read);
        let free = root && reads && !asks_for_websocket(asked.headers());
        Ok(if free { Need::Nothing } else { Need::Token })
    }

    fn allow<'a>(&'a self, asked: &'a Asked<'a>, principal: &'a Principal) -> Verdict<'a> {
        Self::judge(asked, principal).into()
    }

    fn style(&self) -> Style {
        Style::Nmos
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is10_places() {
        for (path, expected) in [
            ("/", Place::Root),
            ("/x-nmos", Place::Root),
            ("/x-nmos/node", Place::Base("node")),
            ("/x-nmos/node/v1.3", Place::Base("node")),
            ("/x-nmos/node/v1.3/self", Place::Below("node", "self")),
            ("/x-nmos/node/v1.3/a/b/c", Place::Below("node", "a/b/c")),
            ("/x-nmos/node/latest", Place::Outside),
            ("/x-nmos/node/v1/self", Place::Outside),
            ("/x-nmos/node/v1.x", Place::Outside),
            ("/x-nmos/Node/v1.3", Place::Outside),
            ("/x-nmos/no*e", Place::Outside),
            ("/X-NMOS", Place::Outside),
            ("/x-nmosx", Place::Outside),
            ("/health", Place::Outside),
        ] {
            assert_eq!(place(path), expected, "{path}");
        }
    }
}
