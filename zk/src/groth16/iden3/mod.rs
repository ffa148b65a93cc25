//! Groth16 in the formats of iden3's tools (circom, snarkjs), in both directions.
//!
//! | file | here |
//! |---|---|
//! | `verification_key.json`, `public.json`, `proof.json` | [`documents`]: written and read |
//! | `.zkey` | [`zkey`]: read, for verifying and for proving |
//! | `.r1cs`, `.wtns` | [`circuit`]: written, so that others can hold a setup for our circuits and prove them |
//!
//! The layouts are those of snarkjs 0.7 (`zkey_utils.js`, `wtns_utils.js`), r1csfile 0.0.48 and iden3's r1cs binary format.

pub mod circuit;
mod container;
pub mod documents;
mod montgomery;
mod numbers;
pub mod zkey;

use ark_bn254::{Bn254, Fr, G1Projective};
use ark_ec::VariableBaseMSM;
use ark_groth16::{Groth16 as Ark, Proof, VerifyingKey, prepare_verifying_key};

use crate::circuits::public;
use crate::envelope::Envelope;
use crate::error::{Reject, ZkError};
use crate::groth16::decode;
use crate::key::Key;

/// Texts of `verification_key.json`, `public.json` and `proof.json`.
pub type Documents = [String; 3];

/// A proof of ours, with its key and statement, as snarkjs reads them. The proof is verified first.
pub fn export(key: &dyn Key, public_inputs: &[u8], envelope: &[u8]) -> Result<Documents, ZkError> {
    let refused = |e: Reject| ZkError::InvalidDocument(format!("a proof that is refused cannot be exported: {e}"));
    let vk = key.groth16_vk().ok_or_else(|| ZkError::Unsupported("only Groth16 proofs have this format".into()))?;
    key.verify(public_inputs, envelope, envelope.len()).map_err(refused)?;
    let proof = Envelope::open(envelope, envelope.len()).and_then(|e| decode(e.proof)).map_err(refused)?;
    let inputs: Vec<Fr> = public::from_bytes(&key.circuit().kinds(), public_inputs).map_err(refused)?;
    Ok([documents::write_vk(vk)?, documents::write_public(&inputs)?, documents::write_proof(&proof)?])
}

/// Whether the proof holds. A document that is malformed, or public inputs not as many as the key's, are errors.
pub fn verify(vk: &str, public: &str, proof: &str) -> Result<bool, ZkError> {
    let vk = documents::read_vk(vk)?;
    let inputs = documents::read_public(public)?;
    let proof = documents::read_proof(proof)?;
    let (have, want) = (inputs.len(), vk.gamma_abc_g1.len() - 1);
    if have != want {
        return Err(ZkError::InvalidDocument(format!("public.json has {have} inputs, the verification key {want}")));
    }
    Ok(holds(&vk, &inputs, &proof))
}

fn holds(vk: &VerifyingKey<Bn254>, inputs: &[Fr], proof: &Proof<Bn254>) -> bool {
    let (constant, bases) = vk.gamma_abc_g1.split_first().expect("a key that was read has the constant's point");
    let Ok(sum) = G1Projective::msm(bases, inputs) else { return false };
    Ark::<Bn254>::verify_proof_with_prepared_inputs(&prepare_verifying_key(vk), proof, &(sum + constant))
        .unwrap_or(false)
}
