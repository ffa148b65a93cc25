//! The pruning circuit: *a window of h consecutive headers, chained by hash, committed these transaction trees; replacing
//! the flagged leaves by tombstones gives the published pruned roots; segments, commitment, envelope and fold are the
//! canonical ones for that window; the snapshot root is the state root of its last header.*
//!
//! Block i, transaction j, segment σ:
//!
//! * P1 hd_i = H[HEADER](hd_(i−1), height_i, state_root_i, tx_root_i, timestamp_i, tx_count_i), hd_(−1) = first_parent;
//!   hd_(h−1) = last_header.
//! * P2 height_0 = start_height, height_i + 1 = height_(i+1), timestamp_i ≤ timestamp_(i+1).
//! * P3 the occupied places come first and number tx_count_i; tx_root_i = ROOT of the digests, EMPTY_TX where not occupied.
//! * P4 only occupied places are removed; ptx_root_i = ROOT of the same leaves, TOMB where removed.
//! * P5 removed_count = Σ removed.
//! * P6 previous_tx_root and pruned_tx_root are the roots over tx_root_i and ptx_root_i, by segments: ROOT of the
//!   segments' ROOTs. (The same as one ROOT unless trees are 4-ary and a segment has 2·4^n blocks.)
//! * P7 seg_σ = H[SEGMENT](σ, its first and last height, hd of its last header, its ROOT in the pruned tree).
//! * P8 binding_digest = H[ENVELOPE](schema_version, parameter_version, snapshot_height, snapshot_root, ROOT(seg)).
//! * P9 pruning_fold = binding_digest, then every seg_σ, chained by C from the zero digest.
//! * P10 snapshot_root and snapshot_height are those of the last header.
//!
//! Tombstones keep positions; compacting the list would need a permutation argument and buys a verifier nothing.

pub mod circuit;
pub mod layout;
mod sample;
pub mod statement;

use statement::Window;

use crate::circuits::builder::Builder;
use crate::circuits::family::Family;
use crate::circuits::layout::{Codec, Layout};
use crate::error::ZkError;
use crate::field::CircuitField;

/// Size parameters; powers of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Blocks of the window.
    pub headers: usize,
    /// Leaves of a block's transaction tree.
    pub transactions: usize,
    /// Segments of the window.
    pub segments: usize,
}

/// The largest size of each kind.
const SIZE_MAX: [u32; 3] = [64, 1024, 64];
/// Most leaves of a window, so that keys stay of a reasonable size.
const LEAVES_MAX: u32 = 1 << 14;

impl Family for Size {
    const ID: u8 = 4;
    const LAYOUT: Layout = layout::LAYOUT;

    fn new(params: &[u32]) -> Result<Self, ZkError> {
        let ok = params.len() == 3
            && params.iter().zip(SIZE_MAX).all(|(p, max)| p.is_power_of_two() && *p <= max)
            && params[0] * params[1] <= LEAVES_MAX
            && params[2] <= params[0];
        if !ok {
            let want = format!(
                "[headers, transactions of a block, segments]: powers of two up to {SIZE_MAX:?}, at most {LEAVES_MAX} \
                 transactions and no more segments than headers"
            );
            return Err(ZkError::Unsupported(format!("pruning parameters {params:?}, want {want}")));
        }
        let [headers, transactions, segments] = [0, 1, 2].map(|i| params[i] as usize);
        Ok(Size { headers, transactions, segments })
    }

    fn params(&self) -> Vec<u32> {
        [self.headers, self.transactions, self.segments].map(|n| n as u32).to_vec()
    }

    fn constants(&self) -> Vec<u64> {
        vec![]
    }

    fn vector<F: CircuitField>(&self, statement: &[u8]) -> Result<Vec<F>, ZkError> {
        Ok(Window::parse(statement, self)?.public(self).vector())
    }

    fn record<F: CircuitField>(&self, witness: &[u8], b: &mut Builder<F>) -> Result<(), ZkError> {
        let window = Window::parse(witness, self)?;
        circuit::record(b, self, &window, &window.public(self));
        Ok(())
    }

    fn sample<F: CircuitField>(&self) -> (Vec<u8>, Vec<u8>) {
        let bytes = sample::window::<F>(self).statement().to_bytes();
        (bytes.clone(), bytes)
    }
}
