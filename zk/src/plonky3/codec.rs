//! Proof bytes: postcard, with one byte string for every proof.

use super::Proof;
use super::shape::Shape;
use crate::error::{Reject, ZkError};

pub fn encode(proof: &Proof) -> Result<Vec<u8>, ZkError> {
    postcard::to_allocvec(proof).map_err(|e| ZkError::ProverFailed(e.to_string()))
}

/// Decodes bytes that have the circuit's shape. The size is limited first, and the decoder allocates at most a
/// small multiple of what it has read, so hostile lengths cost nothing.
pub fn decode(bytes: &[u8], shape: &Shape) -> Result<Proof, Reject> {
    if bytes.len() > shape.max_bytes() {
        return Err(Reject::ProofTooLarge);
    }
    let (proof, rest) = postcard::take_from_bytes::<Proof>(bytes).map_err(|_| Reject::InvalidProofShape)?;
    if !rest.is_empty() {
        return Err(Reject::BodyLengthMismatch);
    }
    if !shape.admits(&proof) {
        return Err(Reject::InvalidProofShape);
    }
    // Length prefixes have more than one encoding; only the shortest is the proof's.
    match postcard::to_allocvec(&proof) {
        Ok(canonical) if canonical == bytes => Ok(proof),
        _ => Err(Reject::InvalidProofShape),
    }
}
