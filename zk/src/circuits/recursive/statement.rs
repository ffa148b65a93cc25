//! What an aggregation is about: the bytes of the statement, what it adds up to, and the public inputs.

use crate::accounts::chain;
use crate::circuits::codec::{Reader, whole};
use crate::circuits::public;
use crate::circuits::recursive::Size;
use crate::circuits::recursive::vectors::{DECISION, IDENTITY, Inner, PRUNING, STATE, TRANSACTION, UPTIME, input};
use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::{Elements, Header, digest_bytes, empty, header_digest, lift, padded_root, root, zero};
use crate::tags::Tag;

/// Circuits with a key, ids 1 to 7.
pub const CIRCUITS: usize = 7;
/// Roots that an aggregate carries: global state, utxo, reputation, timetoke, zsi, proof.
pub const ROOTS: usize = 6;
pub const GLOBAL_STATE: usize = 0;
pub const ZSI: usize = 4;

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

    fn read(r: &mut Reader<'_>, inner: &Inner, room: usize) -> Result<Self, ZkError> {
        let n = r.count_from(0, room, inner.name)?;
        let vectors = (0..n).map(|_| inner.read(r)).collect::<Result<_, _>>()?;
        Ok(Self::new(inner, room, vectors))
    }

    fn write(&self, out: &mut Vec<u8>) {
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

/// The parts of an aggregate that the next one opens.
#[derive(Clone, Debug)]
pub struct Previous<F> {
    pub previous_commitment: Native<F>,
    /// The chained commitments of its state proofs.
    pub state_proof: Native<F>,
    pub roots: [Native<F>; ROOTS],
    pub pruning_fold: Native<F>,
    pub activity: Native<F>,
    pub height: u64,
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

    fn read(r: &mut Reader<'_>) -> Result<Self, ZkError> {
        Ok(Previous {
            previous_commitment: r.digest("previous_commitment")?,
            state_proof: r.digest("state_proof")?,
            roots: r.digests("previous root")?,
            pruning_fold: r.digest("previous pruning_fold")?,
            activity: r.digest("previous activity")?,
            height: r.u64("previous height")?,
        })
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

/// The statement, which is its own witness.
#[derive(Clone, Debug)]
pub struct Statement<F> {
    /// By circuit id, from 1.
    pub vk_ids: [[u8; 32]; CIRCUITS],
    pub previous: Previous<F>,
    pub roots: [Native<F>; ROOTS],
    pub parent: Native<F>,
    pub height: u64,
    pub timestamp: u64,
    pub identities: Slots<F>,
    pub transactions: Slots<F>,
    pub uptimes: Slots<F>,
    pub decisions: Slots<F>,
    pub states: Slots<F>,
    pub pruning: Slots<F>,
}

impl<F: CircuitField> Statement<F> {
    /// Parses a whole statement.
    pub fn parse(bytes: &[u8], size: &Size) -> Result<Self, ZkError> {
        let statement: Self = whole(bytes, |r| Self::read(r, size))?;
        let (transactions, states) = (statement.transactions.count(), statement.states.count());
        let want = size.chunks_of(usize::from(transactions));
        if usize::from(states) != want {
            let what = format!("{states} state proofs for {transactions} transactions, want {want}");
            return Err(ZkError::InvalidWitness(what));
        }
        Ok(statement)
    }

    fn read(r: &mut Reader<'_>, size: &Size) -> Result<Self, ZkError> {
        let mut vk_ids = [[0; 32]; CIRCUITS];
        for id in &mut vk_ids {
            *id = r.bytes32("vk_id")?;
        }
        Ok(Statement {
            vk_ids,
            previous: Previous::read(r)?,
            roots: r.digests("root")?,
            parent: r.digest("parent")?,
            height: r.u64("height")?,
            timestamp: r.u64("timestamp")?,
            identities: Slots::read(r, &IDENTITY, size.identities)?,
            transactions: Slots::read(r, &TRANSACTION, size.transactions)?,
            uptimes: Slots::read(r, &UPTIME, size.uptimes)?,
            decisions: Slots::read(r, &DECISION, 1)?,
            states: Slots::read(r, &STATE, size.chunks())?,
            pruning: Slots::read(r, &PRUNING, 1)?,
        })
    }

    /// A false statement about nothing. It has the structure of every other one.
    pub fn blank(size: &Size) -> Self {
        let roots = [zero(); ROOTS];
        Statement {
            vk_ids: [[0; 32]; CIRCUITS],
            previous: Previous::genesis(roots),
            roots,
            parent: zero(),
            height: 1,
            timestamp: 0,
            identities: Slots::new(&IDENTITY, size.identities, vec![]),
            transactions: Slots::new(&TRANSACTION, size.transactions, vec![]),
            uptimes: Slots::new(&UPTIME, size.uptimes, vec![]),
            decisions: Slots::new(&DECISION, 1, vec![]),
            states: Slots::new(&STATE, size.chunks(), vec![]),
            pruning: Slots::new(&PRUNING, 1, vec![]),
        }
    }

    /// The inverse of `parse`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.vk_ids.concat();
        let p = &self.previous;
        let digests = [p.previous_commitment, p.state_proof].into_iter().chain(p.roots);
        digests.chain([p.pruning_fold, p.activity]).for_each(|d| out.extend(digest_bytes(&d)));
        out.extend(p.height.to_le_bytes());
        self.roots.iter().chain([&self.parent]).for_each(|d| out.extend(digest_bytes(d)));
        out.extend(self.height.to_le_bytes());
        out.extend(self.timestamp.to_le_bytes());
        let kinds = [&self.identities, &self.transactions, &self.uptimes, &self.decisions, &self.states, &self.pruning];
        kinds.into_iter().for_each(|slots| slots.write(&mut out));
        out
    }

    /// The digest of the block's header.
    pub fn header(&self) -> Native<F> {
        let leaves = self.transactions.digests(&TRANSACTION, input::TX_DIGEST);
        header_digest(&Header {
            parent: self.parent,
            height: self.height,
            state_root: self.roots[GLOBAL_STATE],
            tx_root: padded_root(&leaves, self.transactions.vectors.len(), &empty(Tag::Tx)),
            timestamp: self.timestamp,
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
            height: self.height,
        }
    }

    /// The public inputs.
    pub fn public(&self) -> Public<F> {
        let aggregate = self.aggregate();
        Public {
            previous_commitment: aggregate.previous_commitment,
            aggregated_commitment: aggregate.commitment(),
            counts: [&self.transactions, &self.identities, &self.uptimes, &self.decisions].map(Slots::count),
            block_height: self.height,
            roots: self.roots,
            pruning_fold: aggregate.pruning_fold,
            vk_set_root: vk_set_root(&self.vk_ids),
        }
    }
}

/// The public inputs, in order.
#[derive(Clone, Debug)]
pub struct Public<F> {
    pub previous_commitment: Native<F>,
    pub aggregated_commitment: Native<F>,
    /// Transactions, identities, uptimes, decisions.
    pub counts: [u16; 4],
    pub block_height: u64,
    pub roots: [Native<F>; ROOTS],
    pub pruning_fold: Native<F>,
    pub vk_set_root: Native<F>,
}

impl<F: CircuitField> Public<F> {
    pub fn vector(&self) -> Vec<F> {
        let head = Elements::new().digest(&self.previous_commitment).digest(&self.aggregated_commitment);
        let counts = self.counts.iter().fold(head, |e, n| e.small(*n)).u64(self.block_height);
        self.roots.iter().fold(counts, Elements::digest).digest(&self.pruning_fold).digest(&self.vk_set_root).0
    }
}
