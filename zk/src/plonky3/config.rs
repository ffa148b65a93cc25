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
use crate::backend::Binding;

pub type F = KoalaBear;
pub type EF = BinomialExtensionField<F, 4>;
type FieldHash = SerializingHasher<Blake3>;
type Compress = CompressionFunctionFromHasher<Blake3, 2, 32>;
type ValMmcs = MerkleTreeMmcs<F, u8, FieldHash, Compress, 2, 32>;
type ChallengeMmcs = ExtensionMmcs<F, EF, ValMmcs>;
pub type Challenger = SerializingChallenger32<F, OrderedChallenger>;
pub type Pcs = TwoAdicFriPcs<F, Radix2DitParallel<F>, ValMmcs, ChallengeMmcs>;
pub type Config = StarkConfig<Pcs, EF, Challenger>;

/// Log2 of the low-degree extension's blowup. 3 with 30 queries would make proofs a quarter smaller and twice as
/// slow to make.
pub const LOG_BLOWUP: usize = 2;
/// FRI queries.
pub const QUERIES: usize = 45;
/// Grinding before the queries: each bit replaces half a query and doubles a search that runs on one thread.
pub const QUERY_POW_BITS: usize = 12;
/// Grinding before the challenge that batches all openings; without it that round stays below 100 bits.
pub const BATCH_POW_BITS: usize = 8;
/// Grinding before the bus challenges; without it large circuits stay below 100 bits.
pub const LOOKUP_POW_BITS: usize = 4;
/// Log2 of the largest folding arity of one FRI round.
pub const MAX_LOG_ARITY: usize = 3;
/// Log2 of the length of FRI's final polynomial.
pub const LOG_FINAL_POLY_LEN: usize = 0;

/// The FRI parameters over any commitment scheme.
pub fn fri_parameters<M>(mmcs: M) -> FriParameters<M> {
    FriParameters {
        log_blowup: LOG_BLOWUP,
        log_final_poly_len: LOG_FINAL_POLY_LEN,
        max_log_arity: MAX_LOG_ARITY,
        num_queries: QUERIES,
        batch_proof_of_work_bits: BATCH_POW_BITS,
        commit_proof_of_work_bits: 0,
        query_proof_of_work_bits: QUERY_POW_BITS,
        mmcs,
    }
}

/// The commitment scheme; its clones share the cache of roots of unity, so a key holds one.
pub fn pcs() -> Pcs {
    pcs_with(fri_parameters)
}

/// The commitment scheme with the caller's FRI parameters; tests make proofs that are too weak with it.
pub(super) fn pcs_with(fri: impl FnOnce(ChallengeMmcs) -> FriParameters<ChallengeMmcs>) -> Pcs {
    two_adic(ValMmcs::new(FieldHash::new(Blake3), Compress::new(Blake3), 0), fri)
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
fn config(pcs: &Pcs, label: Vec<u8>) -> Config {
    let challenger = Challenger::new(OrderedChallenger::new(label));
    Config::new(pcs.clone(), challenger).with_lookup_proof_of_work_bits(LOOKUP_POW_BITS)
}

/// The configuration of key generation, which draws no challenge.
pub fn keygen_config(pcs: &Pcs) -> Config {
    config(pcs, vec![])
}

/// The configuration of one proof: its transcript has absorbed the metadata, heights and statement.
pub fn proof_config(pcs: &Pcs, binding: &Binding, log_heights: &[usize], public: &[F]) -> Config {
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
    config(pcs, label)
}

/// Canonical bytes of everything above, part of `params_hash`.
pub fn parameter_bytes() -> Vec<u8> {
    let mut out = b"plonky3 0.8 koalabear^4 two-adic-fri blake3 blake3 logup".to_vec();
    let numbers = [
        LOG_BLOWUP,
        QUERIES,
        QUERY_POW_BITS,
        BATCH_POW_BITS,
        LOOKUP_POW_BITS,
        MAX_LOG_ARITY,
        LOG_FINAL_POLY_LEN,
        super::tables::MAX_ARITH_LANES,
        super::tables::SWAP_LANES,
        super::tables::PUBLIC_LANES,
    ];
    out.extend(numbers.iter().flat_map(|n| (*n as u32).to_le_bytes()));
    out
}
