//! Poseidon2 rows: one permutation a row, and sponges as runs of rows.
//!
//! A chained row takes the previous row's permutation output P' straight from the trace: x_i = in_i + P'_i on
//! the rate, x_i = P'_i on the capacity. P' is linear in the previous row's last S-boxes, so sixteen columns
//! are opened one row back and nothing of a sponge's inner state goes over the bus. For this the rows lie in
//! coset order ("the row before" is a step of the trace coset), which bit-reversed storage scatters.
//!
//! Columns: in[0..8], x[0..16], out[0..8], the squares, the fifth powers; the last sixteen are the ones
//! opened one row back. The capacity has no `in`: an unchained row's bus slot holds x_i itself.

use rayon::prelude::*;
use stwo::core::fields::m31::M31;
use stwo::core::utils::{bit_reverse_index, coset_index_to_circle_domain_index};
use stwo::prover::backend::simd::column::BaseColumn;
use stwo::prover::backend::simd::m31::{N_LANES, PackedM31};

use super::{Air, ByteCounts, Cells, Fill, Row, log_height, padded, slot_columns};
use crate::hash::poseidon2;
use crate::stark::layout::PermRow;
use crate::stwo::lookup::{Key, Term};
use crate::stwo::poseidon2::{RATE, SBOXES, WIDTH, external_linear, permute};
use crate::stwo::value::Value;

pub(in crate::stwo) const X: usize = RATE;
pub(in crate::stwo) const OUT: usize = X + WIDTH;
const SQUARE: usize = OUT + RATE;
const FIFTH: usize = SQUARE + SBOXES;
const SLOTS: usize = WIDTH + RATE;

pub struct Perm {
    rows: Vec<PermRow>,
    log_size: u32,
    inputs: Cells,
}

impl Perm {
    pub fn new(rows: &[PermRow]) -> Self {
        let log_size = log_height(rows.len());
        let wires = rows.iter().map(|r| r.input[..RATE].iter().map(|s| s.wire.0).collect());
        let inputs = Cells::new(log_size, RATE, wires, |i| storage(i, log_size));
        Perm { rows: rows.to_vec(), log_size, inputs }
    }

    /// The permutation inputs in storage order; only a row that another continues is permuted here.
    fn states(&self, values: &[M31]) -> Vec<[M31; WIDTH]> {
        let mut states = vec![[M31(0); WIDTH]; 1 << self.log_size];
        let mut previous = [M31(0); WIDTH];
        for (i, row) in self.rows.iter().enumerate() {
            let mut x = row.input.map(|s| values[s.wire.0 as usize]);
            if row.chain {
                for k in 0..WIDTH {
                    x[k] = if k < RATE { x[k] + previous[k] } else { previous[k] };
                }
            }
            if self.rows.get(i + 1).is_some_and(|next| next.chain) {
                previous = x;
                poseidon2::permute(&mut previous);
            }
            states[storage(i, self.log_size)] = x;
        }
        states
    }

    /// The trace columns, every row a permutation of its input.
    pub(in crate::stwo) fn cells(&self, values: &[M31]) -> Vec<BaseColumn> {
        let states = self.states(values);
        let mut feed_forward = vec![M31(0); 1 << self.log_size];
        for (i, row) in self.rows.iter().enumerate() {
            feed_forward[storage(i, self.log_size)] = M31(u32::from(row.feed_forward));
        }
        let rows: Vec<Vec<PackedM31>> = states
            .par_chunks(N_LANES)
            .zip(feed_forward.par_chunks(N_LANES))
            .map(|(x, flags)| fill_rows(x, PackedM31::from_array(flags.try_into().expect("sixteen lanes"))))
            .collect();
        let mut columns = self.inputs.gather(values);
        columns.extend((X..FIFTH + SBOXES).map(|k| BaseColumn::from_simd(rows.iter().map(|r| r[k]).collect())));
        columns
    }
}

/// Where the row at coset index `i` is stored.
pub(in crate::stwo) fn storage(i: usize, log_size: u32) -> usize {
    bit_reverse_index(coset_index_to_circle_domain_index(i, log_size), log_size)
}

/// The cells from x on for sixteen rows at once.
fn fill_rows(states: &[[M31; WIDTH]], feed_forward: PackedM31) -> Vec<PackedM31> {
    let x: [PackedM31; WIDTH] = std::array::from_fn(|k| PackedM31::from_array(std::array::from_fn(|i| states[i][k])));
    let mut cells = vec![PackedM31::from(M31(0)); FIFTH + SBOXES];
    let (mut state, mut n) = (x, 0);
    permute(&mut state, |v| {
        let square = v * v;
        let fifth = square * square * v;
        cells[SQUARE + n] = square;
        cells[FIFTH + n] = fifth;
        n += 1;
        fifth
    });
    cells[X..X + WIDTH].copy_from_slice(&x);
    for k in 0..RATE {
        cells[OUT + k] = state[k] + feed_forward * x[k];
    }
    cells
}

impl Fill for Perm {
    fn log_size(&self) -> u32 {
        self.log_size
    }

    fn fixed(&self) -> Vec<BaseColumn> {
        let position = |i| storage(i, self.log_size);
        let flag =
            |on: fn(&PermRow) -> bool| padded(self.log_size, self.rows.iter().map(|r| M31(u32::from(on(r)))), position);
        let mut columns = vec![flag(|r| r.chain), flag(|r| r.feed_forward)];
        for k in 0..SLOTS {
            let slots = self.rows.iter().map(|r| if k < WIDTH { &r.input[k] } else { &r.output[k - WIDTH] });
            columns.extend(slot_columns(self.log_size, slots, position));
        }
        columns
    }

    fn trace(&self, values: &[M31], _: &mut ByteCounts) -> Vec<BaseColumn> {
        self.cells(values)
    }
}

impl Air for Perm {
    const NAME: &'static str = "poseidon2";
    const FIXED: usize = 2 + 2 * SLOTS;
    const TRACE: usize = FIFTH + SBOXES;
    const SHARED: usize = SQUARE;
    const PREVIOUS: usize = WIDTH;
    const CONSTRAINTS: usize = WIDTH + 2 * SBOXES + RATE;
    const TERMS: usize = SLOTS;

    fn constraints<V: Value>(row: Row<'_, V>, mut emit: impl FnMut(V)) {
        let [chain, feed_forward] = row.fixed[..2] else { unreachable!("two flags") };
        let x: [V; WIDTH] = row.trace[X..OUT].try_into().expect("sixteen inputs");
        let mut before: [V; WIDTH] = row.previous.try_into().expect("sixteen columns one row back");
        external_linear(&mut before);
        for k in 0..RATE {
            emit(x[k] - row.trace[k] - chain * before[k]);
        }
        for k in RATE..WIDTH {
            emit(chain * (x[k] - before[k]));
        }
        let (mut state, mut n) = (x, 0);
        permute(&mut state, |v| {
            let (square, fifth) = (row.trace[SQUARE + n], row.trace[FIFTH + n]);
            emit(square - v * v);
            emit(fifth - square * square * v);
            n += 1;
            fifth
        });
        for k in 0..RATE {
            emit(row.trace[OUT + k] - state[k] - feed_forward * x[k]);
        }
    }

    fn terms<V: Value>(row: Row<'_, V>, mut emit: impl FnMut(Term<V>)) {
        let slots = row.fixed[2..].as_chunks::<2>().0;
        // in[0..8] lie before x[0..8]; the bus takes in[0..8], x[8..16] and out.
        let cells = row.trace[..RATE].iter().chain(&row.trace[X + RATE..SQUARE]);
        for (slot, value) in slots.iter().zip(cells) {
            emit(Term { key: Key::Wire { id: slot[0], value: *value }, mult: slot[1] });
        }
    }
}
