//! What a proof shows of its witness. Openings are cells of the trace's low-degree extension: known combinations of the
//! few cells that a small table really uses. Nothing here is hidden; a table larger than the number of queries only
//! leaves the eavesdropper short of equations.

use std::collections::HashMap;

use p3_dft::{Radix2DitParallel, TwoAdicSubgroupDft};
use p3_field::Field;
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;

use super::*;
use crate::attacks::recovery::{shows_balance, solve};
use crate::circuits::Circuit;

/// The library's extension of columns, in its natural order.
fn extended(key: &Plonky3, columns: RowMajorMatrix<F>) -> RowMajorMatrix<F> {
    let dft = Radix2DitParallel::<F>::default();
    dft.coset_lde_batch(columns, key.shape.parameters.log_blowup, F::GENERATOR).to_row_major_matrix()
}

/// Key and proof of the sample transfer; position of a table.
fn transfer(pick: fn(&Kind) -> bool) -> (Plonky3, Vec<F>, Proof, usize) {
    let (structure, values) = Circuit::Transaction.build::<F>(&Circuit::Transaction.sample::<F>().1).unwrap();
    let key = Plonky3::keygen(&structure, Security::Standard, [0; 32]).unwrap();
    let proof = postcard::from_bytes(&key.prove(&values, &binding(), [0; 32]).unwrap()).unwrap();
    let table = key.tables.iter().position(|t| pick(&t.kind)).unwrap();
    (key, values, proof, table)
}

/// The first `rows` cells of a column of a table, all others being zero; `None` if the openings leave them open.
fn recover(key: &Plonky3, proof: &Proof, table: usize, column: usize, rows: usize) -> Option<Vec<F>> {
    let [main, preprocessed] = [0, 2].map(|batch| &proof.opening_proof.input_openings[batch].opened_values);
    // The preprocessed cells are public, so the opened ones tell which row it was.
    let public = extended(key, (*key.tables[table].preprocessed).clone());
    let by_cells: HashMap<Vec<F>, usize> =
        (0..public.height()).map(|row| (public.row_slice(row).unwrap().to_vec(), row)).collect();
    let height = 1 << key.tables[table].log_height;
    let units = (0..height * rows).map(|i| F::from_bool(i / rows == i % rows)).collect();
    let units = extended(key, RowMajorMatrix::new(units, rows));
    let equation = |query: usize| {
        let row = by_cells[&preprocessed[query][table]];
        (units.row_slice(row).unwrap().to_vec(), main[query][table][column])
    };
    solve(&(0..main.len()).map(equation).collect::<Vec<_>>(), rows)
}

#[test]
fn a_proof_of_a_transfer_shows_the_balance() {
    let (key, values, proof, table) = transfer(|k| *k == Kind::Perm);
    let rows = key.structure.hashes.len();
    let trace = &key.traces(&values)[table];
    // The eight columns that a sponge absorbs, from the proof's bytes and the public key.
    let absorbed: Vec<Vec<F>> = (trace.width - 16..trace.width - 8)
        .map(|column| {
            let cells = recover(&key, &proof, table, column, rows).expect("more queries than rows");
            assert!((0..rows).all(|row| cells[row] == trace.values[row * trace.width + column]), "column {column}");
            cells
        })
        .collect();
    let absorbed: Vec<F> = (0..rows).flat_map(|row| absorbed.iter().map(move |c| c[row])).collect();
    assert!(shows_balance(&absorbed), "the balance was never published");
    assert!(!shows_balance(&key.filler.public(&values)));
}

#[test]
fn a_table_of_more_rows_than_queries_is_not_read_off() {
    let (key, _, proof, table) = transfer(|k| matches!(k, Kind::Arith { .. }));
    let Kind::Arith { lanes } = key.tables[table].kind else { unreachable!() };
    let rows = key.structure.gates.len().div_ceil(lanes).min(1 << key.tables[table].log_height);
    assert!(rows > key.shape.parameters.queries, "{rows} rows of {lanes} gates");
    assert_eq!(recover(&key, &proof, table, 0, rows), None);
}
