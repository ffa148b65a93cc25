//! Ed25519 signatures and the VRF: native, checked by every node before any proof.

use blake2::{Blake2b512, Digest};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use schnorrkel::context::{SigningTranscript, attach_rng, signing_context};
use schnorrkel::vrf::{VRFPreOut, VRFProof};
use schnorrkel::{ExpansionMode, MiniSecretKey, PublicKey};

const VRF_INPUT: &[u8] = b"SIMNET-VRF-INPUT-V1";
const VRF_PROOF: &[u8] = b"SIMNET-VRF-PROOF-V1";
/// Output and proof of a VRF evaluation.
pub const VRF_BYTES: usize = 32 + 64;

/// The Ed25519 public key of a seed.
pub fn public_key(seed: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(seed).verifying_key().to_bytes()
}

/// RFC 8032 signature; deterministic.
pub fn sign(seed: &[u8; 32], message: &[u8]) -> [u8; 64] {
    SigningKey::from_bytes(seed).sign(message).to_bytes()
}

/// Strict verification: canonical s, no small-order key or commitment, cofactorless equation.
pub fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(public), Ok(signature)) = (<[u8; 32]>::try_from(public), Signature::from_slice(signature)) else {
        return false;
    };
    VerifyingKey::from_bytes(&public).is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}

/// The VRF (sr25519) public key of a seed.
pub fn vrf_public_key(seed: &[u8; 32]) -> [u8; 32] {
    vrf_keypair(seed).public.to_bytes()
}

/// Evaluates the VRF: 32-byte output, then the 64-byte proof. The nonce comes from (seed, message), so the bytes repeat.
pub fn vrf_prove(seed: &[u8; 32], message: &[u8]) -> [u8; VRF_BYTES] {
    let mut h = Blake2b512::new();
    h.update(b"SIMNET-VRF-NONCE-V1");
    h.update(seed);
    h.update(message);
    let nonce: [u8; 32] = h.finalize()[..32].try_into().expect("32 bytes");
    let transcript = attach_rng(proof_transcript(message), ChaCha20Rng::from_seed(nonce));
    let (in_out, proof, _) = vrf_keypair(seed).vrf_sign_extra(signing_context(VRF_INPUT).bytes(message), transcript);
    let mut out = [0; VRF_BYTES];
    out[..32].copy_from_slice(&in_out.to_preout().to_bytes());
    out[32..].copy_from_slice(&proof.to_bytes());
    out
}

/// Checks a VRF output with its proof.
pub fn vrf_verify(public: &[u8], message: &[u8], output_and_proof: &[u8]) -> bool {
    if output_and_proof.len() != VRF_BYTES {
        return false;
    }
    let Ok(public) = PublicKey::from_bytes(public) else { return false };
    let (Ok(pre_out), Ok(proof)) =
        (VRFPreOut::from_bytes(&output_and_proof[..32]), VRFProof::from_bytes(&output_and_proof[32..]))
    else {
        return false;
    };
    public
        .vrf_verify_extra(signing_context(VRF_INPUT).bytes(message), &pre_out, &proof, proof_transcript(message))
        .is_ok()
}

fn proof_transcript(message: &[u8]) -> impl SigningTranscript + use<> {
    signing_context(VRF_PROOF).bytes(message)
}

fn vrf_keypair(seed: &[u8; 32]) -> schnorrkel::Keypair {
    MiniSecretKey::from_bytes(seed).expect("32 bytes").expand_to_keypair(ExpansionMode::Uniform)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_of_rfc_8032() {
        // RFC 8032, section 7.1, TEST 2.
        let hex = |s: &str| -> Vec<u8> {
            (0..s.len()).step_by(2).map(|i| u8::from_str_radix(&s[i..i + 2], 16).unwrap()).collect()
        };
        let seed: [u8; 32] =
            hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").try_into().unwrap();
        let public = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        let signature = hex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        );
        assert_eq!(public_key(&seed).to_vec(), public);
        assert_eq!(sign(&seed, &[0x72]).to_vec(), signature);
        assert!(verify(&public, &[0x72], &signature));
        assert!(!verify(&public, &[0x73], &signature));
    }

    #[test]
    fn a_small_order_key_signs_nothing() {
        // With the neutral element as key, R = neutral and s = 0 satisfies the plain equation for every message.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        assert!(!verify(&neutral, b"anything", &signature));
    }

    #[test]
    fn a_signature_with_s_plus_the_order_is_refused() {
        let seed = [7; 32];
        let mut signature = sign(&seed, b"m");
        let order: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        assert!(verify(&public_key(&seed), b"m", &signature));
        let mut carry = 0u16;
        for (s, l) in signature[32..].iter_mut().zip(order) {
            let sum = u16::from(*s) + u16::from(l) + carry;
            *s = sum as u8;
            carry = sum >> 8;
        }
        assert!(!verify(&public_key(&seed), b"m", &signature));
    }

    #[test]
    fn malformed_lengths_are_refused() {
        assert!(!verify(&[0; 31], b"", &[0; 64]));
        assert!(!verify(&[0; 32], b"", &[0; 63]));
        assert!(!vrf_verify(&[0; 32], b"", &[0; 95]));
        assert!(!vrf_verify(&[0; 3], b"", &[0; 96]));
    }

    #[test]
    fn the_vrf_repeats_and_binds_message_key_output_and_proof() {
        let (seed, other) = ([1; 32], [2; 32]);
        let evaluated = vrf_prove(&seed, b"epoch 1");
        assert_eq!(evaluated, vrf_prove(&seed, b"epoch 1"));
        assert!(vrf_verify(&vrf_public_key(&seed), b"epoch 1", &evaluated));
        assert!(!vrf_verify(&vrf_public_key(&seed), b"epoch 2", &evaluated));
        assert!(!vrf_verify(&vrf_public_key(&other), b"epoch 1", &evaluated));
        for at in 0..VRF_BYTES {
            let mut forged = evaluated;
            forged[at] ^= 1;
            assert!(!vrf_verify(&vrf_public_key(&seed), b"epoch 1", &forged), "byte {at}");
        }
        let foreign = vrf_prove(&other, b"epoch 1");
        let spliced = [&foreign[..32], &evaluated[32..]].concat();
        assert!(!vrf_verify(&vrf_public_key(&seed), b"epoch 1", &spliced));
    }
}
