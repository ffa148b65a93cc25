//! An honest window for tests and benches.

use crate::circuits::pruning::Size;
use crate::circuits::pruning::statement::{Block, Window};
use crate::field::CircuitField;
use crate::natives::lift;

/// Blocks filled to different degrees, the first one wholly; every other transaction removed.
pub fn window<F: CircuitField>(size: &Size) -> Window<F> {
    let n = size.transactions;
    let block = |i: usize| {
        let count = n - i * n / (2 * size.headers);
        Block {
            height: 1000 + i as u64,
            state_root: lift(&[i as u8 + 1; 32]),
            timestamp: 1_700_000_000 + i as u64 / 2,
            transactions: (0..n).map(|j| digest(i, j)).collect(),
            occupied: (0..n).map(|j| j < count).collect(),
            removed: (0..n).map(|j| j < count && j % 2 == 0).collect(),
        }
    };
    Window {
        first_parent: lift(&[0xFF; 32]),
        schema_version: 1,
        parameter_version: 2,
        blocks: (0..size.headers).map(block).collect(),
    }
}

/// Some transaction's digest.
fn digest<F: CircuitField>(block: usize, place: usize) -> [F; crate::field::DIGEST_MAX] {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&((block << 16 | place) as u32).to_le_bytes());
    lift(&bytes)
}
