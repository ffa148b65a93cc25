//! 16-bit range checks: a wire is lo + 256·hi, and both parts are looked up among the bytes.
//! Padding rows look up two zeros like any other row, which saves a column that would switch them off.

use stwo::core::fields::m31::M31;
use stwo::prover::backend::simd::column::BaseColumn;

use super::{Air, ByteCounts, Cells, Fill, Row, in_order, log_height, slot_columns};
use crate::stark::layout::Slot;
use crate::stwo::lookup::{Key, Term};
use crate::stwo::value::Value;

pub struct Range16 {
    rows: Vec<Slot>,
    cells: Cells,
}

impl Range16 {
    pub fn new(rows: &[Slot]) -> Self {
        let wires = rows.iter().map(|s| vec![s.wire.0]);
        Range16 { rows: rows.to_vec(), cells: Cells::new(log_height(rows.len()), 1, wires, in_order) }
    }
}

impl Fill for Range16 {
    fn log_size(&self) -> u32 {
        self.cells.log_size
    }

    fn fixed(&self) -> Vec<BaseColumn> {
        slot_columns(self.log_size(), self.rows.iter(), in_order).into()
    }

    fn trace(&self, values: &[M31], bytes: &mut ByteCounts) -> Vec<BaseColumn> {
        let wires = &self.cells.columns[0];
        let (mut low, mut high) = (vec![M31(0); wires.len()], vec![M31(0); wires.len()]);
        for (i, w) in wires.iter().enumerate() {
            // A value that does not fit keeps its low bits: the bus then rejects the proof.
            let [lo, hi] = (values[*w as usize].0 as u16).to_le_bytes();
            bytes.add(lo);
            bytes.add(hi);
            low[i] = M31(lo.into());
            high[i] = M31(hi.into());
        }
        vec![BaseColumn::from_cpu(&low), BaseColumn::from_cpu(&high)]
    }
}

impl Air for Range16 {
    const NAME: &'static str = "range16";
    const FIXED: usize = 2;
    const TRACE: usize = 2;
    const SHARED: usize = 2;
    const PREVIOUS: usize = 0;
    const CONSTRAINTS: usize = 0;
    const TERMS: usize = 3;

    fn constraints<V: Value>(_: Row<'_, V>, _: impl FnMut(V)) {}

    fn terms<V: Value>(row: Row<'_, V>, mut emit: impl FnMut(Term<V>)) {
        let ([id, mult], [lo, hi]) = (row.fixed, row.trace) else { unreachable!("two columns each") };
        let value = *lo + *hi * M31(256);
        emit(Term { key: Key::Wire { id: *id, value }, mult: *mult });
        let one = V::from(M31(1));
        emit(Term { key: Key::Byte(*lo), mult: one });
        emit(Term { key: Key::Byte(*hi), mult: one });
    }
}
