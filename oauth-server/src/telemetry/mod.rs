//! Log lines: events with constant messages and fields, as JSON for machines or prettily for people.

mod json;

pub use json::JsonLines;

use crate::config::{LogFormat, Logs};
use std::io::IsTerminal;
use tracing_subscriber::{
    EnvFilter, Layer as _, filter::ParseError, fmt::MakeWriter, layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// Libraries that have nothing to say to an operator at the level of our own lines. Those of passkeys say nothing at all:
/// why an answer is refused stands in a line of ours, and they would write out what was sent.
const QUIET: &str = "sqlx=warn,sea_orm=warn,sea_orm_migration=warn,hyper=warn,rustls=warn,\
    webauthn_rs=off,webauthn_rs_core=off";

/// Reads `logs.level`: one word for our own lines, or a list that is taken as it is.
pub fn filter(level: &str) -> Result<EnvFilter, ParseError> {
    let is_word = level.parse::<tracing::Level>().is_ok();
    let directives = if is_word { format!("{level},{QUIET}") } else { level.to_owned() };
    EnvFilter::builder().parse(directives)
}

/// Where log lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Standard error, for commands whose data goes to standard output.
    Stderr,
    /// Standard output, for the server.
    Stdout,
}

/// Starts logging for the whole process. A second call changes nothing.
pub fn install(logs: &Logs, output: Output) {
    let filter = filter(&logs.level).unwrap_or_else(|_| EnvFilter::new("info"));
    match output {
        Output::Stdout => {
            start(logs, filter, std::io::stdout, std::io::stdout().is_terminal());
        }
        Output::Stderr => {
            start(logs, filter, std::io::stderr, std::io::stderr().is_terminal());
        }
    }
}

fn start<W>(logs: &Logs, filter: EnvFilter, writer: W, is_terminal: bool)
where
    W: for<'a> MakeWriter<'a> + Clone + Send + Sync + 'static,
{
    let layer = match format(logs, is_terminal) {
        LogFormat::Json => JsonLines::new(writer).boxed(),
        LogFormat::Pretty => tracing_subscriber::fmt::layer()
            .compact()
            .with_target(false)
            .with_ansi(is_terminal && std::env::var_os("NO_COLOR").is_none())
            .with_writer(writer)
            .boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(filter)).try_init().ok();
}

/// The format in effect: the configured one, else the one for whoever reads.
pub fn format(logs: &Logs, is_terminal: bool) -> LogFormat {
    logs.format.unwrap_or(if is_terminal { LogFormat::Pretty } else { LogFormat::Json })
}
