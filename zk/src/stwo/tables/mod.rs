//! The tables and what they have in common.
//!
//! A table says what its preprocessed columns hold (structure), how its trace columns are filled from wire
//! values, which constraints bind a row and which terms a row puts on the bus. Everything else (opening
//! points, evaluation, LogUp columns) follows from that in `component` and `interaction`.

use stwo::core::fields::m31::M31;
use stwo::core::fields::qm31::QM31;
use stwo::prover::ComponentProver;
use stwo::prover::backend::simd::SimdBackend;
use stwo::prover::backend::simd::column::BaseColumn;

use super::component::{Place, TableComponent};
use super::interaction::{self, Interaction};
use super::lookup::{Relations, Term};
use super::value::Value;
use crate::stark::layout::{self, Layout, Slot};

mod arith;
mod byte;
pub(super) mod perm;
mod range;
mod swap;

pub use byte::ByteCounts;

/// One row's cells: preprocessed, trace, and the trace columns that are also read on the previous row.
#[derive(Clone, Copy)]
pub struct Row<'a, V> {
    pub fixed: &'a [V],
    pub trace: &'a [V],
    pub previous: &'a [V],
}

/// The prover's side of a table.
pub trait Fill: Send + Sync {
    /// Log2 of the number of rows, padding included.
    fn log_size(&self) -> u32;
    /// The preprocessed columns.
    fn fixed(&self) -> Vec<BaseColumn>;
    /// The trace columns for these wire values. `bytes` collects what the byte table has to hold.
    fn trace(&self, values: &[M31], bytes: &mut ByteCounts) -> Vec<BaseColumn>;
}

/// The constraints of a table; degree 3 at most.
pub trait Air: Fill + Sized + 'static {
    const NAME: &'static str;
    const FIXED: usize;
    const TRACE: usize;
    /// The first so many trace columns are all that the terms read.
    const SHARED: usize;
    /// The last so many trace columns are read on the previous row, too.
    const PREVIOUS: usize;
    const CONSTRAINTS: usize;
    const TERMS: usize;
    /// LogUp columns over the extension field: one for two terms.
    const BATCHES: usize = Self::TERMS.div_ceil(2);

    /// Hands every polynomial that must vanish on every row to `emit`.
    fn constraints<V: Value>(row: Row<'_, V>, emit: impl FnMut(V));
    /// Hands every bus term of a row to `emit`; reads preprocessed and shared columns only.
    fn terms<V: Value>(row: Row<'_, V>, emit: impl FnMut(Term<V>));
}

/// The numbers that fix a table's part of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableShape {
    pub name: &'static str,
    pub log_size: u32,
    pub fixed: usize,
    pub trace: usize,
    pub shared: usize,
    pub previous: usize,
    pub batches: usize,
    pub constraints: usize,
    pub terms: usize,
}

/// A table whose kind is not known statically.
pub trait Table: Fill {
    fn shape(&self) -> TableShape;
    /// The LogUp columns and the sum of all terms.
    fn interaction(&self, fixed: &[BaseColumn], shared: &[BaseColumn], relations: &Relations<QM31>) -> Interaction;
    /// The library's view of the table within one proof.
    fn component(&self, place: Place, relations: &Relations<QM31>, sum: QM31) -> Box<dyn ComponentProver<SimdBackend>>;
}

impl<A: Air> Table for A {
    fn shape(&self) -> TableShape {
        TableShape {
            name: A::NAME,
            log_size: self.log_size(),
            fixed: A::FIXED,
            trace: A::TRACE,
            shared: A::SHARED,
            previous: A::PREVIOUS,
            batches: A::BATCHES,
            constraints: A::CONSTRAINTS,
            terms: A::TERMS,
        }
    }

    fn interaction(&self, fixed: &[BaseColumn], shared: &[BaseColumn], relations: &Relations<QM31>) -> Interaction {
        interaction::build::<A>(self.log_size(), fixed, shared, relations)
    }

    fn component(&self, place: Place, relations: &Relations<QM31>, sum: QM31) -> Box<dyn ComponentProver<SimdBackend>> {
        Box::new(TableComponent::<A>::new(self.log_size(), place, relations, sum))
    }
}

/// The tables of a layout, in the order of their columns; a table without rows is left out.
/// Bytes come last: they count what the others asked for.
pub fn of_layout(layout: &Layout<M31>) -> Vec<Box<dyn Table>> {
    let mut tables: Vec<Box<dyn Table>> = vec![];
    if !layout.perm.is_empty() {
        tables.push(Box::new(perm::Perm::new(&layout.perm)));
    }
    if !layout.arith.is_empty() {
        tables.push(Box::new(arith::Arith::new(&layout.arith)));
    }
    if !layout.swap.is_empty() {
        tables.push(Box::new(swap::Swaps::new(&layout.swap)));
    }
    if !layout.range.is_empty() {
        tables.push(Box::new(range::Range16::new(&layout.range)));
        tables.push(Box::new(byte::Bytes));
    }
    tables
}

/// The log2 height of a table. Below 2^5 rows the library leaves its SIMD FFT, at several times the cost.
fn log_height(rows: usize) -> u32 {
    layout::log_height(rows).max(5)
}

/// Columns of wire references: which wire fills which cell, with padding rows that refer to wire 0 (zero).
struct Cells {
    log_size: u32,
    columns: Vec<Vec<u32>>,
}

impl Cells {
    /// `rows` yields, for every row, the wire of each column; row i is stored at `position(i)`.
    fn new(
        log_size: u32,
        width: usize,
        rows: impl Iterator<Item = Vec<u32>>,
        position: impl Fn(usize) -> usize,
    ) -> Self {
        let mut columns = vec![vec![0; 1 << log_size]; width];
        for (i, row) in rows.enumerate() {
            let at = position(i);
            for (column, wire) in columns.iter_mut().zip(row) {
                column[at] = wire;
            }
        }
        Cells { log_size, columns }
    }

    /// The cells' values.
    fn gather(&self, values: &[M31]) -> Vec<BaseColumn> {
        let column = |wires: &Vec<u32>| wires.iter().map(|w| values[*w as usize]).collect();
        self.columns.iter().map(column).collect()
    }
}

/// A column of `2^log` cells from the rows' values, zero below them.
fn padded(log: u32, rows: impl Iterator<Item = M31>, position: impl Fn(usize) -> usize) -> BaseColumn {
    let mut cells = vec![M31(0); 1 << log];
    for (i, v) in rows.enumerate() {
        cells[position(i)] = v;
    }
    BaseColumn::from_cpu(&cells)
}

/// The ids of one slot over all rows, then its multiplicities.
fn slot_columns<'a>(
    log: u32,
    slots: impl Iterator<Item = &'a Slot> + Clone,
    position: impl Fn(usize) -> usize + Copy,
) -> [BaseColumn; 2] {
    let ids = padded(log, slots.clone().map(|s| M31(s.id)), position);
    [ids, padded(log, slots.map(|s| super::lookup::signed(s.mult)), position)]
}

/// Rows stay where they were recorded.
fn in_order(i: usize) -> usize {
    i
}
