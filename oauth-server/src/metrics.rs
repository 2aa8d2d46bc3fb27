//! Prometheus metrics: requests by route and status, tokens by grant, sign-ins by outcome.

use axum::{
    Router,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use metrics::{Key, Label, Level, Metadata, Recorder as _, Unit};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use std::{sync::Arc, time::Duration};

/// Upper bounds of the buckets of request durations, in seconds.
const BUCKETS: [f64; 10] = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];

static METADATA: Metadata<'static> = Metadata::new("oauth_server", Level::INFO, None);

const REQUESTS: &str = "oauth_http_requests_total";
const DURATION: &str = "oauth_http_request_duration_seconds";
const TOKENS: &str = "oauth_token_responses_total";
const REFUSALS: &str = "oauth_refusals_total";
const REPLAYS: &str = "oauth_replays_total";
const LETTERS: &str = "oauth_letters_total";
const SIGN_INS: &str = "oauth_sign_ins_total";
const PASSKEYS: &str = "oauth_passkey_sign_ins_total";

/// The counters of one server, or nothing where metrics are off. No globals: each server in a process has its own.
#[derive(Clone, Default)]
pub struct Metrics(Option<Arc<Inner>>);

struct Inner {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

/// What came of an attempt to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInOutcome {
    /// Name and password belong together, or the passkey is right.
    Accepted,
    /// They do not.
    Refused,
    /// Nothing was checked: too many attempts.
    Throttled,
}

impl SignInOutcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Throttled => "throttled",
        }
    }
}

impl Metrics {
    /// Counters that count.
    #[expect(clippy::missing_panics_doc, reason = "there are buckets")]
    pub fn on() -> Self {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&BUCKETS)
            .expect("there are buckets")
            .build_recorder();
        let counters = [
            (REQUESTS, "Requests by route, method and status."),
            (TOKENS, "Successful token responses by grant type."),
            (REFUSALS, "Refusals by endpoint and error code."),
            (REPLAYS, "Used-up codes and refresh tokens that came back."),
            (LETTERS, "Attempts to send a letter by outcome."),
            (SIGN_INS, "Attempts to sign in with a password by outcome."),
            (PASSKEYS, "Attempts to sign in with a passkey by outcome."),
        ];
        for (name, words) in counters {
            recorder.describe_counter(name.into(), None, words.into());
        }
        recorder.describe_histogram(
            DURATION.into(),
            Some(Unit::Seconds),
            "Durations of requests by route.".into(),
        );
        let handle = recorder.handle();
        Self(Some(Arc::new(Inner { recorder, handle })))
    }

    /// Whether anything is counted.
    pub const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// A request was answered.
    pub fn request(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        let Some(inner) = &self.0 else { return };
        let route = Label::new("route", route.to_owned());
        let labels = vec![
            route.clone(),
            Label::new("method", method),
            Label::new("status", status.to_string()),
        ];
        inner.count(REQUESTS, labels);
        let key = Key::from_parts(DURATION, vec![route]);
        inner.recorder.register_histogram(&key, &METADATA).record(took.as_secs_f64());
    }

    /// Tokens were issued by a grant.
    pub fn tokens(&self, grant_type: &str) {
        self.count(TOKENS, || vec![Label::new("grant_type", grant_type.to_owned())]);
    }

    /// An endpoint refused.
    pub fn refusal(&self, endpoint: &'static str, error: &'static str) {
        self.count(REFUSALS, || vec![Label::new("endpoint", endpoint), Label::new("error", error)]);
    }

    /// A used-up credential came back.
    pub fn replay(&self) {
        self.count(REPLAYS, Vec::new);
    }

    /// Somebody tried to send a letter.
    pub fn letter(&self, outcome: &'static str) {
        self.count(LETTERS, || vec![Label::new("outcome", outcome)]);
    }

    /// Somebody tried to sign in with a password.
    pub fn sign_in(&self, outcome: SignInOutcome) {
        self.count(SIGN_INS, || vec![Label::new("outcome", outcome.as_str())]);
    }

    /// Somebody tried to sign in with a passkey.
    pub fn passkey(&self, outcome: SignInOutcome) {
        self.count(PASSKEYS, || vec![Label::new("outcome", outcome.as_str())]);
    }

    fn count(&self, name: &'static str, labels: impl FnOnce() -> Vec<Label>) {
        if let Some(inner) = &self.0 {
            inner.count(name, labels());
        }
    }

    /// Sums up what was recorded since the last time, so that nothing piles up when nobody scrapes.
    pub fn upkeep(&self) {
        if let Some(inner) = &self.0 {
            inner.handle.run_upkeep();
        }
    }

    /// Everything in the text format of Prometheus.
    pub fn render(&self) -> String {
        self.0.as_ref().map_or_else(String::new, |inner| inner.handle.render())
    }

    /// The routes of the operator's listener.
    pub fn router(&self) -> Router {
        let metrics = self.clone();
        Router::new().route("/metrics", get(move || async move { metrics.response() }))
    }

    fn response(&self) -> Response {
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], self.render()).into_response()
    }
}

impl Inner {
    fn count(&self, name: &'static str, labels: Vec<Label>) {
        self.recorder.register_counter(&Key::from_parts(name, labels), &METADATA).increment(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_rendered() {
        let metrics = Metrics::on();
        metrics.request("/oauth/token", "POST", 200, Duration::from_micros(300));
        metrics.request("/oauth/token", "POST", 200, Duration::from_millis(30));
        metrics.tokens("client_credentials");
        metrics.sign_in(SignInOutcome::Refused);
        metrics.upkeep();
        let text = metrics.render();
        for line in [
            "oauth_http_requests_total{route=\"/oauth/token\",method=\"POST\",status=\"200\"} 2",
            "oauth_http_request_duration_seconds_bucket{route=\"/oauth/token\",le=\"0.0005\"} 1",
            "oauth_http_request_duration_seconds_count{route=\"/oauth/token\"} 2",
            "oauth_token_responses_total{grant_type=\"client_credentials\"} 1",
            "oauth_sign_ins_total{outcome=\"refused\"} 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert_eq!(Metrics::default().render(), "");
    }
}
