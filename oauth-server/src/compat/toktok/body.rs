//! Bodies of JSON. Members that an operation does not know are passed over here, since front ends send more than is read.

use super::refusal::No;
use crate::{api, state::AppState};
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

/// A body of JSON.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<AppState> for Body<T> {
    type Rejection = No;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, No> {
        let api::Json(body) = api::Json::from_request(request, state).await?;
        Ok(Self(body))
    }
}
