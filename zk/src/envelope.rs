//! The bytes of a proof on the wire, and the checks on them that come before any cryptography.
//!
//! Little-endian: proof_version u16, backend u8, circuit_id u8, circuit_version u16, params_hash[32], vk_id[32],
//! public_digest[32], proof_len u32, proof.

use blake2::{Blake2s256, Digest as _};

use crate::backend::Binding;
use crate::error::Reject;

/// Bytes before the proof.
pub const HEADER_BYTES: usize = 2 + 1 + 1 + 2 + 3 * 32 + 4;

/// `Blake2s-256("SIMNET-PI-V1" ‖ backend ‖ circuit_id ‖ circuit_version ‖ byte length ‖ bytes)`.
pub fn public_digest(binding: &Binding, public: &[u8]) -> [u8; 32] {
    let mut hash = Blake2s256::new();
    hash.update(b"SIMNET-PI-V1");
    hash.update([binding.backend, binding.circuit_id]);
    hash.update(binding.circuit_version.to_le_bytes());
    hash.update((public.len() as u32).to_le_bytes());
    hash.update(public);
    hash.finalize().into()
}

/// Wraps a proof.
pub fn seal(binding: &Binding, public_digest: &[u8; 32], proof: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_BYTES + proof.len());
    out.extend(binding.proof_version.to_le_bytes());
    out.extend([binding.backend, binding.circuit_id]);
    out.extend(binding.circuit_version.to_le_bytes());
    out.extend(binding.params_hash);
    out.extend(binding.vk_id);
    out.extend(public_digest);
    out.extend((proof.len() as u32).to_le_bytes());
    out.extend(proof);
    out
}

/// An envelope whose length is right; nothing else has been checked.
pub struct Envelope<'a> {
    header: &'a [u8; HEADER_BYTES],
    pub proof: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Check 1: the size limit, the header, the declared length.
    pub fn open(bytes: &'a [u8], max_bytes: usize) -> Result<Self, Reject> {
        if bytes.len() > max_bytes {
            return Err(Reject::ProofTooLarge);
        }
        let (header, proof) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(Reject::InvalidProofShape)?;
        let envelope = Envelope { header, proof };
        let declared = u32::from_le_bytes(envelope.array(HEADER_BYTES - 4));
        if declared as usize == proof.len() { Ok(envelope) } else { Err(Reject::BodyLengthMismatch) }
    }

    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        self.header[at..at + N].try_into().expect("inside the header")
    }

    pub fn public_digest(&self) -> [u8; 32] {
        self.array(70)
    }

    /// Checks 2 to 6: versions, backend, circuit, parameters, key.
    pub fn check_binding(&self, expected: &Binding) -> Result<(), Reject> {
        let require = |ok: bool, reject: Reject| if ok { Ok(()) } else { Err(reject) };
        let [backend, circuit_id] = self.array(2);
        require(u16::from_le_bytes(self.array(0)) == expected.proof_version, Reject::VersionMismatch)?;
        require(backend == expected.backend, Reject::UnknownBackend)?;
        require(circuit_id == expected.circuit_id, Reject::UnknownProofKind)?;
        require(u16::from_le_bytes(self.array(4)) == expected.circuit_version, Reject::CircuitVersionMismatch)?;
        require(self.array(6) == expected.params_hash, Reject::ParamsHashMismatch)?;
        require(self.array(38) == expected.vk_id, Reject::VerifyingKeyMismatch)
    }
}
