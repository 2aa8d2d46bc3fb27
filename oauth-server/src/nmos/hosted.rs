//! Keys of other authorization servers, published beside the own ones, so that a device finds all of them in one place.
//!
//! They come from files and from addresses that the operator names. What is not a public key with a `kid` is left
//! out, and so is a key whose `kid` another one bears already: nobody takes the place of somebody else's key.

use crate::{config::Config, state::AppState};
use oauth_core::ports::{Fetch, HostedKeys};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

/// The most bytes of a key set.
const LARGEST: usize = 256 * 1024;
/// The most keys that are hosted.
const MOST: usize = 200;
/// What of a key is public, for every kind that signs. Nothing else is passed on.
const PUBLIC: [&str; 10] = ["kty", "kid", "use", "alg", "n", "e", "crv", "x", "y", "x5c"];

/// The hosted keys. Clones are the same.
#[derive(Clone, Default)]
pub struct Hosted(Arc<RwLock<Known>>);

#[derive(Default)]
struct Known {
    /// What each source gave last.
    sources: BTreeMap<String, Vec<Value>>,
    /// All of them together.
    keys: Arc<Vec<Value>>,
}

impl HostedKeys for Hosted {
    fn keys(&self) -> Arc<Vec<Value>> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).keys)
    }
}

impl Hosted {
    /// What is in the files now.
    pub fn of(config: &Config) -> Self {
        let hosted = Self::default();
        hosted.read_files(config);
        hosted
    }

    /// Takes what a source gives now in the place of what it gave before.
    fn replace(&self, source: &str, keys: Vec<Value>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.sources.insert(source.to_owned(), keys);
        let mut all: Vec<Value> = Vec::new();
        for key in known.sources.values().flatten() {
            let kid = key.get("kid");
            if all.iter().any(|other| other.get("kid") == kid && other != key) {
                tracing::warn!(source, kid = ?kid, "two hosted keys bear one kid; the second is left out");
            } else if !all.contains(key) && all.len() < MOST {
                all.push(key.clone());
            }
        }
        known.keys = Arc::new(all);
    }

    /// Reads the files again. What cannot be read stays as it was.
    pub fn read_files(&self, config: &Config) {
        for path in &config.nmos.hosted_key_files {
            match read(path) {
                Ok(keys) => self.replace(&path.display().to_string(), keys),
                Err(error) => {
                    tracing::warn!(file = %path.display(), error, "hosted keys cannot be read");
                }
            }
        }
    }

    /// Fetches the addresses again. What cannot be fetched stays as it was.
    pub async fn fetch(&self, state: &AppState) {
        let fetch: &dyn Fetch = &*state.provider.env().fetch;
        for url in &state.config.nmos.hosted_key_urls {
            match fetch.get(url, LARGEST).await {
                Ok(body) => match parse(&body) {
                    Ok(keys) => self.replace(url, keys),
                    Err(error) => tracing::warn!(url, error, "hosted keys cannot be read"),
                },
                Err(e) => {
                    let error = crate::causes(&e);
                    tracing::warn!(url, error, "hosted keys cannot be fetched");
                }
            }
        }
    }
}

/// What is wrong with the settings, each with its key.
pub(super) fn problems(config: &Config) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    for path in &config.nmos.hosted_key_files {
        if let Err(what) = read(path) {
            let what = format!("{}: {what}", path.display());
            problems.push(("nmos.hosted_key_files".to_owned(), what));
        }
    }
    for url in &config.nmos.hosted_key_urls {
        if !url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "https" | "http")) {
            let what = format!("{url:?} is no address of a key set");
            problems.push(("nmos.hosted_key_urls".to_owned(), what));
        }
    }
    if config.nmos.hosted_keys_every.is_zero() {
        problems.push(("nmos.hosted_keys_every".to_owned(), "must not be 0".to_owned()));
    }
    problems
}

fn read(path: &Path) -> Result<Vec<Value>, String> {
    let text = std::fs::read(path).map_err(|e| format!("cannot be read: {e}"))?;
    parse(&text).map_err(str::to_owned)
}

/// The public keys of a set, without anything that is not public.
fn parse(text: &[u8]) -> Result<Vec<Value>, &'static str> {
    if text.len() > LARGEST {
        return Err("the key set is too large");
    }
    let set: Value = serde_json::from_slice(text).map_err(|_| "it is not JSON")?;
    let keys = set.get("keys").and_then(Value::as_array).ok_or("it is not a JWK set")?;
    Ok(keys.iter().filter_map(public).collect())
}

/// The public part of a key that signs. A symmetric key has none, and one without a name could not be told from others.
fn public(key: &Value) -> Option<Value> {
    let key = key.as_object()?;
    let text = |name: &str| key.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let whole = match text("kty")? {
        "RSA" => text("n").is_some() && text("e").is_some(),
        "EC" => ["crv", "x", "y"].iter().all(|name| text(name).is_some()),
        "OKP" => ["crv", "x"].iter().all(|name| text(name).is_some()),
        _ => false,
    };
    let signs = key.get("use").is_none_or(|purpose| purpose == "sig");
    if !whole || !signs || text("kid").is_none() {
        return None;
    }
    let kept = key.iter().filter(|(name, _)| PUBLIC.contains(&name.as_str()));
    Some(Value::Object(kept.map(|(n, v)| (n.clone(), v.clone())).collect::<Map<_, _>>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a16_only_public_keys_with_a_name_are_passed_on() {
        let set = json!({ "keys": [
            { "kty": "RSA", "kid": "a", "n": "AQ", "e": "AQAB", "d": "secret", "key_ops": "verify" },
            { "kty": "RSA", "n": "AQ", "e": "AQAB" },
            { "kty": "oct", "kid": "b", "k": "secret" },
            { "kty": "EC", "kid": "c", "crv": "P-256", "x": "AQ", "y": "AQ", "use": "enc" },
            { "kty": "EC", "kid": "d", "crv": "P-256", "x": "AQ", "y": "AQ", "use": "sig" },
            "nonsense",
        ]});
        let keys = parse(set.to_string().as_bytes()).unwrap();
        let kids: Vec<_> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
        assert_eq!(kids, ["a", "d"]);
        assert_eq!(keys[0], json!({ "kty": "RSA", "kid": "a", "n": "AQ", "e": "AQAB" }));
        assert_eq!(parse(b"[]").unwrap_err(), "it is not a JWK set");
        assert_eq!(parse(b"<html>").unwrap_err(), "it is not JSON");
    }

    #[test]
    fn a16_the_first_of_two_keys_with_one_name_stays() {
        let key = |n: &str| json!({ "kty": "RSA", "kid": "a", "n": n, "e": "AQAB" });
        let hosted = Hosted::default();
        hosted.replace("1", vec![key("first")]);
        hosted.replace("2", vec![key("second"), key("first")]);
        assert_eq!(*hosted.keys(), [key("first")]);
        hosted.replace("1", Vec::new());
        assert_eq!(hosted.keys().len(), 1, "its source withdrew it, the other one still has it");
    }
}
