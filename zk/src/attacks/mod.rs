//! Attacks on every circuit in every proof system, table-driven: false witnesses proved by provers that check nothing,
//! proofs of another strength, edited fields.
//!
//! A circuit takes part by being in `sample::circuits` and having forgeries (`tests/forgeries`), a proof system by
//! implementing [`Target`].

use crate::backend::{Binding, ProofSystem};
use crate::circuits::Circuit;
use crate::circuits::builder::Structure;
use crate::field::CircuitField;

mod edits;
mod envelopes;
mod false_witnesses;
mod forged_votes;
#[path = "../../tests/forgeries/mod.rs"]
mod forgeries;
mod map;
mod profiles;
mod proof_fields;
pub mod recovery;

pub use map::{Form, Map};

pub use crate::circuits::sample::binding;

/// A proof system as its attackers see it.
pub trait Target: ProofSystem {
    /// Proofs for values that may be false, by provers that check nothing; one for each way to cheat.
    fn cheat(&self, values: &[Self::F], public: &[Self::F], binding: &Binding) -> Vec<(&'static str, Vec<u8>)>;
    /// What each byte of a proof is.
    fn map(&self, proof: &[u8]) -> Map;
}

/// Changes of a binding, none of which a transcript may survive.
pub const BINDING_EDITS: [fn(&mut Binding); 8] = [
    |b| b.proof_version += 1,
    |b| b.backend += 1,
    |b| b.circuit_id += 1,
    |b| b.circuit_version += 1,
    |b| b.params_hash[0] ^= 1,
    |b| b.params_hash[31] ^= 128,
    |b| b.vk_id[0] ^= 1,
    |b| b.vk_id[31] ^= 128,
];

/// The statement within the values of a structure's wires.
fn statement<F: CircuitField>(structure: &Structure<F>, values: &[F]) -> Vec<F> {
    structure.public.iter().map(|w| values[w.0 as usize]).collect()
}

/// Structure and values of a circuit's honest sample.
fn honest<F: CircuitField>(circuit: &Circuit) -> (Structure<F>, Vec<F>) {
    circuit.build(&circuit.sample::<F>().1).expect("an honest witness")
}
