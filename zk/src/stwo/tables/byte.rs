//! The byte table: 0 to 255, each with the number of times it was asked for. The counts are the prover's;
//! a wrong one leaves the byte bus unbalanced.

use stwo::core::fields::m31::M31;
use stwo::prover::backend::simd::column::BaseColumn;

use super::{Air, Fill, Row};
use crate::stwo::lookup::{Key, Term};
use crate::stwo::value::Value;

const LOG_BYTES: u32 = 8;

/// How often each byte was looked up.
pub struct ByteCounts([u32; 256]);

impl Default for ByteCounts {
    fn default() -> Self {
        ByteCounts([0; 256])
    }
}

impl ByteCounts {
    pub fn add(&mut self, byte: u8) {
        self.0[usize::from(byte)] += 1;
    }
}

pub struct Bytes;

impl Fill for Bytes {
    fn log_size(&self) -> u32 {
        LOG_BYTES
    }

    fn fixed(&self) -> Vec<BaseColumn> {
        vec![(0..1 << LOG_BYTES).map(M31).collect()]
    }

    fn trace(&self, _: &[M31], bytes: &mut ByteCounts) -> Vec<BaseColumn> {
        vec![bytes.0.iter().map(|n| M31(*n)).collect()]
    }
}

impl Air for Bytes {
    const NAME: &'static str = "byte";
    const FIXED: usize = 1;
    const TRACE: usize = 1;
    const SHARED: usize = 1;
    const PREVIOUS: usize = 0;
    const CONSTRAINTS: usize = 0;
    const TERMS: usize = 1;

    fn constraints<V: Value>(_: Row<'_, V>, _: impl FnMut(V)) {}

    fn terms<V: Value>(row: Row<'_, V>, mut emit: impl FnMut(Term<V>)) {
        emit(Term { key: Key::Byte(row.fixed[0]), mult: V::from(M31(0)) - row.trace[0] });
    }
}
