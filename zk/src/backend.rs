//! What a proof system has to offer, and the metadata that every proof is bound to.

use ark_bn254::Bn254;
use ark_groth16::VerifyingKey;

use crate::circuits::builder::Structure;
use crate::error::{Reject, ZkError};
use crate::field::CircuitField;

/// Envelope and proof byte layout, transcript labels, Merkle layout.
pub const PROOF_VERSION: u16 = 1;

/// How strong the STARKs of a key are: a property of the key, part of its `params_hash`. Groth16 has one level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Security {
    /// At least 100 conjectured bits.
    #[default]
    Standard = 0,
    /// As much as the degree-4 extension fields give.
    High = 1,
}

impl Security {
    pub const ALL: [Security; 2] = [Security::Standard, Security::High];

    /// From the number of the native boundary.
    pub fn new(profile: u8) -> Result<Self, ZkError> {
        let known = Self::ALL.into_iter().find(|s| *s as u8 == profile);
        known.ok_or_else(|| ZkError::Unsupported(format!("security profile {profile}")))
    }
}

/// What the transcript (STARKs) or the envelope check (Groth16) binds a proof to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    pub proof_version: u16,
    pub backend: u8,
    pub circuit_id: u8,
    pub circuit_version: u16,
    pub params_hash: [u8; 32],
    pub vk_id: [u8; 32],
}

/// The keys of one circuit in one proof system.
///
/// `prove` and `verify` run on the rayon pool they are called in; proof bytes depend on
/// (key, values, binding, seed) alone, whatever the number of threads.
pub trait ProofSystem: Sized + Send + Sync {
    type F: CircuitField;

    /// As in the proof envelope, one for each system. Systems over the same field share the field's number, not this one.
    const NUMBER: u8;

    /// Canonical bytes of the proof system's own parameters (blowup, queries, grinding, …), part of `params_hash`.
    fn parameter_bytes(security: Security) -> Vec<u8>;
    /// Makes the keys. `seed` matters for Groth16's setup only.
    fn keygen(structure: &Structure<Self::F>, security: Security, seed: [u8; 32]) -> Result<Self, ZkError>;
    /// The bytes that `vk_id` hashes: what a verifier needs, nothing else.
    fn vk_bytes(&self) -> Vec<u8>;
    /// The keys as bytes for the disk cache (integrity is the cache's concern).
    fn dump(&self) -> Vec<u8>;
    /// The inverse of `dump`.
    fn load(structure: &Structure<Self::F>, security: Security, bytes: &[u8]) -> Result<Self, ZkError>;
    /// Proves that `values` (one per wire) satisfy the structure. Refuses values that do not.
    fn prove(&self, values: &[Self::F], binding: &Binding, seed: [u8; 32]) -> Result<Vec<u8>, ZkError>;
    /// Checks a proof against the statement's public inputs, given in order. Never panics on hostile bytes.
    fn verify(&self, public: &[Self::F], binding: &Binding, proof: &[u8]) -> Result<(), Reject>;

    /// (conjectured, proven) soundness bits of the pinned configuration.
    fn security_bits(&self) -> (f64, f64);

    /// Whether a verifier's part of these keys is what `keygen` makes from a seed. A STARK has no seed, and its `load` makes
    /// the commitment again.
    fn follows_from(&self, _seed: [u8; 32]) -> Result<bool, ZkError> {
        Ok(true)
    }

    /// The verifying key, if this is Groth16.
    fn groth16_vk(&self) -> Option<&VerifyingKey<Bn254>> {
        None
    }

    /// Size figures beyond those of the structure, say rows of each table.
    fn sizes(&self) -> Vec<(&'static str, u64)> {
        vec![]
    }
}
