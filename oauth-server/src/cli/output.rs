//! Printing: data to standard output, messages to standard error.

use anyhow::Context as _;
use oauth_core::model::Timestamp;
use serde_json::Value;
use std::io::Write as _;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Shape of what commands print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Output {
    /// For people
    Text,
    /// One JSON document
    Json,
}

impl Output {
    /// Prints data in one of its two shapes.
    pub(super) fn data(self, json: &Value, text: impl FnOnce() -> String) -> anyhow::Result<()> {
        let mut shown = match self {
            Self::Text => text(),
            Self::Json => serde_json::to_string_pretty(json)?,
        };
        if !shown.is_empty() && !shown.ends_with('\n') {
            shown.push('\n');
        }
        raw(shown.as_bytes())
    }
}

/// Writes to standard output.
pub(super) fn raw(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).context("cannot write to standard output")
}

/// Tells the operator something.
pub(super) fn message(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stderr(), "{text}").context("cannot write to standard error")
}

/// Rows in columns as wide as they have to be.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let head: Vec<String> = head.iter().map(|&h| h.to_owned()).collect();
    let lines = || std::iter::once(&head).chain(rows);
    let width = |column: usize| {
        lines().filter_map(|l| l.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &Vec<String>| {
        let padded: Vec<_> = cells.iter().zip(&widths).map(|(c, w)| format!("{c:w$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    lines().map(line).collect::<Vec<_>>().join("\n")
}

/// A time for people and for JSON.
pub(super) fn date(at: Timestamp) -> String {
    OffsetDateTime::from_unix_timestamp(at.unix())
        .ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_else(|| at.unix().to_string())
}

/// Whether, as a word.
pub(super) fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}
