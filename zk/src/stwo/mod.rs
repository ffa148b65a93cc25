//! STWO: circle STARKs over M31, with the circuit's structure in preprocessed columns.
//!
//! A recorded circuit becomes up to five tables (`tables`): Poseidon2 permutations, arithmetic rows, swaps,
//! 16-bit ranges and the bytes they are made of, joined by a LogUp bus on wire ids (`lookup`). The key holds
//! everything that follows from the structure (`key`); a proof holds nothing that the key knows (`codec`).
//! Proofs are succinct, not zero-knowledge: openings are cells of the trace.

use stwo::core::fields::m31::M31;

use crate::backend::{Binding, ProofSystem, Security};
use crate::circuits::builder::Structure;
use crate::error::{Reject, ZkError};

mod codec;
mod component;
pub mod config;
mod interaction;
mod key;
mod lookup;
mod poseidon2;
mod prove;
mod security;
mod shape;
mod tables;
mod transcript;
mod value;
mod verify;

#[cfg(test)]
mod tests;

use config::Parameters;
pub use key::Stwo;

impl ProofSystem for Stwo {
    type F = M31;

    const NUMBER: u8 = 1;

    fn parameter_bytes(security: Security) -> Vec<u8> {
        Parameters::of(security).bytes()
    }

    fn keygen(structure: &Structure<M31>, security: Security, _seed: [u8; 32]) -> Result<Self, ZkError> {
        Stwo::generate(structure, Parameters::of(security))
    }

    fn vk_bytes(&self) -> Vec<u8> {
        self.verifying_bytes()
    }

    fn dump(&self) -> Vec<u8> {
        self.dump_bytes()
    }

    fn load(structure: &Structure<M31>, security: Security, bytes: &[u8]) -> Result<Self, ZkError> {
        Stwo::restore(structure, Parameters::of(security), bytes)
    }

    fn prove(&self, values: &[M31], binding: &Binding, _seed: [u8; 32]) -> Result<Vec<u8>, ZkError> {
        let trace = self.trace(values)?;
        self.prove_trace(&trace, &self.statement(values), binding, &prove::Honest)
    }

    fn verify(&self, public: &[M31], binding: &Binding, proof: &[u8]) -> Result<(), Reject> {
        self.verify_bytes(public, binding, proof)
    }

    fn security_bits(&self) -> (f64, f64) {
        security::security_bits(&self.shape)
    }

    /// Rows of each table, padding included, and the columns of all tables together.
    fn sizes(&self) -> Vec<(&'static str, u64)> {
        let rows = self.shape.tables.iter().map(|t| (t.name, 1 << t.log_size));
        let columns = self.shape.log_sizes.iter().map(|tree| tree.len() as u64).sum();
        rows.chain([("columns", columns)]).collect()
    }
}
