//! Proof bytes: little-endian words in a fixed order.
//!
//! Nothing that the key knows is in the bytes: no configuration, no preprocessed root, no column counts. What
//! remains variable (opened rows, Merkle and folding witnesses) carries a count that is checked against the
//! bytes left before anything is allocated.

use stwo::core::fields::m31::{M31, P};
use stwo::core::fields::qm31::QM31;
use stwo::core::fri::{FriLayerProof, FriProof};
use stwo::core::pcs::TreeVec;
use stwo::core::pcs::quotients::CommitmentSchemeProof;
use stwo::core::poly::line::LinePoly;
use stwo::core::proof::StarkProof;
use stwo::core::vcs::blake2_hash::Blake2sHash;
use stwo::core::vcs_lifted::blake2_merkle::Blake2sMerkleHasher;
use stwo::core::vcs_lifted::verifier::MerkleDecommitmentLifted;

use super::prove::Proof;
use super::shape::{Shape, TREES};
use crate::error::Reject;

/// A proof in parts.
#[derive(Clone)]
pub struct Parts {
    /// Work done before the lookup challenges.
    pub lookup_nonce: u64,
    /// The LogUp sum that each table claims.
    pub sums: Vec<QM31>,
    pub stark: Proof,
}

type Decommitment = MerkleDecommitmentLifted<Blake2sMerkleHasher>;
type Layer = FriLayerProof<Blake2sMerkleHasher>;

struct Writer(Vec<u8>);

impl Writer {
    fn u64(&mut self, v: u64) {
        self.0.extend(v.to_le_bytes());
    }

    fn count(&mut self, n: usize) {
        self.0.extend((n as u32).to_le_bytes());
    }

    /// `None` for a word that the decoder would refuse.
    fn felt(&mut self, v: M31) -> Option<()> {
        (v.0 < P).then(|| self.0.extend(v.0.to_le_bytes()))
    }

    fn secure(&mut self, v: QM31) -> Option<()> {
        v.to_m31_array().into_iter().try_for_each(|x| self.felt(x))
    }

    fn hash(&mut self, h: &Blake2sHash) {
        self.0.extend(h.0);
    }

    fn hashes(&mut self, d: &Decommitment) {
        self.count(d.hash_witness.len());
        d.hash_witness.iter().for_each(|h| self.hash(h));
    }
}

/// The bytes of a proof; `None` if an opened cell is not canonical, which no honest proof has shown yet.
pub fn encode(parts: &Parts) -> Option<Vec<u8>> {
    let proof = &parts.stark.0;
    let fri = &proof.fri_proof;
    let layers = || std::iter::once(&fri.first_layer).chain(&fri.inner_layers);
    let mut w = Writer(Vec::with_capacity(1 << 17));
    w.u64(parts.lookup_nonce);
    parts.sums.iter().try_for_each(|s| w.secure(*s))?;
    proof.commitments[1..].iter().for_each(|h| w.hash(h));
    proof.sampled_values.iter().flatten().flatten().try_for_each(|v| w.secure(*v))?;
    layers().for_each(|l| w.hash(&l.commitment));
    fri.last_layer_poly.iter().try_for_each(|v| w.secure(*v))?;
    w.u64(proof.proof_of_work);
    w.count(proof.queried_values.iter().flatten().next().map_or(0, Vec::len));
    proof.queried_values.iter().flatten().flatten().try_for_each(|v| w.felt(*v))?;
    proof.decommitments.iter().for_each(|d| w.hashes(d));
    for layer in layers() {
        w.count(layer.fri_witness.len());
        layer.fri_witness.iter().try_for_each(|v| w.secure(*v))?;
        w.hashes(&layer.decommitment);
    }
    Some(w.0)
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Reject> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Reject::InvalidProofShape)?;
        self.0 = rest;
        Ok(*head)
    }

    fn u64(&mut self) -> Result<u64, Reject> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn felt(&mut self) -> Result<M31, Reject> {
        let word = u32::from_le_bytes(self.array()?);
        if word < P { Ok(M31(word)) } else { Err(Reject::NonCanonicalFieldElement) }
    }

    fn secure(&mut self) -> Result<QM31, Reject> {
        Ok(QM31::from_m31_array([self.felt()?, self.felt()?, self.felt()?, self.felt()?]))
    }

    fn hash(&mut self) -> Result<Blake2sHash, Reject> {
        Ok(Blake2sHash(self.array()?))
    }

    /// A count of items of `size` bytes, all of which must still be there.
    fn count(&mut self, size: usize) -> Result<usize, Reject> {
        let n = u32::from_le_bytes(self.array()?) as usize;
        if n > self.0.len() / size { Err(Reject::InvalidProofShape) } else { Ok(n) }
    }

    /// `n` items, whose number the key or [`Self::count`] has bounded.
    fn list<T>(&mut self, n: usize, item: impl Fn(&mut Self) -> Result<T, Reject>) -> Result<Vec<T>, Reject> {
        (0..n).map(|_| item(self)).collect()
    }

    fn decommitment(&mut self) -> Result<Decommitment, Reject> {
        let n = self.count(32)?;
        Ok(MerkleDecommitmentLifted { hash_witness: self.list(n, Self::hash)? })
    }

    fn layer(&mut self, commitment: Blake2sHash) -> Result<Layer, Reject> {
        let n = self.count(16)?;
        Ok(FriLayerProof { fri_witness: self.list(n, Self::secure)?, decommitment: self.decommitment()?, commitment })
    }
}

/// Reads a proof of the given shape. Canonical: every accepted byte string is what `encode` makes of the result.
pub fn decode(bytes: &[u8], shape: &Shape, root: Blake2sHash) -> Result<Parts, Reject> {
    if bytes.len() > shape.max_bytes() {
        return Err(Reject::ProofTooLarge);
    }
    let mut r = Reader(bytes);
    let lookup_nonce = r.u64()?;
    let sums = r.list(shape.tables.len(), Reader::secure)?;
    let mut commitments = vec![root];
    commitments.extend(r.list(TREES - 1, Reader::hash)?);
    let sampled_values = tree_vec(&shape.samples, |columns| {
        columns.iter().map(|n| r.list(*n, Reader::secure)).collect::<Result<Vec<_>, _>>()
    })?;
    let layers = r.list(1 + shape.inner_layers(), Reader::hash)?;
    // The library trusts the length that a `LinePoly` claims; built here, it is that of one coefficient.
    let last_layer_poly = LinePoly::new(r.list(1, Reader::secure)?);
    let proof_of_work = r.u64()?;
    let queries = r.count(4)?;
    if !(1..=shape.parameters.queries).contains(&queries) {
        return Err(Reject::InvalidProofShape);
    }
    let queried_values = tree_vec(&shape.samples, |columns| {
        columns.iter().map(|_| r.list(queries, Reader::felt)).collect::<Result<Vec<_>, _>>()
    })?;
    let decommitments = TreeVec(r.list(TREES, Reader::decommitment)?);
    let first_layer = r.layer(layers[0])?;
    let inner_layers = layers[1..].iter().map(|c| r.layer(*c)).collect::<Result<_, _>>()?;
    if !r.0.is_empty() {
        return Err(Reject::BodyLengthMismatch);
    }
    let stark = StarkProof(CommitmentSchemeProof {
        config: shape.parameters.pcs(),
        commitments: TreeVec(commitments),
        sampled_values,
        decommitments,
        queried_values,
        proof_of_work,
        fri_proof: FriProof { first_layer, inner_layers, last_layer_poly },
    });
    Ok(Parts { lookup_nonce, sums, stark })
}

/// One entry for every tree.
fn tree_vec<T>(
    trees: &[Vec<usize>; TREES],
    read: impl FnMut(&Vec<usize>) -> Result<T, Reject>,
) -> Result<TreeVec<T>, Reject> {
    Ok(TreeVec(trees.iter().map(read).collect::<Result<_, _>>()?))
}
