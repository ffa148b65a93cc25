//! The parameter sets of this backend, pinned: a key says which one, and proofs carry none.

use stwo::core::fri::FriConfig;
use stwo::core::pcs::PcsConfig;

use crate::backend::Security;

/// Version of the table constraints; part of the key's digest.
pub const AIR_VERSION: u16 = 1;

/// What the library leaves to its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Bits of work before the queries are drawn.
    pub query_pow: u32,
    /// Bits of work before the lookup challenges are drawn: the LogUp error is (fractions / |QM31|), and this pays
    /// for the fractions of a circuit of average size.
    pub lookup_pow: u32,
    pub log_blowup: u32,
    pub queries: usize,
    pub fold: u32,
}

/// Blowup and queries were chosen by measurement at 100 conjectured bits and 16 bits of grinding (transaction /
/// consensus for 32 validators, one thread): blowup 4 with 42 queries proves in 1.9 / 33 ms, verifies in 0.94 / 1.5 ms
/// and takes 104 / 162 kB; 8 with 28 takes 2.0 / 36 ms, 0.82 / 1.2 ms, 86 / 122 kB; 16 with 21 takes 4.1 / 85 ms,
/// 0.77 / 1.1 ms, 73 / 102 kB.
const STANDARD: Parameters = Parameters { query_pow: 16, lookup_pow: 12, log_blowup: 3, queries: 28, fold: 3 };

/// Queries until the proven figure is bound by the field, not by them; the conjectured one is bound by it long before.
const HIGH: Parameters = Parameters { query_pow: 20, lookup_pow: 16, log_blowup: 3, queries: 56, fold: 3 };

impl Parameters {
    pub fn of(security: Security) -> Self {
        match security {
            Security::Standard => STANDARD,
            Security::High => HIGH,
        }
    }

    /// The library's form of the parameters.
    pub fn pcs(&self) -> PcsConfig {
        PcsConfig {
            pow_bits: self.query_pow,
            fri_config: FriConfig {
                log_blowup_factor: self.log_blowup,
                log_last_layer_degree_bound: 0,
                n_queries: self.queries,
                fold_step: self.fold,
            },
            lifting_log_size: None,
        }
    }

    /// Canonical bytes: little-endian words in a fixed order.
    pub fn bytes(&self) -> Vec<u8> {
        const EXTENSION_DEGREE: u32 = 4;
        const LAST_LAYER: u32 = 0;
        let Parameters { query_pow, lookup_pow, log_blowup, queries, fold } = *self;
        let sizes = [query_pow, lookup_pow, log_blowup, queries as u32, fold];
        let fixed = [LAST_LAYER, EXTENSION_DEGREE, AIR_VERSION.into()];
        let mut bytes = b"stwo-2.3.0/blake2s/logup/".to_vec();
        bytes.extend(sizes.iter().chain(&fixed).flat_map(|w| w.to_le_bytes()));
        bytes
    }
}
