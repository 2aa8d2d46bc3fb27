//! What came back, and the questions tests ask of it.

use super::{Html, ISSUER};
use axum::http::{HeaderMap, header};
use serde_json::Value;
use url::{Url, form_urlencoded};

/// A whole response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// The parameters of an authorization response, in the order of their names.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The address without the parameters.
    pub(crate) to: String,
    /// The `response_mode` they came in.
    pub(crate) mode: &'static str,
    /// Whether that is the fragment.
    pub(crate) in_fragment: bool,
    pub(crate) fields: Vec<(String, String)>,
}

impl Answer {
    /// The names of all parameters but those that are in every answer.
    pub(crate) fn names(&self) -> Vec<&str> {
        let names = self.fields.iter().map(|(name, _)| name.as_str());
        names.filter(|name| !["iss", "state"].contains(name)).collect()
    }

    /// An error with exactly this code, with `iss`, and nothing that a success has.
    pub(crate) fn is_refusal(&self, code: &str) {
        assert_eq!(self.get("error"), Some(code), "{self:?}");
        for absent in ["access_token", "code", "expires_in", "id_token", "scope", "token_type"] {
            assert_eq!(self.get(absent), None);
        }
        assert_eq!(self.get("iss"), Some(ISSUER));
        let allowed = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
        assert!(self.get("error_description").is_none_or(|text| text.chars().all(allowed)));
    }

    /// The parameter, which must be there.
    pub(crate) fn must(&self, name: &str) -> &str {
        let found = self.get(name);
        assert!(found.is_some(), "{name} is missing in {self:?}");
        found.unwrap()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.fields.iter().filter(|(n, _)| n == name);
        let first = found.next().map(|(_, v)| v.as_str());
        assert!(found.next().is_none(), "{name} occurs twice");
        first
    }
}

impl Reply {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        Some(self.headers.get(name)?.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header(header::CONTENT_TYPE), Some("application/json"));
        serde_json::from_slice(&self.body).unwrap()
    }

    /// RFC 6749 5.1: nothing on the way may keep it.
    pub(crate) fn is_not_stored(&self) {
        assert_eq!(self.header(header::CACHE_CONTROL), Some("no-store"));
        assert_eq!(self.header(header::PRAGMA), Some("no-cache"));
    }

    /// The JSON error response with exactly this code, and the status that goes with it.
    pub(crate) fn refuses(&self, code: &str) {
        let status = match code {
            "invalid_client" => 401,
            "server_error" => 500,
            "temporarily_unavailable" => 503,
            _ => 400,
        };
        let body = self.json();
        assert_eq!((body["error"].as_str(), self.status), (Some(code), status), "{body}");
        self.is_not_stored();
        let names: Vec<_> = body.as_object().unwrap().keys().collect();
        assert!(
            names.iter().all(|n| ["error", "error_description"].contains(&n.as_str())),
            "{body}"
        );
        assert_eq!(self.header(header::WWW_AUTHENTICATE).is_some(), code == "invalid_client");
        assert_eq!(self.header(header::RETRY_AFTER).is_some(), code == "temporarily_unavailable");
    }

    /// A page for a person, with this code and no way on to anywhere.
    pub(crate) fn is_page(&self, code: &str) {
        let status = if code == "server_error" { 500 } else { 400 };
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header(header::LOCATION), None);
        self.is_not_stored();
        let html = self.text();
        assert!(html.contains(&format!("id=\"error-code\">{code}<")), "{html}");
    }

    /// Where the browser is sent.
    pub(crate) fn location(&self) -> &str {
        assert!([302, 303].contains(&self.status), "{self:?}");
        self.is_not_stored();
        self.header(header::LOCATION).unwrap()
    }

    /// The interaction id in the address of an embedder's page.
    pub(crate) fn interaction(&self, page: &str) -> String {
        let location = self.location();
        let (path, id) = location.split_once("?interaction=").unwrap();
        assert_eq!(path, page, "{location}");
        assert_eq!(id.len(), 43);
        id.to_owned()
    }

    /// The authorization response in the address, or in the form that the browser is to post.
    pub(crate) fn answer(&self) -> Answer {
        if self.status == 200 {
            return self.posted();
        }
        let location = self.location();
        let url = Url::parse(location).unwrap();
        let in_fragment = url.fragment().is_some();
        let mode = if in_fragment { "fragment" } else { "query" };
        let fields = if in_fragment { url.fragment() } else { url.query() };
        let mut fields: Vec<_> =
            form_urlencoded::parse(fields.unwrap_or_default().as_bytes()).into_owned().collect();
        fields.sort();
        let end = location.find(['?', '#']).unwrap_or(location.len());
        Answer { to: location[..end].to_owned(), mode, in_fragment, fields }
    }

    /// OAuth 2.0 Form Post Response Mode 2: what the form on the page posts, and where.
    fn posted(&self) -> Answer {
        self.is_not_stored();
        assert_eq!(self.header(header::LOCATION), None);
        assert_eq!(self.header(header::CONTENT_TYPE), Some("text/html; charset=utf-8"));
        let html = Html::read(self.text());
        let forms = html.tags("form");
        let [form] = forms.as_slice() else { unreachable!("there is not one form: {html:?}") };
        assert_eq!(form.get("method"), Some("post"));
        let mut fields: Vec<_> = html
            .tags("input")
            .iter()
            .map(|input| {
                assert_eq!(input.get("type"), Some("hidden"));
                let part = |name| input.get(name).unwrap().to_owned();
                (part("name"), part("value"))
            })
            .collect();
        fields.sort();
        let to = form.get("action").unwrap().to_owned();
        Answer { to, mode: "form_post", in_fragment: false, fields }
    }

    /// The embedder's page the browser is sent to, if it is.
    pub(crate) fn screen(&self) -> Option<&str> {
        let location = self.header(header::LOCATION)?;
        location.starts_with('/').then(|| location.split('?').next().unwrap_or_default())
    }

    /// The cookies it sets.
    pub(crate) fn cookies(&self) -> Vec<&str> {
        self.headers.get_all(header::SET_COOKIE).iter().map(|v| v.to_str().unwrap()).collect()
    }
}
