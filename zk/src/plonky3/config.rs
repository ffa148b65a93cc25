//! The pinned proof-system parameters and the types they make.
//!
//! A verifier takes every parameter from here, never from a proof.

use p3_blake3::Blake3;
use p3_challenger::SerializingChallenger32;
use p3_commit::ExtensionMmcs;
use p3_dft::Radix2DitParallel;
use p3_field::extension::BinomialExtensionField;
use p3_field::{PrimeField32, TwoAdicField};
use p3_fri::{FriParameters, TwoAdicFriPcs};
use p3_koala_bear::KoalaBear;
use p3_merkle_tree::MerkleTreeMmcs;
use p3_symmetric::{CompressionFunctionFromHasher, SerializingHasher};
use p3_uni_stark::StarkConfig;

use super::challenger::OrderedChallenger;
use crate::backend::{Binding, Security};

pub type F = KoalaBear;
pub type EF = BinomialExtensionField<F, 4>;
type FieldHash = SerializingHasher<Blake3>;
type Compress = CompressionFunctionFromHasher<Blake3, 2, 32>;
type ValMmcs = MerkleTreeMmcs<F, u8, FieldHash, Compress, 2, 32>;
type ChallengeMmcs = ExtensionMmcs<F, EF, ValMmcs>;
pub type Challenger = SerializingChallenger32<F, OrderedChallenger>;
pub type Pcs = TwoAdicFriPcs<F, Radix2DitParallel<F>, ValMmcs, ChallengeMmcs>;
pub type Config = StarkConfig<Pcs, EF, Challenger>;

/// A parameter set; a key says which one, and proofs carry none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Log2 of the low-degree extension's blowup.
    pub log_blowup: usize,
    /// FRI queries.
    pub queries: usize,
    /// Grinding before the queries: each bit replaces half a query and doubles a search that runs on one thread.
    pub query_pow: usize,
    /// Grinding before the challenge that batches all openings; without it that round stays below 100 bits.
    pub batch_pow: usize,
    /// Grinding before the bus challenges; without it large circuits stay below 100 bits.
    pub lookup_pow: usize,
    /// Grinding before the out-of-domain point.
    pub ood_pow: usize,
    /// Grinding before the challenge of every fold.
    pub commit_pow: usize,
    /// Log2 of the largest folding arity of one FRI round.
    pub max_log_arity: usize,
    /// Log2 of the length of FRI's final polynomial.
    pub log_final_poly_len: usize,
}

/// A blowup of 8 with 30 queries would make proofs a quarter smaller and twice as slow to make.
const STANDARD: Parameters = Parameters {
    log_blowup: 2,
    queries: 45,
    query_pow: 12,
    batch_pow: 8,
    lookup_pow: 4,
    ood_pow: 0,
    commit_pow: 0,
    max_log_arity: 3,
    log_final_poly_len: 0,
};

/// Grinding lifts every conjectured term to that of the constraints' combination, where there is nothing to grind;
/// queries until the proven figure is bound by the field, not by them.
const HIGH: Parameters = Parameters {
    log_blowup: 2,
    queries: 84,
    query_pow: 16,
    batch_pow: 16,
    lookup_pow: 12,
    ood_pow: 8,
    commit_pow: 12,
    ..STANDARD
};

impl Parameters {
    pub fn of(security: Security) -> Self {
        match security {
            Security::Standard => STANDARD,
            Security::High => HIGH,
        }
    }

    /// The library's FRI parameters over any commitment scheme.
    pub fn fri<M>(&self, mmcs: M) -> FriParameters<M> {
        FriParameters {
            log_blowup: self.log_blowup,
            log_final_poly_len: self.log_final_poly_len,
            max_log_arity: self.max_log_arity,
            num_queries: self.queries,
            batch_proof_of_work_bits: self.batch_pow,
            commit_proof_of_work_bits: self.commit_pow,
            query_proof_of_work_bits: self.query_pow,
            mmcs,
        }
    }

    /// The commitment scheme; its clones share the cache of roots of unity, so a key holds one.
    pub fn pcs(&self) -> Pcs {
        let mmcs = ValMmcs::new(FieldHash::new(Blake3), Compress::new(Blake3), 0);
        two_adic(mmcs, |mmcs| self.fri(mmcs))
    }

    /// Canonical bytes, part of `params_hash`.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = b"plonky3 0.8 koalabear^4 two-adic-fri blake3 blake3 logup".to_vec();
        let numbers = [
            self.log_blowup,
            self.queries,
            self.query_pow,
            self.batch_pow,
            self.lookup_pow,
            self.ood_pow,
            self.commit_pow,
            self.max_log_arity,
            self.log_final_poly_len,
            super::tables::MAX_ARITH_LANES,
            super::tables::SWAP_LANES,
            super::tables::PUBLIC_LANES,
        ];
        out.extend(numbers.iter().flat_map(|n| (*n as u32).to_le_bytes()));
        out
    }
}

/// FRI over any field's Merkle trees: ours, or those of others' proofs.
pub(super) fn two_adic<V: TwoAdicField, E, M: Clone>(
    mmcs: M,
    fri: impl FnOnce(ExtensionMmcs<V, E, M>) -> FriParameters<ExtensionMmcs<V, E, M>>,
) -> TwoAdicFriPcs<V, Radix2DitParallel<V>, M, ExtensionMmcs<V, E, M>> {
    let fri = fri(ExtensionMmcs::new(mmcs.clone()));
    TwoAdicFriPcs::new(Radix2DitParallel::default(), mmcs, fri)
}

/// A configuration whose transcript starts with `label`.
fn config(pcs: &Pcs, parameters: &Parameters, label: Vec<u8>) -> Config {
    let challenger = Challenger::new(OrderedChallenger::new(label));
    Config::new(pcs.clone(), challenger)
        .with_lookup_proof_of_work_bits(parameters.lookup_pow)
        .with_ood_proof_of_work_bits(parameters.ood_pow)
}

/// The configuration of key generation, which draws no challenge.
pub fn keygen_config(pcs: &Pcs, parameters: &Parameters) -> Config {
    config(pcs, parameters, vec![])
}

/// The configuration of one proof: its transcript has absorbed the metadata, heights and statement.
pub fn proof_config(
    pcs: &Pcs,
    parameters: &Parameters,
    binding: &Binding,
    log_heights: &[usize],
    public: &[F],
) -> Config {
    let mut label = b"SIMNET-PLONKY3-V1".to_vec();
    label.extend(binding.proof_version.to_le_bytes());
    label.push(binding.backend);
    label.push(binding.circuit_id);
    label.extend(binding.circuit_version.to_le_bytes());
    label.extend(binding.params_hash);
    label.extend(binding.vk_id);
    label.extend((log_heights.len() as u32).to_le_bytes());
    label.extend(log_heights.iter().map(|h| *h as u8));
    label.extend((public.len() as u32).to_le_bytes());
    label.extend(public.iter().flat_map(|x| x.as_canonical_u32().to_le_bytes()));
    config(pcs, parameters, label)
}
