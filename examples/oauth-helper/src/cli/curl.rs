//! `oauth-helper curl`: the token goes to curl through its configuration, never through its arguments, which
//! everybody on the machine can read.

use super::{Context, output::say};
use crate::error::{Error, Result};
use std::{
    ffi::{OsStr, OsString},
    io::Write as _,
    process::{ExitCode, Stdio},
};
use zeroize::Zeroizing;

pub(super) async fn run(
    context: &Context,
    which: Option<&str>,
    arguments: &[OsString],
) -> Result<ExitCode> {
    let token = context.which(which).await?.access_token().await?;
    warn(arguments);
    let line = Zeroizing::new(format!(
        "header = \"Authorization: {}\"\n",
        quoted(token.authorization().expose())
    ));
    let arguments = arguments.to_vec();
    let code = crate::files::blocking(move || {
        if reads_stdin(&arguments) {
            through_file(&arguments, &line)
        } else {
            through_stdin(&arguments, &line)
        }
    })
    .await?;
    Ok(ExitCode::from(code))
}

/// Quotes and backslashes as curl's configuration wants them. Control characters are not in a token we accept.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Whether curl itself wants its standard input.
fn reads_stdin(arguments: &[OsString]) -> bool {
    arguments.iter().filter_map(|a| a.to_str()).any(|a| {
        a == "-"
            || a.contains("@-")
            || a.starts_with("-K")
            || a.starts_with("--config")
            || a == "-T-"
            || a.ends_with("=-")
            || a.contains("<-")
    })
}

fn warn(arguments: &[OsString]) {
    let words = || arguments.iter().filter_map(|a| a.to_str());
    let plain = words().any(|word| {
        url::Url::parse(word).is_ok_and(|u| u.scheme() == "http" && !crate::model::is_loopback(&u))
    });
    if plain {
        say("warning: over plain http everybody on the way reads the token");
    }
    if words().any(|word| word == "--location-trusted") {
        say("warning: --location-trusted sends the token wherever the service redirects to");
    }
}

fn command(arguments: &[OsString], config: &OsStr) -> std::process::Command {
    let mut command = std::process::Command::new("curl");
    // What says that no .curlrc is read counts as the first word alone.
    let first = arguments.first().filter(|a| *a == "-q" || *a == "--disable");
    command.args(first).arg("--config").arg(config);
    command.args(arguments.iter().skip(usize::from(first.is_some())));
    command
}

fn through_stdin(arguments: &[OsString], line: &str) -> Result<u8> {
    let mut child =
        command(arguments, OsStr::new("-")).stdin(Stdio::piped()).spawn().map_err(missing)?;
    if let Some(mut input) = child.stdin.take() {
        // It may have ended already, over a wrong argument.
        input.write_all(line.as_bytes()).ok();
    }
    ended(child.wait())
}

/// A file for the owner alone, in memory where the system has such a folder, gone when curl ends.
fn through_file(arguments: &[OsString], line: &str) -> Result<u8> {
    let failed = |e| Error::store("the configuration for curl cannot be written", e);
    let folder = std::env::var_os("XDG_RUNTIME_DIR").map(std::path::PathBuf::from);
    let folder = folder.filter(|f| f.is_dir()).unwrap_or_else(std::env::temp_dir);
    let mut file =
        tempfile::Builder::new().prefix("oauth-helper-").tempfile_in(folder).map_err(failed)?;
    file.write_all(line.as_bytes()).map_err(failed)?;
    let mut child = command(arguments, file.path().as_os_str()).spawn().map_err(missing)?;
    ended(child.wait())
}

fn missing(error: std::io::Error) -> Error {
    Error::store("curl cannot be run", error)
}

fn ended(status: std::io::Result<std::process::ExitStatus>) -> Result<u8> {
    let status = status.map_err(|e| Error::store("curl cannot be waited for", e))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_cannot_leave_its_quotes() {
        assert_eq!(quoted(r#"a"b\c"#), r#"a\"b\\c"#);
    }

    #[test]
    fn standard_input_is_left_to_those_who_want_it() {
        let wants =
            |words: &[&str]| reads_stdin(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert!(wants(&["-d", "@-", "https://x"]));
        assert!(wants(&["-T", "-", "https://x"]));
        assert!(wants(&["-K", "file"]));
        assert!(wants(&["--data-binary=@-"]));
        assert!(!wants(&["-d", "a=b", "https://x"]));
    }
}
