//! What an uptime proof is about: the public inputs that follow from a statement.

use crate::circuits::layout::Codec;
use crate::circuits::uptime::Size;
pub use crate::circuits::uptime::layout::{Heartbeat, Public, Statement, Witness};
use crate::error::ZkError;
use crate::field::CircuitField;
use crate::natives::{Elements, address};
use crate::tags::Tag;

impl<F: CircuitField> Statement<F> {
    /// The public inputs.
    pub fn public(&self) -> Public<F> {
        let addr = address(&self.public_key);
        let commitment = Elements::new()
            .digest(&addr)
            .u64(self.window_start)
            .u64(self.window_end)
            .u64(self.epoch)
            .small(self.count)
            .digest(&self.heartbeat_root)
            .hash(Tag::Uptime);
        Public {
            addr,
            node_clock: self.node_clock,
            epoch: self.epoch,
            head_hash: self.head_hash,
            window_start: self.window_start,
            window_end: self.window_end,
            commitment,
            identity_root: self.identity_root,
            heartbeat_root: self.heartbeat_root,
            threshold: self.threshold,
            count: self.count,
        }
    }
}

impl<F: CircuitField> Witness<F> {
    /// Parses the statement and what follows it.
    pub fn parse(bytes: &[u8], size: &Size) -> Result<Self, ZkError> {
        let witness = <Self as Codec<Size>>::parse(bytes, size)?;
        let outside = |h: &&Heartbeat<F>| h.index >> size.log_depth != 0;
        if let Some(h) = witness.heartbeats.iter().find(outside) {
            let what = format!("heartbeat index {}: the log has depth {}", h.index, size.log_depth);
            return Err(ZkError::InvalidWitness(what));
        }
        Ok(witness)
    }
}
