//! Renewing an access token so that one request is made and no answer is lost.
//!
//! Under the lock of the client: read what is stored, decide, write the *intent* to refresh, send, write the answer,
//! and only then hand it out. A process may die at any point. Before the answer is written, the next one finds the
//! intent and sends the same refresh token again at once: a provider that rotates them and lost the connection to us
//! gives the same answer again for a while (RFC 9700 4.14 leaves that to it), and one that does not rotate does so
//! anyway. Writing the intent first also finds out that nothing can be written before a token is used up.

use crate::{
    client::{AccessToken, Age, OAuthClient, acts_for_itself, discovered, tokens},
    error::{Error, Result, Why},
    grants, hooks,
    model::{Client, Intent, Record, Refusal, Tokens},
    secret::Secret,
    store::TokenStore,
    vault::Lease,
    wire::TokenAnswer,
};

/// An access token is renewed this long before its end, or a tenth of its life where that is shorter.
const MARGIN: i64 = 30;

/// What is wanted.
#[derive(Clone, Debug)]
pub(crate) enum Demand {
    /// A token that lives.
    Living,
    /// A token other than this one.
    Other(Secret),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// The stored token is good.
    Use(AccessToken),
    /// Send the refresh token; `again` where it may have been sent before.
    Refresh { token: Secret, again: bool },
    /// Ask as the client itself.
    ForItself,
    /// Nothing without a person.
    Login(Why),
}

/// Decides, from what is stored and the time alone.
pub(crate) fn plan(client: &Client, record: &Record, now: i64, demand: &Demand) -> Plan {
    let tokens = record.tokens.as_ref();
    let foreign =
        tokens.is_some_and(|t| t.issued_by.is_some() && t.issued_by != client.issued_by());
    if foreign && !acts_for_itself(client) {
        return Plan::Login(Why::Moved);
    }
    let tokens = tokens.filter(|_| !foreign);
    let usable = tokens.filter(|t| match demand {
        Demand::Living => lives(t, now, margin(t)),
        Demand::Other(stale) => t.access_token != *stale && lives(t, now, margin(t)),
    });
    if acts_for_itself(client) {
        return usable.map_or(Plan::ForItself, |t| Plan::Use(t.into()));
    }
    let Some(tokens) = tokens else { return Plan::Login(Why::Never) };
    let refresh = tokens.refresh_token.as_ref().filter(|_| client.use_refresh);
    if let (Some(_), Some(token)) = (record.intent, refresh) {
        return Plan::Refresh { token: token.clone(), again: true };
    }
    if let Some(usable) = usable {
        return Plan::Use(usable.into());
    }
    // Whoever asks for another token wants the provider asked, whatever it said before.
    if let (Some(refusal), Demand::Living) = (&record.refusal, demand) {
        return Plan::Login(if refusal.lost { Why::Lost } else { Why::Refused });
    }
    match refresh {
        Some(_) if tokens.refresh_expires_at.is_some_and(|at| at <= now) => {
            Plan::Login(Why::Expired)
        }
        Some(token) => Plan::Refresh { token: token.clone(), again: false },
        None if lives(tokens, now, 0) => Plan::Login(Why::NoRefreshToken),
        None => Plan::Login(Why::Expired),
    }
}

fn margin(tokens: &Tokens) -> i64 {
    let life = tokens.expires_at.map_or(i64::MAX, |at| at.saturating_sub(tokens.obtained_at));
    MARGIN.min(life / 10).max(0)
}

/// A token without an end lives until a service says otherwise.
fn lives(tokens: &Tokens, now: i64, margin: i64) -> bool {
    tokens.expires_at.is_none_or(|at| now.saturating_add(margin) < at)
}

/// Renews under the lock of the client.
pub(crate) async fn renew(store: &TokenStore, id: u32, demand: Demand) -> Result<AccessToken> {
    let lease = store.lock(id).await?;
    let outcome = locked(store, id, &demand, &lease).await;
    store.inner.vault.unlock(id, lease).await;
    outcome
}

async fn locked(
    store: &TokenStore,
    id: u32,
    demand: &Demand,
    lease: &Lease,
) -> Result<AccessToken> {
    let client = store.find(&id.to_string()).await?;
    let record = store.record(id).await?;
    if store.is_unsaved(id) {
        store.save_record(id, &record, lease).await?;
    }
    match plan(&client, &record, store.now(), demand) {
        Plan::Use(token) => Ok(token),
        Plan::Login(why) => Err(Error::LoginNeeded { client: client.name, why }),
        Plan::ForItself => for_itself(store, client, lease).await,
        Plan::Refresh { token, again } => {
            let renewal = Renewal { store, lease, client, token, again };
            renewal.run(record, demand).await
        }
    }
}

async fn for_itself(store: &TokenStore, client: Client, lease: &Lease) -> Result<AccessToken> {
    let client = discovered(store, client, Age::Any).await?;
    let credentials = store.credentials(client.id).await?;
    let answer = grants::client_credentials(store, &client, &credentials).await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(e) => {
            tell(store, &client, Some(&e)).await;
            return Err(e);
        }
    };
    let mut found = tokens(&client, &answer, store.now());
    // Whoever can ask again needs none (RFC 6749 4.4.3).
    found.refresh_token = None;
    let token = AccessToken::from(&found);
    let record = Record { tokens: Some(found), ..Record::default() };
    store.save_record(client.id, &record, lease).await?;
    tell(store, &client, None).await;
    Ok(token)
}

struct Renewal<'a> {
    store: &'a TokenStore,
    lease: &'a Lease,
    client: Client,
    token: Secret,
    again: bool,
}

impl Renewal<'_> {
    async fn run(self, mut record: Record, demand: &Demand) -> Result<AccessToken> {
        let client = discovered(self.store, self.client.clone(), Age::Any).await?;
        let credentials = self.store.credentials(client.id).await?;
        if record.intent.is_none() {
            record.intent = Some(Intent { at: self.store.now() });
            self.store.save_record(client.id, &record, self.lease).await?;
        }
        let answer = grants::refresh(self.store, &client, &credentials, &self.token).await;
        let now = self.store.now();
        let before = record.clone();
        let outcome = settle(&client, record, answer, (now, self.again));
        if outcome.record != before {
            self.store.save_record(client.id, &outcome.record, self.lease).await?;
        }
        tell(self.store, &client, outcome.error.as_ref()).await;
        let Some(error) = outcome.error else {
            let none = Error::LoginNeeded { client: client.name, why: Why::Never };
            return outcome.record.tokens.as_ref().map(AccessToken::from).ok_or(none);
        };
        // It was renewed early. While the old one lives, a provider that is away is no reason to stop.
        let transient = matches!(error, Error::Unreachable { .. } | Error::Unusable { .. });
        match (outcome.record.tokens.as_ref(), demand) {
            (Some(old), Demand::Living) if transient && lives(old, now, 0) => Ok(old.into()),
            _ => Err(error),
        }
    }
}

/// What an answer makes of what is stored.
struct Settled {
    record: Record,
    error: Option<Error>,
}

/// Pure. What was stored is given up only for something better: a refused refresh token stays where it is, in case
/// the provider changes its mind, and so does one whose answer did not arrive.
fn settle(
    client: &Client,
    mut record: Record,
    answer: Result<TokenAnswer>,
    (now, again): (i64, bool),
) -> Settled {
    let error = match answer {
        Ok(answer) => {
            let mut found = tokens(client, &answer, now);
            if let Some(old) = record.tokens {
                if found.refresh_token.is_none() {
                    // The old one stays good (RFC 6749 6).
                    found.refresh_token = old.refresh_token;
                    found.refresh_expires_at = found.refresh_expires_at.or(old.refresh_expires_at);
                }
                found.scope = answer_scope(&answer).or(old.scope);
                found.subject = old.subject;
            }
            let record = Record { tokens: Some(found), ..Record::default() };
            return Settled { record, error: None };
        }
        Err(error) => error,
    };
    match &error {
        Error::Refused { code, .. } if is_final(code) => {
            record.intent = None;
            record.refusal = Some(Refusal { at: now, code: code.clone(), lost: again });
            let why = if again { Why::Lost } else { Why::Refused };
            let error = Error::LoginNeeded { client: client.name.clone(), why };
            return Settled { record, error: Some(error) };
        }
        // It did not get as far as the token.
        Error::Refused { code, .. } if !is_passing(code) && !again => record.intent = None,
        Error::Unreachable { sent: false, .. } | Error::Invalid(_) if !again => {
            record.intent = None;
        }
        // It may have been used up, and the answer lost.
        _ => {}
    }
    Settled { record, error: Some(error) }
}

fn answer_scope(answer: &TokenAnswer) -> Option<String> {
    use oauth2::TokenResponse as _;
    let scopes = answer.scopes()?;
    Some(scopes.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(" "))
}

/// The refresh token is not accepted, under the names providers have for it.
fn is_final(code: &str) -> bool {
    matches!(
        code,
        "invalid_grant"
            | "bad_refresh_token"
            | "expired_token"
            | "invalid_refresh_token"
            | "token_revoked"
    )
}

/// The provider itself is in trouble, and nothing is said about the token.
fn is_passing(code: &str) -> bool {
    matches!(code, "server_error" | "temporarily_unavailable" | "slow_down" | "unknown_error")
}

async fn tell(store: &TokenStore, client: &Client, error: Option<&Error>) {
    let event = if error.is_none() { hooks::What::Refreshed } else { hooks::What::RefreshFailed };
    OAuthClient::new(store.clone(), client).tell(event, error).await;
}

#[cfg(test)]
mod tests;
