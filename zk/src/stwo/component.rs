//! A table as the library sees it within one proof: opening points, and constraint quotients on the prover's
//! domain and at the verifier's point.
//!
//! Written against the library's `Component` traits rather than its constraint framework. The framework
//! re-derives the shape of every table for every proof, and its LogUp helper asserts in `drop`, so that a
//! panic during evaluation aborts the process; here nothing can.

use std::marker::PhantomData;

use rayon::prelude::*;
use stwo::core::ColumnVec;
use stwo::core::air::Component;
use stwo::core::air::accumulation::PointEvaluationAccumulator;
use stwo::core::circle::CirclePoint;
use stwo::core::constraints::coset_vanishing;
use stwo::core::fields::FieldExpOps;
use stwo::core::fields::m31::M31;
use stwo::core::fields::qm31::QM31;
use stwo::core::pcs::TreeVec;
use stwo::core::poly::circle::{CanonicCoset, CircleDomain};
use stwo::core::utils::{bit_reverse, offset_bit_reversed_circle_domain_index};
use stwo::prover::backend::Column;
use stwo::prover::backend::simd::SimdBackend;
use stwo::prover::backend::simd::column::BaseColumn;
use stwo::prover::backend::simd::m31::{LOG_N_LANES, N_LANES, PackedM31};
use stwo::prover::backend::simd::qm31::PackedQM31;
use stwo::prover::{ComponentProver, DomainEvaluationAccumulator, EvaluationMode, Poly, Trace};

use super::interaction::average;
use super::lookup::{Pairs, Relations};
use super::tables::{Air, Row};
use super::value::{Extension, Value};

/// Constraints have degree 3 at most, so quotients fit twice the trace domain. 2.3.0 fails with any other bound.
pub const LOG_EXPANSION: u32 = 1;
/// Packed rows that one task evaluates.
const TASK: usize = 4;

/// Where a table's columns begin in the preprocessed, trace and interaction trees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub fixed: usize,
    pub trace: usize,
    pub interaction: usize,
}

pub struct TableComponent<A> {
    log_size: u32,
    place: Place,
    relations: Relations<QM31>,
    /// The table's sum, spread over its rows.
    share: QM31,
    air: PhantomData<A>,
}

/// Receives the constraints of a row in order.
trait Sink<V, X> {
    fn base(&mut self, constraint: V);
    fn extension(&mut self, constraint: X);
}

/// The LogUp cells of a row.
struct Sums<'a, X> {
    columns: &'a [X],
    /// The last column one row back.
    previous: X,
}

impl<A: Air> TableComponent<A> {
    pub fn new(log_size: u32, place: Place, relations: &Relations<QM31>, sum: QM31) -> Self {
        let share = average(sum, log_size);
        TableComponent { log_size, place, relations: *relations, share, air: PhantomData }
    }

    /// All constraints of one row: the table's own, then one for every LogUp column.
    #[inline(always)]
    fn evaluate<V: Value, X: Extension<V>>(
        row: Row<'_, V>,
        sums: &Sums<'_, X>,
        relations: &Relations<X>,
        share: X,
        sink: &mut impl Sink<V, X>,
    ) {
        A::constraints(row, |c| sink.base(c));
        let mut k = 0;
        let mut before = None;
        let mut pairs = Pairs::new(relations, |n, d| {
            let current = sums.columns[k];
            k += 1;
            let mut difference = match before.replace(current) {
                Some(b) => current - b,
                None => current,
            };
            if k == A::BATCHES {
                difference = difference - sums.previous + share;
            }
            sink.extension(difference * d - n);
        });
        A::terms(row, |term| pairs.add(term));
        pairs.finish();
    }
}

impl<A: Air> Component for TableComponent<A> {
    fn n_constraints(&self) -> usize {
        A::CONSTRAINTS + A::BATCHES
    }

    fn max_constraint_log_degree_bound(&self) -> u32 {
        self.log_size + LOG_EXPANSION
    }

    fn trace_log_degree_bounds(&self) -> TreeVec<ColumnVec<u32>> {
        TreeVec::new([A::FIXED, A::TRACE, 4 * A::BATCHES].map(|n| vec![self.log_size; n]).into())
    }

    fn mask_points(&self, point: CirclePoint<QM31>, max_log: u32) -> TreeVec<ColumnVec<Vec<CirclePoint<QM31>>>> {
        let back = point - CanonicCoset::new(max_log).step().into_ef();
        let columns = |n: usize, both: usize| {
            let mut points = vec![vec![point]; n - both];
            points.resize(n, vec![point, back]);
            points
        };
        TreeVec::new(vec![columns(A::FIXED, 0), columns(A::TRACE, A::PREVIOUS), columns(4 * A::BATCHES, 4)])
    }

    fn preprocessed_column_indices(&self) -> ColumnVec<usize> {
        (self.place.fixed..self.place.fixed + A::FIXED).collect()
    }

    fn evaluate_constraint_quotients_at_point(
        &self,
        point: CirclePoint<QM31>,
        mask: &TreeVec<ColumnVec<Vec<QM31>>>,
        accumulator: &mut PointEvaluationAccumulator,
        max_log: u32,
    ) {
        // `shape` has made sure that every column has exactly its samples.
        let at = |tree: usize, start: usize, n: usize, sample: usize| -> Vec<QM31> {
            mask[tree][start..start + n].iter().map(|samples| samples[sample]).collect()
        };
        let batches = 4 * A::BATCHES;
        let fixed = at(0, self.place.fixed, A::FIXED, 0);
        let trace = at(1, self.place.trace, A::TRACE, 0);
        let previous = at(1, self.place.trace + A::TRACE - A::PREVIOUS, A::PREVIOUS, 1);
        let coordinates = at(2, self.place.interaction, batches, 0);
        let columns: Vec<QM31> = coordinates.as_chunks().0.iter().map(|c| QM31::from_coordinates(*c)).collect();
        let last = at(2, self.place.interaction + batches - 4, 4, 1);
        let sums =
            Sums { columns: &columns, previous: QM31::from_coordinates(last.try_into().expect("four coordinates")) };
        let vanishing = coset_vanishing(CanonicCoset::new(max_log).coset, point);
        let mut sink = PointSink { accumulator, denominator: vanishing.inverse() };
        let row = Row { fixed: &fixed, trace: &trace, previous: &previous };
        Self::evaluate(row, &sums, &self.relations, self.share, &mut sink);
    }
}

struct PointSink<'a> {
    accumulator: &'a mut PointEvaluationAccumulator,
    denominator: QM31,
}

impl Sink<QM31, QM31> for PointSink<'_> {
    fn base(&mut self, constraint: QM31) {
        self.accumulator.accumulate(self.denominator * constraint);
    }

    fn extension(&mut self, constraint: QM31) {
        self.accumulator.accumulate(self.denominator * constraint);
    }
}

impl<A: Air> ComponentProver<SimdBackend> for TableComponent<A> {
    fn evaluate_constraint_quotients_on_domain(
        &self,
        trace: &Trace<'_, SimdBackend>,
        accumulator: &mut DomainEvaluationAccumulator<SimdBackend>,
    ) {
        let EvaluationMode::SubDomain { log_expansion } = accumulator.evaluation_mode() else {
            unreachable!("every table has the same degree bound, below the blowup");
        };
        let log = self.log_size + LOG_EXPANSION;
        let domain = CanonicCoset::new(log + log_expansion).circle_domain().split(log_expansion).0;
        let columns = Columns::<A>::new(trace, self.place);
        let [mut accumulated] = accumulator.columns([(log, self.n_constraints())]);
        accumulated.random_coeff_powers.reverse();
        let job = Job {
            columns,
            powers: &accumulated.random_coeff_powers,
            denominators: self.denominators(domain),
            relations: self.relations.lift(),
            share: PackedQM31::broadcast(self.share),
            log_size: self.log_size,
        };
        accumulated.col.par_chunks_mut(TASK).enumerate().for_each_init(Buffers::default, |buffers, (task, mut out)| {
            for i in 0..out.0[0].0.len() {
                let quotient = job.quotient(task * TASK + i, buffers).into_packed_m31s();
                for (coordinate, q) in out.0.iter_mut().zip(quotient) {
                    coordinate.0[i] += q;
                }
            }
        });
    }
}

impl<A: Air> TableComponent<A> {
    /// Inverses of the trace domain's vanishing polynomial on the cosets of the evaluation domain.
    fn denominators(&self, domain: CircleDomain) -> Vec<PackedM31> {
        let coset = CanonicCoset::new(self.log_size).coset();
        let mut inverses: Vec<M31> =
            (0..1 << LOG_EXPANSION).map(|i| coset_vanishing(coset, domain.at(i)).inverse()).collect();
        bit_reverse(&mut inverses);
        inverses.into_iter().map(PackedM31::broadcast).collect()
    }
}

/// The committed columns of one table.
struct Columns<'a, A> {
    fixed: Vec<&'a BaseColumn>,
    trace: Vec<&'a BaseColumn>,
    interaction: Vec<&'a BaseColumn>,
    air: PhantomData<A>,
}

impl<'a, A: Air> Columns<'a, A> {
    fn new(trace: &'a Trace<'_, SimdBackend>, place: Place) -> Self {
        let columns = |tree: usize, start: usize, n: usize| {
            trace.polys[tree][start..start + n].iter().map(|p: &&Poly<SimdBackend>| &p.evals.values).collect()
        };
        Columns {
            fixed: columns(0, place.fixed, A::FIXED),
            trace: columns(1, place.trace, A::TRACE),
            interaction: columns(2, place.interaction, 4 * A::BATCHES),
            air: PhantomData,
        }
    }
}

/// Cells of sixteen rows, kept between rows.
#[derive(Default)]
struct Buffers {
    fixed: Vec<PackedM31>,
    trace: Vec<PackedM31>,
    previous: Vec<PackedM31>,
    sums: Vec<PackedQM31>,
}

/// One table's evaluation on the domain.
struct Job<'a, A> {
    columns: Columns<'a, A>,
    powers: &'a [QM31],
    denominators: Vec<PackedM31>,
    relations: Relations<PackedQM31>,
    share: PackedQM31,
    log_size: u32,
}

impl<A: Air> Job<'_, A> {
    /// The combined constraint quotients of packed row `v`.
    fn quotient(&self, v: usize, buffers: &mut Buffers) -> PackedQM31 {
        let refill = |buffer: &mut Vec<PackedM31>, columns: &[&BaseColumn]| {
            buffer.clear();
            buffer.extend(columns.iter().map(|c| c.data[v]));
        };
        let back = self.rows_before(v);
        let behind = |c: &BaseColumn| PackedM31::from_array(back.map(|i| c.at(i)));
        refill(&mut buffers.fixed, &self.columns.fixed);
        refill(&mut buffers.trace, &self.columns.trace);
        buffers.previous.clear();
        buffers.previous.extend(self.columns.trace[A::TRACE - A::PREVIOUS..].iter().map(|c| behind(c)));
        buffers.sums.clear();
        let coordinates = self.columns.interaction.as_chunks::<4>().0;
        buffers.sums.extend(coordinates.iter().map(|c| PackedQM31::from_coordinates(c.map(|c| c.data[v]))));
        let previous = PackedQM31::from_coordinates(coordinates[A::BATCHES - 1].map(behind));
        let mut sink = PackedSink { powers: self.powers.iter(), sum: PackedQM31::broadcast(QM31::default()) };
        let row = Row { fixed: &buffers.fixed, trace: &buffers.trace, previous: &buffers.previous };
        let sums = Sums { columns: &buffers.sums, previous };
        TableComponent::<A>::evaluate(row, &sums, &self.relations, self.share, &mut sink);
        sink.sum * self.denominators[v >> (self.log_size - LOG_N_LANES)]
    }

    /// The storage indices of the rows one trace step before those of packed row `v`.
    fn rows_before(&self, v: usize) -> [usize; N_LANES] {
        let log = self.log_size + LOG_EXPANSION;
        std::array::from_fn(|i| offset_bit_reversed_circle_domain_index(v * N_LANES + i, self.log_size, log, -1))
    }
}

struct PackedSink<'a> {
    powers: std::slice::Iter<'a, QM31>,
    sum: PackedQM31,
}

impl PackedSink<'_> {
    /// The next power of the random coefficient; there is one for every constraint.
    #[inline(always)]
    fn power(&mut self) -> PackedQM31 {
        PackedQM31::broadcast(*self.powers.next().expect("a power for every constraint"))
    }
}

impl Sink<PackedM31, PackedQM31> for PackedSink<'_> {
    #[inline(always)]
    fn base(&mut self, constraint: PackedM31) {
        let power = self.power();
        self.sum += power * constraint;
    }

    #[inline(always)]
    fn extension(&mut self, constraint: PackedQM31) {
        let power = self.power();
        self.sum += power * constraint;
    }
}
