//! Proof bytes: postcard, with one byte string for every proof.

use serde::Serialize;
use serde::de::DeserializeOwned;

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
    let proof: Proof = canonical(bytes)?;
    if shape.admits(&proof) { Ok(proof) } else { Err(Reject::InvalidProofShape) }
}

/// Decodes bytes that are the one encoding of what they decode to.
pub fn canonical<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, Reject> {
    let (value, rest) = postcard::take_from_bytes::<T>(bytes).map_err(|_| Reject::InvalidProofShape)?;
    if !rest.is_empty() {
        return Err(Reject::BodyLengthMismatch);
    }
    // Length prefixes have more than one encoding; only the shortest is the proof's.
    match postcard::to_allocvec(&value) {
        Ok(shortest) if shortest == bytes => Ok(value),
        _ => Err(Reject::InvalidProofShape),
    }
}
