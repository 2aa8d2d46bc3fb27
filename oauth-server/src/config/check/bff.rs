//! Sessions for front ends.

use crate::config::{Config, Problems};
use std::time::Duration;
use url::{Host, Url};

/// A longer grace would be a second life of every stolen cookie.
const MOST_GRACE: Duration = Duration::from_mins(1);

/// Notes what is wrong with them.
pub(super) fn check(config: &Config, problems: &mut Problems) {
    if config.bff.rotation_grace > MOST_GRACE {
        problems.add("bff.rotation_grace", "must not be longer than a minute");
    }
    for address in &config.bff.return_to {
        if !is_web_address(address) {
            let what = "is not an https address as browsers write it (or http on this machine)";
            problems.add("bff.return_to", format!("{address:?} {what}"));
        }
    }
}

/// Whether it leads to a page, over https or on this machine, and is written as a browser would.
fn is_web_address(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let is_here = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let scheme = url.scheme() == "https" || url.scheme() == "http" && is_here;
    let plain = url.username().is_empty() && url.password().is_none();
    scheme && plain && url.as_str() == address
}

#[cfg(test)]
mod tests {
    use super::is_web_address;

    #[test]
    fn s0_16_only_web_addresses_are_on_the_list() {
        for (address, good) in [
            ("https://app.example/done", true),
            ("http://127.0.0.1:8090/", true),
            ("http://localhost:8090/", true),
            ("http://app.example/", false),
            ("https://app.example", false),
            ("https://a@app.example/", false),
            ("javascript:alert(1)", false),
            ("/done", false),
            ("", false),
        ] {
            assert_eq!(is_web_address(address), good, "{address}");
        }
    }
}
