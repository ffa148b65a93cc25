//! Keys: everything that depends on the structure alone, made once.

use blake2::{Blake2s256, Digest};
use stwo::core::fields::m31::{M31, P};
use stwo::core::poly::circle::CanonicCoset;
use stwo::core::vcs::blake2_hash::Blake2sHash;
use stwo::core::vcs_lifted::blake2_merkle::Blake2sMerkleChannel;
use stwo::prover::CommitmentTreeProver;
use stwo::prover::backend::simd::SimdBackend;
use stwo::prover::backend::simd::column::BaseColumn;
use stwo::prover::mempool::BaseColumnPool;
use stwo::prover::poly::BitReversedOrder;
use stwo::prover::poly::circle::{CircleEvaluation, PolyOps};
use stwo::prover::poly::twiddles::TwiddleTree;

use super::config::{AIR_VERSION, Parameters};
use super::lookup::PublicSlot;
use super::shape::Shape;
use super::tables::{self, Table};
use crate::circuits::builder::{HashOp, Structure};
use crate::error::ZkError;
use crate::stark::layout::{Layout, Slot};

/// First byte of a dumped key.
const DUMP_VERSION: u8 = 1;

/// A circuit's column of the trace domain.
pub type Evaluation = CircleEvaluation<SimdBackend, M31, BitReversedOrder>;

/// The proving and verifying key of one circuit.
pub struct Stwo {
    pub(super) tables: Vec<Box<dyn Table>>,
    pub(super) shape: Shape,
    /// Preprocessed columns of every table, as LogUp needs them.
    pub(super) fixed: Vec<Vec<BaseColumn>>,
    pub(super) tree: CommitmentTreeProver<SimdBackend, Blake2sMerkleChannel>,
    pub(super) root: Blake2sHash,
    pub(super) twiddles: TwiddleTree<SimdBackend>,
    /// Evaluation buffers, handed from proof to proof.
    pub(super) pool: BaseColumnPool<SimdBackend>,
    pub(super) structure: Structure<M31>,
    /// The slots that the statement puts on the bus, one for each public wire.
    pub(super) public_slots: Vec<PublicSlot>,
    digest: [u8; 32],
}

impl Stwo {
    pub(crate) fn generate(structure: &Structure<M31>, parameters: Parameters) -> Result<Self, ZkError> {
        check(structure)?;
        let layout = Layout::new(structure);
        let tables = tables::of_layout(&layout);
        let shape = Shape::new(&tables, parameters);
        let log_blowup = parameters.log_blowup;
        let twiddles =
            SimdBackend::precompute_twiddles(CanonicCoset::new(shape.log_max + log_blowup).circle_domain().half_coset);
        let fixed: Vec<Vec<BaseColumn>> = tables.iter().map(|t| t.fixed()).collect();
        let pool = BaseColumnPool::new();
        let columns = tables.iter().zip(&fixed).flat_map(|(t, c)| evaluations(t.log_size(), c)).collect();
        let polynomials = SimdBackend::interpolate_columns(columns, &twiddles);
        let tree = CommitmentTreeProver::new(polynomials, log_blowup, &twiddles, true, None, &pool);
        Ok(Stwo {
            root: tree.commitment.root(),
            tables,
            shape,
            fixed,
            tree,
            twiddles,
            pool,
            structure: structure.clone(),
            public_slots: layout.public.iter().map(PublicSlot::from).collect(),
            digest: digest(&layout),
        })
    }

    /// Structure digest, preprocessed root, log sizes.
    pub(super) fn verifying_bytes(&self) -> Vec<u8> {
        let mut bytes = self.digest.to_vec();
        bytes.extend(self.fingerprint());
        bytes
    }

    pub(super) fn dump_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![DUMP_VERSION];
        bytes.extend(self.verifying_bytes());
        bytes
    }

    /// Makes the key again from the structure: committing is cheaper than reading the columns would be safe.
    pub(super) fn restore(structure: &Structure<M31>, parameters: Parameters, bytes: &[u8]) -> Result<Self, ZkError> {
        if bytes.first() != Some(&DUMP_VERSION) {
            return Err(ZkError::InvalidKeyEncoding("unknown version".into()));
        }
        let key = Self::generate(structure, parameters)?;
        if key.dump_bytes() != bytes {
            return Err(ZkError::InvalidKeyEncoding("not the key of this structure".into()));
        }
        Ok(key)
    }

    fn fingerprint(&self) -> Vec<u8> {
        let mut bytes = self.root.0.to_vec();
        bytes.push(self.shape.tables.len() as u8);
        bytes.extend(self.shape.tables.iter().map(|t| t.log_size as u8));
        bytes
    }
}

/// Columns on the trace domain, as the library takes them.
pub fn evaluations(log_size: u32, columns: &[BaseColumn]) -> Vec<Evaluation> {
    let domain = CanonicCoset::new(log_size).circle_domain();
    columns.iter().map(|c| CircleEvaluation::new(domain, c.clone())).collect()
}

/// Refuses what the tables cannot express; circuits of this crate never run into it.
fn check(structure: &Structure<M31>) -> Result<(), ZkError> {
    let unsupported = |why: &str| Err(ZkError::Unsupported(why.into()));
    if structure.wires == 0 || structure.wires >= P - 1 || structure.gates.is_empty() {
        return unsupported("a circuit needs wire 0, its gate, and ids below the modulus");
    }
    let mut first = true;
    for op in &structure.hashes {
        match op {
            HashOp::Poseidon { .. } => return unsupported("circomlib's Poseidon is not native to M31"),
            HashOp::Permutation { chain: true, .. } if first => return unsupported("a chain needs a row before it"),
            HashOp::Permutation { .. } => first = false,
        }
    }
    let slots = 4 * structure.gates.len() + 5 * structure.swaps.len() + 24 * structure.hashes.len();
    if slots + structure.ranges.len() + structure.public.len() >= (P - 1) as usize {
        return unsupported("more slots than a multiplicity can count");
    }
    Ok(())
}

/// Digest of the constraint description: every row of every table with its ids, multiplicities and flags.
fn digest(layout: &Layout<M31>) -> [u8; 32] {
    let mut hash = Blake2s256::new();
    hash.update(b"SIMNET-STWO-AIR");
    hash.update(AIR_VERSION.to_le_bytes());
    let mut section = |slots: &mut dyn Iterator<Item = (Vec<u32>, Vec<Slot>)>| {
        for (words, slots) in slots {
            words.iter().for_each(|w| hash.update(w.to_le_bytes()));
            for s in slots {
                hash.update(s.id.to_le_bytes());
                hash.update(s.mult.to_le_bytes());
            }
        }
        // No row begins with this word: a boundary between tables.
        hash.update(u32::MAX.to_le_bytes());
    };
    section(&mut layout.perm.iter().map(|r| {
        let flags = vec![u32::from(r.chain), u32::from(r.feed_forward)];
        (flags, r.input.iter().chain(&r.output).copied().collect())
    }));
    section(&mut layout.arith.iter().map(|r| (r.q.map(|q| q.0).to_vec(), r.slots.to_vec())));
    section(&mut layout.swap.iter().map(|r| (vec![], r.to_vec())));
    section(&mut layout.range.iter().map(|s| (vec![], vec![*s])));
    section(&mut layout.public.iter().map(|s| (vec![], vec![*s])));
    hash.finalize().into()
}
