//! The LogUp columns of a table, as the prover fills them.
//!
//! Column k of a row holds the sum of the row's fractions 0..=k. The last column holds the running sum over
//! the rows (in coset order) of the row totals, each less the average, so that it closes on itself.

use rayon::prelude::*;
use stwo::core::fields::FieldExpOps;
use stwo::core::fields::m31::M31;
use stwo::core::fields::qm31::QM31;
use stwo::prover::backend::simd::column::BaseColumn;
use stwo::prover::backend::simd::m31::{N_LANES, PackedM31};
use stwo::prover::backend::simd::prefix_sum::inclusive_prefix_sum;
use stwo::prover::backend::simd::qm31::PackedQM31;

use super::lookup::{Pairs, Relations};
use super::tables::{Air, Row};

/// The columns (four coordinates each) and the sum of all terms of the table.
pub struct Interaction {
    pub columns: Vec<BaseColumn>,
    pub sum: QM31,
}

/// Fills the LogUp columns of table `A`.
pub fn build<A: Air>(
    log_size: u32,
    fixed: &[BaseColumn],
    shared: &[BaseColumn],
    relations: &Relations<QM31>,
) -> Interaction {
    let relations = relations.lift();
    let vectors = (1 << log_size) / N_LANES;
    let rows: Vec<Vec<PackedQM31>> =
        (0..vectors).into_par_iter().map(|v| row_sums::<A>(v, fixed, shared, &relations)).collect();
    let mut columns = vec![];
    for k in 0..A::BATCHES {
        for coordinate in 0..4 {
            let cells = rows.iter().map(|sums| sums[k].into_packed_m31s()[coordinate]).collect();
            columns.push(BaseColumn::from_simd(cells));
        }
    }
    let sum = accumulate(&mut columns[4 * (A::BATCHES - 1)..], log_size);
    Interaction { columns, sum }
}

/// The partial sums of sixteen rows: entry k is the sum of fractions 0..=k.
fn row_sums<A: Air>(
    v: usize,
    fixed: &[BaseColumn],
    shared: &[BaseColumn],
    relations: &Relations<PackedQM31>,
) -> Vec<PackedQM31> {
    let cells = |columns: &[BaseColumn]| columns.iter().map(|c| c.data[v]).collect::<Vec<PackedM31>>();
    let (fixed, shared) = (cells(fixed), cells(shared));
    let mut numerators = Vec::with_capacity(A::BATCHES);
    let mut denominators = Vec::with_capacity(A::BATCHES);
    let mut pairs = Pairs::new(relations, |n, d| {
        numerators.push(n);
        denominators.push(d);
    });
    A::terms(Row { fixed: &fixed, trace: &shared, previous: &[] }, |term| pairs.add(term));
    pairs.finish();
    divide(&mut numerators, &denominators);
    for k in 1..numerators.len() {
        let before = numerators[k - 1];
        numerators[k] += before;
    }
    numerators
}

/// Divides each numerator by its denominator with one inversion.
fn divide(numerators: &mut [PackedQM31], denominators: &[PackedQM31]) {
    let mut prefix = Vec::with_capacity(denominators.len());
    let mut product = PackedQM31::from(PackedM31::from(M31(1)));
    for d in denominators {
        prefix.push(product);
        product *= *d;
    }
    let mut inverse = product.inverse();
    for k in (0..denominators.len()).rev() {
        numerators[k] *= inverse * prefix[k];
        inverse *= denominators[k];
    }
}

/// Turns the last column's row totals into running sums; returns their total.
fn accumulate(last: &mut [BaseColumn], log_size: u32) -> QM31 {
    let totals: [M31; 4] = std::array::from_fn(|c| last[c].data.iter().copied().sum::<PackedM31>().pointwise_sum());
    let sum = QM31::from_m31_array(totals);
    let average = average(sum, log_size).to_m31_array();
    for (column, share) in last.iter_mut().zip(average) {
        let share = PackedM31::broadcast(share);
        column.data.iter_mut().for_each(|x| *x -= share);
        *column = inclusive_prefix_sum(std::mem::replace(column, BaseColumn::from_simd(vec![])));
    }
    sum
}

/// A row's share of a table's sum.
pub fn average(sum: QM31, log_size: u32) -> QM31 {
    sum * M31(1 << log_size).inverse()
}
