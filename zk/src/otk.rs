//! One-time keys: a validator commits per epoch to 32 slots × 4 keys (three phases and the VRF).

use blake2::{Blake2s256, Digest as _};
use rayon::prelude::*;

use crate::circuits::consensus::{KEY_DEPTH, SLOTS_PER_EPOCH};
use crate::field::{CircuitField, Native};
use crate::natives::otk_public;

/// Keys of a slot: the phases 0, 1, 2 and the VRF.
pub const KEYS_PER_SLOT: usize = 4;

/// The keys of one epoch and the tree over their public hashes.
pub struct OtkTree<F> {
    keys: Vec<[Native<F>; KEYS_PER_SLOT]>,
    public: Vec<[Native<F>; KEYS_PER_SLOT]>,
    /// Level 0 holds the slots' nodes, the last level the root.
    levels: Vec<Vec<Native<F>>>,
}

/// A key from 64 pseudo-random bytes, so that its elements are close to uniform.
fn derive<F: CircuitField>(seed: &[u8; 32], epoch: u64, slot: usize, which: usize) -> Native<F> {
    let mut wide = [0; 64];
    for (half, chunk) in wide.chunks_exact_mut(32).enumerate() {
        let mut hash = Blake2s256::new();
        hash.update(b"SIMNET-OTK-V1");
        hash.update(seed);
        hash.update(epoch.to_le_bytes());
        hash.update([slot as u8, which as u8, F::NUMBER, half as u8]);
        chunk.copy_from_slice(&hash.finalize());
    }
    F::digest_from_wide(&wide)
}

impl<F: CircuitField> OtkTree<F> {
    /// Derives the keys of `epoch` from `seed`.
    pub fn new(seed: &[u8; 32], epoch: u64) -> Self {
        let slots: Vec<_> = (0..SLOTS_PER_EPOCH as usize)
            .into_par_iter()
            .map(|slot| {
                let keys: [Native<F>; KEYS_PER_SLOT] = std::array::from_fn(|which| derive(seed, epoch, slot, which));
                let public = keys.map(|k| otk_public(&k));
                (keys, public, F::compress4(&public))
            })
            .collect();
        let mut levels = vec![slots.iter().map(|s| s.2).collect::<Vec<_>>()];
        while levels[levels.len() - 1].len() > 1 {
            let pairs = levels[levels.len() - 1].chunks_exact(2);
            let next = pairs.map(|p| F::compress(&p[0], &p[1])).collect();
            levels.push(next);
        }
        OtkTree { keys: slots.iter().map(|s| s.0).collect(), public: slots.iter().map(|s| s.1).collect(), levels }
    }

    pub fn root(&self) -> Native<F> {
        self.levels[KEY_DEPTH][0]
    }

    /// The secrets of a slot (0..32): the phases' keys, then the VRF's; `None` out of range.
    pub fn keys(&self, slot: usize) -> Option<[Native<F>; KEYS_PER_SLOT]> {
        self.keys.get(slot).copied()
    }

    /// K0..K3 of a slot.
    pub fn public(&self, slot: usize) -> Option<[Native<F>; KEYS_PER_SLOT]> {
        self.public.get(slot).copied()
    }

    /// The siblings of a slot, leaf to root.
    pub fn path(&self, slot: usize) -> Option<[Native<F>; KEY_DEPTH]> {
        (slot < self.keys.len()).then(|| std::array::from_fn(|level| self.levels[level][slot >> level ^ 1]))
    }
}
