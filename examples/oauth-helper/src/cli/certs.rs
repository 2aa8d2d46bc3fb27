//! `oauth-helper certs generate`: a certificate for the local web page.

use super::{
    args::{Certs, CertsCommand},
    output::Output,
};
use crate::{
    error::{Error, Result},
    files,
};
use serde_json::json;
use std::{path::Path, process::ExitCode};

pub(super) fn run(certs: &Certs, out: Output) -> Result<ExitCode> {
    let CertsCommand::Generate { folder, hosts, force } = &certs.command;
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("privkey.pem"));
    if !force && (certificate.exists() || key.exists()) {
        return Err(Error::Invalid(format!(
            "there is a certificate or key in {} already; --force replaces it",
            folder.display()
        )));
    }
    let made = rcgen::generate_simple_self_signed(hosts.clone())
        .map_err(|e| Error::Invalid(format!("no certificate can be made for this: {e}")))?;
    files::replace(&key, made.signing_key.serialize_pem().as_bytes())?;
    files::replace(&certificate, made.cert.pem().as_bytes())?;
    let text = format!(
        "made {} for {}\nuse it with:\n  OAUTHCLIENT_SERVER__TLS_CERT={}\n  OAUTHCLIENT_SERVER__TLS_KEY={}",
        certificate.display(),
        hosts.join(", "),
        absolute(&certificate),
        absolute(&key),
    );
    out.print(&text, &json!({ "certificate": absolute(&certificate), "key": absolute(&key) }))
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}
