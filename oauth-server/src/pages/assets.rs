//! The style sheet, the icon and the script for passkeys, under addresses that change with their content.

use super::errors::Explanation;
use crate::state::AppState;
use axum::{
    Router,
    extract::Path,
    http::header,
    response::{IntoResponse as _, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::model::HashedToken;
use std::sync::LazyLock;

/// A file of ours.
pub(super) struct Asset {
    /// Where it is.
    pub(super) path: String,
    content_type: &'static str,
    content: &'static str,
}

/// The style sheet of every page.
pub(super) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../../../templates/style.css");
    Asset::new("style", "css", "text/css; charset=utf-8", content)
});

/// The icon in the tab of the browser.
pub(super) static ICON: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../../../templates/icon.svg");
    Asset::new("icon", "svg", "image/svg+xml", content)
});

/// What asks browsers for passkeys. No other script of ours is on the pages.
pub(super) static PASSKEYS: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../../../templates/passkeys.js");
    Asset::new("passkeys", "js", "text/javascript; charset=utf-8", content)
});

impl Asset {
    fn new(name: &str, ending: &str, content_type: &'static str, content: &'static str) -> Self {
        let hash = HashedToken::of(content);
        let hash = URL_SAFE_NO_PAD.encode(hash.as_bytes().split_at(9).0);
        Self { path: format!("/static/{name}.{hash}.{ending}"), content_type, content }
    }
}

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/static/{file}", get(file))
}

async fn file(Path(file): Path<String>) -> Response {
    let wanted = format!("/static/{file}");
    let Some(asset) = [&*STYLE, &*ICON, &*PASSKEYS].into_iter().find(|a| a.path == wanted) else {
        return Explanation::not_found().into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, asset.content).into_response()
}
