//! Which routes a router has, by its own word.

use axum::Router;
use std::collections::{BTreeMap, BTreeSet};

/// A method, in capitals, and the path as it was given to the router.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mount {
    /// The path, with `{name}` for what varies.
    pub path: String,
    /// The method.
    pub method: String,
}

/// Every route of a router.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mounted(BTreeSet<Mount>);

/// The methods, as axum names them.
const METHODS: [&str; 7] = ["get", "head", "delete", "options", "patch", "post", "put"];

impl Mounted {
    /// Reads the routes out of what the router says of itself when it is asked for debugging: axum has no other way.
    /// Should a release of axum say it in other words, nothing is found, and the tests of the document fail.
    pub fn of<S>(router: &Router<S>) -> Self {
        let said = format!("{router:?}");
        // What follows is about paths without a route.
        let said = said.split("fallback_router:").next().unwrap_or_default();
        let mut methods: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut paths: BTreeMap<&str, &str> = BTreeMap::new();
        for piece in said.split("RouteId(").skip(1) {
            let Some((id, what)) = piece.split_once("): ") else { continue };
            if let Some(path) = what.strip_prefix('"') {
                paths.insert(id, path.split('"').next().unwrap_or_default());
            } else {
                methods.insert(id, methods_of(what));
            }
        }
        let mount = |(id, path): (&str, &str)| {
            let of_path = methods.get(id).cloned().unwrap_or_default();
            let mount = |method: &str| Mount { path: path.into(), method: method.to_uppercase() };
            of_path.into_iter().map(mount).collect::<Vec<_>>()
        };
        Self(paths.into_iter().flat_map(mount).collect())
    }

    /// The routes, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &Mount> {
        self.0.iter()
    }
}

/// The methods that have a handler. `HEAD` goes with `GET` by itself and is not named again.
fn methods_of(said: &str) -> Vec<&'static str> {
    let has = |method: &&&'static str| {
        let at = said.split_once(&format!("{method}: ")).map(|(_, rest)| rest);
        at.is_some_and(|rest| !rest.starts_with("None"))
    };
    METHODS.iter().filter(has).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::{get, post, put};

    #[test]
    fn a_router_is_read_with_what_is_merged_and_layered() {
        let inner: Router = Router::new().route("/b/{id}", post(|| async {}).delete(|| async {}));
        let router: Router = Router::new()
            .route("/a", get(|| async {}))
            .merge(inner)
            .layer(axum::middleware::map_response(|r: axum::response::Response| async { r }))
            .route("/c", put(|| async {}))
            .fallback(|| async {});
        let found: Vec<_> =
            Mounted::of(&router).iter().map(|m| format!("{} {}", m.method, m.path)).collect();
        assert_eq!(found, ["GET /a", "DELETE /b/{id}", "POST /b/{id}", "PUT /c"]);
    }
}
