//! The Plonky3 verifier under parameters that ask for no work, so that a mutated proof gets as far as its contents allow.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use simnet_zk::error::Reject;
use simnet_zk::fuzzing::{self, Subject};
use simnet_zk::plonky3::Plonky3;

static SUBJECT: LazyLock<Subject<Plonky3>> = LazyLock::new(fuzzing::plonky3);

fuzz_target!(
    init: fuzz_support::seed("plonky3", &[SUBJECT.proof.clone()]),
    |data: &[u8]| assert_ne!(SUBJECT.verify(data), Err(Reject::VerifierPanicked))
);
