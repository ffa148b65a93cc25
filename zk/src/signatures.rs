//! Ed25519 signatures and the schnorrkel VRF, which nodes verify natively before any proof.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use merlin::Transcript;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use schnorrkel::context::{attach_rng, signing_context};
use schnorrkel::vrf::{VRFPreOut, VRFProof};
use schnorrkel::{ExpansionMode, Keypair, MiniSecretKey, PublicKey};

/// Bytes of a VRF pre-output.
const VRF_OUTPUT_BYTES: usize = 32;
/// Bytes of a VRF pre-output and its proof.
pub const VRF_BYTES: usize = 96;

pub fn ed25519_public_key(seed: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(seed).verifying_key().to_bytes()
}

pub fn ed25519_sign(seed: &[u8; 32], message: &[u8]) -> [u8; 64] {
    SigningKey::from_bytes(seed).sign(message).to_bytes()
}

/// Whether the y coordinate is below 2^255 − 19; the library would reduce it.
fn is_canonical_point(key: &[u8; 32]) -> bool {
    key[31] & 0x7F != 0x7F || key[0] < 0xED || key[1..31].iter().any(|b| *b != 0xFF)
}

/// Strict: canonical s and key, no small-order points, no cofactor.
pub fn ed25519_verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (<&[u8; 32]>::try_from(public_key), Signature::from_slice(signature)) else {
        return false;
    };
    is_canonical_point(key) && VerifyingKey::from_bytes(key).is_ok_and(|k| k.verify_strict(message, &signature).is_ok())
}

fn vrf_keypair(seed: &[u8; 32]) -> Keypair {
    let secret = MiniSecretKey::from_bytes(seed).expect("any 32 bytes are a mini secret key");
    secret.expand_to_keypair(ExpansionMode::Uniform)
}

fn vrf_input(message: &[u8]) -> Transcript {
    signing_context(b"simnet-vrf-v1").bytes(message)
}

fn vrf_extra() -> Transcript {
    Transcript::new(b"VRF")
}

pub fn vrf_public_key(seed: &[u8; 32]) -> [u8; 32] {
    vrf_keypair(seed).public.to_bytes()
}

/// Pre-output, then proof. Deterministic: the fixed generator adds nothing, but schnorrkel's nonce also depends on the
/// secret key's own nonce and on the transcript, which has absorbed the hashed message by then.
pub fn vrf_prove(seed: &[u8; 32], message: &[u8]) -> [u8; VRF_BYTES] {
    let keypair = vrf_keypair(seed);
    let input = vrf_input(message);
    let preout = keypair.vrf_create_hash(input.clone()).to_preout();
    let extra = attach_rng(vrf_extra(), ChaCha20Rng::from_seed([0; 32]));
    let (_, proof, _) = keypair.vrf_sign_extra(input, extra);
    let mut out = [0; VRF_BYTES];
    out[..VRF_OUTPUT_BYTES].copy_from_slice(&preout.to_bytes());
    out[VRF_OUTPUT_BYTES..].copy_from_slice(&proof.to_bytes());
    out
}

pub fn vrf_verify(public_key: &[u8], message: &[u8], output_and_proof: &[u8]) -> bool {
    if output_and_proof.len() != VRF_BYTES {
        return false;
    }
    let (output, proof) = output_and_proof.split_at(VRF_OUTPUT_BYTES);
    let parsed = (PublicKey::from_bytes(public_key), VRFPreOut::from_bytes(output), VRFProof::from_bytes(proof));
    let (Ok(key), Ok(output), Ok(proof)) = parsed else {
        return false;
    };
    key.vrf_verify_extra(vrf_input(message), &output, &proof, vrf_extra()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ed25519_rejects_what_rfc_8032_rejects() {
        let (seed, message) = ([7; 32], b"transfer".as_slice());
        let key = ed25519_public_key(&seed);
        let signature = ed25519_sign(&seed, message);
        assert!(ed25519_verify(&key, message, &signature));
        assert!(!ed25519_verify(&key, b"other", &signature));
        assert!(!ed25519_verify(&key, message, &signature[..63]));
        assert!(!ed25519_verify(&key[..31], message, &signature));
        // s + L is the same scalar in another encoding.
        let order: [u8; 32] = [
            0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let mut malleable = signature;
        let mut carry = 0;
        for (s, l) in malleable[32..].iter_mut().zip(order) {
            let sum = u16::from(*s) + u16::from(l) + carry;
            *s = sum as u8;
            carry = sum >> 8;
        }
        assert!(!ed25519_verify(&key, message, &malleable));
        // The identity as key: any signature with R = s·B would verify without the small-order rule.
        let mut identity = [0; 32];
        identity[0] = 1;
        assert!(!ed25519_verify(&identity, message, &[0; 64]));
        let mut not_reduced = [0xFF; 32];
        not_reduced[0] = 0xEE;
        not_reduced[31] = 0x7F;
        assert!(!is_canonical_point(&not_reduced));
    }

    #[test]
    fn vrf_is_deterministic_and_binds_the_message() {
        let key = vrf_public_key(&[3; 32]);
        let proof = vrf_prove(&[3; 32], b"slot 5");
        assert_eq!(proof, vrf_prove(&[3; 32], b"slot 5"));
        assert!(vrf_verify(&key, b"slot 5", &proof));
        assert!(!vrf_verify(&key, b"slot 6", &proof));
        assert!(!vrf_verify(&vrf_public_key(&[4; 32]), b"slot 5", &proof));
        for i in [0, 31, 32, 95] {
            let mut bad = proof;
            bad[i] ^= 1;
            assert!(!vrf_verify(&key, b"slot 5", &bad), "byte {i}");
        }
        let other = vrf_prove(&[3; 32], b"slot 6");
        assert_ne!(proof[..32], other[..32]);
        assert_ne!(proof[32..], other[32..]);
    }
}
