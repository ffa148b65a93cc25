//! Circuits of our own that use every table, and what the test files share.

use std::sync::LazyLock;

use stwo::core::fields::m31::M31;

use super::Stwo;
use crate::backend::{Binding, ProofSystem, Security};
use crate::circuits::Circuit;
use crate::circuits::builder::{Builder, Structure, Wire};
use crate::tags::Tag;

mod cheat;
mod forgery;
mod hostile;
mod keys;
mod map;
mod recovery;
mod roundtrip;
mod weak;

/// A circuit with its key and one satisfying witness.
pub struct Sample {
    pub key: Stwo,
    pub structure: Structure<M31>,
    pub values: Vec<M31>,
    pub public: Vec<M31>,
}

impl Sample {
    pub fn new(builder: Builder<M31>) -> Self {
        let (structure, values) = builder.finish();
        Self::of(structure, values)
    }

    /// An honest witness of one of the crate's circuits.
    pub fn circuit(id: u8, params: &[u32]) -> Self {
        let circuit = Circuit::new(id, params).expect("a circuit");
        let (_, witness) = circuit.sample::<M31>();
        let (structure, values) = circuit.build(&witness).expect("an honest witness");
        Self::of(structure, values)
    }

    fn of(structure: Structure<M31>, values: Vec<M31>) -> Self {
        let key = Stwo::keygen(&structure, Security::Standard, [0; 32]).expect("a circuit within limits");
        let public = key.statement(&values);
        Sample { key, structure, values, public }
    }

    pub fn prove(&self) -> Vec<u8> {
        self.key.prove(&self.values, &binding(), [0; 32]).expect("the witness is good")
    }
}

pub fn binding() -> Binding {
    crate::attacks::binding(1)
}

/// Sponges of several blocks, a Merkle path with swaps, ranges, gates and a statement: every table in one circuit.
pub fn mixed(levels: usize, sponge: usize, gates: usize, ranges: usize) -> Builder<M31> {
    let mut b = Builder::new();
    let leaf: Vec<Wire> = (0..sponge).map(|i| b.witness(M31(i as u32 * 77 + 5))).collect();
    let claimed = {
        let values: Vec<M31> = leaf.iter().map(|w| b.value(*w)).collect();
        <M31 as crate::field::CircuitField>::hash(Tag::Account, &values)
    };
    let digest = b.public_digest(&claimed);
    let hashed = b.hash(Tag::Account, &leaf);
    b.assert_digest_eq(&hashed, &digest);
    let mut node = hashed;
    for level in 0..levels {
        let sibling = b.witness_digest(&std::array::from_fn(|i| M31((level * 8 + i) as u32 + 1)));
        let bit = b.bit(level % 3 == 1);
        let (l, r) = b.swap(bit, &node, &sibling);
        node = b.compress(&l, &r);
    }
    let root_value = b.digest_value(&node);
    let root = b.public_digest(&root_value);
    b.assert_digest_eq(&node, &root);
    let mut x = b.public(M31(12345));
    for _ in 0..gates {
        let y = b.mul_add(x, x, leaf[0]);
        x = b.add(y, node.0[0]);
    }
    for i in 0..ranges {
        let w = b.witness(M31((i as u32 * 4099) & 0xffff));
        b.range16(w);
    }
    b
}

/// The circuit most tests use.
pub static SMALL: LazyLock<Sample> = LazyLock::new(|| Sample::new(mixed(6, 20, 30, 20)));
