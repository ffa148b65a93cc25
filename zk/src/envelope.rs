//! The bytes of a proof on the wire: a fixed header that names what is proved under which key, then the proof.

use blake2::{Blake2s256, Digest};

use crate::backend::Binding;
use crate::error::Reject;

/// Header bytes before the proof: version u16, backend u8, circuit u8, circuit version u16, three hashes, length u32.
pub const HEADER_BYTES: usize = 2 + 1 + 1 + 2 + 3 * 32 + 4;

/// A decoded envelope; borrows the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    pub binding: Binding,
    pub public_digest: [u8; 32],
    pub proof: &'a [u8],
}

/// The envelope of a proof.
pub fn encode(binding: &Binding, public_digest: &[u8; 32], proof: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_BYTES + proof.len());
    out.extend_from_slice(&binding.proof_version.to_le_bytes());
    out.push(binding.backend);
    out.push(binding.circuit_id);
    out.extend_from_slice(&binding.circuit_version.to_le_bytes());
    out.extend_from_slice(&binding.params_hash);
    out.extend_from_slice(&binding.vk_id);
    out.extend_from_slice(public_digest);
    out.extend_from_slice(&u32::try_from(proof.len()).expect("proofs are far below 4 GiB").to_le_bytes());
    out.extend_from_slice(proof);
    out
}

/// Splits an envelope. Refuses anything shorter than a header or of another length than the header says.
pub fn decode(bytes: &[u8]) -> Result<Envelope<'_>, Reject> {
    let (header, proof) = bytes.split_at_checked(HEADER_BYTES).ok_or(Reject::InvalidProofShape)?;
    let hash = |at: usize| -> [u8; 32] { header[at..at + 32].try_into().expect("32 bytes") };
    let binding = Binding {
        proof_version: u16::from_le_bytes([header[0], header[1]]),
        backend: header[2],
        circuit_id: header[3],
        circuit_version: u16::from_le_bytes([header[4], header[5]]),
        params_hash: hash(6),
        vk_id: hash(38),
    };
    let length = u32::from_le_bytes(header[102..106].try_into().expect("four bytes"));
    let envelope = Envelope { binding, public_digest: hash(70), proof };
    if length as usize == proof.len() { Ok(envelope) } else { Err(Reject::BodyLengthMismatch) }
}

/// Checks 2 to 6 of the specification's order: versions, backend, circuit, parameters, key.
pub fn check_binding(found: &Binding, expected: &Binding) -> Result<(), Reject> {
    let checks = [
        (found.proof_version == expected.proof_version, Reject::VersionMismatch),
        (found.backend == expected.backend, Reject::UnknownBackend),
        (found.circuit_id == expected.circuit_id, Reject::UnknownProofKind),
        (found.circuit_version == expected.circuit_version, Reject::CircuitVersionMismatch),
        (found.params_hash == expected.params_hash, Reject::ParamsHashMismatch),
        (found.vk_id == expected.vk_id, Reject::VerifyingKeyMismatch),
    ];
    checks.iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, reject)| Err(*reject))
}

/// `Blake2s-256("SIMNET-PI-V1" ‖ backend ‖ circuit ‖ circuit version ‖ byte length ‖ bytes)`.
pub fn public_digest(backend: u8, circuit_id: u8, circuit_version: u16, public: &[u8]) -> [u8; 32] {
    let length = u32::try_from(public.len()).expect("public inputs are a few kilobytes");
    let mut h = Blake2s256::new();
    h.update(b"SIMNET-PI-V1");
    h.update([backend, circuit_id]);
    h.update(circuit_version.to_le_bytes());
    h.update(length.to_le_bytes());
    h.update(public);
    h.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding() -> Binding {
        Binding { proof_version: 1, backend: 2, circuit_id: 7, circuit_version: 1, params_hash: [3; 32], vk_id: [4; 32] }
    }

    #[test]
    fn an_envelope_survives_the_wire() {
        let bytes = encode(&binding(), &[5; 32], b"proof");
        let envelope = decode(&bytes).unwrap();
        assert_eq!(envelope, Envelope { binding: binding(), public_digest: [5; 32], proof: b"proof" });
    }

    #[test]
    fn every_other_length_is_refused() {
        let bytes = encode(&binding(), &[5; 32], b"proof");
        for cut in 0..bytes.len() {
            let expected = if cut < HEADER_BYTES { Reject::InvalidProofShape } else { Reject::BodyLengthMismatch };
            assert_eq!(decode(&bytes[..cut]), Err(expected));
        }
        let longer = [bytes, vec![0]].concat();
        assert_eq!(decode(&longer), Err(Reject::BodyLengthMismatch));
    }

    #[test]
    fn an_earlier_check_hides_later_ones() {
        let expected = binding();
        let mut found = Binding { vk_id: [0; 32], ..expected };
        assert_eq!(check_binding(&found, &expected), Err(Reject::VerifyingKeyMismatch));
        found.params_hash = [0; 32];
        assert_eq!(check_binding(&found, &expected), Err(Reject::ParamsHashMismatch));
        found.circuit_version = 2;
        assert_eq!(check_binding(&found, &expected), Err(Reject::CircuitVersionMismatch));
        found.circuit_id = 1;
        assert_eq!(check_binding(&found, &expected), Err(Reject::UnknownProofKind));
        found.backend = 1;
        assert_eq!(check_binding(&found, &expected), Err(Reject::UnknownBackend));
        found.proof_version = 0;
        assert_eq!(check_binding(&found, &expected), Err(Reject::VersionMismatch));
        assert_eq!(check_binding(&expected, &expected), Ok(()));
    }
}
