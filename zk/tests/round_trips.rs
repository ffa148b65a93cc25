//! Identity and state through the key, in all three proof systems: honest proofs are accepted, and bound to every input.

use ark_bn254::Fr;
use p3_koala_bear::KoalaBear;
use simnet_zk::backend::Security;
use simnet_zk::circuits::Circuit;
use simnet_zk::envelope::public_digest;
use simnet_zk::error::{Reject, ZkError};
use simnet_zk::field::CircuitField;
use simnet_zk::key;
use stwo::core::fields::m31::M31;

const MAX: usize = 1 << 20;

fn round_trip<F: CircuitField>(id: u8, params: &[u32]) {
    let circuit = Circuit::new(id, params).unwrap();
    let key = key::generate(F::BACKEND, circuit, Security::Standard, [5; 32]).unwrap();
    let (statement, witness) = circuit.sample::<F>();
    let public = key.public_inputs(&statement).unwrap();
    let mut envelope = key.prove(&witness, [2; 32], 0).unwrap();
    assert_eq!(key.prove(&witness, [2; 32], 1).unwrap(), envelope, "the same on one thread");
    assert_eq!(key.verify(&public, &envelope, MAX), Ok(()));
    for i in 0..key.public_len() {
        let mut other = public.clone();
        other[F::BYTES * i] ^= 1;
        // With the digest of the changed vector in the envelope, only the proof is left to refuse it.
        envelope[70..102].copy_from_slice(&public_digest(key.binding(), &other));
        let verdict = key.verify(&other, &envelope, MAX);
        assert!(verdict.is_err() && verdict != Err(Reject::PublicDigestMismatch), "circuit {id}, element {i}");
    }
}

/// Bytes that are no witness, and a witness that is none of this circuit's.
fn false_witnesses<F: CircuitField>() {
    let circuit = Circuit::new(3, &[4, 1, 16]).unwrap();
    let key = key::generate(F::BACKEND, circuit, Security::Standard, [5; 32]).unwrap();
    let (statement, witness) = circuit.sample::<F>();
    let prove = |witness: &[u8]| key.prove(witness, [2; 32], 0);
    let at = |offset: usize, value: u8| {
        let mut changed = witness.clone();
        changed[offset] = value;
        prove(&changed)
    };
    let invalid = |outcome: Result<Vec<u8>, ZkError>| matches!(outcome, Err(ZkError::InvalidWitness(_)));
    assert!((0..witness.len()).step_by(97).all(|n| invalid(prove(&witness[..n]))), "cut");
    assert!(invalid(prove(&[&witness[..], &[0]].concat())), "long");
    assert!(invalid(at(72, 2)), "two identities in a circuit for one");
    let transfers = 74 + 64;
    assert!(invalid(at(transfers, 5)), "five transfers in a circuit for four");
    assert!(invalid(at(statement.len() + 16 * 32, 2)), "r_is_new is a flag");
    let [root, path] = [0, statement.len()].map(|offset| at(offset, witness[offset] ^ 1));
    assert!(matches!(root, Err(ZkError::ConstraintViolation(text)) if text.starts_with("S2")), "another old root");
    assert!(matches!(path, Err(ZkError::ConstraintViolation(text)) if text.starts_with("S2")), "another sibling");
}

#[test]
fn stwo() {
    round_trip::<M31>(2, &[32]);
    round_trip::<M31>(3, &[16, 4, 32]);
    false_witnesses::<M31>();
}

#[test]
fn plonky3() {
    round_trip::<KoalaBear>(2, &[32]);
    round_trip::<KoalaBear>(3, &[16, 4, 32]);
}

#[test]
fn groth16() {
    round_trip::<Fr>(2, &[16]);
    round_trip::<Fr>(3, &[4, 1, 16]);
}

#[test]
fn sizes_out_of_range_are_refused() {
    for (id, params) in [(2, &[][..]), (2, &[0]), (2, &[33]), (3, &[16, 4]), (3, &[0, 1, 32]), (3, &[129, 1, 32])] {
        assert!(Circuit::new(id, params).is_err(), "circuit {id} {params:?}");
    }
}
