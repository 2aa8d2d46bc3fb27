//! A POST body to [`Incoming`]: form-urlencoded or multipart, each name once, limited in size.

use crate::{
    error::OAuthError,
    params::{Incoming, Params},
};
use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
    response::Response,
};
use multer::{Constraints, Multipart, SizeLimit};

/// More than any request of any specification needs.
const LONGEST_BODY: usize = 64 * 1024;

/// Reads what the protocol needs of a request with a body.
pub async fn incoming(request: Request) -> Result<Incoming, OAuthError> {
    let (parts, body) = request.into_parts();
    let authorization = authorization(&parts.headers)?;
    let params = params(&parts.headers, body).await?;
    Ok(Incoming { authorization, params })
}

/// One `Authorization` header, or none.
pub(super) fn authorization(headers: &HeaderMap) -> Result<Option<String>, OAuthError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(OAuthError::invalid_request("more than one Authorization header"));
    }
    first
        .map(|v| v.to_str().map(str::to_owned))
        .transpose()
        .map_err(|_| OAuthError::invalid_client())
}

async fn params(headers: &HeaderMap, body: Body) -> Result<Params, OAuthError> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let mime = content_type.split(';').next().unwrap_or_default().trim();
    let body = || async {
        axum::body::to_bytes(body, LONGEST_BODY)
            .await
            .map_err(|_| OAuthError::invalid_request("the body is too long or was cut short"))
    };
    if mime.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Params::parse(&body().await?)
    } else if mime.eq_ignore_ascii_case("multipart/form-data") {
        multipart(content_type, body().await?).await
    } else {
        Err(OAuthError::invalid_request(
            "the body must be application/x-www-form-urlencoded or multipart/form-data",
        ))
    }
}

async fn multipart(content_type: &str, body: Bytes) -> Result<Params, OAuthError> {
    let malformed = |_| OAuthError::invalid_request("the multipart body is malformed");
    let boundary = multer::parse_boundary(content_type).map_err(malformed)?;
    let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(LONGEST_BODY as u64));
    let stream = Body::from(body).into_data_stream();
    let mut parts = Multipart::with_constraints(stream, boundary, limits);
    let mut params = Params::default();
    while let Some(field) = parts.next_field().await.map_err(malformed)? {
        let name = field
            .name()
            .map(str::to_owned)
            .ok_or(OAuthError::invalid_request("a part has no name"))?;
        if field.file_name().is_some() {
            return Err(OAuthError::invalid_request("files are not accepted"));
        }
        let value = field.bytes().await.map_err(malformed)?;
        let value = String::from_utf8(value.into())
            .map_err(|_| OAuthError::invalid_request("a parameter is not UTF-8"))?;
        params.add(name, value)?;
    }
    Ok(params)
}

/// A form in which each name occurs once, for the pages of an embedder. `axum::Form` would let repeated
/// parameters through.
#[derive(Clone, Debug)]
pub struct FormParams(pub Params);

impl<S: Send + Sync> FromRequest<S> for FormParams {
    type Rejection = Response;
    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        match incoming(request).await {
            Ok(incoming) => Ok(Self(incoming.params)),
            Err(e) => Err(super::error_json(&e)),
        }
    }
}
