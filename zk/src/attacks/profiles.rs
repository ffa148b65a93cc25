//! The two security profiles: what they claim, and that neither's proofs pass for the other's.

use super::Target;
use crate::backend::Security;
use crate::circuits::{Circuit, sample};
use crate::envelope::{Envelope, HEADER_BYTES, seal};
use crate::error::{Reject, ZkError};
use crate::key::{self, CircuitKey, Key};
use crate::plonky3::Plonky3;
use crate::stwo::Stwo;

const MAX_BYTES: usize = 1 << 22;

fn key<S: Target + 'static>(circuit: Circuit, security: Security) -> CircuitKey<S> {
    CircuitKey::generate(circuit, security, [0; 32]).expect("a circuit")
}

/// A proof under `theirs` offered to `ours`, as it is and with a header rewritten to name our key.
fn refused<S: Target + 'static>(theirs: Security, ours: Security) {
    for circuit in sample::circuits() {
        let (theirs, ours) = (key::<S>(circuit, theirs), key::<S>(circuit, ours));
        let (statement, witness) = circuit.sample::<S::F>();
        let public = ours.public_inputs(&statement).expect("a statement");
        let envelope = theirs.prove(&witness, [3; 32], 1).expect("an honest witness");
        assert_eq!(theirs.verify(&public, &envelope, MAX_BYTES), Ok(()));
        assert_eq!(ours.verify(&public, &envelope, MAX_BYTES), Err(Reject::ParamsHashMismatch));
        let digest = Envelope::open(&envelope, MAX_BYTES).expect("an envelope").public_digest();
        let rewritten = seal(ours.binding(), &digest, &envelope[HEADER_BYTES..]);
        let verdict = ours.verify(&public, &rewritten, MAX_BYTES);
        assert!(verdict.is_err_and(|r| r != Reject::VerifierPanicked), "{verdict:?}");
    }
}

#[test]
fn proofs_of_another_profile_are_refused() {
    for [theirs, ours] in [Security::ALL, [Security::High, Security::Standard]] {
        refused::<Stwo>(theirs, ours);
        refused::<Plonky3>(theirs, ours);
    }
}

#[test]
fn keys_of_another_profile_do_not_load() {
    for backend in [1, 2] {
        let high = key::generate(backend, Circuit::Transaction, Security::High, [0; 32]).expect("a circuit").dump();
        let load = |security| key::load(backend, Circuit::Transaction, security, &high);
        assert!(load(Security::High).is_ok());
        assert!(matches!(load(Security::Standard), Err(ZkError::InvalidKeyEncoding(_))));
    }
}

/// (conjectured, proven) bits that every size of every circuit reaches, by backend and profile.
const FLOORS: [(u8, Security, f64, f64); 4] = [
    (1, Security::Standard, 100.0, 56.0),
    (1, Security::High, 103.5, 84.0),
    (2, Security::Standard, 100.0, 55.0),
    (2, Security::High, 111.0, 95.0),
];

#[test]
fn every_circuit_has_the_bits_its_profile_claims() {
    for circuit in sample::circuits().into_iter().chain(sample::largest()) {
        for (backend, security, conjectured_min, proven_min) in FLOORS {
            let key = key::generate(backend, circuit, security, [0; 32]).expect("a circuit");
            let (conjectured, proven) = key.security_bits();
            let what = format!("backend {backend}, {circuit:?}, {security:?}: {conjectured:.1}, {proven:.1}");
            assert!(conjectured >= conjectured_min && proven >= proven_min && proven < conjectured, "{what}");
            println!("{what}");
        }
    }
}
