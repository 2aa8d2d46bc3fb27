//! `oauth-server keys`.

use super::output::{self, Output, date, table};
use crate::{
    administration::keys::{self, Doing},
    forms::{KeyLine, Rotate},
    state::AppState,
};
use anyhow::{Context as _, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Subcommand;
use oauth_core::{
    jose::{GeneratedKey, import_pem},
    keys::RotateWhen,
    model::{SigningAlgorithm, StoredKey},
};
use rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use serde_json::json;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What to do with signing keys.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List keys and what they are doing
    List,
    /// Make the next key of each algorithm; it signs after the lead time of the configuration
    Rotate {
        /// Only this algorithm; may be given several times
        #[arg(long = "algorithm", value_name = "ALG", value_parser = algorithm)]
        algorithms: Vec<SigningAlgorithm>,
        /// Sign with it at once: for when the old key is in wrong hands
        #[arg(long)]
        now: bool,
    },
    /// Withdraw a key at once: whoever checks tokens with the key set refuses those it signed
    Retire {
        /// The key id, which may begin with a hyphen
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
    /// Keys that forms are encrypted to: list, rotate
    #[command(subcommand)]
    Forms(FormsCommand),
    /// Take over a private key that was made elsewhere
    Import {
        /// PEM file with the private key: RSA (2048 bits or more), P-256 or Ed25519
        file: PathBuf,
        /// PEM file with its certificate; without it one is made
        #[arg(long, value_name = "FILE")]
        certificate: Option<PathBuf>,
        /// The algorithm to sign with; by default the usual one of its type
        #[arg(long, value_name = "ALG", value_parser = algorithm)]
        algorithm: Option<SigningAlgorithm>,
        /// Sign with it at once
        #[arg(long)]
        now: bool,
    },
}

/// What to do with the keys that front ends encrypt forms to.
#[derive(Debug, Subcommand)]
pub(super) enum FormsCommand {
    /// List keys and what they are doing
    List,
    /// Make the next key; the old one still decrypts for the overlap of the configuration
    Rotate {
        /// Delete the old ones at once: for when one is in wrong hands
        #[arg(long)]
        now: bool,
    },
}

fn algorithm(name: &str) -> Result<SigningAlgorithm, String> {
    let all: Vec<_> = SigningAlgorithm::ALL.iter().map(|a| a.as_str()).collect();
    SigningAlgorithm::parse(name).ok_or_else(|| format!("expected one of {}", all.join(", ")))
}

pub(super) async fn run(command: Command, state: &AppState, output: Output) -> anyhow::Result<()> {
    match command {
        Command::List => list(state, output).await,
        Command::Rotate { algorithms, now: at_once } => {
            let configured = &state.config.keys.algorithms;
            let algorithms = if algorithms.is_empty() { configured } else { &algorithms };
            for &alg in algorithms {
                let kid = keys::rotate(state, alg, when(at_once)).await?;
                output::message(&announced(alg, &kid, at_once, state))?;
            }
            Ok(())
        }
        Command::Forms(command) => forms(command, state, output).await,
        Command::Retire { kid } => {
            if !keys::retire(state, &kid).await? {
                bail!("there is no key with the id {kid:?}; see `oauth-server keys list`");
            }
            output::message(&format!(
                "{kid} is withdrawn; servers notice within a minute, or on SIGHUP"
            ))
        }
        Command::Import { file, certificate, algorithm, now: at_once } => {
            let text = std::fs::read_to_string(&file).map(Zeroizing::new);
            let text = text.with_context(|| format!("cannot read {}", file.display()))?;
            let key = import_pem(&text, algorithm)
                .with_context(|| format!("cannot use {}", file.display()))?;
            let certificate = certificate.map(|path| fitting(&path, &key)).transpose()?;
            let alg = key.signer.alg();
            let ring = &state.provider.env().keys;
            let kid = ring.adopt(key, certificate, when(at_once), state.now()).await?;
            output::message(&announced(alg, &kid, at_once, state))
        }
    }
}

const fn when(at_once: bool) -> RotateWhen {
    if at_once { RotateWhen::Now } else { RotateWhen::AfterLead }
}

fn announced(alg: SigningAlgorithm, kid: &str, at_once: bool, state: &AppState) -> String {
    if at_once {
        format!("{alg}: {kid} signs from now on; servers notice within a minute, or on SIGHUP")
    } else {
        let lead = state.config.keys.publish_lead.as_secs();
        format!(
            "{alg}: {kid} is published, and signs in {lead} seconds unless it is the first of its algorithm"
        )
    }
}

/// The certificates of a file, and nothing else of it, once they turn out to belong to the key.
fn fitting(path: &Path, key: &GeneratedKey) -> anyhow::Result<String> {
    let not_pem = || format!("{} is not a PEM certificate", path.display());
    let chain = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(not_pem)?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.pkcs8.to_vec()));
    CertifiedKey::from_der(chain.clone(), private, &aws_lc_rs::default_provider())
        .with_context(|| format!("{} does not belong to this key", path.display()))?;
    Ok(chain.iter().map(|c| pem(c)).collect())
}

fn pem(der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in encoded.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}

async fn list(state: &AppState, output: Output) -> anyhow::Result<()> {
    let keys = keys::list(state).await?;
    let json = keys
        .iter()
        .map(|(k, doing)| {
            json!({
                "kid": k.kid,
                "alg": k.alg.as_str(),
                "state": doing.as_str(),
                "publish_at": date(k.publish_at),
                "sign_from": date(k.sign_from),
                "retired_at": k.retired_at.map(date),
            })
        })
        .collect();
    output.data(&json, || {
        let row = |(k, doing): &(StoredKey, Doing)| {
            vec![
                k.kid.clone(),
                k.alg.to_string(),
                doing.as_str().to_owned(),
                date(k.publish_at),
                date(k.sign_from),
            ]
        };
        let rows: Vec<_> = keys.iter().map(row).collect();
        table(&["KID", "ALG", "STATE", "PUBLISHED", "SIGNS FROM"], &rows)
    })
}

async fn forms(command: FormsCommand, state: &AppState, output: Output) -> anyhow::Result<()> {
    let FormsCommand::Rotate { now: at_once } = command else {
        return list_forms(state, output).await;
    };
    let when = if at_once { Rotate::AtOnce } else { Rotate::WithOverlap };
    let Some(kid) = keys::rotate_forms(state, when).await? else {
        bail!("forms are not encrypted here: forms.salt is \"no\"");
    };
    output::message(&if at_once {
        format!(
            "{kid} is in use and the old ones are deleted; servers notice within a minute, or on SIGHUP"
        )
    } else {
        format!("{kid} is made; front ends are given it in some minutes unless it is the first")
    })
}

async fn list_forms(state: &AppState, output: Output) -> anyhow::Result<()> {
    let keys = state.forms.keys().await?;
    let json = keys
        .iter()
        .map(|k| {
            json!({
                "kid": k.kid,
                "alg": k.alg,
                "state": k.state,
                "made_at": date(k.made_at),
                "use_from": date(k.use_from),
                "ends_at": k.ends_at.map(date),
            })
        })
        .collect();
    output.data(&json, || {
        let row = |k: &KeyLine| {
            let ends = k.ends_at.map_or_else(String::new, date);
            vec![k.kid.clone(), k.alg.to_owned(), k.state.to_owned(), date(k.use_from), ends]
        };
        let rows: Vec<_> = keys.iter().map(row).collect();
        table(&["KID", "ALG", "STATE", "IN USE FROM", "DECRYPTS UNTIL"], &rows)
    })
}
