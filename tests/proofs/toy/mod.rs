//! A proof system for a test: the proof is the witness itself. Sound, and neither short nor hiding.

use stwo::core::fields::m31::M31;

use crate::backend::{Binding, ProofSystem, Security};
use crate::circuits::builder::Structure;
use crate::circuits::check::check;
use crate::circuits::digest::structure_digest;
use crate::error::{Reject, ZkError};
use crate::field::CircuitField;

pub struct Toy {
    structure: Structure<M31>,
}

impl ProofSystem for Toy {
    type F = M31;

    const NUMBER: u8 = 4;

    fn parameter_bytes(_security: Security) -> Vec<u8> {
        b"toy".to_vec()
    }

    fn keygen(structure: &Structure<M31>, _security: Security, _seed: [u8; 32]) -> Result<Self, ZkError> {
        Ok(Toy { structure: structure.clone() })
    }

    fn vk_bytes(&self) -> Vec<u8> {
        structure_digest(&self.structure).to_vec()
    }

    fn dump(&self) -> Vec<u8> {
        vec![]
    }

    fn load(structure: &Structure<M31>, security: Security, bytes: &[u8]) -> Result<Self, ZkError> {
        if bytes.is_empty() {
            return Self::keygen(structure, security, [0; 32]);
        }
        Err(ZkError::InvalidKeyEncoding("a toy's key has no bytes".into()))
    }

    fn prove(&self, values: &[M31], binding: &Binding, _seed: [u8; 32]) -> Result<Vec<u8>, ZkError> {
        check(&self.structure, values)?;
        let body = values.iter().flat_map(|v| v.to_le_bytes()[..M31::BYTES].to_vec());
        Ok(binding.vk_id.into_iter().chain(body).collect())
    }

    fn verify(&self, public: &[M31], binding: &Binding, proof: &[u8]) -> Result<(), Reject> {
        let body = proof.strip_prefix(&binding.vk_id).ok_or(Reject::InvalidProofShape)?;
        if body.len() != self.structure.wires as usize * M31::BYTES {
            return Err(Reject::BodyLengthMismatch);
        }
        let values: Option<Vec<M31>> = body.chunks_exact(M31::BYTES).map(M31::from_le_bytes).collect();
        let values = values.ok_or(Reject::NonCanonicalFieldElement)?;
        if !self.structure.public.iter().map(|w| values[w.0 as usize]).eq(public.iter().copied()) {
            return Err(Reject::PublicInputMismatch);
        }
        check(&self.structure, &values).map_err(|_| Reject::ConstraintMismatch)
    }

    fn security_bits(&self) -> (f64, f64) {
        (128.0, 128.0)
    }
}
