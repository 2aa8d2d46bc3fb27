//! `oauth-server user profile`: the standard claims of a user, by the word of the operator.

use super::output::{self, Output, table};
use crate::{
    profile::{self, Claim, Flag, ProfileDraft},
    state::AppState,
};
use anyhow::{Context as _, anyhow, ensure};
use clap::{Args, builder::PossibleValuesParser};
use oauth_core::{model::Timestamp, ports::Users as _, seaorm::UserAccount};
use serde_json::{Map, Value};

/// What to change. Nothing shows the profile as it is.
#[derive(Clone, Debug, Args)]
pub(super) struct Change {
    /// A claim, such as email=ada@example.org or address.locality=London; nothing behind the = removes it. May be
    /// given several times
    #[arg(long, value_name = "CLAIM=TEXT")]
    set: Vec<String>,
    /// Say that the address or the number is verified
    #[arg(long, value_parser = flags(), value_name = "email|phone_number")]
    verified: Vec<String>,
    /// Say that the address or the number is not verified
    #[arg(long, value_parser = flags(), value_name = "email|phone_number")]
    unverified: Vec<String>,
}

fn flags() -> PossibleValuesParser {
    PossibleValuesParser::new(Flag::ALL.map(|flag| flag.claim().as_str()))
}

impl Change {
    fn is_empty(&self) -> bool {
        self.set.is_empty() && self.verified.is_empty() && self.unverified.is_empty()
    }

    /// The claims that are set.
    fn texts(&self) -> anyhow::Result<Vec<(Claim, String)>> {
        let text = |pair: &String| {
            let (name, text) = pair
                .split_once('=')
                .with_context(|| format!("expected CLAIM=TEXT, not {pair:?}"))?;
            let claim = Claim::parse(name).with_context(|| {
                let known: Vec<_> = Claim::ALL.iter().map(|claim| claim.as_str()).collect();
                format!("there is no claim {name:?}; there are: {}", known.join(", "))
            })?;
            Ok((claim, text.to_owned()))
        };
        self.set.iter().map(text).collect()
    }

    /// The profile with the changes, or what is wrong with them.
    fn apply(
        &self,
        current: &Map<String, Value>,
        now: Timestamp,
    ) -> anyhow::Result<Map<String, Value>> {
        let mut draft = ProfileDraft::from(current);
        for (claim, text) in self.texts()? {
            draft.set(claim, text);
        }
        let checked = draft.check().map_err(|objections| {
            let lines: Vec<_> = objections.iter().map(ToString::to_string).collect();
            anyhow!("{}", lines.join("\n"))
        })?;
        let mut profile = checked.replace(current, now);
        for (names, is_verified) in [(&self.verified, true), (&self.unverified, false)] {
            for flag in Flag::ALL {
                let about = flag.claim().as_str();
                if names.iter().any(|name| name == about) {
                    ensure!(
                        flag.set(&mut profile, is_verified, now),
                        "there is no {about} that could be verified"
                    );
                }
            }
        }
        Ok(profile)
    }
}

pub(super) async fn run(
    state: &AppState,
    output: Output,
    user: &UserAccount,
    change: &Change,
) -> anyhow::Result<()> {
    let current = state.store.profile(&user.id).await?;
    if change.is_empty() {
        return show(output, &current);
    }
    let (now, change) = (state.now(), change.clone());
    // Said in words before, since the transaction can only do it or not.
    change.apply(&current, now)?;
    let with = move |current: &Map<String, Value>| change.apply(current, now).ok();
    let profile = profile::change(&state.store, &user.id, with).await??;
    output::message(&format!("profile of {} changed", user.username))?;
    show(output, &profile.unwrap_or_default())
}

fn show(output: Output, profile: &Map<String, Value>) -> anyhow::Result<()> {
    output.data(&Value::Object(profile.clone()), || {
        let mut rows = Vec::new();
        for (name, value) in profile {
            match value {
                Value::Object(members) => rows.extend(
                    members.iter().map(|(member, v)| vec![format!("{name}.{member}"), plain(v)]),
                ),
                value => rows.push(vec![name.clone(), plain(value)]),
            }
        }
        table(&["CLAIM", "VALUE"], &rows)
    })
}

/// A value on one line.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| text.replace('\n', ", "))
}
