//! What browsers and NMOS controllers are told with every answer of an NMOS API (AMWA IS-04 and IS-10, CORS): who may
//! read it, and that a token may be sent.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

const ALLOWED_HEADERS: &str = "Accept, Authorization, Content-Type";
const ALLOWED_METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
/// What scripts may read of an answer beside what they always may
/// ([Fetch, safelisted headers](https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name)), where it is there.
const EXPOSED: [HeaderName; 3] = [header::LOCATION, header::RETRY_AFTER, header::WWW_AUTHENTICATE];
const EXPOSED_HEADERS: &str = "Content-Length, Location, Retry-After, WWW-Authenticate";
/// How long a preflight answer may be remembered, in seconds.
const REMEMBERED: &str = "3600";

/// Whether a handler answered an OPTIONS request itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Routing {
    Known,
    Refused,
}

/// Completes an answer. What the handler has set stays, except that `Authorization` joins the headers it allows: a
/// star does not cover it ([Fetch, CORS protocol](https://fetch.spec.whatwg.org/#http-access-control-allow-headers)).
/// An answer to OPTIONS loses its body, since nobody was asked for a token: a handler for whatever method would give
/// away what it answers to GET.
pub(crate) fn finish<R: From<String>>(method: &Method, response: &mut Response<R>) {
    if *method == Method::OPTIONS {
        let mut routing = Routing::Known;
        if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            routing = Routing::Refused;
            // The handler knows nothing of OPTIONS; its list of methods is the answer. A router around it that knows
            // the list better adds it to an answer without one.
            *response.status_mut() = StatusCode::OK;
        }
        empty(response);
        preflight(response.headers_mut(), routing);
    } else {
        let headers = response.headers_mut();
        if EXPOSED.iter().any(|name| headers.contains_key(name)) {
            let names = HeaderValue::from_static(EXPOSED_HEADERS);
            unless_set(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, names);
        }
    }
    unless_set(
        response.headers_mut(),
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
}

/// Takes away the body, and the headers that tell of it.
fn empty<R: From<String>>(response: &mut Response<R>) {
    *response.body_mut() = R::from(String::new());
    let headers = response.headers_mut();
    let telling: Vec<_> = headers.keys().filter(|name| tells_of_body(name)).cloned().collect();
    for name in telling {
        headers.remove(name);
    }
}

fn tells_of_body(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.starts_with("content-")
        || matches!(
            name,
            "digest" | "etag" | "last-modified" | "repr-digest" | "trailer" | "transfer-encoding"
        )
}

fn preflight(headers: &mut HeaderMap, routing: Routing) {
    let served = headers.get(header::ALLOW).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let methods = match &served {
        None => HeaderValue::from_static(ALLOWED_METHODS),
        Some(served) => with(served, "OPTIONS"),
    };
    if served.is_some() || routing == Routing::Known {
        headers.insert(header::ALLOW, methods.clone());
    }
    unless_set(headers, header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    let own = headers
        .get_all(header::ACCESS_CONTROL_ALLOW_HEADERS)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .collect::<Vec<_>>()
        .join(", ");
    let allowed = match own.as_str() {
        "" => HeaderValue::from_static(ALLOWED_HEADERS),
        own => with(own, "Authorization"),
    };
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    unless_set(headers, header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(REMEMBERED));
}

/// A comma separated list with one more word, unless it is there.
fn with(list: &str, word: &str) -> HeaderValue {
    let there = list.split(',').any(|w| w.trim().eq_ignore_ascii_case(word));
    let longer = if there { list.to_owned() } else { format!("{list}, {word}") };
    HeaderValue::try_from(longer).unwrap_or_else(|_| HeaderValue::from_static(ALLOWED_HEADERS))
}

fn unless_set(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    headers.entry(name).or_insert(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(
        method: &Method,
        status: u16,
        set: &[(&'static str, &'static str)],
    ) -> Response<String> {
        let mut response = Response::new("body".to_owned());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in set {
            response.headers_mut().insert(*name, HeaderValue::from_static(value));
        }
        finish(method, &mut response);
        response
    }

    fn finished(method: &Method, status: u16, set: &[(&'static str, &'static str)]) -> HeaderMap {
        answer(method, status, set).headers().clone()
    }

    #[test]
    fn r8_authorization_is_always_allowed() {
        for (own, expected) in [
            (None, ALLOWED_HEADERS),
            (Some("*"), "*, Authorization"),
            (Some("X-A, X-B"), "X-A, X-B, Authorization"),
            (Some("x-a, AUTHORIZATION"), "x-a, AUTHORIZATION"),
        ] {
            let set: Vec<_> =
                own.map(|own| ("access-control-allow-headers", own)).into_iter().collect();
            let headers = finished(&Method::OPTIONS, 200, &set);
            assert_eq!(headers["access-control-allow-headers"], expected);
            assert_eq!(headers["access-control-allow-origin"], "*");
        }
    }

    #[test]
    fn r8_the_methods_of_the_handler_are_told() {
        let headers = finished(&Method::OPTIONS, 405, &[("allow", "GET,HEAD")]);
        assert_eq!(headers["allow"], "GET,HEAD, OPTIONS");
        assert_eq!(headers["access-control-allow-methods"], "GET,HEAD, OPTIONS");
        let headers = finished(&Method::OPTIONS, 200, &[]);
        assert_eq!(headers["allow"], ALLOWED_METHODS);
        let headers = finished(&Method::GET, 405, &[("allow", "POST")]);
        assert_eq!(
            (headers.get("allow").unwrap(), headers.contains_key("access-control-allow-methods")),
            (&HeaderValue::from_static("POST"), false)
        );
    }

    #[test]
    fn r8_an_answer_to_options_has_no_body() {
        let set = [
            ("content-type", "text/plain"),
            ("content-length", "4"),
            ("content-digest", "sha-256=:x:"),
            ("etag", "\"x\""),
            ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("transfer-encoding", "chunked"),
            ("x-own", "stays"),
        ];
        for status in [200, 204, 404, 405, 500] {
            let answer = answer(&Method::OPTIONS, status, &set);
            assert_eq!(answer.body(), "", "{status}");
            for (name, _) in &set[..6] {
                assert!(!answer.headers().contains_key(*name), "{status} {name}");
            }
            assert_eq!(answer.headers()["x-own"], "stays");
        }
        for method in [Method::GET, Method::HEAD, Method::POST] {
            let answer = answer(&method, 200, &set);
            assert_eq!(answer.body(), "body");
            assert!(set.iter().all(|(name, _)| answer.headers().contains_key(*name)));
        }
    }

    #[test]
    fn what_the_handler_has_set_stays() {
        let headers =
            finished(&Method::GET, 200, &[("access-control-allow-origin", "https://a.example")]);
        assert_eq!(headers["access-control-allow-origin"], "https://a.example");
        assert!(
            !headers.contains_key("access-control-expose-headers"),
            "there is nothing to expose"
        );
        let headers = finished(&Method::GET, 201, &[("location", "/x")]);
        assert_eq!(headers["access-control-expose-headers"], EXPOSED_HEADERS);
    }
}
