//! The key that seals signing keys in the database, and the timetable of those keys.

use anyhow::{Context as _, ensure};
use oauth_core::{
    Provider,
    ports::{Random as _, SystemRandom},
};
use std::time::Duration;

/// `SEALING_KEY`, 64 hexadecimal digits; without it a random key, good for a database that goes with the process.
pub(crate) fn sealing_key() -> anyhow::Result<[u8; 32]> {
    let mut key = [0; 32];
    match std::env::var("SEALING_KEY") {
        Ok(text) => {
            ensure!(text.is_ascii() && text.len() == 64, "SEALING_KEY has 64 hexadecimal digits");
            for (i, byte) in key.iter_mut().enumerate() {
                let pair = text.get(2 * i..2 * i + 2).context("two digits for each byte")?;
                *byte = u8::from_str_radix(pair, 16).context("SEALING_KEY is not hexadecimal")?;
            }
        }
        Err(_) => SystemRandom.fill(&mut key),
    }
    Ok(key)
}

/// Makes the first keys, then rotates keys and clears away expired rows every minute.
pub(crate) async fn keep(provider: &Provider) -> anyhow::Result<()> {
    provider.maintain().await?;
    let provider = provider.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_mins(1)).await;
            // A database that is away for a moment is no reason to stop; the next minute tries again.
            let _ = provider.maintain().await;
        }
    });
    Ok(())
}
