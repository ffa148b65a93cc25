//! The exact shape that a proof of one circuit has; anything else is refused before the library sees it.

use p3_air::{AirLayout, BaseAir};
use p3_batch_stark::BatchProof;
use p3_batch_stark::symbolic::{get_log_num_quotient_chunks, get_symbolic_constraints};
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use p3_lookup::{LogUpGadget, Lookups};

use super::config::{Config, EF, F, Parameters};
use super::tables::Table;

const D: usize = <EF as BasedVectorSpace<F>>::DIMENSION;

/// Widths of one table's committed matrices.
#[derive(Clone, Copy, Debug)]
pub struct TableShape {
    pub log_height: usize,
    pub main: usize,
    pub main_next: bool,
    pub preprocessed: usize,
    /// Base-field columns of the bus argument.
    pub bus: usize,
    pub quotient_chunks: usize,
    pub constraints: usize,
    pub interactions: usize,
}

/// The shape of every proof of one circuit.
#[derive(Clone, Debug)]
pub struct Shape {
    pub parameters: Parameters,
    pub tables: Vec<TableShape>,
    /// Log2 arity of every FRI round.
    pub folds: Vec<usize>,
}

impl Shape {
    /// The shape that the tables and the packed lookups of key generation lead to.
    pub fn new(tables: &[Table], lookups: &[Lookups<F>], parameters: Parameters) -> Self {
        let tables: Vec<_> = tables.iter().zip(lookups).map(|(t, l)| TableShape::new(t, l)).collect();
        let mut heights: Vec<_> = tables.iter().map(|t| t.log_height + parameters.log_blowup).collect();
        heights.sort_unstable_by(|a, b| b.cmp(a));
        heights.dedup();
        Shape { folds: fold_schedule(&heights, &parameters), tables, parameters }
    }

    /// Log2 heights, in table order.
    pub fn log_heights(&self) -> Vec<usize> {
        self.tables.iter().map(|t| t.log_height).collect()
    }

    /// An upper bound on the bytes of a proof, from the number of elements and digests in it.
    pub fn max_bytes(&self) -> usize {
        let columns: usize = self.tables.iter().map(TableShape::columns).sum();
        let tallest = self.log_heights().into_iter().max().unwrap_or(0) + self.parameters.log_blowup;
        let folded: usize = self.folds.iter().map(|a| (4 * D) << a).sum();
        // Four trees for the tables and one for every fold; a length prefix takes at most three bytes here.
        let paths = (4 + self.folds.len()) * 33 * tallest;
        let per_query = 5 * columns + 3 * 5 * self.tables.len() + folded + paths;
        self.parameters.queries * per_query + 3 * 4 * D * columns + 4096
    }

    /// Whether a decoded proof has this shape.
    pub fn admits(&self, proof: &BatchProof<Config>) -> bool {
        self.admits_commitments(proof) && self.admits_values(proof) && self.admits_openings(proof)
    }

    fn admits_commitments(&self, proof: &BatchProof<Config>) -> bool {
        let c = &proof.commitments;
        c.random.is_none()
            && c.main.num_roots() == 1
            && c.quotient_chunks.num_roots() == 1
            && c.permutation.as_ref().is_some_and(|p| p.num_roots() == 1)
            && proof.degree_bits == self.log_heights()
            && proof.lookup_terminals.len() == self.tables.len()
            && proof.lookup_terminals.iter().all(Option::is_some)
            && proof.lookup_pow_witness.is_some()
            && canonical(proof.ood_pow_witness, self.parameters.ood_pow)
    }

    fn admits_values(&self, proof: &BatchProof<Config>) -> bool {
        let instances = &proof.opened_values.instances;
        instances.len() == self.tables.len()
            && self.tables.iter().zip(instances).all(|(t, i)| {
                let base = &i.base_opened_values;
                let pre = base.preprocessed.as_ref();
                base.trace_local.len() == t.main
                    && base.trace_next.as_ref().map(Vec::len) == t.main_next.then_some(t.main)
                    && pre.is_some_and(|p| p.local.len() == t.preprocessed && p.next.is_none())
                    && base.quotient_chunks.len() == t.quotient_chunks
                    && base.quotient_chunks.iter().all(|c| c.len() == D)
                    && base.random.is_none()
                    && i.permutation_local.len() == t.bus
                    && i.permutation_next.len() == t.bus
            })
    }

    fn admits_openings(&self, proof: &BatchProof<Config>) -> bool {
        let fri = &proof.opening_proof;
        let p = &self.parameters;
        let rounds = self.folds.len();
        let widths = self.matrix_widths();
        fri.commit_phase_commits.len() == rounds
            && fri.commit_phase_commits.iter().all(|c| c.num_roots() == 1)
            && fri.commit_pow_witnesses.len() == rounds
            && fri.commit_pow_witnesses.iter().all(|w| canonical(*w, p.commit_pow))
            && fri.final_poly.len() == 1 << p.log_final_poly_len
            && fri.commit_phase_openings.len() == rounds
            && fri.commit_phase_openings.iter().zip(&self.folds).all(|(o, arity)| {
                o.sibling_values.len() == p.queries && o.sibling_values.iter().all(|s| s.len() == (1 << arity) - 1)
            })
            && fri.input_openings.len() == widths.len()
            && fri.input_openings.iter().zip(&widths).all(|(batch, widths)| {
                batch.opened_values.len() == p.queries
                    && batch.opened_values.iter().all(|rows| rows.iter().map(Vec::len).eq(widths.iter().copied()))
            })
    }

    /// Widths of the matrices of each commitment: main, quotient, preprocessed, bus.
    fn matrix_widths(&self) -> [Vec<usize>; 4] {
        let widths = |f: fn(&TableShape) -> usize| self.tables.iter().map(f).collect::<Vec<_>>();
        let chunks = self.tables.iter().flat_map(|t| vec![D; t.quotient_chunks]).collect();
        [widths(|t| t.main), chunks, widths(|t| t.preprocessed), widths(|t| t.bus)]
    }
}

impl TableShape {
    fn new(table: &Table, lookups: &Lookups<F>) -> Self {
        let layout = AirLayout::from_air::<F>(table);
        let gadget = LogUpGadget::new();
        let chunks =
            get_log_num_quotient_chunks::<F, EF, _, _>(table, layout, 1 << table.log_height, lookups, 0, &gadget);
        let (base, extension) = get_symbolic_constraints::<F, EF, _, _>(table, layout, lookups, &gadget);
        TableShape {
            log_height: table.log_height,
            main: table.width(),
            main_next: !table.main_next_row_columns().is_empty(),
            preprocessed: table.preprocessed_width(),
            bus: (lookups.len() + 1) * D,
            quotient_chunks: 1 << chunks,
            constraints: base.len() + extension.len(),
            interactions: lookups.iter().map(|l| l.elements.len()).sum(),
        }
    }

    /// Committed base-field columns.
    pub fn columns(&self) -> usize {
        self.main + self.preprocessed + self.bus + D * self.quotient_chunks
    }
}

/// Where no work is asked for, one witness stands for all.
fn canonical(witness: F, bits: usize) -> bool {
    bits > 0 || witness == F::ZERO
}

/// The arity of every FRI round, as the library derives it: a round stops where the next input joins.
fn fold_schedule(log_heights: &[usize], parameters: &Parameters) -> Vec<usize> {
    let last = parameters.log_blowup + parameters.log_final_poly_len;
    let mut out = vec![];
    let mut height = log_heights.first().copied().unwrap_or(last);
    while height > last {
        let stop = log_heights.iter().copied().find(|h| *h < height).unwrap_or(last).max(last);
        let arity = (height - stop).min(parameters.max_log_arity);
        out.push(arity);
        height -= arity;
    }
    out
}
