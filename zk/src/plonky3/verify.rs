//! Checking a proof.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use p3_batch_stark::{BatchVerificationError, VerificationError, verify_batch};
use p3_fri::verifier::FriError;
use p3_lookup::LookupError;

use super::config::{F, proof_config};
use super::{Plonky3, Proof, codec};
use crate::backend::Binding;
use crate::error::Reject;

impl Plonky3 {
    pub(super) fn check(&self, public: &[F], binding: &Binding, bytes: &[u8]) -> Result<(), Reject> {
        if public.len() != self.inputs {
            return Err(Reject::PublicInputMismatch);
        }
        self.check_decoded(public, binding, &codec::decode(bytes, &self.shape)?)
    }

    /// The library's verdict on a proof of the right shape.
    pub(super) fn check_decoded(&self, public: &[F], binding: &Binding, proof: &Proof) -> Result<(), Reject> {
        let config = proof_config(&self.pcs, &self.shape.parameters, binding, &self.shape.log_heights(), public);
        let public = self.public_values(public);
        contained(|| verify_batch(&config, &self.tables, proof, &public, &self.data.common))
    }
}

/// The verdict of one of the library's batch verifications, which may panic.
pub(super) fn contained<A: Debug, B: Debug>(
    verify: impl FnOnce() -> Result<(), BatchVerificationError<FriError<A, B>>>,
) -> Result<(), Reject> {
    let verdict = catch_unwind(AssertUnwindSafe(|| verify().map_err(reject)));
    verdict.unwrap_or(Err(Reject::VerifierPanicked))
}

/// The rejection matrix's name for a library error.
fn reject<A, B>(e: BatchVerificationError<FriError<A, B>>) -> Reject
where
    A: Debug,
    B: Debug,
{
    match e {
        BatchVerificationError::Verification(VerificationError::OodEvaluationMismatch { .. })
        | BatchVerificationError::Lookup(LookupError::TerminalSumNonZero) => Reject::ConstraintMismatch,
        BatchVerificationError::Verification(VerificationError::InvalidOpeningArgument(e)) => reject_opening(&e),
        BatchVerificationError::Transcript(_) => Reject::OpeningArgumentMismatch,
        BatchVerificationError::Verification(_) | BatchVerificationError::Lookup(_) => Reject::InvalidProofShape,
    }
}

fn reject_opening<A, B>(e: &FriError<A, B>) -> Reject
where
    A: Debug,
    B: Debug,
{
    match e {
        FriError::InputError(_) | FriError::InvalidPowWitness(_) => Reject::OpeningArgumentMismatch,
        _ => Reject::FriVerifyFailed,
    }
}
