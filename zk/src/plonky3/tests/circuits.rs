//! The circuits themselves: honest proofs, bound to every input; false witnesses.

use super::*;
use crate::circuits::Circuit;

/// Key, values and statement of an honest sample.
fn sampled(circuit: &Circuit) -> (Plonky3, Vec<F>, Vec<F>) {
    let (statement, witness) = circuit.sample::<F>();
    let (structure, values) = circuit.build::<F>(&witness).unwrap();
    let key = Plonky3::keygen(&circuit.structure::<F>().unwrap(), Security::Standard, [0; 32]).unwrap();
    assert_eq!(structure, key.structure);
    let public = circuit.vector::<F>(&statement).unwrap();
    (key, values, public)
}

fn consensus() -> Circuit {
    Circuit::new(7, &CONSENSUS_SIZE).unwrap()
}

const CONSENSUS_SIZE: [u32; 3] = [32, 256, 4];

fn proves_and_binds(circuit: &Circuit) {
    let (key, values, public) = sampled(circuit);
    assert!(key.security_bits().0 >= 100.0, "{:?}", key.security_bits());
    let proof = key.prove(&values, &binding(), [0; 32]).unwrap();
    assert!(proof.len() <= key.shape.max_bytes());
    assert_eq!(key.verify(&public, &binding(), &proof), Ok(()));
    for i in 0..public.len() {
        let mut other = public.clone();
        other[i] += F::ONE;
        assert!(key.verify(&other, &binding(), &proof).is_err(), "input {i}");
    }
}

#[test]
fn a_transaction_proves_and_binds_its_inputs() {
    proves_and_binds(&Circuit::Transaction);
}

#[test]
fn a_consensus_round_proves_and_binds_its_inputs() {
    proves_and_binds(&consensus());
}

#[test]
fn values_that_do_not_satisfy_are_refused() {
    let (key, mut values, _) = sampled(&Circuit::Transaction);
    values[40] += F::ONE;
    assert!(matches!(key.prove(&values, &binding(), [0; 32]), Err(ZkError::ConstraintViolation(_))));
    values.pop();
    assert!(matches!(key.prove(&values, &binding(), [0; 32]), Err(ZkError::InvalidWitness(_))));
}
