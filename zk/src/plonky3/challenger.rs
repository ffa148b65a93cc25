//! The transcript's byte sponge, with a proof-of-work search that always finds the smallest witness.
//!
//! The library searches with rayon's `find_any`, so with several threads two runs of one prover may
//! give different proofs. Ours searches windows of one SIMD batch in order: same bytes for any pool.

use p3_blake3::Blake3;
use p3_challenger::{ByteGrindingChallenger, CanObserve, CanSample, HashChallenger};
use p3_symmetric::CryptographicHasher;

/// Blake3 in the library's hash-challenger construction.
#[derive(Clone, Debug)]
pub struct OrderedChallenger(HashChallenger<u8, Blake3, 32>);

impl OrderedChallenger {
    /// A transcript that has absorbed `label`.
    pub fn new(label: Vec<u8>) -> Self {
        OrderedChallenger(HashChallenger::new(label, Blake3))
    }
}

impl CanObserve<u8> for OrderedChallenger {
    fn observe(&mut self, value: u8) {
        self.0.observe(value);
    }

    fn observe_slice(&mut self, values: &[u8]) {
        self.0.observe_slice(values);
    }
}

impl CanSample<u8> for OrderedChallenger {
    fn sample(&mut self) -> u8 {
        self.0.sample()
    }

    fn sample_into_slice(&mut self, values: &mut [u8]) {
        self.0.sample_into_slice(values);
    }
}

impl ByteGrindingChallenger for OrderedChallenger {
    fn find_witness<const W: usize, const S: usize>(
        &self,
        num_candidates: u64,
        encode: impl Fn(u64) -> [u8; W] + Sync,
        accepts: impl Fn([u8; S]) -> bool + Sync,
    ) -> Option<u64> {
        // One window is one batch of the inner search, and a batch is scanned in order.
        let window = <Blake3 as CryptographicHasher<u8, [u8; 32]>>::LANES as u64;
        (0..num_candidates.div_ceil(window)).find_map(|i| {
            let first = i * window;
            let count = window.min(num_candidates - first);
            let found = self.0.find_witness(count, |c| encode(first + c), &accepts)?;
            Some(first + found)
        })
    }
}
