//! The recursive circuit (variant A: commitment aggregation): *the aggregated commitment is the canonical digest of the
//! previous one and of a set of proof commitments whose public inputs fit together as one block.*
//!
//! **Inner proofs are verified natively beside it**: the circuit sees their public-input vectors, not their proofs, and an
//! invalid inner proof is caught by whoever verifies that proof, not here. All vectors are in the aggregator's own field:
//! recursion never crosses backends. A transfer proved in another backend enters with the same transfer's vector in this
//! field, and nodes verify its own proof natively.
//!
//! A consensus proof enters as a *decision*: the block, a digest of the members that had to decide, their total power and
//! the quorum. That is what all consensus proofs of one block have in common; which votes proved it, when and in which
//! field is not in the aggregate, so all nodes hold the same one whoever proved first. Nodes compute the decision from
//! the chain, and count the block only with a consensus proof of it that they verified.
//!
//! A block of more than k_t transfers has several state proofs, each over the next k_t of them (a *chunk*); its
//! identities are all in the first. There is always a first.
//!
//! * R1 the items of each kind come first in their slots, their numbers are the published counts, and there is at
//!   least one transaction, identity, uptime proof or decision.
//! * R2 the seven lifted key ids and a zero digest have the root vk_set_root.
//! * R3 pid = H[PUBLIC](vector), pc = H[PROOF](circuit id, key id, pid) of each item; a decision's are the consensus
//!   circuit's id and key.
//! * R4 the pcs of each kind, chained by C from LIST0.
//! * R5 activity = H[ACTIVITY](chain and count of identities, transactions, uptimes, decisions; pruning pc or Z).
//! * R6 per chunk: link = H[TXLINK](m, s_leaf_old, s_leaf_new) of its transactions, chained from LIST0, is the state
//!   vector's tx_list_digest; their number its tx_count.
//! * R7 chained H[IDLINK](addr, commitment) and their number are the first state vector's, later ones have no identity;
//!   identity roots lead from the previous zsi_root to zsi_root; each state_root is the first chunk's prev_state_root.
//! * R8 each chunk's prev_state_root is the new one of the chunk before; the last new one is global_state_root.
//! * R9 pruning_fold is that of the pruning vector, Z without one.
//! * R10 each uptime's identity_root is the previous zsi_root.
//! * R11 hd = H[HEADER](parent, block_height, global_state_root, ROOT(m of the transactions, EMPTY_TX), timestamp,
//!   tx_count) is the block_hash of the decision; the timestamp is the block_time of each state vector.
//! * R12 state_digest = H[STATEDIGEST](state pcs chained by C from LIST0, the six roots, block_height).
//! * R13 aggregated_commitment = H[AGG](previous_commitment, state_digest, pruning_fold, activity, block_height).
//! * R14 previous_commitment opens in the same way to the previous block's parts; block_height is one more than
//!   its height; the first chunk's prev_state_root is its global_state_root.
//!
//! What precedes the first block is an aggregate too ([`statement::Previous::genesis`]), so no key depends on a chain's
//! first state. The utxo, reputation, timetoke and proof roots are carried, not explained.

pub mod circuit;
pub mod layout;
#[doc(hidden)]
pub mod sample;
pub mod statement;
pub mod vectors;

use statement::Statement;

use crate::circuits::builder::Builder;
use crate::circuits::family::Family;
use crate::circuits::layout::{Codec, Layout};
use crate::error::ZkError;
use crate::field::CircuitField;

/// Size parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Transactions of a block, the leaves of its transaction tree; a power of two.
    pub transactions: usize,
    pub identities: usize,
    pub uptimes: usize,
    /// Transfers of one state proof, k_t; divides `transactions`.
    pub chunk: usize,
}

/// The most transactions, identities and uptimes.
const SIZE_MAX: [u32; 3] = [512, 64, 64];

impl Size {
    /// The most state proofs of a block.
    pub fn chunks(&self) -> usize {
        self.transactions / self.chunk
    }

    /// State proofs of a block of so many transfers.
    pub fn chunks_of(&self, transactions: usize) -> usize {
        transactions.div_ceil(self.chunk).max(1)
    }
}

impl Family for Size {
    const ID: u8 = 5;
    /// 2: a decision instead of a consensus proof's vector.
    const VERSION: u16 = 2;
    const LAYOUT: Layout = layout::LAYOUT;

    fn new(params: &[u32]) -> Result<Self, ZkError> {
        let ok = params.len() == 4
            && params.iter().zip(SIZE_MAX).all(|(p, max)| (1..=max).contains(p))
            && params[0].is_power_of_two()
            && params[3] > 0
            && params[0].is_multiple_of(params[3]);
        if !ok {
            let want = format!(
                "[transactions (a power of two), identities, uptimes] from 1 to {SIZE_MAX:?}, and transfers of a state \
                 proof, which divide the transactions"
            );
            return Err(ZkError::Unsupported(format!("recursive parameters {params:?}, want {want}")));
        }
        let [transactions, identities, uptimes, chunk] = [0, 1, 2, 3].map(|i| params[i] as usize);
        Ok(Size { transactions, identities, uptimes, chunk })
    }

    fn params(&self) -> Vec<u32> {
        [self.transactions, self.identities, self.uptimes, self.chunk].map(|n| n as u32).to_vec()
    }

    fn constants(&self) -> Vec<u64> {
        vec![]
    }

    fn vector<F: CircuitField>(&self, statement: &[u8]) -> Result<Vec<F>, ZkError> {
        Ok(Statement::parse(statement, self)?.public().vector())
    }

    fn record<F: CircuitField>(&self, witness: &[u8], b: &mut Builder<F>) -> Result<(), ZkError> {
        let statement = Statement::parse(witness, self)?;
        circuit::record(b, self, &statement, &statement.public());
        Ok(())
    }

    fn record_blank<F: CircuitField>(&self, b: &mut Builder<F>) -> Result<(), ZkError> {
        let statement = Statement::blank(self);
        circuit::record(b, self, &statement, &statement.public());
        Ok(())
    }

    fn sample<F: CircuitField>(&self) -> (Vec<u8>, Vec<u8>) {
        let bytes = sample::block::<F>(self).to_bytes();
        (bytes.clone(), bytes)
    }
}
