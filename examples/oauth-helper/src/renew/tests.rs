use super::*;
use crate::{error::Endpoint, model::Grant, wire};

const NOW: i64 = 1_000_000;

fn client() -> Client {
    Client { issuer: Some("https://as.example".into()), ..Client::new("work", "id") }
}

/// A record whose access token has so many seconds left of an hour.
fn record(left: i64) -> Record {
    let tokens = Tokens {
        access_token: Secret::new("old"),
        token_type: "Bearer".into(),
        expires_at: Some(NOW + left),
        obtained_at: NOW + left - 3600,
        refresh_token: Some(Secret::new("refresh")),
        refresh_expires_at: None,
        scope: None,
        subject: Some("alice".into()),
        issued_by: None,
    };
    Record { tokens: Some(tokens), ..Record::default() }
}

fn refresh(again: bool) -> Plan {
    Plan::Refresh { token: Secret::new("refresh"), again }
}

fn living(record: &Record) -> Plan {
    plan(&client(), record, NOW, &Demand::Living)
}

#[test]
fn a_token_is_used_until_shortly_before_its_end() {
    assert!(matches!(living(&record(31)), Plan::Use(_)));
    assert_eq!(living(&record(30)), refresh(false));
    assert_eq!(living(&record(-5)), refresh(false));
    // A short life has a short margin.
    let mut short = record(5);
    short.tokens.as_mut().unwrap().obtained_at = NOW - 5;
    assert!(matches!(living(&short), Plan::Use(_)));
    let mut endless = record(0);
    endless.tokens.as_mut().unwrap().expires_at = None;
    assert!(matches!(living(&endless), Plan::Use(_)));
}

#[test]
fn an_interrupted_refresh_is_repeated_even_while_the_old_token_lives() {
    let interrupted = Record { intent: Some(Intent { at: NOW }), ..record(3000) };
    assert_eq!(living(&interrupted), refresh(true));
}

#[test]
fn another_token_is_wanted_than_the_one_that_was_refused() {
    let with =
        |stale: &str| plan(&client(), &record(3000), NOW, &Demand::Other(Secret::new(stale)));
    assert_eq!(with("old"), refresh(false));
    assert!(matches!(with("older"), Plan::Use(_)), "somebody else has renewed it meanwhile");
}

#[test]
fn what_needs_a_person_says_why() {
    let refused = |lost| Some(Refusal { at: NOW, code: "invalid_grant".into(), lost });
    assert_eq!(living(&Record::default()), Plan::Login(Why::Never));
    assert_eq!(
        living(&Record { refusal: refused(false), ..record(-1) }),
        Plan::Login(Why::Refused)
    );
    assert_eq!(living(&Record { refusal: refused(true), ..record(-1) }), Plan::Login(Why::Lost));
    assert!(matches!(living(&Record { refusal: refused(false), ..record(100) }), Plan::Use(_)));
    let mut without = record(-1);
    without.tokens.as_mut().unwrap().refresh_token = None;
    assert_eq!(living(&without), Plan::Login(Why::Expired));
    let mut over = record(-1);
    over.tokens.as_mut().unwrap().refresh_expires_at = Some(NOW);
    assert_eq!(living(&over), Plan::Login(Why::Expired));
    let unused = Client { use_refresh: false, ..client() };
    assert_eq!(plan(&unused, &record(-1), NOW, &Demand::Living), Plan::Login(Why::Expired));
    let demand = Demand::Other(Secret::new("old"));
    assert_eq!(plan(&unused, &record(100), NOW, &demand), Plan::Login(Why::NoRefreshToken));
    let mut moved = record(3000);
    moved.tokens.as_mut().unwrap().issued_by = Some("https://other.example".into());
    assert_eq!(living(&moved), Plan::Login(Why::Moved));
    moved.intent = Some(Intent { at: NOW });
    assert_eq!(living(&moved), Plan::Login(Why::Moved), "a token is not sent to somebody else");
    let own = Client { grant: Grant::ClientCredentials, ..client() };
    assert_eq!(plan(&own, &Record::default(), NOW, &Demand::Living), Plan::ForItself);
}

fn answer(body: &str) -> TokenAnswer {
    let answer = wire::Answer {
        status: 200,
        content_type: "application/json".into(),
        body: body.as_bytes().to_vec(),
    };
    serde_json::from_value(wire::standard(&answer).unwrap().into()).unwrap()
}

fn settled(error: Error, again: bool) -> Settled {
    let record = Record { intent: Some(Intent { at: NOW }), ..record(-1) };
    settle(&client(), record, Err(error), (NOW, again))
}

#[test]
fn an_answer_replaces_what_it_names_and_keeps_the_rest() {
    let before = Record { intent: Some(Intent { at: NOW }), ..record(-1) };
    let kept =
        settle(&client(), before.clone(), Ok(answer(r#"{"access_token":"new"}"#)), (NOW, false));
    let tokens = kept.record.tokens.unwrap();
    assert!(kept.error.is_none() && kept.record.intent.is_none());
    assert_eq!(tokens.refresh_token, Some(Secret::new("refresh")));
    assert_eq!(tokens.subject.as_deref(), Some("alice"));
    let body = r#"{"access_token":"new","refresh_token":"next","expires_in":60,"scope":"b"}"#;
    let rotated = settle(&client(), before, Ok(answer(body)), (NOW, false)).record.tokens.unwrap();
    assert_eq!(rotated.refresh_token, Some(Secret::new("next")));
    assert_eq!((rotated.expires_at, rotated.scope.as_deref()), (Some(NOW + 60), Some("b")));
}

#[test]
fn only_an_answer_that_leaves_no_doubt_ends_the_intent() {
    let refused = |code: &str| Error::Refused {
        endpoint: Endpoint::Token,
        code: code.into(),
        description: String::new(),
    };
    let away = |sent| Error::Unreachable { endpoint: Endpoint::Token, what: "is away", sent };
    let nonsense = || Error::unusable(Endpoint::Token, "makes no sense");
    for (error, again, intent) in [
        (refused("invalid_grant"), false, false),
        (refused("invalid_grant"), true, false),
        (refused("invalid_client"), false, false),
        (refused("invalid_client"), true, true),
        (refused("server_error"), false, true),
        (refused("temporarily_unavailable"), false, true),
        (away(false), false, false),
        (away(false), true, true),
        (away(true), false, true),
        (nonsense(), false, true),
    ] {
        let what = format!("{error:?} {again}");
        let outcome = settled(error, again);
        assert_eq!(outcome.record.intent.is_some(), intent, "{what}");
        let tokens = outcome.record.tokens.unwrap();
        assert_eq!(tokens.refresh_token, Some(Secret::new("refresh")), "{what}");
    }
}

#[test]
fn a_final_refusal_is_remembered_and_says_whether_an_answer_was_lost() {
    let invalid = || Error::Refused {
        endpoint: Endpoint::Token,
        code: "invalid_grant".into(),
        description: String::new(),
    };
    for (again, why) in [(false, Why::Refused), (true, Why::Lost)] {
        let outcome = settled(invalid(), again);
        assert_eq!(outcome.record.refusal.unwrap().lost, again);
        assert!(matches!(outcome.error, Some(Error::LoginNeeded { why: w, .. }) if w == why));
    }
}
