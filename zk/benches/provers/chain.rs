//! A circuit of nothing but permutations: a chain of compressions that ends in the statement.

use simnet_zk::circuits::builder::{Builder, Structure};
use simnet_zk::field::{CircuitField, DIGEST_MAX};

/// Permutations of the chain: a full table, no padding.
pub const PERMUTATIONS: usize = 1 << 12;

/// The chain, and the values of its wires.
pub fn record<F: CircuitField>() -> (Structure<F>, Vec<F>) {
    let mut b = Builder::<F>::new();
    let start: [F; DIGEST_MAX] = std::array::from_fn(|i| F::from_u64(i as u64 + 1));
    let sibling = b.witness_digest(&start);
    let mut node = sibling;
    for _ in 0..PERMUTATIONS {
        node = b.compress(&node, &sibling);
    }
    let root = b.public_digest(&b.digest_value(&node));
    b.assert_digest_eq(&node, &root);
    b.finish()
}
