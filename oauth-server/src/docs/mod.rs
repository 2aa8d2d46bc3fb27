//! The description of every route: an `OpenAPI` 3.1 document, and Swagger UI to read it with, served from here alone.
//!
//! A module describes its routes as a list of `Op`s next to them, and `described` gathers the
//! lists. The document holds the routes that are really mounted: which these are is asked of the router itself, so what
//! a configuration switches off is not in its document, and a route that nobody described is in it by its path alone.
//! A test refuses such routes.

pub(crate) mod described;
mod document;
mod mounted;
mod operation;
mod ui;

pub use mounted::{Mount, Mounted};
pub(crate) use operation::{Field, Lock, Op};

use crate::{
    config::{Config, Profile},
    state::AppState,
};
use axum::Router;
use std::sync::{Arc, OnceLock};

/// The documents of one server, made once its routes are known.
#[derive(Clone, Default)]
pub(crate) struct Shelf(Arc<OnceLock<Documents>>);

/// The documents, as JSON.
struct Documents {
    all: String,
    auth: String,
    users: String,
}

/// One of the documents.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// Every route.
    All,
    /// Those of signing in.
    Auth,
    /// Those of users.
    Users,
}

/// What the paths of the document about signing in begin with.
const AUTH: [&str; 7] =
    ["/api/auth/", "/oauth/", "/auth/", "/api/guest", "/api/login", "/api/refresh", "/api/logout"];
/// What the paths of the document about users begin with.
const USERS: [&str; 9] = [
    "/api/usr/",
    "/api/users",
    "/api/register",
    "/api/confirm",
    "/api/forgot",
    "/api/reset",
    "/api/undo",
    "/account/profile",
    "/oauth/userinfo",
];

impl Part {
    fn has(self, path: &str) -> bool {
        match self {
            Self::All => true,
            Self::Auth => AUTH.iter().any(|start| path.starts_with(start)),
            Self::Users => USERS.iter().any(|start| path.starts_with(start)),
        }
    }
}

impl Shelf {
    /// Writes the documents about the routes of a router.
    pub(crate) fn fill<S>(&self, router: &Router<S>, state: &AppState) {
        let mounted = Mounted::of(router);
        let described = described::all(state);
        let write = |part| document::write(part, &mounted, &described, &state.config).to_string();
        let documents =
            Documents { all: write(Part::All), auth: write(Part::Auth), users: write(Part::Users) };
        // Whoever fills it twice gets the first.
        let _ = self.0.set(documents);
    }

    fn document(&self, part: Part) -> String {
        let Some(documents) = self.0.get() else { return String::new() };
        match part {
            Part::All => documents.all.clone(),
            Part::Auth => documents.auth.clone(),
            Part::Users => documents.users.clone(),
        }
    }
}

/// The routes of the documents, unless the configuration has none of them.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(
    shelf: &Shelf,
    config: &Config,
) -> Router<S> {
    if !config.docs.enabled {
        return Router::new();
    }
    let all = ui::routes(shelf, Part::All, "/doc", "/openapi.json");
    if config.profile() != Profile::Toktok && !config.is_toktok() {
        return all;
    }
    all.merge(ui::routes(shelf, Part::Auth, "/api/auth/documentation", "/api/auth/swagger.json"))
        .merge(ui::routes(shelf, Part::Users, "/api/usr/documentation", "/api/usr/swagger.json"))
}
