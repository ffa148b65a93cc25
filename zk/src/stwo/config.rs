//! The one parameter set of this backend, pinned: neither keys nor proofs carry their own.
//!
//! Blowup and queries were chosen by measurement at 100 conjectured bits and 16 bits of grinding (transaction /
//! consensus for 32 validators, one thread): blowup 4 with 42 queries proves in 1.9 / 33 ms, verifies in 0.94 / 1.5 ms
//! and takes 104 / 162 kB; 8 with 28 takes 2.0 / 36 ms, 0.82 / 1.2 ms, 86 / 122 kB; 16 with 21 takes 4.1 / 85 ms,
//! 0.77 / 1.1 ms, 73 / 102 kB.

use stwo::core::fri::FriConfig;
use stwo::core::pcs::PcsConfig;

/// Bits of work before the queries are drawn.
pub const QUERY_POW: u32 = 16;
/// Bits of work before the lookup challenges are drawn: the LogUp error is (fractions / |QM31|), and this
/// pays for the fractions of a circuit of average size.
pub const LOOKUP_POW: u32 = 12;
pub const LOG_BLOWUP: u32 = 3;
pub const QUERIES: usize = 28;
pub const FOLD: u32 = 3;
/// Version of the table constraints; part of the key's digest.
pub const AIR_VERSION: u16 = 1;

/// The library's form of the parameters.
pub fn pcs() -> PcsConfig {
    PcsConfig {
        pow_bits: QUERY_POW,
        fri_config: FriConfig {
            log_blowup_factor: LOG_BLOWUP,
            log_last_layer_degree_bound: 0,
            n_queries: QUERIES,
            fold_step: FOLD,
        },
        lifting_log_size: None,
    }
}

/// Canonical bytes of the parameters: little-endian words in a fixed order.
pub fn parameter_bytes() -> Vec<u8> {
    const EXTENSION_DEGREE: u32 = 4;
    const LAST_LAYER: u32 = 0;
    let words =
        [QUERY_POW, LOOKUP_POW, LOG_BLOWUP, QUERIES as u32, FOLD, LAST_LAYER, EXTENSION_DEGREE, AIR_VERSION.into()];
    let mut bytes = b"stwo-2.3.0/blake2s/logup/".to_vec();
    bytes.extend(words.iter().flat_map(|w| w.to_le_bytes()));
    bytes
}

const FIELD_BITS: f64 = 124.0;

/// (conjectured, proven) bits for a circuit with this many lookup fractions and this tallest table.
///
/// Conjectured: a query is worth `LOG_BLOWUP` bits (the library's own figure, up to capacity), capped by the
/// lookup and field terms. Proven: the Johnson-bound regime, with its proximity parameter m chosen best.
pub fn security_bits(fractions: usize, log_height: u32) -> (f64, f64) {
    let lookups = FIELD_BITS + f64::from(LOOKUP_POW) - (fractions.max(2) as f64).log2();
    let conjectured = f64::from(pcs().security_bits()).min(lookups);
    let log_domain = f64::from(log_height + LOG_BLOWUP);
    let johnson = (3..200).map(|m| johnson_bits(f64::from(m), log_domain)).fold(0.0, f64::max);
    (conjectured, johnson.min(lookups))
}

/// Queries against proximity gaps at m: (1 + 1/2m)·√ρ per query, (m + ½)^7 · n² / (3·ρ^1.5·|F|) for the commitments.
fn johnson_bits(m: f64, log_domain: f64) -> f64 {
    let rate_bits = f64::from(LOG_BLOWUP);
    let per_query = rate_bits / 2.0 - (1.0 + 0.5 / m).log2();
    let queries = f64::from(QUERY_POW) + QUERIES as f64 * per_query;
    let commitments = FIELD_BITS - 7.0 * (m + 0.5).log2() - 2.0 * log_domain - 1.5 * rate_bits + 3f64.log2();
    queries.min(commitments)
}
