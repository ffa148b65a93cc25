//! The circuit families: honest proofs are accepted and bound to every public input; each numbered constraint stops a
//! witness that breaks it alone.

use ark_bn254::Fr;
use p3_koala_bear::KoalaBear;
use simnet_zk::circuits::Circuit;
use simnet_zk::circuits::check::{check, violated};
use simnet_zk::envelope::public_digest;
use simnet_zk::error::Reject;
use simnet_zk::field::CircuitField;
use simnet_zk::key;
use stwo::core::fields::m31::M31;

mod forgeries;

use forgeries::{Forgery, limb_attacks, recorded};

const MAX_BYTES: usize = 1 << 20;
const PRUNING: u8 = 4;

/// The sample satisfies the circuit, whose structure no witness changes, and its vector is that of the statement.
fn honest<F: CircuitField>(id: u8, params: &[u32], public_len: [usize; 2]) {
    let circuit = Circuit::new(id, params).unwrap();
    assert_eq!((circuit.id(), circuit.params()), (id, params.to_vec()));
    let (statement, witness) = circuit.sample::<F>();
    let (structure, values) = circuit.build::<F>(&witness).unwrap();
    check(&structure, &values).unwrap();
    let public: Vec<F> = structure.public.iter().map(|w| values[w.0 as usize]).collect();
    assert_eq!(public, circuit.vector::<F>(&statement).unwrap());
    assert_eq!(public.len(), public_len[usize::from(F::WIDE)]);
    assert_eq!(public.len(), simnet_zk::circuits::public::length::<F>(&circuit.kinds()));
    assert_eq!(structure, circuit.structure::<F>().unwrap(), "the structure must not depend on the witness");
    for bad in [&statement[..statement.len() - 1], &[statement.as_slice(), &[0]].concat()] {
        assert!(circuit.vector::<F>(bad).is_err(), "truncated and lengthened statements");
    }
}

fn honest_everywhere(id: u8, params: &[u32], public_len: [usize; 2]) {
    honest::<M31>(id, params, public_len);
    honest::<KoalaBear>(id, params, public_len);
    honest::<Fr>(id, params, public_len);
}

/// Proves the sample; the verifier accepts it, and refuses it for a statement that differs in any one element.
fn proves_and_binds<F: CircuitField>(id: u8, params: &[u32]) {
    let circuit = Circuit::new(id, params).unwrap();
    let key = key::generate(F::BACKEND, circuit, [3; 32]).unwrap();
    assert!(F::WIDE || key.security_bits().0 >= 100.0, "{:?}", key.security_bits());
    let (statement, witness) = circuit.sample::<F>();
    let public = key.public_inputs(&statement).unwrap();
    let mut envelope = key.prove(&witness, [4; 32], 2).unwrap();
    assert_eq!(key.verify(&public, &envelope, MAX_BYTES), Ok(()));
    for i in 0..key.public_len() {
        let mut other = public.clone();
        other[F::BYTES * i] ^= 1;
        let digest = public_digest(key.binding(), &other);
        envelope[70..102].copy_from_slice(&digest);
        let verdict = key.verify(&other, &envelope, MAX_BYTES);
        assert!(verdict.is_err_and(|e| e != Reject::PublicDigestMismatch), "input {i}: {verdict:?}");
    }
}

fn only_the_named_constraint_objects<F: CircuitField>(forgeries: Vec<Forgery<F>>) {
    for f in forgeries {
        let broken: Vec<_> = violated(&f.structure, &f.values).into_iter().collect();
        assert_eq!(broken, f.broken, "{}", f.what);
    }
}

#[test]
fn pruning_is_satisfied_by_honest_windows() {
    for params in [[1, 1, 1], [4, 8, 2], [4, 4, 4], [16, 32, 4]] {
        honest_everywhere(PRUNING, &params, [68, 12]);
    }
    for params in [&[3, 8, 1][..], &[4, 8, 8], &[4, 8], &[64, 1024, 4], &[0, 1, 1]] {
        assert!(Circuit::new(PRUNING, params).is_err(), "{params:?}");
    }
}

#[test]
fn pruning_proves_on_m31() {
    proves_and_binds::<M31>(PRUNING, &[16, 32, 4]);
}

#[test]
fn pruning_proves_on_koala_bear() {
    proves_and_binds::<KoalaBear>(PRUNING, &[16, 32, 4]);
}

#[test]
fn pruning_proves_on_bn254() {
    proves_and_binds::<Fr>(PRUNING, &[2, 2, 2]);
}

fn pruning_forgeries<F: CircuitField>() {
    let honest = forgeries::pruning::record::<F>(|_| ());
    let (structure, values) = recorded(&honest, Default::default());
    check(&structure, &values).unwrap();
    only_the_named_constraint_objects(forgeries::pruning::all::<F>());
    assert!(limb_attacks(&honest) > 20);
}

#[test]
fn pruning_constraints_stop_forgeries() {
    pruning_forgeries::<M31>();
    pruning_forgeries::<KoalaBear>();
    pruning_forgeries::<Fr>();
}
