//! Addresses that take part in a logout. Pure.

use crate::model::Issuer;

/// The page of a client that ends the client's own session in this browser, with the two parameters by which the
/// client can tell which ([Front-Channel Logout 3](https://openid.net/specs/openid-connect-frontchannel-1_0.html#OPLogout)).
/// They are there whether or not the client said that it needs them.
pub(crate) fn frontchannel_address(uri: &str, issuer: &Issuer, sid: &str) -> String {
    with_query(uri, &[("iss", issuer.as_str()), ("sid", sid)])
}

/// The address with more parameters behind those that it has.
pub(crate) fn with_query(uri: &str, parameters: &[(&str, &str)]) -> String {
    if parameters.is_empty() {
        return uri.to_owned();
    }
    // A registered address may not have a fragment; should one have, it stays at the end.
    let (uri, fragment) = uri.split_at(uri.find('#').unwrap_or(uri.len()));
    let separator = match uri.find('?') {
        None => "?",
        Some(_) if uri.ends_with(['?', '&']) => "",
        Some(_) => "&",
    };
    let mut form = form_urlencoded::Serializer::new(String::new());
    let query = form.extend_pairs(parameters).finish();
    format!("{uri}{separator}{query}{fragment}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_come_behind_those_that_are_there() {
        for (uri, expected) in [
            ("https://c.example/out", "https://c.example/out?state=a+b%26c"),
            ("https://c.example/out?", "https://c.example/out?state=a+b%26c"),
            ("https://c.example/out?x=1", "https://c.example/out?x=1&state=a+b%26c"),
            ("https://c.example/out?x=1&", "https://c.example/out?x=1&state=a+b%26c"),
            ("https://c.example/out#top", "https://c.example/out?state=a+b%26c#top"),
            ("com.example.app:/out", "com.example.app:/out?state=a+b%26c"),
        ] {
            assert_eq!(with_query(uri, &[("state", "a b&c")]), expected);
        }
        assert_eq!(with_query("https://c.example/out", &[]), "https://c.example/out");
    }

    #[test]
    fn oidc_frontchannel_s3_issuer_and_session_are_named() {
        let issuer = Issuer::parse("https://op.example/a").unwrap();
        assert_eq!(
            frontchannel_address("https://c.example/out?x=1", &issuer, "s-1"),
            "https://c.example/out?x=1&iss=https%3A%2F%2Fop.example%2Fa&sid=s-1"
        );
    }
}
