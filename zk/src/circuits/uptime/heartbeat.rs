//! Heartbeats: what the log records of each.

use blake2::{Blake2s256, Digest as _};

use crate::field::{CircuitField, Native};
use crate::natives::{Elements, lift};
use crate::tags::Tag;

/// H[HEARTBEAT](Lift(Blake2s-256(signature))).
pub fn signature_digest<F: CircuitField>(signature: &[u8; 64]) -> Native<F> {
    let hashed = Blake2s256::digest(signature).into();
    Elements::new().digest(&lift::<F>(&hashed)).hash(Tag::Heartbeat)
}

/// H[HBLEAF](addr, t, head, signature digest).
pub fn leaf<F: CircuitField>(addr: &Native<F>, t: u64, head: &Native<F>, signature: &Native<F>) -> Native<F> {
    Elements::new().digest(addr).u64(t).digest(head).digest(signature).hash(Tag::HbLeaf)
}
