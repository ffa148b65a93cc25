//! What inner proofs say, as vectors (public inputs, but for a decision), and the inputs that the aggregation reads.

use crate::circuits::codec::Reader;
use crate::circuits::layout::{AnyField, Field, offset, open_kinds};
use crate::circuits::public::{self, Kind};
use crate::circuits::recursive::layout::Decision;
use crate::circuits::{identity, pruning, state, transaction, uptime};
use crate::error::ZkError;
use crate::field::{CircuitField, DIGEST_MAX, Native};
use crate::natives::Elements;
use crate::tags::Tag;

/// A kind of inner proof.
#[derive(Debug)]
pub struct Inner {
    pub name: &'static str,
    /// The circuit id.
    pub id: u8,
    pub inputs: &'static [Field],
}

pub static TRANSACTION: Inner = Inner { name: "transaction", id: 1, inputs: transaction::Public::<AnyField>::INPUTS };
pub static IDENTITY: Inner = Inner { name: "identity", id: 2, inputs: identity::Public::<AnyField>::INPUTS };
pub static STATE: Inner = Inner { name: "state", id: 3, inputs: state::layout::Public::<AnyField>::INPUTS };
pub static PRUNING: Inner = Inner { name: "pruning", id: 4, inputs: pruning::layout::Public::<AnyField>::INPUTS };
pub static UPTIME: Inner = Inner { name: "uptime", id: 6, inputs: uptime::layout::Public::<AnyField>::INPUTS };
/// Not the vector of a consensus proof but what every proof of one decision has in common: the block, and who had to
/// decide. It follows from the chain alone, so it is the same whoever proved, by whichever votes, in whichever field.
pub static DECISION: Inner = Inner { name: "decision", id: 7, inputs: Decision::<AnyField>::INPUTS };

/// Positions of the inputs that the aggregation reads, counted in inputs.
pub mod input {
    use super::{DECISION, IDENTITY, PRUNING, STATE, TRANSACTION, UPTIME};
    use crate::circuits::layout::place;

    pub const TX_LEAF_OLD: usize = place(TRANSACTION.inputs, "leaf_old");
    pub const TX_LEAF_NEW: usize = place(TRANSACTION.inputs, "leaf_new");
    pub const TX_DIGEST: usize = place(TRANSACTION.inputs, "m");

    pub const IDENTITY_ADDR: usize = place(IDENTITY.inputs, "addr");
    pub const IDENTITY_ROOT_BEFORE: usize = place(IDENTITY.inputs, "root_before");
    pub const IDENTITY_STATE_ROOT: usize = place(IDENTITY.inputs, "state_root");
    pub const IDENTITY_COMMITMENT: usize = place(IDENTITY.inputs, "commitment");
    pub const IDENTITY_ROOT_AFTER: usize = place(IDENTITY.inputs, "root_after");

    pub const STATE_ROOT_BEFORE: usize = place(STATE.inputs, "prev_root");
    pub const STATE_ROOT_AFTER: usize = place(STATE.inputs, "new_root");
    pub const STATE_TX_COUNT: usize = place(STATE.inputs, "tx_count");
    pub const STATE_TX_LIST: usize = place(STATE.inputs, "tx_list");
    pub const STATE_ID_LIST: usize = place(STATE.inputs, "id_list");
    pub const STATE_ID_COUNT: usize = place(STATE.inputs, "id_count");
    pub const STATE_BLOCK_TIME: usize = place(STATE.inputs, "block_time");

    pub const PRUNING_FOLD: usize = place(PRUNING.inputs, "pruning_fold");
    pub const UPTIME_IDENTITY_ROOT: usize = place(UPTIME.inputs, "identity_root");
    pub const DECISION_BLOCK_HASH: usize = place(DECISION.inputs, "block_hash");
}

impl Inner {
    /// Types of the vector, in order. Limits that depend on the inner circuit's size are left to its verifier.
    pub fn kinds(&self) -> Vec<Kind> {
        open_kinds(self.inputs)
    }

    /// Field elements of a vector.
    pub fn elements<F: CircuitField>(&self) -> usize {
        public::length::<F>(&self.kinds())
    }

    /// The elements of one input, as values or as wires.
    pub fn part<'a, F: CircuitField, T>(&self, vector: &'a [T], input: usize) -> &'a [T] {
        let [start, end] = [input, input + 1].map(|input| offset::<F>(self.inputs, input));
        &vector[start..end]
    }

    /// One input that is a digest.
    pub fn digest<F: CircuitField>(&self, vector: &[F], input: usize) -> Native<F> {
        let mut out = [F::ZERO; DIGEST_MAX];
        out[..F::DIGEST].copy_from_slice(self.part::<F, F>(vector, input));
        out
    }

    /// A vector in canonical bytes.
    pub fn read<F: CircuitField>(&self, r: &mut Reader<'_>) -> Result<Vec<F>, ZkError> {
        let bytes = r.bytes(self.elements::<F>() * F::BYTES, self.name)?;
        let refused = |e| ZkError::InvalidWitness(format!("{} vector: {e}", self.name));
        public::from_bytes(&self.kinds(), bytes).map_err(refused)
    }

    /// pc = H[PROOF](circuit id, lifted key id, H[PUBLIC](vector)).
    pub fn commitment<F: CircuitField>(&self, key: &Native<F>, vector: &[F]) -> Native<F> {
        let pid = <F as CircuitField>::hash(Tag::Public, vector);
        Elements::new().small(u16::from(self.id)).digest(key).digest(&pid).hash(Tag::Proof)
    }
}
