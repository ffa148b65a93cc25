//! False witnesses, proved by a prover that checks nothing: only the verifier stands between them and a lie.

use std::collections::HashSet;

use p3_matrix::dense::RowMajorMatrix;

use super::*;
use crate::plonky3::permutation;
use crate::plonky3::tables::{SWAP_LANES, SwapRow};

type Traces = Vec<RowMajorMatrix<F>>;

/// Position of a table in the fixture's order.
fn table(pick: fn(&Kind) -> bool) -> usize {
    fixture().key.tables.iter().position(|t| pick(&t.kind)).unwrap()
}

/// The verdict on the fixture's traces after an edit, with the honest statement.
fn verdict(edit: impl FnOnce(&mut Traces)) -> Result<(), Reject> {
    let fx = fixture();
    let mut traces = fx.key.traces(&fx.values);
    edit(&mut traces);
    let proof = fx.key.prove_traces(&traces, &fx.public, &binding()).unwrap();
    fx.key.verify(&fx.public, &binding(), &proof)
}

fn refused(edit: impl FnOnce(&mut Traces)) {
    assert_eq!(verdict(edit), Err(Reject::ConstraintMismatch));
}

fn cell(traces: &mut Traces, table: usize, row: usize, column: usize) -> &mut F {
    let width = traces[table].width;
    &mut traces[table].values[row * width + column]
}

/// Replaces a row of the permutation table by a valid permutation of another input.
fn replace_permutation(traces: &mut Traces, row: usize, edit: impl FnOnce(&mut permutation::Input)) {
    let t = table(|k| *k == Kind::Perm);
    let cells = &traces[t].values[row * permutation::WIDTH..][..permutation::WIDTH];
    let mut input = permutation::Input {
        x: *cells.first_chunk().unwrap(),
        absorbed: *cells[permutation::WIDTH - 16..].first_chunk().unwrap(),
        feed_forward: fixture().key.tables[t].preprocessed.values[row * 50 + 49] == F::ONE,
    };
    edit(&mut input);
    let forged = permutation::trace(&[input]);
    traces[t].values[row * permutation::WIDTH..][..permutation::WIDTH].copy_from_slice(&forged.values);
}

#[test]
fn the_unedited_traces_are_accepted() {
    assert_eq!(verdict(|_| {}), Ok(()));
}

/// The wires whose values fill cells. The statement fills none; outputs of permutations and right sides of
/// swaps are computed from the rest of their row.
fn wires_in_cells(layout: &Layout<F>) -> HashSet<u32> {
    let gates = layout.arith.iter().flat_map(|g| &g.slots);
    let perms = layout.perm.iter().flat_map(|p| &p.input);
    let swaps = layout.swap.iter().flat_map(|s| &s[..4]);
    let slots = gates.chain(perms).chain(swaps).chain(&layout.range);
    slots.filter(|s| s.id != 0).map(|s| s.wire.0).collect()
}

#[test]
fn any_single_wire_off_by_one_is_refused() {
    let fx = fixture();
    for wire in wires_in_cells(&Layout::new(&small(7).0)) {
        let mut values = fx.values.clone();
        values[wire as usize] += F::ONE;
        let proof = fx.key.prove_traces(&fx.key.traces(&values), &fx.public, &binding()).unwrap();
        let verdict = fx.key.verify(&fx.public, &binding(), &proof);
        assert_eq!(verdict, Err(Reject::ConstraintMismatch), "wire {wire}");
    }
}

/// Whether nothing depends on a cell: an operand with coefficient zero, or what a padding swap's zero
/// factor multiplies.
fn is_free(t: usize, row: usize, column: usize) -> bool {
    let table = &fixture().key.tables[t];
    let pre = &table.preprocessed.values[row * table.preprocessed.width..][..table.preprocessed.width];
    match table.kind {
        Kind::Arith { .. } => {
            let gate = &pre[tables::GATE_PRE * (column / 4)..][..tables::GATE_PRE];
            let coefficients: &[usize] = [&[0, 2][..], &[1, 2], &[3]].get(column % 4).copied().unwrap_or(&[]);
            column % 4 < 3 && coefficients.iter().all(|q| gate[*q] == F::ZERO)
        }
        Kind::Swap => row >= 3 && (column == 0 || column % 3 == 2),
        _ => false,
    }
}

#[test]
fn any_column_of_any_table_off_by_one_is_refused() {
    let fx = fixture();
    for (t, table) in fx.key.tables.iter().enumerate() {
        // A real row and the last one, which is padding in every table of this circuit.
        for row in [0, (1 << table.log_height) - 1] {
            for column in 0..fx.key.shape.tables[t].main {
                let verdict = verdict(|traces| *cell(traces, t, row, column) += F::ONE);
                let free = is_free(t, row, column);
                assert_eq!(verdict.is_ok(), free, "{:?} row {row} column {column}: {verdict:?}", table.kind);
            }
        }
    }
}

#[test]
fn a_wire_broken_while_its_gate_holds_is_refused() {
    let fx = fixture();
    let t = table(|k| matches!(k, Kind::Arith { .. }));
    let layout = Layout::new(&small(7).0);
    let gate = layout.arith.iter().position(|g| g.q[2] == F::ONE && g.q[3] == F::ONE).unwrap();
    let Kind::Arith { lanes } = fx.key.tables[t].kind else { unreachable!() };
    let (row, column) = (gate / lanes, 4 * (gate % lanes));
    refused(|traces| {
        *cell(traces, t, row, column + 2) += F::ONE;
        *cell(traces, t, row, column + 3) += F::ONE;
    });
}

#[test]
fn a_valid_permutation_of_another_input_is_refused() {
    refused(|traces| {
        replace_permutation(traces, 0, |input| {
            input.x[0] += F::ONE;
            input.absorbed[0] += F::ONE;
        });
    });
}

#[test]
fn a_broken_chain_is_refused() {
    // Rows 0, 1 and 2 are one sponge.
    for i in [0, 7, 8, 15] {
        refused(|traces| replace_permutation(traces, 2, |input| input.x[i] += F::ONE));
        refused(|traces| replace_permutation(traces, 1, |input| input.x[i] += F::ONE));
    }
}

/// A sponge of two blocks whose second capacity the prover picks freely, with everything after it made honestly
/// from the result: only the chain constraint is violated.
#[test]
fn a_consistent_forgery_through_a_broken_chain_is_refused() {
    let mut b = Builder::<F>::new();
    let inputs: Vec<_> = (0..16).map(|i| b.witness(f(i))).collect();
    let digest = b.hash(Tag::Tx, &inputs);
    let shown = b.public_digest(&b.digest_value(&digest));
    b.assert_digest_eq(&digest, &shown);
    let (structure, values) = b.finish();
    let key = Plonky3::keygen(&structure, Security::Standard, [0; 32]).unwrap();
    let t = key.tables.iter().position(|t| t.kind == Kind::Perm).unwrap();
    // Untouched, a rate element, a capacity element.
    for tampered in [None, Some(3), Some(9)] {
        let mut traces = key.traces(&values);
        let row = &traces[t].values[permutation::WIDTH..][..permutation::WIDTH];
        let mut input = permutation::Input {
            x: *row.first_chunk().unwrap(),
            absorbed: *row[permutation::WIDTH - 16..].first_chunk().unwrap(),
            feed_forward: false,
        };
        if let Some(i) = tampered {
            input.x[i] += f(5);
        }
        let forged = permutation::trace(&[input]).values;
        let public: Vec<F> = forged[permutation::WIDTH - 8..].to_vec();
        traces[t].values[permutation::WIDTH..][..permutation::WIDTH].copy_from_slice(&forged);
        let proof = key.prove_traces(&traces, &public, &binding()).unwrap();
        let verdict = key.verify(&public, &binding(), &proof);
        let expected = tampered.map_or(Ok(()), |_| Err(Reject::ConstraintMismatch));
        assert_eq!(verdict, expected, "{tampered:?}");
    }
}

#[test]
fn a_missing_feed_forward_is_refused() {
    refused(|traces| {
        // Row 3 is the first compression.
        replace_permutation(traces, 3, |input| {
            assert!(input.feed_forward);
            input.feed_forward = false;
        });
    });
}

#[test]
fn swaps_that_lose_or_duplicate_an_element_are_refused() {
    let t = table(|k| *k == Kind::Swap);
    let l = |lane: usize| 3 + 3 * lane;
    for lane in [0, SWAP_LANES - 1] {
        refused(|traces| *cell(traces, t, 0, l(lane)) += F::ONE);
        // The other element on both sides: a valid relation for the other bit only.
        refused(|traces| {
            let (x, y) = (*cell(traces, t, 0, l(lane) - 2), *cell(traces, t, 0, l(lane) - 1));
            let left = cell(traces, t, 0, l(lane));
            *left = x + y - *left;
        });
    }
    // A bit of one's own choosing, with every lane following it.
    refused(|traces| {
        let bit = F::ONE - *cell(traces, t, 0, 0);
        *cell(traces, t, 0, 0) = bit;
        for lane in 0..SWAP_LANES {
            let (x, y) = (*cell(traces, t, 0, l(lane) - 2), *cell(traces, t, 0, l(lane) - 1));
            *cell(traces, t, 0, l(lane)) = x + bit * (y - x);
        }
    });
}

#[test]
fn limbs_out_of_range_are_refused() {
    let t = table(|k| *k == Kind::Range);
    let byte = f(256);
    // The same limb from a low byte of 256 and more, and from a negative one.
    refused(|traces| {
        *cell(traces, t, 5, 0) += byte;
        *cell(traces, t, 5, 1) -= F::ONE;
    });
    refused(|traces| {
        *cell(traces, t, 5, 0) -= byte;
        *cell(traces, t, 5, 1) += F::ONE;
    });
    // Multiplicities that do not count the lookups, up, down, and moved from one byte to another.
    refused(|traces| *cell(traces, t, 3, 2) += F::ONE);
    refused(|traces| *cell(traces, t, 3, 2) -= F::ONE);
    refused(|traces| {
        *cell(traces, t, 3, 2) += F::ONE;
        *cell(traces, t, 4, 2) -= F::ONE;
    });
}

#[test]
fn a_statement_whose_limb_has_seventeen_bits_is_refused() {
    let mut b = Builder::<F>::new();
    let limb = b.public(f(65536 + 5));
    b.range16(limb);
    let (structure, values) = b.finish();
    let key = Plonky3::keygen(&structure, Security::Standard, [0; 32]).unwrap();
    let t = key.tables.iter().position(|t| t.kind == Kind::Range).unwrap();
    for (low, high) in [(5, 0), (5, 256), (261, 255), (65541, 0)] {
        let mut traces = key.traces(&values);
        *cell(&mut traces, t, 0, 0) = f(low);
        *cell(&mut traces, t, 0, 1) = f(high);
        let proof = key.prove_traces(&traces, &values[limb.0 as usize..][..1], &binding()).unwrap();
        let verdict = key.verify(&values[limb.0 as usize..][..1], &binding(), &proof);
        assert_eq!(verdict, Err(Reject::ConstraintMismatch), "{low} {high}");
    }
}

#[test]
fn a_statement_other_than_the_witness_is_refused() {
    let fx = fixture();
    let traces = fx.key.traces(&fx.values);
    for i in 0..fx.public.len() {
        let mut public = fx.public.clone();
        public[i] += F::ONE;
        let proof = fx.key.prove_traces(&traces, &public, &binding()).unwrap();
        assert_eq!(fx.key.verify(&public, &binding(), &proof), Err(Reject::ConstraintMismatch), "input {i}");
    }
}

#[test]
fn a_table_of_another_height_is_refused() {
    let fx = fixture();
    for t in 0..fx.key.tables.len() {
        for grow in [false, true] {
            let mut traces = fx.key.traces(&fx.values);
            let len = traces[t].values.len();
            traces[t].values.resize(if grow { 2 * len } else { len / 2 }, F::ZERO);
            if let Ok(proof) = fx.key.prove_traces(&traces, &fx.public, &binding()) {
                assert_eq!(fx.key.verify(&fx.public, &binding(), &proof), Err(Reject::InvalidProofShape));
            }
        }
    }
}

#[test]
fn grouping_swaps_keeps_the_bus_balanced() {
    let layout = Layout::new(&small(7).0);
    let rows: Vec<SwapRow> = tables::swap_rows(&layout.swap);
    assert_eq!(rows.len(), 3);
    let grouped: i64 = rows.iter().map(|r| r.bit.mult).sum();
    let single: i64 = layout.swap.iter().map(|s| s[0].mult).sum();
    assert_eq!(grouped, single);
}
