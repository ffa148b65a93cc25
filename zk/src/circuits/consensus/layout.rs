//! The consensus circuit's statement, witness and public inputs.

use crate::circuits::consensus::{KEY_DEPTH, PHASES, Size};
use crate::circuits::family::Family;
use crate::circuits::layout::{AnyField, Codec, Layout, inputs, record};
use crate::field::Native;

record! {
    /// A member of the validator set.
    Validator<F> in <S> {
        addr: Native<F>,
        weight: u64,
        tier: u8,
        otk_root: Native<F>,
        tier_seed: Native<F>,
    }
}

record! {
    /// What one validator contributed in this slot; zero digests where it did not.
    Ballot<F> in Size {
        votes: [bool; PHASES + 1] [bits prevote precommit commit vrf],
        /// One for each vote.
        tags: [Native<F>; PHASES],
        vrf_output: Native<F>,
        vrf_key: Native<F>,
    }
}

record! {
    /// A decided block.
    Statement<F> in Size {
        block_hash: Native<F>,
        round: u64,
        epoch: u64,
        slot: u64,
        validators: Vec<Validator<F>> [1 ..= validators],
        /// In the order of the validators.
        ballots: Vec<Ballot<F>> [each validators],
        witness_commitments: Vec<Native<F>> [1 ..= witnesses],
        reputation_roots: Vec<Native<F>> [1 ..= reputations],
    }
}

record! {
    /// What the prover adds for one validator.
    Opening<F> in Size {
        /// The disclosed one-time keys of the phases; zero without the vote. The VRF's is in the ballot.
        keys: [Native<F>; PHASES],
        /// The public hashes K0..K3 of this slot's keys.
        public: [Native<F>; PHASES + 1],
        /// Siblings in the key tree, leaf to root.
        path: [Native<F>; KEY_DEPTH],
    }
}

record! {
    /// The statement and the openings, in the order of the validators.
    Witness<F> in Size {
        statement: Statement<F> [base],
        openings: Vec<Opening<F>> [each statement.validators],
    }
}

inputs! {
    /// The public inputs, in order.
    Public<F>, PublicWires {
        block_hash: Native<F>,
        round: u64,
        leader_proposal: Native<F>,
        epoch: u64,
        slot: u64,
        quorum_threshold: u64,
        quorum_bitmap_root: Native<F>,
        quorum_signature_root: Native<F>,
        validator_set_root: Native<F>,
        total_power: u64,
        vrf_entry_count: u16 [..= validators],
        witness_commitment_count: u16 [..= witnesses],
        reputation_root_count: u16 [..= reputations],
        vrf_output_binding: Native<F>,
        vrf_proof_binding: Native<F>,
        witness_root: Native<F>,
        witness_binding: Native<F>,
        reputation_list_root: Native<F>,
        reputation_binding: Native<F>,
        quorum_bitmap_binding: Native<F>,
        quorum_signature_binding: Native<F>,
    }
}

pub const LAYOUT: Layout = Layout {
    circuit: Size::ID,
    params: &["validators", "witnesses", "reputations"],
    statement: Statement::<AnyField>::FORM,
    witness: Witness::<AnyField>::FORM,
    public: Public::<AnyField>::INPUTS,
};
