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
    /// Where writing is allowed, if that is not where reading is. Empty means the same as `paths`; everywhere is `*`.
    pub write_paths: Vec<String>,
}

impl AccessRight {
    /// A right everywhere in an API.
    pub fn new(user: UserId, api: impl Into<String>, access: Access) -> Self {
        Self { user, api: api.into(), access, paths: Vec::new(), write_paths: Vec::new() }
    }

    /// The patterns of the paths that may be written, where any may.
    pub fn written_paths(&self) -> &[String] {
        if self.write_paths.is_empty() { &self.paths } else { &self.write_paths }
    }

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
                object.insert("read".into(), paths);
                object.insert("write".into(), self.written());
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
    fn written(&self) -> Value {
        let mut paths: Vec<&str> = self.written_paths().iter().map(String::as_str).collect();
        if self.api != "query" {
            return if paths.is_empty() { json!(["*"]) } else { json!(paths) };
        }
        if paths.is_empty() {
            return json!(SUBSCRIPTIONS);
        }
        if SUBSCRIPTIONS.iter().any(|path| paths.contains(path)) {
            let missing: Vec<_> =
                SUBSCRIPTIONS.into_iter().filter(|path| !paths.contains(path)).collect();
            paths.extend(missing);
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
            paths: paths.iter().map(|&p| p.into()).collect(),
            ..AccessRight::new(UserId::new("u"), "connection", access)
        };
        assert_eq!(right(Access::None, &[]).claim(), None);
        let (name, value) = right(Access::Read, &["single/*"]).claim().unwrap();
        assert_eq!(name, "x-nmos-connection");
        assert_eq!(value, json!({"read": ["single/*"]}));
        let (_, value) = right(Access::Write, &[]).claim().unwrap();
        assert_eq!(value, json!({"read": ["*"], "write": ["*"]}));
    }

    #[test]
    fn is10_reading_and_writing_have_patterns_of_their_own() {
        let right = |api: &str, access, paths: &[&str], write: &[&str]| AccessRight {
            paths: paths.iter().map(|&p| p.into()).collect(),
            write_paths: write.iter().map(|&p| p.into()).collect(),
            ..AccessRight::new(UserId::new("u"), api, access)
        };
        for (api, paths, write, claim) in [
            (
                "connection",
                &[][..],
                &["single/*"][..],
                json!({"read": ["*"], "write": ["single/*"]}),
            ),
            (
                "connection",
                &["a/*"],
                &["a/1", "b"],
                json!({"read": ["a/*"], "write": ["a/1", "b"]}),
            ),
            ("connection", &["a/*"], &["*"], json!({"read": ["a/*"], "write": ["*"]})),
            ("connection", &["a/*"], &[], json!({"read": ["a/*"], "write": ["a/*"]})),
            (
                "query",
                &[],
                &["subscriptions"],
                json!({"read": ["*"], "write": ["subscriptions", "subscriptions/*"]}),
            ),
            ("query", &["nodes/*"], &["x"], json!({"read": ["nodes/*"], "write": ["x"]})),
        ] {
            assert_eq!(right(api, Access::Write, paths, write).claim().unwrap().1, claim);
        }
        let read = right("connection", Access::Read, &["a/*"], &["b"]);
        assert_eq!(read.claim().unwrap().1, json!({"read": ["a/*"]}), "reading is not writing");
    }

    #[test]
    fn is10_whoever_may_write_subscriptions_may_by_either_pattern() {
        let right = |paths: &[&str]| AccessRight {
            paths: paths.iter().map(|&p| p.into()).collect(),
            ..AccessRight::new(UserId::new("u"), "query", Access::Write)
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
