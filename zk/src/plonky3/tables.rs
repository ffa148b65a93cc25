//! The tables of a circuit and their preprocessed columns, which are the whole structure.
//!
//! A slot takes two preprocessed columns, (bus id, multiplicity). Tables, in this order and only if they have
//! rows: arithmetic, swaps, permutations, ranges, public inputs.

use std::sync::Arc;

use p3_field::PrimeCharacteristicRing;
use p3_lookup::{Count, InteractionBuilder};
use p3_matrix::dense::RowMajorMatrix;

use super::config::F;
use crate::stark::layout::{ArithRow, Layout, PermRow, Slot};

/// Most gates in one row of the arithmetic table.
pub const MAX_ARITH_LANES: usize = 8;
/// Element swaps in one row: those of a digest, which share their bit.
pub const SWAP_LANES: usize = 8;
/// Public inputs in one row.
pub const PUBLIC_LANES: usize = 8;

/// Preprocessed columns of one gate: five coefficients, then four slots.
pub const GATE_PRE: usize = 13;
/// Preprocessed columns of the permutation table after its 24 slots.
pub const PERM_CHAIN_NEXT: usize = 48;
pub const PERM_FEED_FORWARD: usize = 49;
/// The bus of (wire id, value).
pub const WIRE_BUS: &str = "wire";
/// The bus of bytes looked up and provided.
pub const BYTE_BUS: &str = "byte";

/// Which table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `qa·a + qb·b + qm·a·b + qd·d + qc = out`.
    Arith { lanes: usize },
    /// `l = x + bit·(y − x)`, `r = x + y − l`.
    Swap,
    /// See [`super::permutation`].
    Perm,
    /// `lo + 256·hi` with both bytes looked up in this table's own first column.
    Range,
    /// The statement: row `i` sends inputs `8i..8i+8`, picked by a one-hot row of `rows` columns.
    Public { rows: usize, inputs: usize },
}

/// One table: its constraints and its preprocessed columns.
#[derive(Clone, Debug)]
pub struct Table {
    pub kind: Kind,
    pub log_height: usize,
    pub preprocessed: Arc<RowMajorMatrix<F>>,
}

/// A digest-wide swap: one bit, up to eight lanes of (x, y, l, r).
#[derive(Clone, Debug)]
pub struct SwapRow {
    pub bit: Slot,
    pub lanes: Vec<[Slot; 4]>,
}

/// Sends `(id, value)` with the slot whose two columns start at `column`.
pub fn slot<AB: InteractionBuilder<F = F>>(builder: &mut AB, pre: &[AB::Var], column: usize, value: AB::Expr) {
    let (id, mult) = (pre[column], pre[column + 1]);
    // The weight only feeds the library's overflow check: multiplicities are preprocessed, and their
    // magnitudes sum to less than twice the number of slots.
    builder.push_interaction(WIRE_BUS, [id.into(), value], Count::bounded(mult.into(), 2));
}

/// Preprocessed rows under construction.
struct Rows {
    cells: Vec<F>,
    width: usize,
}

impl Rows {
    fn new(width: usize) -> Self {
        Rows { cells: vec![], width }
    }

    fn slot(&mut self, s: &Slot) {
        self.cells.push(F::from_u32(s.id));
        self.cells.push(F::from_i64(s.mult));
    }

    /// Fills the current row with zeros up to its end.
    fn end_row(&mut self) {
        let rows = self.cells.len().div_ceil(self.width);
        self.cells.resize(rows * self.width, F::ZERO);
    }

    fn finish(mut self, kind: Kind, log_height: usize) -> Table {
        self.cells.resize(self.width << log_height, F::ZERO);
        let preprocessed = Arc::new(RowMajorMatrix::new(self.cells, self.width));
        Table { kind, log_height, preprocessed }
    }
}

/// Log2 of the height of a table.
fn log_height(rows: usize) -> usize {
    crate::stark::layout::log_height(rows) as usize
}

/// Groups runs of swaps under one bit into rows; the bit's multiplicities add up. They stay above 0: the one negative
/// multiplicity of a bit's wire is at the gate that makes it boolean, which comes before any swap.
pub fn swap_rows(swaps: &[[Slot; 5]]) -> Vec<SwapRow> {
    let mut rows: Vec<SwapRow> = vec![];
    for [bit, x, y, l, r] in swaps {
        let lane = [*x, *y, *l, *r];
        match rows.last_mut() {
            Some(row) if row.bit.wire == bit.wire && row.lanes.len() < SWAP_LANES => {
                row.bit.mult += bit.mult;
                row.lanes.push(lane);
            }
            _ => rows.push(SwapRow { bit: *bit, lanes: vec![lane] }),
        }
    }
    rows
}

/// The tables of a laid-out circuit.
pub fn tables(layout: &Layout<F>, swaps: &[SwapRow]) -> Vec<Table> {
    let mut out = vec![];
    if !layout.arith.is_empty() {
        out.push(arith(&layout.arith));
    }
    if !swaps.is_empty() {
        out.push(swap(swaps));
    }
    if !layout.perm.is_empty() {
        out.push(perm(&layout.perm));
    }
    if !layout.range.is_empty() {
        out.push(range(&layout.range));
    }
    if !layout.public.is_empty() {
        out.push(public(&layout.public));
    }
    out
}

/// How many gates to put in a row: neighbours share bus columns and quotient chunks, and the table gets lower,
/// yet every column costs bytes in each query's opening.
fn arith_lanes(gates: usize) -> usize {
    let cost = |lanes: usize| {
        // A gate's 4 + 13 columns and its 4 slots at two base columns each; sum column and quotient chunks.
        let columns = 25 * lanes + 12;
        columns * ((1 << log_height(gates.div_ceil(lanes))) + 128)
    };
    (1..=MAX_ARITH_LANES).min_by_key(|lanes| cost(*lanes)).unwrap_or(1)
}

fn arith(gates: &[ArithRow<F>]) -> Table {
    let lanes = arith_lanes(gates.len());
    let mut rows = Rows::new(lanes * GATE_PRE);
    for gate in gates {
        rows.cells.extend(gate.q);
        gate.slots.iter().for_each(|s| rows.slot(s));
    }
    rows.finish(Kind::Arith { lanes }, log_height(gates.len().div_ceil(lanes)))
}

fn swap(swaps: &[SwapRow]) -> Table {
    let mut rows = Rows::new(2 + 8 * SWAP_LANES);
    for row in swaps {
        rows.slot(&row.bit);
        row.lanes.iter().flatten().for_each(|s| rows.slot(s));
        rows.end_row();
    }
    rows.finish(Kind::Swap, log_height(swaps.len()))
}

fn perm(perms: &[PermRow]) -> Table {
    let mut rows = Rows::new(PERM_FEED_FORWARD + 1);
    for (i, row) in perms.iter().enumerate() {
        row.input.iter().chain(&row.output).for_each(|s| rows.slot(s));
        let chain_next = perms.get(i + 1).is_some_and(|next| next.chain);
        rows.cells.push(F::from_bool(chain_next));
        rows.cells.push(F::from_bool(row.feed_forward));
    }
    rows.finish(Kind::Perm, log_height(perms.len()))
}

fn range(ranges: &[Slot]) -> Table {
    let height = ranges.len().max(256).next_power_of_two();
    let mut rows = Rows::new(3);
    for i in 0..height {
        // Past 256 the table repeats byte 0, which adds nothing to the set of bytes.
        rows.cells.push(F::from_u32(if i < 256 { i as u32 } else { 0 }));
        match ranges.get(i) {
            Some(s) => rows.slot(s),
            None => rows.end_row(),
        }
    }
    rows.finish(Kind::Range, height.trailing_zeros() as usize)
}

fn public(inputs: &[Slot]) -> Table {
    let used = inputs.len().div_ceil(PUBLIC_LANES);
    let mut rows = Rows::new(used + 2 * PUBLIC_LANES);
    for (i, lanes) in inputs.chunks(PUBLIC_LANES).enumerate() {
        rows.cells.extend((0..used).map(|j| F::from_bool(i == j)));
        lanes.iter().for_each(|s| rows.slot(s));
        rows.end_row();
    }
    rows.finish(Kind::Public { rows: used, inputs: inputs.len() }, log_height(used))
}
