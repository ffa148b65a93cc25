//! What inner proofs say, as vectors (public inputs, but for a decision): their layout, and the inputs that the
//! aggregation reads.

use crate::circuits::codec::Reader;
use crate::circuits::public::{self, Kind};
use crate::circuits::transaction;
use crate::error::ZkError;
use crate::field::{CircuitField, DIGEST_MAX, Native};
use crate::natives::Elements;
use crate::tags::Tag;

/// A kind of inner proof. Bounds of small integers that depend on the inner circuit's size are left to its verifier.
#[derive(Debug)]
pub struct Inner {
    pub name: &'static str,
    /// The circuit id.
    pub id: u8,
    /// Types of the vector, in order.
    pub kinds: &'static [Kind],
}

const ANY: Kind = Kind::Small(u16::MAX);
use Kind::{Digest, U32, U64};

pub static TRANSACTION: Inner = Inner { name: "transaction", id: 1, kinds: &transaction::KINDS };
pub static IDENTITY: Inner = Inner { name: "identity", id: 2, kinds: &[Digest; 8] };
pub static STATE: Inner = Inner { name: "state", id: 3, kinds: &[Digest, Digest, ANY, Digest, U64, Digest, ANY, U64] };
pub static PRUNING: Inner = Inner {
    name: "pruning",
    id: 4,
    kinds: &[Digest, Digest, U32, Digest, Digest, U64, Digest, U64, ANY, ANY, Digest, Digest],
};
pub static UPTIME: Inner =
    Inner { name: "uptime", id: 6, kinds: &[Digest, U64, U64, Digest, U64, U64, Digest, Digest, Digest, ANY, ANY] };
/// Not the vector of a consensus proof but what every proof of one decision has in common: the block, and who had to
/// decide (block_hash, Lift of the members' digest, total_power, quorum_threshold). It follows from the chain alone, so
/// it is the same whoever proved, by whichever votes, in whichever field.
pub static DECISION: Inner = Inner { name: "decision", id: 7, kinds: &[Digest, Digest, U64, U64] };

/// Positions of the inputs that the aggregation reads, counted in inputs.
pub mod input {
    pub const TX_LEAF_OLD: usize = 8;
    pub const TX_LEAF_NEW: usize = 9;
    pub const TX_DIGEST: usize = 10;

    pub const IDENTITY_ADDR: usize = 0;
    pub const IDENTITY_ROOT_BEFORE: usize = 2;
    pub const IDENTITY_STATE_ROOT: usize = 3;
    pub const IDENTITY_COMMITMENT: usize = 6;
    pub const IDENTITY_ROOT_AFTER: usize = 7;

    pub const STATE_ROOT_BEFORE: usize = 0;
    pub const STATE_ROOT_AFTER: usize = 1;
    pub const STATE_TX_COUNT: usize = 2;
    pub const STATE_TX_LIST: usize = 3;
    pub const STATE_ID_LIST: usize = 5;
    pub const STATE_ID_COUNT: usize = 6;
    pub const STATE_BLOCK_TIME: usize = 7;

    pub const PRUNING_FOLD: usize = 11;
    pub const UPTIME_IDENTITY_ROOT: usize = 7;
    pub const DECISION_BLOCK_HASH: usize = 0;
}

impl Inner {
    /// Field elements of a vector.
    pub fn elements<F: CircuitField>(&self) -> usize {
        public::length::<F>(self.kinds)
    }

    /// The elements of one input, as values or as wires.
    pub fn part<'a, F: CircuitField, T>(&self, vector: &'a [T], input: usize) -> &'a [T] {
        let start = public::length::<F>(&self.kinds[..input]);
        &vector[start..][..self.kinds[input].elements::<F>()]
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
        public::from_bytes(self.kinds, bytes).map_err(refused)
    }

    /// pc = H[PROOF](circuit id, lifted key id, H[PUBLIC](vector)).
    pub fn commitment<F: CircuitField>(&self, key: &Native<F>, vector: &[F]) -> Native<F> {
        let pid = <F as CircuitField>::hash(Tag::Public, vector);
        Elements::new().small(u16::from(self.id)).digest(key).digest(&pid).hash(Tag::Proof)
    }
}
