//! Randomness that is the same in every run.

use crate::{model::HashedToken, ports::Random};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Randomness that is the same in every run: the SHA-256 of a seed and a counter. For tests only.
///
/// Clones draw from the same sequence.
#[derive(Clone, Debug)]
pub struct SeededRandom {
    seed: u64,
    drawn: Arc<AtomicU64>,
}

impl SeededRandom {
    /// The sequence of this seed, from its start.
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: Arc::new(AtomicU64::new(0)) }
    }

    /// A number below `bound`, which must not be 0.
    pub fn below(&self, bound: u64) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes) % bound
    }
}

impl Default for SeededRandom {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Random for SeededRandom {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            let count = self.drawn.fetch_add(1, Ordering::SeqCst);
            let block = HashedToken::of(&format!("{}/{count}", self.seed));
            for (to, from) in chunk.iter_mut().zip(block.as_bytes()) {
                *to = *from;
            }
        }
    }
}
