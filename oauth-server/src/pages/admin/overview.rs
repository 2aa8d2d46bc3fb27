//! `/admin`: what there is to look after.

use super::Admin;
use crate::{
    pages::page::{Frame, show as page},
    state::AppState,
};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

#[derive(Template)]
#[template(path = "admin/overview.html")]
struct Overview {
    frame: Frame,
}

pub(super) async fn show(State(state): State<AppState>, admin: Admin) -> Response {
    page(StatusCode::OK, Overview { frame: admin.frame(&state, "admin") })
}
