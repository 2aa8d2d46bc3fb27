//! What a user may do with which API, and the claims that say so.

use super::UserId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// How far a user may go with one API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Not at all.
    #[default]
    None,
    /// Look.
    Read,
    /// Look and change.
    Write,
}

impl Access {
    /// The stored and displayed word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::None, Self::Read, Self::Write].into_iter().find(|a| a.as_str() == word)
    }
}

/// One row of `AccessRights`: a user, an API, how far, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRight {
    /// Whose right it is.
    pub user: UserId,
    /// The API, which is also the scope token that asks for it, such as `connection`.
    pub api: String,
    /// How far.
    pub access: Access,
    /// Path patterns below the API's version; `*` matches any run of characters. Empty means everywhere.
    pub paths: Vec<String>,
}

impl AccessRight {
    /// The name and value of the `x-nmos-<api>` claim (AMWA IS-10, access token claims);
    /// `None` where nothing is allowed, since an empty claim object is not allowed either.
    pub fn claim(&self) -> Option<(String, Value)> {
        let paths = if self.paths.is_empty() { json!(["*"]) } else { json!(self.paths) };
        let mut object = Map::new();
        match self.access {
            Access::None => return None,
            Access::Read => {
                object.insert("read".into(), paths);
            }
            Access::Write => {
                object.insert("read".into(), paths.clone());
                object.insert("write".into(), self.written(paths));
            }
        }
        Some((format!("x-nmos-{}", self.api), Value::Object(object)))
    }
}

/// What is written in the Query API of IS-04.
const SUBSCRIPTIONS: [&str; 2] = ["subscriptions", "subscriptions/*"];

impl AccessRight {
    /// Where writing is allowed. In the Query API that is `subscriptions` (BCP-003-02), for which IS-10 has the example
    /// `subscriptions/*`, and devices ask for either: whoever may write one of them has both.
    fn written(&self, paths: Value) -> Value {
        if self.api != "query" {
            return paths;
        }
        if self.paths.is_empty() {
            return json!(SUBSCRIPTIONS);
        }
        let mut paths: Vec<&str> = self.paths.iter().map(String::as_str).collect();
        if SUBSCRIPTIONS.iter().any(|path| paths.contains(path)) {
            paths
                .extend(SUBSCRIPTIONS.iter().filter(|path| !self.paths.iter().any(|p| p == *path)));
        }
        json!(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is10_claims_have_only_what_is_granted() {
        let right = |access, paths: &[&str]| AccessRight {
            user: UserId::new("u"),
            api: "connection".into(),
            access,
            paths: paths.iter().map(|&p| p.into()).collect(),
        };
        assert_eq!(right(Access::None, &[]).claim(), None);
        let (name, value) = right(Access::Read, &["single/*"]).claim().unwrap();
        assert_eq!(name, "x-nmos-connection");
        assert_eq!(value, json!({"read": ["single/*"]}));
        let (_, value) = right(Access::Write, &[]).claim().unwrap();
        assert_eq!(value, json!({"read": ["*"], "write": ["*"]}));
    }

    #[test]
    fn is10_whoever_may_write_subscriptions_may_by_either_pattern() {
        let right = |paths: &[&str]| AccessRight {
            user: UserId::new("u"),
            api: "query".into(),
            access: Access::Write,
            paths: paths.iter().map(|&p| p.into()).collect(),
        };
        let both = ["subscriptions", "subscriptions/*"];
        for (paths, read, write) in [
            (&[][..], &["*"][..], &both[..]),
            (&["subscriptions/*"], &["subscriptions/*"], &["subscriptions/*", "subscriptions"]),
            (&["subscriptions"], &["subscriptions"], &both),
            (&["nodes/*"], &["nodes/*"], &["nodes/*"]),
        ] {
            let (_, value) = right(paths).claim().unwrap();
            assert_eq!(value, json!({"read": read, "write": write}));
        }
    }
}
