//! The keys of one circuit in one proof system, and the checks around every proof.

use std::panic::{AssertUnwindSafe, catch_unwind};

use blake2::{Blake2s256, Digest};

use crate::backend::{Binding, PROOF_VERSION, ProofSystem};
use crate::circuits::builder::Structure;
use crate::circuits::family::Family;
use crate::circuits::public;
use crate::envelope;
use crate::error::{Reject, ZkError};
use crate::tags::TAG_TABLE_VERSION;

/// Version of every circuit's statement.
pub const CIRCUIT_VERSION: u16 = 1;

/// A proof system's identity in envelopes, and the hash of its field.
pub trait Identified: ProofSystem {
    const BACKEND: u8;
    /// Field, hash, width, rounds, constants: the canonical bytes of the field's hash.
    fn hash_bytes() -> Vec<u8>;
}

/// Keys for circuit family `family` in proof system `S`.
pub struct CircuitKey<S: ProofSystem> {
    pub family: Family,
    pub binding: Binding,
    pub structure: Structure<S::F>,
    pub system: S,
}

impl<S: Identified> CircuitKey<S> {
    /// Makes the keys.
    pub fn generate(family: Family, seed: [u8; 32]) -> Result<Self, ZkError> {
        let structure = family.structure::<S::F>()?;
        let system = S::keygen(&structure, seed)?;
        Ok(Self::assemble(family, structure, system))
    }

    /// Decodes keys that [`Self::dump`] wrote.
    pub fn load(family: Family, bytes: &[u8]) -> Result<Self, ZkError> {
        let structure = family.structure::<S::F>()?;
        let (params, body) =
            bytes.split_at_checked(32).ok_or_else(|| ZkError::InvalidKeyEncoding("too short".into()))?;
        if params != params_hash::<S>(&family) {
            return Err(ZkError::InvalidKeyEncoding("made for other parameters".into()));
        }
        let system = S::load(&structure, body)?;
        Ok(Self::assemble(family, structure, system))
    }

    pub fn dump(&self) -> Vec<u8> {
        [self.binding.params_hash.to_vec(), self.system.dump()].concat()
    }

    fn assemble(family: Family, structure: Structure<S::F>, system: S) -> Self {
        let params_hash = params_hash::<S>(&family);
        let mut h = Blake2s256::new();
        h.update(b"SIMNET-VK-V1");
        h.update([S::BACKEND, family.id()]);
        h.update(CIRCUIT_VERSION.to_le_bytes());
        h.update(params_hash);
        h.update(system.vk_bytes());
        let binding = Binding {
            proof_version: PROOF_VERSION,
            backend: S::BACKEND,
            circuit_id: family.id(),
            circuit_version: CIRCUIT_VERSION,
            params_hash,
            vk_id: h.finalize().into(),
        };
        CircuitKey { family, binding, structure, system }
    }

    /// The public-input vector of a statement, as canonical bytes.
    pub fn public_inputs(&self, statement: &[u8]) -> Result<Vec<u8>, ZkError> {
        Ok(public::to_bytes(&self.family.vector::<S::F>(statement)?))
    }

    /// Proves a witness; returns the envelope.
    pub fn prove(&self, witness: &[u8], seed: [u8; 32]) -> Result<Vec<u8>, ZkError> {
        let (structure, values) = self.family.record::<S::F>(witness)?;
        if structure != self.structure {
            return Err(ZkError::ProverFailed("the circuit's structure depends on its witness".into()));
        }
        let proof = self.system.prove(&values, &self.binding, seed)?;
        let vector: Vec<S::F> = structure.public.iter().map(|w| values[w.0 as usize]).collect();
        let digest = self.public_digest(&public::to_bytes(&vector));
        Ok(envelope::encode(&self.binding, &digest, &proof))
    }

    /// Checks an envelope against public inputs that the caller has computed itself. The order is the specification's:
    /// size, versions, circuit, parameters, key, canonical inputs, their digest, the proof.
    pub fn verify(&self, public_inputs: &[u8], bytes: &[u8], max_bytes: usize) -> Result<(), Reject> {
        if bytes.len() > max_bytes {
            return Err(Reject::ProofTooLarge);
        }
        let found = envelope::decode(bytes)?;
        envelope::check_binding(&found.binding, &self.binding)?;
        let vector = public::from_bytes::<S::F>(&self.family.kinds(), public_inputs)?;
        if found.public_digest != self.public_digest(public_inputs) {
            return Err(Reject::PublicDigestMismatch);
        }
        // Backends decode strictly and contain panics themselves; this is the last line.
        catch_unwind(AssertUnwindSafe(|| self.system.verify(&vector, &self.binding, found.proof)))
            .unwrap_or(Err(Reject::VerifierPanicked))
    }

    fn public_digest(&self, public_inputs: &[u8]) -> [u8; 32] {
        envelope::public_digest(S::BACKEND, self.family.id(), CIRCUIT_VERSION, public_inputs)
    }
}

/// `Blake2s-256("SIMNET-PARAMS-V1" ‖ canonical parameter bytes)`.
fn params_hash<S: Identified>(family: &Family) -> [u8; 32] {
    let mut h = Blake2s256::new();
    h.update(b"SIMNET-PARAMS-V1");
    for part in [S::hash_bytes(), family.parameter_bytes(), S::parameter_bytes()] {
        h.update((part.len() as u32).to_le_bytes());
        h.update(part);
    }
    h.update(TAG_TABLE_VERSION.to_le_bytes());
    h.finalize().into()
}
