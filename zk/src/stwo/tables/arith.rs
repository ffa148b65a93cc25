//! Arithmetic rows: qa·a + qb·b + qm·a·b + qd·d + qc − out = 0, all four wires on the bus.

use stwo::core::fields::m31::M31;
use stwo::prover::backend::simd::column::BaseColumn;

use super::{Air, ByteCounts, Cells, Fill, Row, in_order, log_height, padded, slot_columns};
use crate::stark::layout::ArithRow;
use crate::stwo::lookup::{Key, Term};
use crate::stwo::value::Value;

pub struct Arith {
    rows: Vec<ArithRow<M31>>,
    cells: Cells,
}

impl Arith {
    pub fn new(rows: &[ArithRow<M31>]) -> Self {
        let wires = rows.iter().map(|r| r.slots.iter().map(|s| s.wire.0).collect());
        Arith { rows: rows.to_vec(), cells: Cells::new(log_height(rows.len()), 4, wires, in_order) }
    }
}

impl Fill for Arith {
    fn log_size(&self) -> u32 {
        self.cells.log_size
    }

    fn fixed(&self) -> Vec<BaseColumn> {
        let log = self.log_size();
        let mut columns: Vec<BaseColumn> =
            (0..5).map(|k| padded(log, self.rows.iter().map(|r| r.q[k]), in_order)).collect();
        for k in 0..4 {
            columns.extend(slot_columns(log, self.rows.iter().map(|r| &r.slots[k]), in_order));
        }
        columns
    }

    fn trace(&self, values: &[M31], _: &mut ByteCounts) -> Vec<BaseColumn> {
        self.cells.gather(values)
    }
}

impl Air for Arith {
    const NAME: &'static str = "arith";
    const FIXED: usize = 5 + 2 * 4;
    const TRACE: usize = 4;
    const SHARED: usize = 4;
    const PREVIOUS: usize = 0;
    const CONSTRAINTS: usize = 1;
    const TERMS: usize = 4;

    fn constraints<V: Value>(row: Row<'_, V>, mut emit: impl FnMut(V)) {
        let [qa, qb, qm, qd, qc] = row.fixed[..5] else { unreachable!("thirteen preprocessed columns") };
        let [a, b, d, out] = row.trace[..] else { unreachable!("four trace columns") };
        emit((qa + qm * b) * a + qb * b + qd * d + qc - out);
    }

    fn terms<V: Value>(row: Row<'_, V>, mut emit: impl FnMut(Term<V>)) {
        for (slot, value) in row.fixed[5..].as_chunks::<2>().0.iter().zip(row.trace) {
            emit(Term { key: Key::Wire { id: slot[0], value: *value }, mult: slot[1] });
        }
    }
}
