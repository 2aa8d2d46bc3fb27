//! What a letter is, and what all of them have around their content.

use crate::config::Config;
use askama::Template;
use lettre::Address;
use oauth_core::error::PortError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest subject, in bytes.
const LONGEST_SUBJECT: usize = 255;
/// The longest body, in bytes.
const LONGEST_BODY: usize = 48 * 1024;

/// A letter to one person. `Debug` shows nothing of it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Letter {
    /// The address.
    pub to: String,
    /// The subject: one line.
    pub subject: String,
    /// What it says, as text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Letter(..)")
    }
}

impl Letter {
    /// A letter of two templates, which extend `emails/base.txt` and `emails/base.html`.
    pub fn render(
        to: &str,
        subject: &str,
        text: &impl Template,
        html: &impl Template,
    ) -> Result<Self, PortError> {
        Ok(Self {
            to: to.to_owned(),
            subject: subject.to_owned(),
            text: text.render().map_err(PortError::new)?,
            html: html.render().map_err(PortError::new)?,
        })
    }

    /// Refuses what could not be sent, or would say something else than was meant.
    pub(super) fn check(&self) -> Result<(), PortError> {
        let why = if self.to.parse::<Address>().is_err() {
            "a letter is not to a mail address"
        } else if self.subject.chars().any(char::is_control) {
            "the subject of a letter has control characters"
        } else if self.subject.is_empty() || self.subject.len() > LONGEST_SUBJECT {
            "the subject of a letter is empty or too long"
        } else if self.text.len() + self.html.len() > LONGEST_BODY {
            "a letter is too long"
        } else {
            return Ok(());
        };
        Err(PortError::new(why))
    }
}

/// What stands at the top and the bottom of every letter.
#[derive(Clone, Debug)]
pub struct Masthead {
    /// The server as people know it: its host.
    pub place: String,
    /// Its address, from the configuration and never from a request.
    pub url: String,
}

impl Masthead {
    /// That of this configuration.
    pub fn of(config: &Config) -> Self {
        let url = config.issuer().as_str().to_owned();
        let place = url.split_once("://").map_or(&*url, |(_, host)| host).to_owned();
        Self { place, url }
    }
}

#[derive(Template)]
#[template(path = "emails/trial.txt")]
struct TrialText<'a> {
    head: &'a Masthead,
}

#[derive(Template)]
#[template(path = "emails/trial.html")]
struct TrialHtml<'a> {
    head: &'a Masthead,
}

/// The letter of `oauth-server mail test`.
pub fn trial(head: &Masthead, to: &str) -> Result<Letter, PortError> {
    let subject = format!("A letter from {}", head.place);
    Letter::render(to, &subject, &TrialText { head }, &TrialHtml { head })
}
