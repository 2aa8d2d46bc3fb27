//! Scopes by method.

use super::{Need, Policy, Scopes, Verdict};
use crate::{asked::Asked, principal::Principal, problem::ConfigProblem, refusal::Refusal};
use http::Method;

/// Which scope which method needs. A method without a rule is refused.
///
/// ```
/// use resource_guard::{Methods, http::Method};
///
/// # fn main() -> Result<(), resource_guard::ConfigProblem> {
/// let rules = Methods::new().read("clock.read")?.write("clock.write")?.on(Method::DELETE, "clock.admin")?;
/// # let _ = rules;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Methods {
    read: Option<Scopes>,
    write: Option<Scopes>,
    named: Vec<(Method, Rule)>,
}

#[derive(Clone, Debug)]
enum Rule {
    Needs(Scopes),
    Open,
}

impl Methods {
    /// No rules: everything is refused.
    pub fn new() -> Self {
        Self::default()
    }

    /// GET and HEAD need every scope of the list.
    pub fn read(mut self, scopes: &str) -> Result<Self, ConfigProblem> {
        self.read = Some(Scopes::all(scopes)?);
        Ok(self)
    }

    /// POST, PUT, PATCH and DELETE need every scope of the list.
    pub fn write(mut self, scopes: &str) -> Result<Self, ConfigProblem> {
        self.write = Some(Scopes::all(scopes)?);
        Ok(self)
    }

    /// One method needs every scope of the list, whatever the other rules say.
    pub fn on(mut self, method: Method, scopes: &str) -> Result<Self, ConfigProblem> {
        self.named.retain(|(named, _)| *named != method);
        self.named.push((method, Rule::Needs(Scopes::all(scopes)?)));
        Ok(self)
    }

    /// One method needs no token, such as OPTIONS.
    pub fn open(mut self, method: Method) -> Self {
        self.named.retain(|(named, _)| *named != method);
        self.named.push((method, Rule::Open));
        self
    }

    fn named(&self, method: &Method) -> Option<&Rule> {
        self.named.iter().find(|(named, _)| named == method).map(|(_, rule)| rule)
    }
}

impl Policy for Methods {
    fn need(&self, asked: &Asked<'_>) -> Result<Need, Refusal> {
        match self.named(asked.method()) {
            Some(Rule::Open) => Ok(Need::Nothing),
            _ => Ok(Need::Token),
        }
    }

    fn allow<'a>(&'a self, asked: &'a Asked<'a>, principal: &'a Principal) -> Verdict<'a> {
        let scopes = match (self.named(asked.method()), asked.method()) {
            (Some(Rule::Open), _) => return Verdict::Now(Ok(())),
            (Some(Rule::Needs(scopes)), _) => Some(scopes),
            (None, &(Method::GET | Method::HEAD)) => self.read.as_ref(),
            (None, &(Method::POST | Method::PUT | Method::PATCH | Method::DELETE)) => {
                self.write.as_ref()
            }
            _ => None,
        };
        let verdict = match scopes {
            Some(scopes) => scopes.check(principal),
            None => Err(Refusal::insufficient_scope(None)),
        };
        verdict.into()
    }
}
