//! Peers on loopback, and one way to ask.

use axum::{Router, body::Body, http::Request};
use tokio::net::TcpListener;
use tower::ServiceExt;
use url::Url;

/// Serves on a free port for as long as the test runs.
pub(crate) async fn peer(routes: Router) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    Url::parse(&url).unwrap()
}

/// A peer that nobody is behind.
pub(crate) async fn nobody() -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap()
}

/// Status, body, and the request id of the answer.
pub(crate) async fn get(
    app: &Router,
    path: &str,
    headers: &[(&str, &str)],
) -> (u16, String, String) {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap(), id)
}
