//! The Groth16 verifier: proofs as bytes, and (for one first byte in sixteen, as each costs a pairing) points of the groups
//! picked by bytes, which always decode.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use simnet_zk::error::Reject;
use simnet_zk::fuzzing::{self, Subject};
use simnet_zk::groth16::Groth16;

static SUBJECT: LazyLock<Subject<Groth16>> = LazyLock::new(fuzzing::groth16);

fn seeds() -> Vec<Vec<u8>> {
    vec![[&[0], SUBJECT.proof.as_slice()].concat(), (0..97).map(|i| 2 * i + 1).collect()]
}

fuzz_target!(
    init: fuzz_support::seed("groth16", &seeds()),
    |data: &[u8]| {
        let Some((mode, rest)) = data.split_first() else { return };
        let proof = if mode % 16 == 1 { fuzzing::groth16_points(rest) } else { rest.to_vec() };
        match SUBJECT.verify(&proof) {
            Ok(()) => assert_eq!(proof, SUBJECT.proof, "a second proof without a witness"),
            Err(reject) => assert_ne!(reject, Reject::VerifierPanicked),
        }
    }
);
