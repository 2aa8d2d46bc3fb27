//! Opening the browser of the person who sits here.

use std::collections::HashMap;
use std::process::Stdio;
use url::Url;

/// Opens an address; false where there is nothing to open it with. `$BROWSER` comes first: a command, or several
/// with colons between them.
pub(super) fn open(url: &Url, environment: &HashMap<String, String>) -> bool {
    let wanted = environment.get("BROWSER").map(String::as_str).unwrap_or_default();
    for command in wanted.split(':').filter(|c| !c.is_empty()) {
        let spawned = std::process::Command::new(command)
            .arg(url.as_str())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        if spawned.is_ok() {
            return true;
        }
    }
    opener::open_browser(url.as_str()).is_ok()
}
