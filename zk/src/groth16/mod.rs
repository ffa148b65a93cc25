//! Groth16 over BN254 as a proof system: arkworks' setup and verifier, and a prover without matrices.
//!
//! The setup is seeded, hence reproducible, hence unfit for production: whoever knows the seed can forge.

pub mod iden3;
mod key;
mod lower;
mod prover;
mod setup;
mod sinks;
#[cfg(test)]
mod tests;

use ark_bn254::{Bn254, Fr, G1Projective};
use ark_ec::VariableBaseMSM;
use ark_ff::{UniformRand, Zero};
use ark_groth16::{
    Groth16 as Ark, PreparedVerifyingKey, Proof, VerifyingKey, prepare_verifying_key, r1cs_to_qap::LibsnarkReduction,
};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use blake2::{Blake2s256, Digest as _};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use crate::backend::{Binding, ProofSystem, Security};
use crate::circuits::builder::Structure;
use crate::circuits::check::check;
use crate::circuits::public;
use crate::error::{Reject, ZkError};
use key::{ProvingKey, Shape};
use sinks::Evaluation;

pub use sinks::R1cs;

/// Bytes of a proof: two compressed G1 points and one G2 point.
pub const PROOF_BYTES: usize = 128;

/// The keys of one circuit.
pub struct Groth16 {
    structure: Structure<Fr>,
    shape: Shape,
    key: ProvingKey,
    prepared: PreparedVerifyingKey<Bn254>,
}

impl Groth16 {
    fn new(structure: &Structure<Fr>, shape: Shape, key: ProvingKey) -> Self {
        let prepared = prepare_verifying_key(&key.vk);
        Groth16 { structure: structure.clone(), shape, key, prepared }
    }

    /// The keys from a `.zkey` that was made for this circuit.
    pub fn from_zkey(structure: &Structure<Fr>, bytes: &[u8]) -> Result<Self, ZkError> {
        let key = iden3::zkey::proving_key(structure, bytes)?;
        Ok(Self::new(structure, shape(structure), key))
    }
}

/// The sizes that the lowering gives this structure; they depend on no value.
fn shape(structure: &Structure<Fr>) -> Shape {
    let zeros = vec![Fr::zero(); structure.wires as usize];
    let e = Evaluation::new(structure, &zeros);
    Shape { constraints: e.a.len(), instance: e.instance.len(), witness: e.witness.len() }
}

/// The blinding scalars: the same proof again for the same key, statement and seed.
fn blinding(seed: [u8; 32], binding: &Binding, public: &[Fr]) -> (Fr, Fr) {
    let mut hash = Blake2s256::new();
    hash.update(b"SIMNET-GROTH16-RS-V1");
    hash.update(seed);
    hash.update(binding.vk_id);
    hash.update(public::to_bytes(public));
    let mut rng = ChaCha20Rng::from_seed(hash.finalize().into());
    (Fr::rand(&mut rng), Fr::rand(&mut rng))
}

/// Decodes a proof: exact length, points on the curve and in the subgroup, one encoding per proof.
fn decode(bytes: &[u8]) -> Result<Proof<Bn254>, Reject> {
    if bytes.len() != PROOF_BYTES {
        return Err(Reject::InvalidProofShape);
    }
    let proof = Proof::<Bn254>::deserialize_compressed(bytes).map_err(|_| Reject::InvalidProofShape)?;
    if encode(&proof) == bytes { Ok(proof) } else { Err(Reject::InvalidProofShape) }
}

pub(crate) fn encode<T: CanonicalSerialize>(value: &T) -> Vec<u8> {
    let mut out = vec![];
    value.serialize_compressed(&mut out).expect("writing to memory");
    out
}

impl ProofSystem for Groth16 {
    type F = Fr;

    const NUMBER: u8 = 3;

    fn parameter_bytes(_security: Security) -> Vec<u8> {
        b"groth16/bn254/libsnark-reduction/compressed".to_vec()
    }

    fn keygen(structure: &Structure<Fr>, _security: Security, seed: [u8; 32]) -> Result<Self, ZkError> {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let circuit = R1cs { structure, values: None };
        let key = Ark::<Bn254, LibsnarkReduction>::generate_random_parameters_with_reduction(circuit, &mut rng)
            .map_err(|e| ZkError::ProverFailed(format!("groth16 setup: {e}")))?;
        Ok(Self::new(structure, shape(structure), key.into()))
    }

    fn vk_bytes(&self) -> Vec<u8> {
        encode(&self.key.vk)
    }

    fn dump(&self) -> Vec<u8> {
        self.key.to_bytes()
    }

    fn load(structure: &Structure<Fr>, _security: Security, bytes: &[u8]) -> Result<Self, ZkError> {
        let shape = shape(structure);
        let key = ProvingKey::from_bytes(bytes, &shape)?;
        Ok(Self::new(structure, shape, key))
    }

    fn prove(&self, values: &[Fr], binding: &Binding, seed: [u8; 32]) -> Result<Vec<u8>, ZkError> {
        check(&self.structure, values)?;
        let evaluation = Evaluation::new(&self.structure, values);
        let (r, s) = blinding(seed, binding, &evaluation.instance[1..]);
        Ok(encode(&prover::prove(&self.key, evaluation, r, s)?))
    }

    fn verify(&self, public: &[Fr], _binding: &Binding, proof: &[u8]) -> Result<(), Reject> {
        let proof = decode(proof)?;
        let (constant, inputs) = self.key.vk.gamma_abc_g1.split_first().ok_or(Reject::PublicInputMismatch)?;
        let prepared = G1Projective::msm(inputs, public).map_err(|_| Reject::PublicInputMismatch)? + constant;
        match Ark::<Bn254>::verify_proof_with_prepared_inputs(&self.prepared, &proof, &prepared) {
            Ok(true) => Ok(()),
            _ => Err(Reject::PairingMismatch),
        }
    }

    /// BN254 is estimated at about 100 bits since the tower number field sieve (Kim–Barbulescu; IETF pairing-friendly
    /// curves draft); there is no gap between conjectured and proven parameters to state.
    fn security_bits(&self) -> (f64, f64) {
        (100.0, 100.0)
    }

    fn follows_from(&self, seed: [u8; 32]) -> Result<bool, ZkError> {
        Ok(setup::verifying_key(&self.structure, seed)? == self.key.vk)
    }

    fn groth16_vk(&self) -> Option<&VerifyingKey<Bn254>> {
        Some(&self.key.vk)
    }

    fn sizes(&self) -> Vec<(&'static str, u64)> {
        let Shape { constraints, instance, witness } = self.shape;
        vec![
            ("r1cs_constraints", constraints as u64),
            ("r1cs_instance", instance as u64),
            ("r1cs_witness", witness as u64),
        ]
    }
}
