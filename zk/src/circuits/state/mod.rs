//! The state circuit: *starting from prev_state_root, applying up to k_i identity insertions and then up to k_t transfers,
//! in order, each as leaf replacements with authenticated paths, ends in new_state_root.*
//!
//! Numbers are those of the specification; T1 to T15 are the transaction circuit's, and T2, T4, T10 and T14 are left to it:
//! whoever accepts a state proof holds a transaction proof for every link.
//!
//! * S1 the counts are those of the active slots, which come first; an inactive slot copies root and lists.
//! * S2 an identity writes its fresh account (tier 1, last_decay block_time) to the empty slot of its address.
//! * S3 the sender's leaf is replaced in its address's slot, S4 then the receiver's.
//! * S5 the value rules, by their own names: T1, T5–T7, T11, T15; T8 and T9 are the leaves of S3.
//!   T12 a new receiver had nothing and its slot was empty; T13 it gets the amount.
//! * S6 tx_list_digest chains H[TXLINK](m, s_leaf_old, s_leaf_new) of T3's m; S7 id_list_digest chains H[IDLINK].
//! * S8 fee_sum is the sum of the active fees.
//! * S9 the last root is new_state_root; no transfer is from after block_time.
//!
//! The value rules hold in inactive slots too: those carry a payment of 1 from an account that has 1. Only what ties a slot
//! to the roots, the lists and the fee sum depends on its flag.

pub mod circuit;
pub mod layout;
#[doc(hidden)]
pub mod sample;
pub mod statement;

use circuit::Assignment;
use layout::{Statement, Witness};
use statement::Block;

use crate::circuits::builder::Builder;
use crate::circuits::family::Family;
use crate::circuits::layout::{Codec, Layout};
use crate::circuits::transfer::TIER_MAX;
use crate::error::ZkError;
use crate::field::CircuitField;

/// Size parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// k_t
    pub transfers: usize,
    /// k_i
    pub identities: usize,
    /// d
    pub depth: usize,
}

/// The largest transfers, identities and depth: keys stay of a reasonable size, a slot has 32 bits.
const SIZE_MAX: [u32; 3] = [128, 32, 32];

impl Family for Size {
    const ID: u8 = 3;
    /// 2: S8 carries 14 bits.
    const VERSION: u16 = 2;
    const LAYOUT: Layout = layout::LAYOUT;

    fn new(params: &[u32]) -> Result<Self, ZkError> {
        let ok = params.len() == 3 && params.iter().zip(SIZE_MAX).all(|(p, max)| (1..=max).contains(p));
        if !ok {
            let want = format!("three numbers from 1 to {SIZE_MAX:?}");
            return Err(ZkError::Unsupported(format!("state parameters {params:?}, want {want}")));
        }
        let [transfers, identities, depth] = [0, 1, 2].map(|i| params[i] as usize);
        Ok(Size { transfers, identities, depth })
    }

    fn params(&self) -> Vec<u32> {
        [self.transfers, self.identities, self.depth].map(|n| n as u32).to_vec()
    }

    fn constants(&self) -> Vec<u64> {
        vec![u64::from(TIER_MAX)]
    }

    fn vector<F: CircuitField>(&self, statement: &[u8]) -> Result<Vec<F>, ZkError> {
        Ok(Block::of(&Statement::parse(statement, self)?)?.public()?.vector())
    }

    fn record<F: CircuitField>(&self, witness: &[u8], b: &mut Builder<F>) -> Result<(), ZkError> {
        Assignment::new(Witness::parse(witness, self)?, self)?.record(b);
        Ok(())
    }

    /// Three quarters of the slots are taken, at least one; fewer identities where a small tree has no more room.
    fn sample<F: CircuitField>(&self) -> (Vec<u8>, Vec<u8>) {
        let witness = sample::witness::<F>(self);
        (witness.statement.to_bytes(), witness.to_bytes())
    }
}
