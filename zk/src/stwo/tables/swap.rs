//! Conditional swaps: l = x + bit·(y − x) and r = x + y − l. `bit` is boolean by another row; r is no column,
//! the bus takes it as the sum it is.

use stwo::core::fields::m31::M31;
use stwo::prover::backend::simd::column::BaseColumn;

use super::{Air, ByteCounts, Cells, Fill, Row, in_order, log_height, slot_columns};
use crate::stark::layout::Slot;
use crate::stwo::lookup::{Key, Term};
use crate::stwo::value::Value;

pub struct Swaps {
    rows: Vec<[Slot; 5]>,
    cells: Cells,
}

impl Swaps {
    pub fn new(rows: &[[Slot; 5]]) -> Self {
        let wires = rows.iter().map(|r| r[..4].iter().map(|s| s.wire.0).collect());
        Swaps { rows: rows.to_vec(), cells: Cells::new(log_height(rows.len()), 4, wires, in_order) }
    }
}

impl Fill for Swaps {
    fn log_size(&self) -> u32 {
        self.cells.log_size
    }

    fn fixed(&self) -> Vec<BaseColumn> {
        (0..5).flat_map(|k| slot_columns(self.log_size(), self.rows.iter().map(|r| &r[k]), in_order)).collect()
    }

    fn trace(&self, values: &[M31], _: &mut ByteCounts) -> Vec<BaseColumn> {
        self.cells.gather(values)
    }
}

impl Air for Swaps {
    const NAME: &'static str = "swap";
    const FIXED: usize = 2 * 5;
    const TRACE: usize = 4;
    const SHARED: usize = 4;
    const PREVIOUS: usize = 0;
    const CONSTRAINTS: usize = 1;
    const TERMS: usize = 5;

    fn constraints<V: Value>(row: Row<'_, V>, mut emit: impl FnMut(V)) {
        let [bit, x, y, l] = row.trace[..] else { unreachable!("four trace columns") };
        emit(x + bit * (y - x) - l);
    }

    fn terms<V: Value>(row: Row<'_, V>, mut emit: impl FnMut(Term<V>)) {
        let [bit, x, y, l] = row.trace[..] else { unreachable!("four trace columns") };
        let cells = [bit, x, y, l, x + y - l];
        for (slot, value) in row.fixed.as_chunks::<2>().0.iter().zip(cells) {
            emit(Term { key: Key::Wire { id: slot[0], value }, mult: slot[1] });
        }
    }
}
