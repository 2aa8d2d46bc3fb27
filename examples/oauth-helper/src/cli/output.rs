//! Standard output and standard error, for people or for programs.

use crate::error::{Error, Result};
use serde_json::{Value, json};
use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

/// How things are printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    pub(super) json: bool,
}

impl Output {
    /// Prints text for people, or the value for programs.
    pub(super) fn print(self, text: &str, value: &Value) -> Result<ExitCode> {
        let line = if self.json { value.to_string() } else { text.trim_end().to_owned() };
        let line = if line.is_empty() { line } else { format!("{line}\n") };
        raw(line.as_bytes())
    }

    /// Says why it failed, and with which exit code.
    pub(super) fn fail(self, error: &Error) -> ExitCode {
        let code = error.exit_code();
        if self.json {
            let refusal = if let Error::Refused { code, .. } = error { Some(code) } else { None };
            let object = json!({
                "error": error.kind(),
                "message": error.to_string(),
                "exit_code": code,
                "code": refusal,
            });
            say(&object.to_string());
        } else {
            say(&format!("error: {error}"));
        }
        ExitCode::from(code)
    }
}

/// Prints bytes as they are.
pub(super) fn raw(bytes: &[u8]) -> Result<ExitCode> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        // Whoever reads has seen enough.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(e) => Err(Error::store("standard output cannot be written", e)),
        Ok(()) => Ok(ExitCode::SUCCESS),
    }
}

/// Says something to people, on standard error.
pub(super) fn say(text: &str) {
    writeln!(io::stderr(), "{text}").ok();
}

/// One line from standard input, at most 64 KiB.
pub(super) fn read_line() -> Result<String> {
    let mut line = String::new();
    let stdin = io::stdin();
    let mut limited = io::Read::take(stdin.lock(), 64 * 1024);
    io::BufRead::read_line(&mut limited, &mut line)
        .map_err(|e| Error::store("standard input cannot be read", e))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Asks for a secret at the terminal, unseen; reads a line where there is none.
pub(super) fn ask_secret(prompt: &str) -> Result<crate::secret::Secret> {
    let text = if io::stdin().is_terminal() {
        rpassword::prompt_password(prompt)
            .map_err(|e| Error::store("the terminal cannot be read", e))?
    } else {
        read_line()?
    };
    if text.is_empty() {
        return Err(Error::Invalid("nothing was typed".into()));
    }
    Ok(crate::secret::Secret::new(text))
}
