//! What an aggregation is about: the bytes of the statement, what it adds up to, and the public inputs.

use crate::accounts::chain;
use crate::circuits::codec::Reader;
use crate::circuits::layout::{Codec, position};
use crate::circuits::public;
use crate::circuits::recursive::Size;
pub use crate::circuits::recursive::layout::{Header, Previous, Public, Statement};
use crate::circuits::recursive::vectors::{DECISION, IDENTITY, Inner, PRUNING, STATE, TRANSACTION, UPTIME, input};
use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::{self, Elements, empty, header_digest, lift, padded_root, root, zero};
use crate::tags::Tag;

/// Circuits with a key, ids 1 to 7.
pub const CIRCUITS: usize = 7;
/// The roots that an aggregate carries.
pub const ROOT_NAMES: [&str; ROOTS] = ["global_state", "utxo", "reputation", "timetoke", "zsi", "proof"];
pub const ROOTS: usize = 6;
pub const GLOBAL_STATE: usize = position(&ROOT_NAMES, "global_state");
pub const ZSI: usize = position(&ROOT_NAMES, "zsi");

/// The inner proofs of one kind, padded to the number that the circuit has room for.
#[derive(Clone, Debug)]
pub struct Slots<F> {
    pub present: Vec<bool>,
    pub vectors: Vec<Vec<F>>,
}

impl<F: CircuitField> Slots<F> {
    pub fn new(inner: &Inner, room: usize, mut vectors: Vec<Vec<F>>) -> Self {
        let present = (0..room).map(|i| i < vectors.len()).collect();
        vectors.resize(room, vec![F::ZERO; inner.elements::<F>()]);
        Slots { present, vectors }
    }

    /// Vectors behind their count, which is `least` to `room`.
    pub fn read(r: &mut Reader<'_>, inner: &Inner, (least, room): (usize, usize), what: &str) -> Result<Self, ZkError> {
        let n = r.count_from(least, room, what)?;
        let vectors = (0..n).map(|_| inner.read(r)).collect::<Result<_, _>>()?;
        Ok(Self::new(inner, room, vectors))
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.count().to_le_bytes());
        self.iter().for_each(|v| out.extend(public::to_bytes(v)));
    }

    /// The vectors that are there.
    pub fn iter(&self) -> impl Iterator<Item = &Vec<F>> {
        self.vectors.iter().zip(&self.present).filter(|(_, present)| **present).map(|(v, _)| v)
    }

    pub fn count(&self) -> u16 {
        self.iter().count() as u16
    }

    /// One digest of each vector.
    pub fn digests(&self, inner: &Inner, input: usize) -> Vec<Native<F>> {
        self.iter().map(|v| inner.digest(v, input)).collect()
    }
}

impl<F: CircuitField> Previous<F> {
    /// What the first block builds on: height 0 over the first roots, no proof at all.
    pub fn genesis(roots: [Native<F>; ROOTS]) -> Self {
        let none = chain([]);
        Previous {
            previous_commitment: zero(),
            state_proof: zero(),
            roots,
            pruning_fold: zero(),
            activity: activity([(none, 0); 4], &zero()),
            height: 0,
        }
    }

    /// H[AGG](previous_commitment, H[STATEDIGEST](state_proof, roots, height), pruning_fold, activity, height).
    pub fn commitment(&self) -> Native<F> {
        let state_digest = self
            .roots
            .iter()
            .fold(Elements::new().digest(&self.state_proof), Elements::digest)
            .u64(self.height)
            .hash(Tag::StateDigest);
        Elements::new()
            .digest(&self.previous_commitment)
            .digest(&state_digest)
            .digest(&self.pruning_fold)
            .digest(&self.activity)
            .u64(self.height)
            .hash(Tag::Agg)
    }
}

/// H[ACTIVITY] of chain and count of identities, transactions, uptimes, decisions, and the pruning proof's pc.
fn activity<F: CircuitField>(kinds: [(Native<F>, u16); 4], pruning: &Native<F>) -> Native<F> {
    let kind = |e: Elements<F>, (chain, count): &(Native<F>, u16)| e.digest(chain).small(*count);
    kinds.iter().fold(Elements::new(), kind).digest(pruning).hash(Tag::Activity)
}

/// ROOT over the seven lifted key ids and a zero digest.
pub fn vk_set_root<F: CircuitField>(vk_ids: &[[u8; 32]; CIRCUITS]) -> Native<F> {
    let leaves: Vec<Native<F>> = vk_ids.iter().map(lift).chain([zero()]).collect();
    root(&leaves)
}

impl<F: CircuitField> Statement<F> {
    /// Parses a whole statement.
    pub fn parse(bytes: &[u8], size: &Size) -> Result<Self, ZkError> {
        let statement = <Self as Codec<Size>>::parse(bytes, size)?;
        let (transactions, states) = (statement.transactions.count(), statement.states.count());
        let want = size.chunks_of(usize::from(transactions));
        if usize::from(states) != want {
            let what = format!("{states} state proofs for {transactions} transactions, want {want}");
            return Err(ZkError::InvalidWitness(what));
        }
        Ok(statement)
    }

    /// A false statement about nothing. It has the structure of every other one.
    pub fn blank(size: &Size) -> Self {
        let roots = [zero(); ROOTS];
        Statement {
            vk_ids: [[0; 32]; CIRCUITS],
            previous: Previous::genesis(roots),
            roots,
            header: Header { parent: zero(), height: 1, timestamp: 0 },
            identities: Slots::new(&IDENTITY, size.identities, vec![]),
            transactions: Slots::new(&TRANSACTION, size.transactions, vec![]),
            uptimes: Slots::new(&UPTIME, size.uptimes, vec![]),
            decisions: Slots::new(&DECISION, 1, vec![]),
            states: Slots::new(&STATE, size.chunks(), vec![]),
            pruning: Slots::new(&PRUNING, 1, vec![]),
        }
    }

    /// The digest of the block's header.
    pub fn header(&self) -> Native<F> {
        let leaves = self.transactions.digests(&TRANSACTION, input::TX_DIGEST);
        header_digest(&natives::Header {
            parent: self.header.parent,
            height: self.header.height,
            state_root: self.roots[GLOBAL_STATE],
            tx_root: padded_root(&leaves, self.transactions.vectors.len(), &empty(Tag::Tx)),
            timestamp: self.header.timestamp,
            tx_count: self.transactions.count(),
        })
    }

    /// The commitments of the proofs of one kind.
    fn commitments(&self, inner: &Inner, slots: &Slots<F>) -> Vec<Native<F>> {
        let key = lift(&self.vk_ids[usize::from(inner.id) - 1]);
        slots.iter().map(|v| inner.commitment(&key, v)).collect()
    }

    /// What the statement adds up to: the aggregate that the next one opens.
    pub fn aggregate(&self) -> Previous<F> {
        let listed = |inner, slots: &Slots<F>| (chain(self.commitments(inner, slots)), slots.count());
        let kinds = [
            listed(&IDENTITY, &self.identities),
            listed(&TRANSACTION, &self.transactions),
            listed(&UPTIME, &self.uptimes),
            listed(&DECISION, &self.decisions),
        ];
        let pruning = self.commitments(&PRUNING, &self.pruning).first().copied().unwrap_or(zero());
        let fold = self.pruning.digests(&PRUNING, input::PRUNING_FOLD).first().copied();
        Previous {
            previous_commitment: self.previous.commitment(),
            state_proof: chain(self.commitments(&STATE, &self.states)),
            roots: self.roots,
            pruning_fold: fold.unwrap_or(zero()),
            activity: activity(kinds, &pruning),
            height: self.header.height,
        }
    }

    /// The public inputs.
    pub fn public(&self) -> Public<F> {
        let aggregate = self.aggregate();
        Public {
            previous_commitment: aggregate.previous_commitment,
            aggregated_commitment: aggregate.commitment(),
            tx_count: self.transactions.count(),
            id_count: self.identities.count(),
            uptime_count: self.uptimes.count(),
            decision_count: self.decisions.count(),
            block_height: self.header.height,
            roots: self.roots,
            pruning_fold: aggregate.pruning_fold,
            vk_set_root: vk_set_root(&self.vk_ids),
        }
    }
}
