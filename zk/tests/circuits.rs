//! Honest witnesses satisfy the circuits at every size, and no circuit has a size out of range.

use std::collections::BTreeMap;

use ark_bn254::Fr;
use p3_koala_bear::KoalaBear;
use simnet_zk::circuits::check::check;
use simnet_zk::circuits::{Circuit, public, sample};
use simnet_zk::field::CircuitField;
use stwo::core::fields::m31::M31;

const IDENTITY: u8 = 2;
const STATE: u8 = 3;
const PRUNING: u8 = 4;
const RECURSIVE: u8 = 5;
const UPTIME: u8 = 6;

/// Elements of the public-input vector of each circuit, in a 31-bit field and in BN254's.
fn public_len<F: CircuitField>(id: u8) -> usize {
    let lengths = BTreeMap::from([
        (1, [65, 11]),
        (IDENTITY, [64, 8]),
        (STATE, [42, 8]),
        (PRUNING, [68, 12]),
        (RECURSIVE, [88, 15]),
        (UPTIME, [58, 11]),
        (7, [127, 21]),
    ]);
    lengths[&id][usize::from(F::WIDE)]
}

/// The sample satisfies the circuit, whose structure no witness changes, and its vector is that of the statement.
fn honest<F: CircuitField>(circuit: &Circuit) {
    let (statement, witness) = circuit.sample::<F>();
    let (structure, values) = circuit.build::<F>(&witness).unwrap();
    check(&structure, &values).unwrap_or_else(|e| panic!("{circuit:?}: {e}"));
    let public: Vec<F> = structure.public.iter().map(|w| values[w.0 as usize]).collect();
    assert_eq!(public, circuit.vector::<F>(&statement).unwrap());
    assert_eq!(public.len(), public_len::<F>(circuit.id()));
    assert_eq!(public.len(), public::length::<F>(&circuit.kinds()));
    assert_eq!(structure, circuit.structure::<F>().unwrap(), "the structure must not depend on the witness");
    for bad in [&statement[..statement.len() - 1], &[statement.as_slice(), &[0]].concat()] {
        assert!(circuit.vector::<F>(bad).is_err(), "truncated and lengthened statements");
    }
}

fn honest_everywhere(circuit: &Circuit) {
    honest::<M31>(circuit);
    honest::<KoalaBear>(circuit);
    honest::<Fr>(circuit);
}

/// Sizes that a family has, and sizes that it has not.
fn sizes(id: u8, good: &[&[u32]], bad: &[&[u32]]) {
    for params in good {
        let circuit = Circuit::new(id, params).unwrap();
        assert_eq!((circuit.id(), circuit.params()), (id, params.to_vec()));
        honest_everywhere(&circuit);
    }
    for params in bad {
        assert!(Circuit::new(id, params).is_err(), "circuit {id} {params:?}");
    }
}

#[test]
fn every_circuit() {
    sample::circuits().iter().for_each(honest_everywhere);
}

#[test]
fn identities_in_trees_of_every_depth() {
    sizes(IDENTITY, &[], &[&[], &[0], &[33]]);
    for depth in 1..=32 {
        sizes(IDENTITY, &[&[depth]], &[]);
    }
}

/// Below depth 16 the accounts of a block would share slots if nobody kept them apart.
#[test]
fn states_in_trees_of_every_depth() {
    sizes(
        STATE,
        &[&[1, 1, 1], &[1, 32, 2], &[16, 4, 32]],
        &[&[16, 4], &[0, 1, 32], &[129, 1, 32], &[1, 1, 0], &[1, 33, 1]],
    );
    for depth in 1..=32 {
        sizes(STATE, &[&[4, 2, depth]], &[]);
        honest::<M31>(&Circuit::new(STATE, &[128, 32, depth]).unwrap());
    }
}

#[test]
fn windows_of_every_size() {
    sizes(
        PRUNING,
        &[&[1, 1, 1], &[4, 8, 2], &[4, 4, 4], &[16, 32, 4]],
        &[&[3, 8, 1], &[4, 8, 8], &[4, 8], &[64, 1024, 4], &[0, 1, 1]],
    );
}

#[test]
fn blocks_of_every_size() {
    sizes(
        RECURSIVE,
        &[&[1, 1, 1, 1], &[2, 1, 1, 2], &[8, 3, 3, 4], &[16, 4, 8, 16]],
        &[&[3, 1, 1, 3], &[8, 1, 1, 3], &[8, 0, 1, 8], &[8, 1, 1, 0], &[8, 1, 1], &[1024, 1, 1, 1]],
    );
}

#[test]
fn claims_of_every_size() {
    sizes(
        UPTIME,
        &[&[1, 1, 1, 0, 0], &[4, 1, 6, 60, 0], &[8, 6, 6, 3600, 300], &[32, 10, 32, 3600, 300]],
        &[&[0, 1, 1, 0, 0], &[8, 0, 6, 0, 0], &[8, 6, 33, 0, 0], &[8, 6, 6, 0], &[512, 6, 6, 0, 0]],
    );
}
