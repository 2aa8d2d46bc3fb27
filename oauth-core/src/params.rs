//! Request parameters in which a name occurs once, and the part of a request the protocol looks at.

use crate::error::OAuthError;
use percent_encoding::percent_decode;
use std::{borrow::Cow, collections::BTreeMap, fmt};

/// Parameters that may be repeated ([RFC 8707 2](https://www.rfc-editor.org/rfc/rfc8707#section-2),
/// [RFC 8693 2.1](https://www.rfc-editor.org/rfc/rfc8693#section-2.1)).
const REPEATABLE: [&str; 2] = ["audience", "resource"];
/// More than any request of any specification carries.
const MOST_PARAMETERS: usize = 100;

/// Parameters of a query or form ([RFC 6749 3.1, 3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.1)):
/// each name once, empty values left out, UTF-8 throughout. `Debug` shows how many there are and nothing else.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(BTreeMap<String, Vec<String>>);

impl Params {
    /// Parses `application/x-www-form-urlencoded` text.
    pub fn parse(raw: &[u8]) -> Result<Self, OAuthError> {
        let mut params = Self::default();
        for pair in raw.split(|&b| b == b'&').filter(|p| !p.is_empty()) {
            let mut halves = pair.splitn(2, |&b| b == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            params.add(name, value)?;
        }
        Ok(params)
    }

    /// Adds one parameter by the same rules.
    pub fn add(&mut self, name: String, value: String) -> Result<(), OAuthError> {
        if name.contains('\0') || value.contains('\0') {
            return Err(OAuthError::invalid_request("a parameter contains a NUL character"));
        }
        if value.is_empty() {
            return Ok(());
        }
        if self.0.len() >= MOST_PARAMETERS {
            return Err(OAuthError::invalid_request("too many parameters"));
        }
        let may_repeat = REPEATABLE.contains(&name.as_str());
        let values = self.0.entry(name).or_default();
        if !values.is_empty() && !may_repeat || values.len() >= MOST_PARAMETERS {
            return Err(OAuthError::invalid_request("a parameter is repeated"));
        }
        values.push(value);
        Ok(())
    }

    /// The value, if the parameter was sent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.first().map(String::as_str)
    }

    /// The value, or `invalid_request`.
    pub fn require(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name).ok_or(OAuthError::invalid_request("a required parameter is missing"))
    }

    /// The parameters as a query, names in sorted order.
    pub fn to_query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, values) in &self.0 {
            query.extend_pairs(values.iter().map(|v| (name, v)));
        }
        query.finish()
    }

    /// Every parameter with its value, in the order of their names; a repeated one as often as it was sent.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.iter();
        all.flat_map(|(name, values)| values.iter().map(|value| (name.as_str(), value.as_str())))
    }

    /// All values of a parameter that may be repeated.
    pub fn many(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.get(name).into_iter().flatten().map(String::as_str)
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Params({} names)", self.0.len())
    }
}

fn decode(raw: &[u8]) -> Result<String, OAuthError> {
    let spaced: Cow<'_, [u8]> = if raw.contains(&b'+') {
        raw.iter().map(|&b| if b == b'+' { b' ' } else { b }).collect::<Vec<_>>().into()
    } else {
        raw.into()
    };
    percent_decode(&spaced)
        .decode_utf8()
        .map(Cow::into_owned)
        .map_err(|_| OAuthError::invalid_request("a parameter is not UTF-8"))
}

/// What the protocol needs of an HTTP request, and no more.
#[derive(Clone, Default)]
pub struct Incoming {
    /// The `Authorization` header, if there was one.
    pub authorization: Option<String>,
    /// Query or body parameters.
    pub params: Params,
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("params", &self.params).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;
    use proptest::prelude::*;

    #[test]
    fn s3_1_rules_for_parameters() {
        let p = Params::parse(b"a=1&b=&c=x+y%20z&resource=r1&resource=r2&d").unwrap();
        assert_eq!(p.get("a"), Some("1"));
        assert_eq!(p.get("b"), None);
        assert_eq!(p.get("c"), Some("x y z"));
        assert_eq!(p.many("resource").collect::<Vec<_>>(), ["r1", "r2"]);
        for bad in [&b"a=1&a=1"[..], b"a=%ff", b"a=\xff", b"%00=1", b"a=x%00"] {
            assert_eq!(
                Params::parse(bad).unwrap_err().code(),
                ErrorCode::InvalidRequest,
                "{bad:?}"
            );
        }
        let many = (0..=MOST_PARAMETERS).map(|i| format!("p{i}=1")).collect::<Vec<_>>().join("&");
        assert_eq!(Params::parse(many.as_bytes()).unwrap_err().code(), ErrorCode::InvalidRequest);
    }

    proptest! {
        #[test]
        fn parsing_never_panics(raw in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Params::parse(&raw);
        }

        #[test]
        fn encoded_pairs_come_back(pairs in prop::collection::btree_map("[a-z]{1,8}", "[^\0]{1,20}", 0..10)) {
            let raw = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
            let parsed = Params::parse(raw.as_bytes()).unwrap();
            for (k, v) in &pairs {
                prop_assert_eq!(parsed.get(k), Some(v.as_str()));
            }
        }
    }
}
