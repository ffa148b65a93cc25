//! Main columns of every table, filled from the values of the wires.

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use p3_koala_bear::{Poseidon2KoalaBear, default_koalabear_poseidon2_16};
use p3_matrix::dense::RowMajorMatrix;
use p3_symmetric::Permutation;

use super::config::F;
use super::permutation::{self, Input};
use super::tables::{Kind, SWAP_LANES, SwapRow, Table};
use crate::stark::layout::{ArithRow, Layout, PermRow, Slot};

/// What a key keeps of the circuit to fill tables with.
#[derive(Debug)]
pub struct Filler {
    layout: Layout<F>,
    swaps: Vec<SwapRow>,
    poseidon2: Poseidon2KoalaBear<16>,
}

impl Filler {
    pub fn new(layout: Layout<F>, swaps: Vec<SwapRow>) -> Self {
        Filler { layout, swaps, poseidon2: default_koalabear_poseidon2_16() }
    }

    /// The statement's values, in order.
    pub fn public(&self, values: &[F]) -> Vec<F> {
        self.layout.public.iter().map(|s| value(values, s)).collect()
    }

    /// The main trace of one table.
    pub fn trace(&self, table: &Table, values: &[F]) -> RowMajorMatrix<F> {
        let height = 1 << table.log_height;
        match table.kind {
            Kind::Arith { lanes } => arith(&self.layout.arith, lanes, height, values),
            Kind::Swap => swap(&self.swaps, height, values),
            Kind::Perm => self.perm(&self.layout.perm, height, values),
            Kind::Range => range(&self.layout.range, height, values),
            Kind::Public { .. } => RowMajorMatrix::new(F::zero_vec(height), 1),
        }
    }

    fn perm(&self, perms: &[PermRow], height: usize, values: &[F]) -> RowMajorMatrix<F> {
        let mut rows: Vec<Input> = Vec::with_capacity(height);
        for row in perms {
            let mut x = row.input.each_ref().map(|s| value(values, s));
            let absorbed = *x.first_chunk().expect("sixteen inputs");
            // Key generation refuses a first row that continues another.
            if let (true, Some(before)) = (row.chain, rows.last()) {
                let state = self.poseidon2.permute(before.x);
                x[8..].copy_from_slice(&state[8..]);
                x[..8].iter_mut().zip(state).for_each(|(x, s)| *x += s);
            }
            rows.push(Input { absorbed, x, feed_forward: row.feed_forward });
        }
        rows.resize_with(height, || Input { absorbed: [F::ZERO; 8], x: [F::ZERO; 16], feed_forward: false });
        permutation::trace(&rows)
    }
}

/// The value of a slot; zero where the slot is unused.
fn value(values: &[F], slot: &Slot) -> F {
    if slot.id == 0 { F::ZERO } else { values[slot.wire.0 as usize] }
}

fn matrix(mut cells: Vec<F>, width: usize, height: usize) -> RowMajorMatrix<F> {
    cells.resize(width * height, F::ZERO);
    RowMajorMatrix::new(cells, width)
}

fn arith(gates: &[ArithRow<F>], lanes: usize, height: usize, values: &[F]) -> RowMajorMatrix<F> {
    let cells = gates.iter().flat_map(|g| g.slots.iter().map(|s| value(values, s))).collect();
    matrix(cells, 4 * lanes, height)
}

fn swap(rows: &[SwapRow], height: usize, values: &[F]) -> RowMajorMatrix<F> {
    let width = 1 + 3 * SWAP_LANES;
    let mut cells = Vec::with_capacity(width * height);
    for (i, row) in rows.iter().enumerate() {
        cells.push(value(values, &row.bit));
        cells.extend(row.lanes.iter().flat_map(|[x, y, l, _]| [x, y, l].map(|s| value(values, s))));
        cells.resize((i + 1) * width, F::ZERO);
    }
    matrix(cells, width, height)
}

/// Bytes of the ranges and, in the third column, how often each byte is looked up. A value that does not
/// fit 16 bits keeps its low ones: the bus then rejects the proof.
fn range(ranges: &[Slot], height: usize, values: &[F]) -> RowMajorMatrix<F> {
    let mut cells = F::zero_vec(3 * height);
    let mut counts = [0u32; 256];
    for (i, row) in cells.chunks_exact_mut(3).enumerate() {
        let v = ranges.get(i).map_or(0, |s| value(values, s).as_canonical_u32());
        let bytes = [v & 0xff, v >> 8 & 0xff];
        for (cell, byte) in row.iter_mut().zip(bytes) {
            *cell = F::from_u32(byte);
            counts[byte as usize] += 1;
        }
    }
    for (row, count) in cells.chunks_exact_mut(3).zip(counts) {
        row[2] = F::from_u32(count);
    }
    RowMajorMatrix::new(cells, 3)
}
