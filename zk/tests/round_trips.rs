//! The circuit families through the key, in all three proof systems: honest proofs are accepted, and bound to every input.

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

/// Proves the sample, on any number of threads alike; the verifier accepts the proof, and refuses it for a statement that
/// differs in any one element.
fn round_trip<F: CircuitField>(id: u8, params: &[u32]) {
    let circuit = Circuit::new(id, params).unwrap();
    let key = key::generate(F::NUMBER, circuit, Security::Standard, [5; 32]).unwrap();
    assert!(F::WIDE || key.security_bits().0 >= 100.0, "{:?}", key.security_bits());
    let (statement, witness) = circuit.sample::<F>();
    let public = key.public_inputs(&statement).unwrap();
    let mut envelope = key.prove(&witness, [2; 32], 0).unwrap();
    // Groth16's proofs take seconds.
    for threads in if F::WIDE { 1..=1 } else { 1..=2 } {
        assert_eq!(key.prove(&witness, [2; 32], threads).unwrap(), envelope, "{threads} threads");
    }
    assert_eq!(key.verify(&public, &envelope, MAX), Ok(()));
    for i in 0..key.public_len() {
        let mut other = public.clone();
        other[F::BYTES * i] ^= 1;
        // With the digest of the changed vector in the envelope, only the proof is left to refuse it.
        envelope[70..102].copy_from_slice(&public_digest(key.binding(), &other));
        let verdict = key.verify(&other, &envelope, MAX);
        let believed = verdict.is_ok() || verdict == Err(Reject::PublicDigestMismatch);
        assert!(!believed, "circuit {id}, element {i}: {verdict:?}");
    }
}

/// Bytes that are no witness, and a witness that is none of this circuit's.
fn false_witnesses<F: CircuitField>() {
    let circuit = Circuit::new(3, &[4, 1, 16]).unwrap();
    let key = key::generate(F::NUMBER, circuit, Security::Standard, [5; 32]).unwrap();
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

/// The families at the sizes that blocks use.
fn round_trips<F: CircuitField>() {
    round_trip::<F>(2, &[32]);
    round_trip::<F>(3, &[16, 4, 32]);
    round_trip::<F>(4, &[16, 32, 4]);
    round_trip::<F>(5, &[16, 4, 8, 16]);
    round_trip::<F>(5, &[8, 3, 3, 4]);
    round_trip::<F>(6, &[32, 10, 32, 3600, 300]);
}

#[test]
fn stwo() {
    round_trips::<M31>();
    false_witnesses::<M31>();
}

#[test]
fn plonky3() {
    round_trips::<KoalaBear>();
}

#[test]
fn groth16() {
    round_trip::<Fr>(2, &[16]);
    round_trip::<Fr>(3, &[4, 1, 16]);
    round_trip::<Fr>(4, &[2, 2, 2]);
    round_trip::<Fr>(5, &[2, 1, 1, 1]);
    round_trip::<Fr>(6, &[2, 2, 3, 3600, 300]);
}
