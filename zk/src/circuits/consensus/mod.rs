//! The consensus circuit: *validators of the committed set, each counted once per phase and each authenticated by the
//! one-time key of this slot, cast prevotes, precommits and commits for block_hash with weight ≥ floor(2·total/3) + 1
//! in every phase; the published bitmap, signature, VRF, witness and reputation roots are exactly those of these votes.*
//!
//! * C1 flags are boolean and imply `present`; weights are U64, tiers in RANGE(3); absent ⇒ weight 0, present ⇒ ≥ 1.
//! * C2 the validator leaves (EMPTY_VALIDATOR where absent) have the root validator_set_root.
//! * C3 total_power = Σ weight.
//! * C4 2·total_power = 3·(quorum_threshold − 1) + r, r in {0, 1, 2}.
//! * C5 the weight of every phase reaches the threshold; C6 the commits weigh no less than the precommits.
//! * C7 leader_proposal = block_hash.
//! * C8 slot = 32·epoch + j, j of 5 bits, which index the key tree.
//! * C9 msg = H[VOTEMSG](block_hash, round, epoch, slot, validator_set_root).
//! * C10 the four K of the slot are in the validator's key tree.
//! * C11 disclosed keys hash to their K. C12 tags are made with them and have the root quorum_signature_root.
//! * C13 quorum_bitmap_root holds the vote bits.
//! * C14 VRF outputs and keys have the published bindings; at least one entry.
//! * C15 witness commitments and reputation roots: counts ≥ 1, roots, bindings.
//! * C16 bitmap and signature bindings.
//!
//! An absent validator's key tree is free: its `otk_root` is whatever its (zero) path hashes to, so C10 holds for every
//! slot and C2 alone decides whose root it must be.

pub mod circuit;
pub mod layout;
pub mod statement;

use circuit::Assignment;
use statement::{Statement, Witness};

use crate::circuits::builder::Builder;
use crate::circuits::family::Family;
use crate::circuits::layout::{Codec, Layout};
use crate::circuits::sample;
use crate::error::ZkError;
use crate::field::CircuitField;

/// Voting phases: prevote, precommit, commit.
pub const PHASES: usize = 3;
/// Depth of a validator's key tree.
pub const KEY_DEPTH: usize = 5;
pub const SLOTS_PER_EPOCH: u64 = 1 << KEY_DEPTH;

/// Size parameters; powers of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub validators: usize,
    pub witnesses: usize,
    pub reputations: usize,
}

/// The largest size of each list: one BN254 element holds a phase's bitmap, and keys stay of a reasonable size.
const SIZE_MAX: [u32; 3] = [128, 1024, 64];

impl Family for Size {
    const ID: u8 = 7;
    /// 2: C3 and C5 carry 14 bits.
    const VERSION: u16 = 2;
    const LAYOUT: Layout = layout::LAYOUT;

    fn new(params: &[u32]) -> Result<Self, ZkError> {
        let ok = params.len() == 3 && params.iter().zip(SIZE_MAX).all(|(p, max)| p.is_power_of_two() && *p <= max);
        if !ok {
            let want = format!("three powers of two up to {SIZE_MAX:?}");
            return Err(ZkError::Unsupported(format!("consensus parameters {params:?}, want {want}")));
        }
        let [validators, witnesses, reputations] = [0, 1, 2].map(|i| params[i] as usize);
        Ok(Size { validators, witnesses, reputations })
    }

    fn params(&self) -> Vec<u32> {
        [self.validators, self.witnesses, self.reputations].map(|n| n as u32).to_vec()
    }

    fn constants(&self) -> Vec<u64> {
        vec![SLOTS_PER_EPOCH]
    }

    fn vector<F: CircuitField>(&self, statement: &[u8]) -> Result<Vec<F>, ZkError> {
        Ok(Statement::parse(statement, self)?.public(self)?.vector())
    }

    fn record<F: CircuitField>(&self, witness: &[u8], b: &mut Builder<F>) -> Result<(), ZkError> {
        Assignment::new(&Witness::parse(witness, self)?, self)?.record(b);
        Ok(())
    }

    fn record_blank<F: CircuitField>(&self, b: &mut Builder<F>) -> Result<(), ZkError> {
        Assignment::new(&Witness::nobody(), self)?.record(b);
        Ok(())
    }

    /// Three quarters of the validators and of the witness commitments are there.
    fn sample<F: CircuitField>(&self) -> (Vec<u8>, Vec<u8>) {
        let three_quarters = |n: usize| (n * 3 / 4).max(1);
        let present = three_quarters(self.validators);
        let witness =
            sample::consensus::<F>(present, self.validators, three_quarters(self.witnesses), self.reputations);
        (witness.statement.to_bytes(), witness.to_bytes())
    }
}
