//! What is said of one route.

use serde_json::{Map, Value, json};
use std::{borrow::Cow, collections::BTreeMap};

/// Who may use a route, and by what it shows who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lock {
    /// Everybody.
    Open,
    /// Whoever has an access token.
    Bearer,
    /// Whoever has the access token of a guest.
    Guest,
    /// Whoever is signed in with the browser.
    Session,
    /// Whoever is signed in with the browser and sends the CSRF token along, or has an access token.
    Front,
    /// A client, by its credentials.
    Client,
    /// Whoever has an access token, which is the whole of the header.
    Raw,
    /// Everybody; whoever sends such a token sees more.
    RawOrOpen,
    /// Whoever has a refresh token, which is the whole of the header.
    RawRefresh,
}

impl Lock {
    /// The security requirement: alternatives, each with everything that it takes.
    pub(super) fn requirement(self) -> Value {
        match self {
            Self::Open => json!([]),
            Self::Bearer => json!([{"bearer": []}, {"oauth2": []}, {"apiKey": []}]),
            Self::Guest => json!([{"bearer": []}]),
            Self::Session => json!([{"session": []}]),
            Self::Front => json!([{"session": [], "csrf": []}, {"bearer": []}, {"apiKey": []}]),
            Self::Client => json!([{"client": []}]),
            Self::Raw => json!([{"rawToken": []}]),
            Self::RawOrOpen => json!([{}, {"rawToken": []}]),
            Self::RawRefresh => json!([{"rawRefreshToken": []}]),
        }
    }
}

/// A field: its name, with `?` behind it where it may be left out and `:` and a type where it is no text; and what it
/// is. `users[].id` is the field `id` of each thing in the list `users`.
pub(crate) type Field = (&'static str, &'static str);

/// One method of one path, described.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub(super) method: &'static str,
    pub(super) path: Cow<'static, str>,
    tag: &'static str,
    summary: &'static str,
    about: &'static str,
    pub(super) lock: Lock,
    /// The type, and the alternatives of what it may hold.
    body: Option<(&'static str, Vec<Vec<Field>>)>,
    shown: Vec<Field>,
    query: Vec<Field>,
    answers: Vec<(u16, &'static str)>,
    content: &'static str,
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

impl Op {
    /// A route that everybody may use and that answers with JSON.
    pub(crate) fn new(
        method: &'static str,
        path: impl Into<Cow<'static, str>>,
        tag: &'static str,
        summary: &'static str,
    ) -> Self {
        Self {
            method,
            path: path.into(),
            tag,
            summary,
            about: "",
            lock: Lock::Open,
            body: None,
            shown: Vec::new(),
            query: Vec::new(),
            answers: Vec::new(),
            content: JSON,
        }
    }

    /// A page for people.
    pub(crate) fn page(
        method: &'static str,
        path: impl Into<Cow<'static, str>>,
        tag: &'static str,
        summary: &'static str,
    ) -> Self {
        Self { content: "text/html", ..Self::new(method, path, tag, summary) }
    }

    /// More than the summary.
    pub(crate) fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    /// Who may use it.
    pub(crate) fn lock(self, lock: Lock) -> Self {
        Self { lock, ..self }
    }

    /// It takes a JSON object.
    pub(crate) fn json(self, fields: &[Field]) -> Self {
        self.json_one_of(&[fields])
    }

    /// It takes a JSON object of one of these kinds.
    pub(crate) fn json_one_of(self, kinds: &[&[Field]]) -> Self {
        Self { body: Some((JSON, kinds.iter().map(|fields| fields.to_vec()).collect())), ..self }
    }

    /// It takes a form.
    pub(crate) fn form(self, fields: &[Field]) -> Self {
        Self { body: Some((FORM, vec![fields.to_vec()])), ..self }
    }

    /// It takes parameters in the query.
    pub(crate) fn query(self, fields: &[Field]) -> Self {
        Self { query: fields.to_vec(), ..self }
    }

    /// It answers with another type than JSON.
    pub(crate) fn gives(self, content: &'static str) -> Self {
        Self { content, ..self }
    }

    /// Where it is done, it answers with a JSON object of these.
    pub(crate) fn shows(self, fields: &[Field]) -> Self {
        Self { shown: fields.to_vec(), ..self }
    }

    /// It answers so.
    pub(crate) fn answer(mut self, status: u16, what: &'static str) -> Self {
        self.answers.push((status, what));
        self
    }

    /// As an operation of the document.
    pub(super) fn to_json(&self, id: &str) -> Value {
        let mut operation = Map::new();
        operation.insert("operationId".into(), json!(id));
        operation.insert("tags".into(), json!([self.tag]));
        operation.insert("summary".into(), json!(self.summary));
        if !self.about.is_empty() {
            operation.insert("description".into(), json!(self.about));
        }
        let mut parameters = path_parameters(&self.path);
        for field in &self.query {
            let (name, is_required, schema) = read(field);
            parameters.push(
                json!({"name": name, "in": "query", "required": is_required, "schema": schema}),
            );
        }
        if !parameters.is_empty() {
            operation.insert("parameters".into(), Value::Array(parameters));
        }
        if let Some((content, kinds)) = &self.body {
            let schema = match kinds.as_slice() {
                [fields] => object(fields),
                kinds => json!({"oneOf": kinds.iter().map(|k| object(k)).collect::<Vec<_>>()}),
            };
            let body = json!({"required": true, "content": {*content: {"schema": schema}}});
            operation.insert("requestBody".into(), body);
        }
        operation.insert("responses".into(), self.responses());
        operation.insert("security".into(), self.lock.requirement());
        Value::Object(operation)
    }

    fn responses(&self) -> Value {
        let mut answers = self.answers.clone();
        if !answers.iter().any(|(status, _)| *status < 400) {
            answers.insert(0, (200, "It is done, or shown."));
        }
        if self.lock != Lock::Open && !answers.iter().any(|(status, _)| *status >= 400) {
            let who = if self.content == "text/html" {
                (303, "Whoever is not signed in is sent to the page where one does.")
            } else {
                (401, "Who asks is not known, or no longer.")
            };
            answers.push(who);
        }
        let response = |(status, what): (u16, &str)| {
            let response = if matches!(status, 204 | 205) || (300..400).contains(&status) {
                json!({"description": what})
            } else {
                let schema = match self.content {
                    JSON if status < 400 && !self.shown.is_empty() => object(&self.shown),
                    JSON => json!({}),
                    _ => json!({"type": "string"}),
                };
                json!({"description": what, "content": {self.content: {"schema": schema}}})
            };
            (status.to_string(), response)
        };
        Value::Object(answers.into_iter().map(response).collect())
    }
}

/// What varies in a path.
pub(super) fn path_parameters(path: &str) -> Vec<Value> {
    let names = path.split('{').skip(1).filter_map(|piece| piece.split('}').next());
    let parameter = |name: &str| {
        let name = name.trim_start_matches('*');
        json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}})
    };
    names.map(parameter).collect()
}

fn read((name, text): &Field) -> (&'static str, bool, Value) {
    let (name, kind) = name.split_once(':').unwrap_or((name, "string"));
    let (name, is_required) = name.strip_suffix('?').map_or((name, true), |name| (name, false));
    let mut schema = Map::new();
    schema.insert("type".into(), json!(if kind == "list" { "array" } else { kind }));
    schema.insert("description".into(), json!(text));
    if kind == "list" {
        schema.insert("items".into(), json!({}));
    }
    if name.contains("password") {
        schema.insert("format".into(), json!("password"));
    }
    (name, is_required, Value::Object(schema))
}

fn object(fields: &[Field]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    let mut lists: BTreeMap<&str, Vec<Field>> = BTreeMap::new();
    for field in fields {
        if let Some((list, inner)) = field.0.split_once("[].") {
            lists.entry(list).or_default().push((inner, field.1));
            continue;
        }
        let (name, is_required, schema) = read(field);
        properties.insert(name.to_owned(), schema);
        if is_required {
            required.push(name);
        }
    }
    for (name, fields) in lists {
        properties.insert(name.to_owned(), json!({"type": "array", "items": object(&fields)}));
        required.push(name);
    }
    json!({"type": "object", "properties": properties, "required": required})
}
