//! Reading forms, and saying what is wrong with them.

use super::errors::{Explanation, Trouble};
use axum::extract::{FromRequest, Request};
use oauth_core::params::Params;

/// A form in which each name occurs once.
pub(super) struct Form(pub(super) Params);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Trouble;

    async fn from_request(request: Request, _: &S) -> Result<Self, Trouble> {
        match oauth_core::http::incoming(request).await {
            Ok(incoming) => Ok(Self(incoming.params)),
            Err(e) => Err(Explanation::bad_form(e.description()).into()),
        }
    }
}

/// What is wrong with one field.
pub(super) struct Problem {
    /// The id of the field on the page.
    pub(super) field: &'static str,
    /// What, as a sentence.
    pub(super) text: String,
}

/// Everything that is wrong with a form.
#[derive(Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    /// One thing that is wrong.
    pub(super) fn one(field: &'static str, text: impl Into<String>) -> Self {
        let mut problems = Self::default();
        problems.add(field, text);
        problems
    }

    pub(super) fn add(&mut self, field: &'static str, text: impl Into<String>) {
        self.0.push(Problem { field, text: text.into() });
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// Whether something is wrong with a field.
    pub(super) fn has(&self, field: &str) -> bool {
        self.0.iter().any(|p| p.field == field)
    }

    /// What is wrong with a field.
    pub(super) fn of(&self, field: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |p| p.field == field).map(|p| p.text.as_str())
    }
}
