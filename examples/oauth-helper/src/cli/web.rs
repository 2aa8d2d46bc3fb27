//! `oauth-helper web`: the local web page.

use super::{Context, args::WebArguments, output::say};
use crate::{
    error::{Error, Result},
    seal::random,
    secret::Secret,
    web,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::process::ExitCode;

pub(super) async fn run(context: &Context, arguments: WebArguments) -> Result<ExitCode> {
    let mut settings = context.settings.server.clone();
    if let Some(host) = arguments.host {
        settings.host = host;
    }
    if let Some(port) = arguments.port {
        settings.port = port;
    }
    settings.allowed_hosts.extend(arguments.allowed_hosts);
    if !settings.host.is_loopback() {
        if !arguments.danger_not_loopback && !context.settings.server.danger_not_loopback {
            return Err(Error::Invalid(format!(
                "{} can be reached from elsewhere, and whoever reaches this page acts as you: say --danger-not-loopback if that is what you want",
                settings.host
            )));
        }
        expose(&mut settings);
    }
    let json = context.out.json;
    web::serve(context.store.clone(), &settings, |base| {
        if json {
            say(&serde_json::json!({ "listening": base.as_str() }).to_string());
        } else {
            say(&format!("listening on {base} (ctrl-c ends it)"));
        }
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}

/// What holds where others can reach the page: nobody sees anything without the access key.
fn expose(settings: &mut crate::settings::ServerSettings) {
    say("WARNING ------------------------------------------------------------------");
    say("This page can be reached from other machines. Whoever has its access key");
    say("acts as you at every service in it.");
    if settings.tls_cert.is_none() {
        say("It is served without TLS: everybody on the way reads what you read, the");
        say("access key too. See: oauth-helper certs generate");
    }
    say("--------------------------------------------------------------------------");
    if settings.access_key.is_none() {
        let key = URL_SAFE_NO_PAD.encode(random::<24>());
        say(&format!("access key: {key}"));
        settings.access_key = Some(Secret::new(key));
    }
}
