//! Proofs under parameters weaker than the pinned ones: good proofs to whoever asks for less, never to our verifier.

use stwo::core::channel::Blake2sChannel;
use stwo::core::fields::qm31::QM31;
use stwo::prover::ComponentProver;
use stwo::prover::backend::simd::SimdBackend;

use super::*;
use crate::error::{Reject, ZkError};
use crate::stwo::codec::{Parts, decode, encode};
use crate::stwo::config::Parameters;
use crate::stwo::prove::{Honest, Proof, Scheme, Strategy};

/// One query, and no work before it.
fn weak() -> Parameters {
    Parameters { query_pow: 0, queries: 1, ..SMALL.key.shape.parameters }
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
        scheme.config = weak().pcs();
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
    columns.for_each(|column| *column = vec![column[0]; SMALL.key.shape.parameters.queries]);
    let verdict = SMALL.key.verify(&SMALL.public, &binding(), &encode(&parts).expect("canonical"));
    assert!(matches!(verdict, Err(Reject::OpeningArgumentMismatch | Reject::FriVerifyFailed)), "{verdict:?}");
}
