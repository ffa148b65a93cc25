//! Every kind of field of every proof format, for every circuit: each edit is refused with a reason, and no panic had to
//! be caught for it. (An abort would end the test run.)

use super::edits::edits;
use super::{Target, binding, honest, statement};
use crate::backend::Security;
use crate::circuits::sample;
use crate::error::Reject;
use crate::groth16::Groth16;
use crate::plonky3::Plonky3;
use crate::stwo::Stwo;

/// Tries every edit on some fields of every name; returns how many names a proof of each circuit has.
fn refused<S: Target>(security: Security) -> Vec<usize> {
    let binding = binding(S::NUMBER);
    let mut names = vec![];
    for circuit in sample::circuits() {
        let (structure, values) = honest::<S::F>(&circuit);
        let system = S::keygen(&structure, security, [1; 32]).expect("a circuit");
        let public = statement(&structure, &values);
        let proof = system.prove(&values, &binding, [2; 32]).expect("an honest witness");
        assert_eq!(system.verify(&public, &binding, &proof), Ok(()));
        let map = system.map(&proof);
        assert_eq!(map.end(), proof.len(), "the map covers every byte");
        let (fields, count) = map.some_of_each();
        for field in fields {
            for (what, edited) in edits(&proof, &map, field) {
                let verdict = system.verify(&public, &binding, &edited);
                let refused = verdict.is_err_and(|r| r != Reject::VerifierPanicked);
                assert!(refused, "circuit {}, {} at {:?}, {what}: {verdict:?}", circuit.id(), field.name, field.at);
            }
        }
        names.push(count);
    }
    names
}

#[test]
fn stwo_fields_are_all_bound() {
    for security in Security::ALL {
        assert!(refused::<Stwo>(security).into_iter().all(|names| names >= 20));
    }
}

#[test]
fn plonky3_fields_are_all_bound() {
    for security in Security::ALL {
        assert!(refused::<Plonky3>(security).into_iter().all(|names| names >= 25));
    }
}

#[test]
fn groth16_fields_are_all_bound() {
    assert!(refused::<Groth16>(Security::Standard).into_iter().all(|names| names == 3));
}
