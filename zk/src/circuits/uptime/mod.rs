//! The uptime circuit: *the owner of a registered identity produced at least `threshold` heartbeats, at distinct
//! increasing times inside the window, all recorded in the public heartbeat log.*
//!
//! The log is a binary Merkle tree of depth d_h padded with empty_leaf(33). A self-issued heartbeat proves nothing about
//! time: what dates it is that the log's root was agreed by the chain.
//!
//! * U1 is native: when a heartbeat enters the log, its Ed25519 signature is verified.
//! * U2 H[IDLEAF](addr, id_commitment, 0) is in the slot BITS32(addr) under identity_root. It is the genesis leaf; later
//!   reputation lives in the account tree.
//! * U3 window_start + duration = window_end with duration ≥ min_window and ≥ 1.
//! * U4 window_end ≤ node_clock. U5 epoch ≠ 0.
//! * U6 the heartbeats come first in their slots and number `count`; count − threshold and threshold are 16-bit
//!   numbers, threshold ≥ 1.
//! * U7 each leaf H[HBLEAF](addr, t, head, signature digest) is in the log.
//! * U8 window_start ≤ t_0, t_j < t_(j+1), t_last < window_end; with max_gap, t_(j+1) − t_j ≤ max_gap.
//! * U9 the head of the last heartbeat is head_hash.
//! * U10 commitment = H[UPTIME](addr, window_start, window_end, epoch, count, heartbeat_root).
//!
//! Slots without a heartbeat repeat the last time, so U8 is one chain over all slots in which only a heartbeat's step has
//! to be at least 1: `t_j + d_j + active_(j+1) = t_(j+1)`.

pub mod circuit;
pub mod heartbeat;
pub mod layout;
#[doc(hidden)]
pub mod sample;
pub mod statement;

use statement::{Statement, Witness};

use crate::circuits::builder::Builder;
use crate::circuits::family::Family;
use crate::circuits::layout::{Codec, Layout};
use crate::error::ZkError;
use crate::field::CircuitField;

/// Size parameters and what the circuit demands of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub heartbeats: usize,
    /// Depth of the log.
    pub log_depth: usize,
    /// Depth of the identity tree.
    pub depth: usize,
    /// Seconds.
    pub min_window: u32,
    /// Seconds between two heartbeats; 0: not enforced.
    pub max_gap: u32,
}

const HEARTBEATS_MAX: u32 = 256;
const LOG_DEPTH_MAX: u32 = 20;
const DEPTH_MAX: u32 = 32;

impl Family for Size {
    const ID: u8 = 6;
    const LAYOUT: Layout = layout::LAYOUT;

    fn new(params: &[u32]) -> Result<Self, ZkError> {
        let want = || {
            ZkError::Unsupported(format!(
                "uptime parameters {params:?}, want [heartbeats 1..={HEARTBEATS_MAX}, log depth 1..={LOG_DEPTH_MAX}, \
                 depth 1..={DEPTH_MAX}, min_window, max_gap]"
            ))
        };
        let &[heartbeats, log_depth, depth, min_window, max_gap] = params else { return Err(want()) };
        let within = |v: u32, max: u32| (1..=max).contains(&v);
        if !within(heartbeats, HEARTBEATS_MAX) || !within(log_depth, LOG_DEPTH_MAX) || !within(depth, DEPTH_MAX) {
            return Err(want());
        }
        let [heartbeats, log_depth, depth] = [heartbeats, log_depth, depth].map(|v| v as usize);
        Ok(Size { heartbeats, log_depth, depth, min_window, max_gap })
    }

    fn params(&self) -> Vec<u32> {
        let sizes = [self.heartbeats, self.log_depth, self.depth].map(|n| n as u32);
        [sizes.as_slice(), &[self.min_window, self.max_gap]].concat()
    }

    fn constants(&self) -> Vec<u64> {
        vec![]
    }

    fn vector<F: CircuitField>(&self, statement: &[u8]) -> Result<Vec<F>, ZkError> {
        Ok(Statement::parse(statement, self)?.public().vector())
    }

    fn record<F: CircuitField>(&self, witness: &[u8], b: &mut Builder<F>) -> Result<(), ZkError> {
        let witness = Witness::parse(witness, self)?;
        circuit::record(b, self, &witness, &witness.statement.public());
        Ok(())
    }

    fn sample<F: CircuitField>(&self) -> (Vec<u8>, Vec<u8>) {
        let witness = sample::claim::<F>(self);
        (witness.statement.to_bytes(), witness.to_bytes())
    }
}
