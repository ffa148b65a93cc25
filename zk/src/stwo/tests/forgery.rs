//! False statements and false traces, proved by someone who skips every check of his own.
//!
//! Each forgery is tried with the sums its columns have, and with a claimed sum that makes the total zero.

use stwo::prover::backend::Column;
use stwo::prover::backend::simd::column::BaseColumn;

use super::cheat::{Cheat, Sums};
use super::*;
use crate::error::Reject;
use crate::stark::layout::Layout;
use crate::stwo::prove::Trace;
use crate::stwo::tables::perm::{OUT, Perm, X, storage};

/// Proves a forged trace in every way and expects the verifier to refuse each time.
fn refused(what: &str, sample: &Sample, public: &[M31], trace: &Trace) {
    for (how, sums) in [("true sums", Sums::True), ("balanced", Sums::Balanced), ("moved", Sums::Moved)] {
        let proof = sample.key.prove_trace(trace, public, &binding(), &Cheat(sums)).expect("cheaters always finish");
        let verdict = sample.key.verify(public, &binding(), &proof);
        assert_eq!(verdict, Err(Reject::ConstraintMismatch), "{what}, {how}");
    }
}

fn honest_trace() -> Trace {
    SMALL.key.trace(&SMALL.values).expect("a good witness")
}

fn table(sample: &Sample, name: &str) -> usize {
    sample.key.shape.tables.iter().position(|t| t.name == name).expect("the circuit has this table")
}

fn add(column: &mut BaseColumn, row: usize, amount: M31) {
    column.set(row, column.at(row) + amount);
}

#[test]
fn stwo_cheating_prover_is_a_prover() {
    // Without a forgery it makes the honest proof, so the refusals below are the verifier's doing.
    let cheat = Cheat(Sums::True);
    let proof = SMALL.key.prove_trace(&honest_trace(), &SMALL.public, &binding(), &cheat).expect("a proof");
    assert_eq!(proof, SMALL.prove());
    for sums in [Sums::Balanced, Sums::Moved] {
        let moved = matches!(sums, Sums::Moved);
        let proof = SMALL.key.prove_trace(&honest_trace(), &SMALL.public, &binding(), &Cheat(sums)).expect("a proof");
        assert_eq!(SMALL.key.verify(&SMALL.public, &binding(), &proof).is_err(), moved);
    }
}

#[test]
fn stwo_statement_cannot_be_another() {
    for i in 0..SMALL.public.len() {
        let mut public = SMALL.public.clone();
        public[i] += M31(1);
        refused(&format!("public input {i}"), &SMALL, &public, &honest_trace());
    }
}

/// The last row a·b + d = out of the small circuit.
fn product_row() -> usize {
    Layout::new(&SMALL.structure).arith.len() - 2
}

#[test]
fn stwo_every_column_is_constrained() {
    // One cell of every column of every table, on a row all of whose cells are in use.
    for (t, shape) in SMALL.key.shape.tables.iter().enumerate() {
        for column in (0..shape.trace).step_by(if shape.trace > 20 { 7 } else { 1 }) {
            let mut trace = honest_trace();
            let row = if shape.name == "arith" { product_row() } else { 0 };
            add(&mut trace[t][column], row, M31(1));
            refused(&format!("{} column {column}", shape.name), &SMALL, &SMALL.public, &trace);
        }
    }
}

#[test]
fn stwo_wire_slots_must_agree() {
    // a·b + d = out stays true on the row, but `d` and `out` are no longer what other rows say.
    let t = table(&SMALL, "arith");
    let mut trace = honest_trace();
    let row = product_row();
    add(&mut trace[t][2], row, M31(1));
    add(&mut trace[t][3], row, M31(1));
    refused("arithmetic row", &SMALL, &SMALL.public, &trace);
}

#[test]
fn stwo_swap_cannot_take_a_third_value() {
    let t = table(&SMALL, "swap");
    let mut trace = honest_trace();
    // y and l move together where the bit is one: the row holds, y's other slot does not.
    let row = (0..48).find(|r| trace[t][0].at(*r) == M31(1)).expect("some level swaps");
    add(&mut trace[t][2], row, M31(1));
    add(&mut trace[t][3], row, M31(1));
    refused("swap", &SMALL, &SMALL.public, &trace);
}

#[test]
fn stwo_bytes_stay_bytes() {
    let t = table(&SMALL, "range16");
    let mut trace = honest_trace();
    // The same 16-bit value with lo + 256 and hi − 1.
    let row = (0..20).find(|r| trace[t][1].at(*r) != M31(0)).expect("some value is above 255");
    add(&mut trace[t][0], row, M31(256));
    add(&mut trace[t][1], row, -M31(1));
    refused("lo + 256", &SMALL, &SMALL.public, &trace);
}

#[test]
fn stwo_limb_above_16_bits_is_refused() {
    // Consistent everywhere but for the range: the wire, its slot, and lo, hi with lo + 256·hi = 70000.
    let mut values = SMALL.values.clone();
    let wire = SMALL.structure.ranges[0].0 as usize;
    values[wire] = M31(70_000);
    assert!(SMALL.key.trace(&values).is_err());
    let t = table(&SMALL, "range16");
    let mut trace = honest_trace();
    trace[t][0].set(0, M31(70_000 % 256));
    trace[t][1].set(0, M31(70_000 / 256));
    refused("limb 70000", &SMALL, &SMALL.public, &trace);
}

#[test]
fn stwo_permutation_of_another_input_is_refused() {
    // The first input of the sponge changed in the permutation table only; all its rows are permutations.
    let mut values = SMALL.values.clone();
    values[1] += M31(1);
    let mut trace = honest_trace();
    trace[table(&SMALL, "poseidon2")] = Perm::new(&Layout::new(&SMALL.structure).perm).cells(&values);
    refused("permutation", &SMALL, &SMALL.public, &trace);
}

/// A sponge of three rows whose output is the statement: a false output has nothing on the bus against it.
fn sponge() -> Sample {
    let mut b = Builder::new();
    let inputs: Vec<Wire> = (0..20).map(|i| b.witness(M31(i * 1000 + 1))).collect();
    let out = b.hash(Tag::Lift, &inputs);
    let value = b.digest_value(&out);
    let public = b.public_digest(&value);
    b.assert_digest_eq(&out, &public);
    Sample::new(b)
}

/// The verdict on the sponge with row 1 fed `amount` more in `cell` of its state, everything else in accord.
fn with_broken_link(sample: &Sample, cell: usize, amount: M31) -> Result<(), Reject> {
    let t = table(sample, "poseidon2");
    let mut trace = sample.key.trace(&sample.values).expect("a good witness");
    let log = sample.key.shape.tables[t].log_size;
    let (mut rows, mut values) = (Layout::new(&sample.structure).perm, sample.values.clone());
    // Row 1 as a row of its own, with the state it should have inherited as its input.
    rows[1].chain = false;
    for k in 0..16 {
        let x = trace[t][X + k].at(storage(1, log));
        rows[1].input[k].wire = Wire(values.len() as u32);
        values.push(if k == cell { x + amount } else { x });
    }
    let forged = Perm::new(&rows).cells(&values);
    let public: Vec<M31> = forged[OUT..OUT + 8].iter().map(|c| c.at(storage(2, log))).collect();
    trace[t].splice(8.., forged.into_iter().skip(8));
    let cheat = Cheat(Sums::True);
    let proof = sample.key.prove_trace(&trace, &public, &binding(), &cheat).expect("a proof");
    sample.key.verify(&public, &binding(), &proof)
}

#[test]
fn stwo_broken_chain_is_refused() {
    let sample = sponge();
    for cell in 0..16 {
        assert_eq!(with_broken_link(&sample, cell, M31(0)), Ok(()), "the link itself, cell {cell}");
        assert_eq!(with_broken_link(&sample, cell, M31(1)), Err(Reject::ConstraintMismatch), "cell {cell}");
    }
}

#[test]
fn stwo_output_is_that_of_the_permutation() {
    // Output and statement moved together: nothing but the output constraint is in the way.
    let sample = sponge();
    let t = table(&sample, "poseidon2");
    let last = storage(2, sample.key.shape.tables[t].log_size);
    for k in 0..8 {
        let (mut trace, mut public) =
            (sample.key.trace(&sample.values).expect("a good witness"), sample.public.clone());
        add(&mut trace[t][OUT + k], last, M31(1));
        public[k] += M31(1);
        refused(&format!("output {k}"), &sample, &public, &trace);
    }
}

#[test]
fn stwo_proof_of_another_circuit_is_refused() {
    let sibling = Sample::new(mixed(6, 20, 31, 20));
    assert_eq!(sibling.key.shape, SMALL.key.shape);
    assert!(SMALL.key.verify(&SMALL.public, &binding(), &sibling.prove()).is_err());
}
