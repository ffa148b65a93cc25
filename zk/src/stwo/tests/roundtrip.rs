//! Honest proofs: accepted, the same on any number of threads, and bound to everything they name.

use super::*;
use crate::attacks::BINDING_EDITS;
use crate::error::{Reject, ZkError};

#[test]
fn stwo_round_trip() {
    let proof = SMALL.prove();
    SMALL.key.verify(&SMALL.public, &binding(), &proof).expect("an honest proof");
}

#[test]
fn stwo_round_trip_of_the_circuits() {
    for (id, params) in [(1, &[][..]), (7, &[4, 4, 2])] {
        let sample = Sample::circuit(id, params);
        let proof = sample.prove();
        sample.key.verify(&sample.public, &binding(), &proof).expect("an honest proof");
        for i in 0..sample.public.len() {
            let mut public = sample.public.clone();
            public[i] += M31(1);
            assert!(sample.key.verify(&public, &binding(), &proof).is_err(), "circuit {id}, public input {i}");
        }
    }
}

#[test]
fn stwo_round_trip_without_optional_tables() {
    let mut b = Builder::new();
    let x = b.public(M31(3));
    b.mul(x, x);
    let gates_only = Sample::new(b);
    assert_eq!(gates_only.key.shape.tables.len(), 1);
    gates_only.key.verify(&gates_only.public, &binding(), &gates_only.prove()).expect("one table of sixteen rows");
    let nothing_public = Sample::new(Builder::new());
    nothing_public.key.verify(&[], &binding(), &nothing_public.prove()).expect("an empty statement");
}

#[test]
fn stwo_round_trip_when_permutations_are_tallest() {
    let tall = Sample::new(mixed(60, 9, 0, 1));
    tall.key.verify(&tall.public, &binding(), &tall.prove()).expect("an honest proof");
}

#[test]
fn stwo_proof_bytes_do_not_depend_on_threads() {
    let proofs: Vec<Vec<u8>> = [1, 2, 4]
        .map(|n| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("a pool");
            pool.install(|| SMALL.prove())
        })
        .into();
    assert_eq!(proofs[0], proofs[1]);
    assert_eq!(proofs[0], proofs[2]);
}

#[test]
fn stwo_each_public_input_is_bound() {
    let proof = SMALL.prove();
    for i in 0..SMALL.public.len() {
        let mut public = SMALL.public.clone();
        public[i] += M31(1);
        assert!(SMALL.key.verify(&public, &binding(), &proof).is_err(), "public input {i}");
    }
    assert_eq!(SMALL.key.verify(&SMALL.public[1..], &binding(), &proof), Err(Reject::PublicInputMismatch));
    let mut public = SMALL.public.clone();
    public[0] = M31(u32::MAX >> 1);
    assert_eq!(SMALL.key.verify(&public, &binding(), &proof), Err(Reject::NonCanonicalFieldElement));
}

#[test]
fn stwo_each_part_of_the_binding_is_bound() {
    let proof = SMALL.prove();
    for (i, edit) in BINDING_EDITS.iter().enumerate() {
        let mut other = binding();
        edit(&mut other);
        assert!(SMALL.key.verify(&SMALL.public, &other, &proof).is_err(), "edit {i}");
    }
}

#[test]
fn stwo_refuses_values_that_do_not_satisfy() {
    // Every single wire moved by one: no honest proof may come out. (All wires of this circuit are constrained,
    // but for the operands of free products, which change their result.)
    let step = SMALL.values.len() / 60 + 1;
    for w in (0..SMALL.values.len()).step_by(step) {
        let mut values = SMALL.values.clone();
        values[w] += M31(1);
        match SMALL.key.prove(&values, &binding(), [0; 32]) {
            Err(ZkError::ConstraintViolation(_)) => {}
            Err(e) => panic!("wire {w}: {e}"),
            Ok(_) => assert!(is_free(w as u32), "wire {w} is not constrained"),
        }
    }
    let short = &SMALL.values[1..];
    assert!(matches!(SMALL.key.prove(short, &binding(), [0; 32]), Err(ZkError::InvalidWitness(_))));
}

/// A wire that only a range check looks at may hold any 16 bits.
fn is_free(w: u32) -> bool {
    SMALL.structure.ranges.contains(&Wire(w))
}
