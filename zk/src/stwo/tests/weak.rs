//! Proofs under parameters weaker than the pinned ones: good proofs to whoever asks for less, never to our verifier.

use stwo::core::channel::Blake2sChannel;
use stwo::core::fields::qm31::QM31;
use stwo::core::fri::FriConfig;
use stwo::core::pcs::PcsConfig;
use stwo::prover::ComponentProver;
use stwo::prover::backend::simd::SimdBackend;

use super::*;
use crate::error::{Reject, ZkError};
use crate::stwo::codec::{Parts, decode, encode};
use crate::stwo::config::{self, QUERIES};
use crate::stwo::prove::{Honest, Proof, Scheme, Strategy};

/// One query, and no work before it.
fn weak() -> PcsConfig {
    let pinned = config::pcs();
    PcsConfig { pow_bits: 0, fri_config: FriConfig { n_queries: 1, ..pinned.fri_config }, ..pinned }
}

/// Honest but for the parameters of the opening.
struct Weak;

impl Strategy for Weak {
    fn settle(&self, sums: &mut [QM31], public: QM31) -> Result<(), ZkError> {
        Honest.settle(sums, public)
    }

    fn open(
        &self,
        components: &[&dyn ComponentProver<SimdBackend>],
        channel: &mut Blake2sChannel,
        mut scheme: Scheme<'_>,
    ) -> Result<Proof, ZkError> {
        scheme.config = weak();
        Honest.open(components, channel, scheme)
    }
}

fn weak_proof() -> Vec<u8> {
    let trace = SMALL.key.trace(&SMALL.values).expect("a good witness");
    SMALL.key.prove_trace(&trace, &SMALL.public, &binding(), &Weak).expect("a proof")
}

fn parts(bytes: &[u8]) -> Parts {
    decode(bytes, &SMALL.key.shape, SMALL.key.root).expect("the shape of a proof")
}

#[test]
fn stwo_proof_of_one_query_is_refused() {
    let proof = weak_proof();
    let by_weak = SMALL.key.verify_parts(&SMALL.public, &binding(), parts(&proof), weak());
    assert_eq!(by_weak, Ok(()), "it is a proof of its kind");
    let verdict = SMALL.key.verify(&SMALL.public, &binding(), &proof);
    assert!(matches!(verdict, Err(Reject::OpeningArgumentMismatch | Reject::FriVerifyFailed)), "{verdict:?}");
}

#[test]
fn stwo_query_given_many_times_is_refused() {
    let mut parts = parts(&weak_proof());
    let columns = parts.stark.0.queried_values.iter_mut().flatten();
    columns.for_each(|column| *column = vec![column[0]; QUERIES]);
    let verdict = SMALL.key.verify(&SMALL.public, &binding(), &encode(&parts).expect("canonical"));
    assert!(matches!(verdict, Err(Reject::OpeningArgumentMismatch | Reject::FriVerifyFailed)), "{verdict:?}");
}
