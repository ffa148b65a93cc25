//! Verifying: decode strictly, replay the transcript, check the LogUp total, then the library's verifier.

use std::panic::{AssertUnwindSafe, catch_unwind};

use stwo::core::air::Component;
use stwo::core::channel::{Blake2sChannel, Channel, MerkleChannel};
use stwo::core::circle::CirclePoint;
use stwo::core::fields::m31::{M31, P};
use stwo::core::fields::qm31::QM31;
use stwo::core::fri::{CirclePolyDegreeBound, FriConfig, FriVerifier};
use stwo::core::pcs::CommitmentSchemeVerifier;
use stwo::core::vcs_lifted::blake2_merkle::Blake2sMerkleChannel;
use stwo::core::verifier::{VerificationError, verify};

use super::codec::{self, Parts};
use super::config::Parameters;
use super::key::Stwo;
use super::lookup::Relations;
use super::prove::Proof;
use super::transcript;
use crate::backend::Binding;
use crate::error::Reject;

type Trees = CommitmentSchemeVerifier<Blake2sMerkleChannel>;

impl Stwo {
    pub(super) fn verify_bytes(&self, public: &[M31], binding: &Binding, bytes: &[u8]) -> Result<(), Reject> {
        if public.len() != self.public_slots.len() {
            return Err(Reject::PublicInputMismatch);
        }
        if public.iter().any(|v| v.0 >= P) {
            return Err(Reject::NonCanonicalFieldElement);
        }
        let parts = codec::decode(bytes, &self.shape, self.root)?;
        // The shape is right, so the library should not panic; if it does, that is a rejection too.
        catch_unwind(AssertUnwindSafe(|| self.verify_parts(public, binding, parts, self.shape.parameters)))
            .unwrap_or(Err(Reject::VerifierPanicked))
    }

    /// The verdict under these parameters, which never come from a proof.
    pub(super) fn verify_parts(
        &self,
        public: &[M31],
        binding: &Binding,
        parts: Parts,
        parameters: Parameters,
    ) -> Result<(), Reject> {
        let Parts { lookup_nonce, sums, stark } = parts;
        let logs = &self.shape.log_sizes;
        let mut channel = transcript::start(binding, &self.shape, public);
        let pcs = parameters.pcs();
        let mut trees = Trees::new(pcs);
        trees.commit(self.root, &logs[0], &mut channel);
        trees.commit(stark.commitments[1], &logs[1], &mut channel);
        if !channel.verify_pow_nonce(parameters.lookup_pow, lookup_nonce) {
            return Err(Reject::ConstraintMismatch);
        }
        channel.mix_u64(lookup_nonce);
        let relations = Relations::draw(&mut channel);
        let public_sum = relations.public_sum(&self.public_slots, public).ok_or(Reject::ConstraintMismatch)?;
        if sums.iter().fold(public_sum, |total, s| total + *s) != QM31::default() {
            return Err(Reject::ConstraintMismatch);
        }
        channel.mix_felts(&sums);
        trees.commit(stark.commitments[2], &logs[2], &mut channel);
        self.check_queries(&stark, channel.clone(), pcs.fri_config)?;
        let components = self.components(&relations, &sums);
        let components: Vec<&dyn Component> = components.iter().map(|c| &**c as &dyn Component).collect();
        verify(&components, &mut channel, &mut trees, stark).map_err(reject)
    }

    /// The library panics when rows are opened for another number of queries than it draws, so draw them first:
    /// this is the rest of its transcript.
    fn check_queries(&self, proof: &Proof, mut channel: Blake2sChannel, fri: FriConfig) -> Result<(), Reject> {
        channel.draw_secure_felt();
        Blake2sMerkleChannel::mix_root(&mut channel, proof.commitments[3]);
        CirclePoint::<QM31>::get_random_point(&mut channel);
        channel.mix_felts(&proof.sampled_values.clone().flatten_cols());
        channel.draw_secure_felt();
        let bound = CirclePolyDegreeBound::new(self.shape.log_max);
        let mut fri = FriVerifier::<Blake2sMerkleChannel>::commit(&mut channel, fri, proof.fri_proof.clone(), bound)
            .map_err(|_| Reject::InvalidProofShape)?;
        channel.mix_u64(proof.proof_of_work);
        let queries = fri.sample_query_positions(&mut channel).len();
        let opened = proof.queried_values.iter().flatten().all(|column| column.len() == queries);
        if opened { Ok(()) } else { Err(Reject::OpeningArgumentMismatch) }
    }
}

/// The specification's name for what the library found.
fn reject(error: VerificationError) -> Reject {
    match error {
        VerificationError::InvalidStructure(_) => Reject::InvalidProofShape,
        VerificationError::OodsNotMatching => Reject::ConstraintMismatch,
        VerificationError::Merkle(_) => Reject::OpeningArgumentMismatch,
        VerificationError::Fri(_) | VerificationError::ProofOfWork => Reject::FriVerifyFailed,
    }
}
