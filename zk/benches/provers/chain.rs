//! A circuit of nothing but permutations: a chain of compressions that ends in the statement.

use stwo::core::fields::m31::M31;

use simnet_zk::backend::{ProofSystem, Security};
use simnet_zk::circuits::builder::{Builder, Structure};
use simnet_zk::field::{CircuitField, DIGEST_MAX};
use simnet_zk::stwo::Stwo;

use crate::binding;
use crate::table::{Table, pools};

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

pub fn stwo(table: &mut Table) {
    let (structure, values) = record::<M31>();
    let key = Stwo::keygen(&structure, Security::Standard, [0; 32]).expect("a key");
    for (threads, pool) in pools() {
        let name = format!("stwo permutations/prove/{threads}");
        let prove = || drop(key.prove(&values, &binding(1), [0; 32]).expect("a proof"));
        let took = table.time(&name, &pool, prove);
        table.permutations(&name, took, None, PERMUTATIONS);
    }
}
