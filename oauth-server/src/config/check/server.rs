//! Where the server listens, and as what.

use crate::{
    config::{Config, Problems},
    serve::Certificates,
};
use oauth_core::model::Issuer;

/// Notes what is wrong with listening.
pub(super) fn check(config: &Config, problems: &mut Problems) {
    // To be used they are read again; here for what is wrong with them.
    Certificates::read(&config.server, problems);
    address(config, problems);
    public_url(config, problems);
    limits(config, problems);
}

fn address(config: &Config, problems: &mut Problems) {
    let server = &config.server;
    if server.host.is_loopback() {
        return;
    }
    if !config.has_tls() && !server.danger_plain_http {
        problems.add(
            "server.host",
            "is not a loopback address, and there is no TLS; set server.tls_certificate and server.tls_key, or, \
             behind a proxy that does TLS, server.danger_plain_http",
        );
    }
    if server.public_url.is_none() {
        let what = "must be set where server.host is not a loopback address";
        problems.add("server.public_url", what);
    }
}

fn public_url(config: &Config, problems: &mut Problems) {
    let Some(url) = &config.server.public_url else { return };
    let mut note = |broken: bool, what: &str| {
        if broken {
            problems.add("server.public_url", what);
        }
    };
    note(
        url.as_str().ends_with('/'),
        "must not end with a slash; clients compare it as the exact string",
    );
    note(
        !url.path().is_empty() && !config.profile().is_nmos(),
        "must not have a path; give the server a host name of its own",
    );
    note(
        Issuer::parse(url.as_str()).is_err() && !config.server.danger_plain_http,
        "plain http is for loopback hosts; use https, or set server.danger_plain_http in a closed network",
    );
    note(config.has_tls() && !url.is_https(), "must begin with https: where the server does TLS");
}

fn limits(config: &Config, problems: &mut Problems) {
    let server = &config.server;
    for (key, duration) in [
        ("server.request_timeout", server.request_timeout),
        ("server.header_timeout", server.header_timeout),
    ] {
        if duration.is_zero() {
            problems.add(key, "must not be 0");
        }
    }
    if server.workers == Some(0) {
        problems.add("server.workers", "must not be 0");
    }
    if server.body_limit < 1024 {
        problems.add("server.body_limit", "must be 1024 or more");
    }
    let metrics = &config.metrics;
    let same = metrics.host == server.host && metrics.port == server.port && server.port != 0;
    if metrics.enabled && same {
        let what = "is the port of the server itself; metrics have a listener of their own";
        problems.add("metrics.port", what);
    }
}
