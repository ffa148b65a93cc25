//! The circuits themselves, and what they cost. `cargo test --release -- --ignored --nocapture` prints a table.

use std::time::{Duration, Instant};

use super::*;
use crate::circuits::{Circuit, sample};

/// Key, values and statement of an honest sample.
fn sampled(circuit: &Circuit) -> (Plonky3, Vec<F>, Vec<F>) {
    let (statement, witness) = sample::honest::<F>(circuit);
    let (structure, values) = circuit.build::<F>(&witness).unwrap();
    let key = Plonky3::keygen(&circuit.structure::<F>().unwrap(), [0; 32]).unwrap();
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

/// The shortest of several runs: other work on the machine only ever adds to it.
fn shortest(runs: usize, mut work: impl FnMut()) -> Duration {
    let timed = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..runs).map(timed).min().unwrap()
}

#[test]
#[ignore = "a measurement"]
fn measure() {
    for (name, circuit) in [("transaction", Circuit::Transaction), ("consensus", consensus())] {
        let (key, values, public) = sampled(&circuit);
        let keygen = shortest(5, || drop(Plonky3::keygen(&key.structure, [0; 32])));
        println!("{name}: keygen {keygen:.1?}, bits {:.1?}", key.security_bits());
        let l = Layout::new(&key.structure);
        println!("  rows {} {} {} {} {}", l.arith.len(), l.swap.len(), l.perm.len(), l.range.len(), l.public.len());
        key.tables.iter().zip(&key.shape.tables).for_each(|(t, s)| println!("  {:?} {s:?}", t.kind));
        let proof = key.prove(&values, &binding(), [0; 32]).unwrap();
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let prove = pool.install(|| shortest(40, || drop(key.prove(&values, &binding(), [0; 32]))));
            let verify = pool.install(|| shortest(100, || key.verify(&public, &binding(), &proof).unwrap()));
            println!("  {threads} threads: prove {prove:.2?}, verify {verify:.2?}, {} bytes", proof.len());
        }
        let fill = shortest(20, || drop(key.traces(&values)));
        let check = shortest(20, || check(&key.structure, &values).unwrap());
        println!("  of it: fill {fill:.2?}, check {check:.2?}");
    }
}
