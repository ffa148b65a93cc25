//! What a proof shows of its witness. Openings are cells of the trace's low-degree extension: known combinations of the
//! few cells that a small table really uses. Nothing here is hidden; a table larger than the number of queries only
//! leaves the eavesdropper short of equations.

use std::collections::HashMap;

use stwo::core::poly::circle::CanonicCoset;
use stwo::prover::backend::Column;
use stwo::prover::backend::simd::SimdBackend;
use stwo::prover::backend::simd::column::BaseColumn;
use stwo::prover::poly::circle::PolyOps;

use super::*;
use crate::attacks::recovery::{shows_balance, solve};
use crate::stwo::codec::decode;
use crate::stwo::key::evaluations;
use crate::stwo::tables::perm::{OUT, X, storage};

/// One table of a proof as an eavesdropper has it: the key, and what the queries opened.
struct Openings<'a> {
    key: &'a Stwo,
    table: usize,
    /// For each query: its row of the extended domain, and the trace cells there.
    opened: Vec<(usize, Vec<M31>)>,
}

impl<'a> Openings<'a> {
    fn new(key: &'a Stwo, name: &str, proof: &[u8]) -> Self {
        let table = key.shape.tables.iter().position(|t| t.name == name).expect("the circuit has this table");
        let values = decode(proof, &key.shape, key.root).expect("a proof").stark.0.queried_values;
        let (shape, place) = (key.shape.tables[table], key.shape.places[table]);
        // The preprocessed cells are public, so the opened ones tell which row it was.
        let fixed = &key.tree.polynomials[place.fixed..][..shape.fixed];
        let rows = 1 << (shape.log_size + key.shape.parameters.log_blowup);
        let cells = |row: usize| fixed.iter().map(|p| p.evals.values.at(row)).collect::<Vec<M31>>();
        let by_cells: HashMap<Vec<M31>, usize> = (0..rows).map(|row| (cells(row), row)).collect();
        let at = |tree: usize, from: usize, n: usize, query: usize| -> Vec<M31> {
            values[tree][from..][..n].iter().map(|column| column[query]).collect()
        };
        let queries = 0..values[0][0].len();
        let opened = queries.map(|q| {
            let row = by_cells[&at(0, place.fixed, shape.fixed, q)];
            (row, at(1, place.trace, shape.trace, q))
        });
        Openings { key, table, opened: opened.collect() }
    }

    /// The cells of a column at these rows of the table, all others being zero; `None` if the openings leave them open.
    fn recover(&self, column: usize, rows: &[usize]) -> Option<Vec<M31>> {
        let log = self.key.shape.tables[self.table].log_size;
        let units = rows.iter().map(|row| (0..1 << log).map(|r| M31(u32::from(r == *row))).collect());
        let units = evaluations(log, &units.collect::<Vec<BaseColumn>>());
        let polynomials = SimdBackend::interpolate_columns(units, &self.key.twiddles);
        let domain = CanonicCoset::new(log + self.key.shape.parameters.log_blowup).circle_domain();
        let extended: Vec<_> =
            polynomials.iter().map(|p| SimdBackend::evaluate(p, domain, &self.key.twiddles)).collect();
        let equation = |(at, cells): &(usize, Vec<M31>)| {
            (extended.iter().map(|e| e.values.at(*at)).collect::<Vec<M31>>(), cells[column])
        };
        solve(&self.opened.iter().map(equation).collect::<Vec<_>>(), rows.len())
    }
}

#[test]
fn stwo_proof_of_a_transfer_shows_the_balance() {
    let sample = Sample::circuit(1, &[]);
    let openings = Openings::new(&sample.key, "poseidon2", &sample.prove());
    let log = sample.key.shape.tables[openings.table].log_size;
    let used: Vec<usize> = (0..sample.structure.hashes.len()).map(|i| storage(i, log)).collect();
    // Everything that any permutation of the circuit takes in, from the proof's bytes and the public key.
    let columns: Vec<Vec<M31>> =
        (0..OUT).map(|column| openings.recover(column, &used).expect("more queries than rows")).collect();
    let trace = sample.key.fill(&sample.values);
    for (column, cells) in columns.iter().enumerate() {
        let truth: Vec<M31> = used.iter().map(|row| trace[openings.table][column].at(*row)).collect();
        assert_eq!(*cells, truth, "column {column}");
    }
    let absorbed: Vec<M31> = (0..used.len()).flat_map(|row| columns[..X].iter().map(move |c| c[row])).collect();
    assert!(shows_balance(&absorbed), "the balance was never published");
    assert!(!shows_balance(&sample.public));
}

#[test]
fn stwo_table_of_more_rows_than_queries_is_not_read_off() {
    let sample = Sample::circuit(1, &[]);
    let openings = Openings::new(&sample.key, "arith", &sample.prove());
    let rows: Vec<usize> = (0..sample.structure.gates.len().min(1 << 7)).collect();
    assert!(rows.len() > sample.key.shape.parameters.queries);
    assert_eq!(openings.recover(0, &rows), None);
}
