//! What a consensus proof is about: the bytes of the statement and the witness, and the public inputs that follow.

pub use crate::circuits::consensus::layout::{Ballot, Opening, Public, Statement, Validator, Witness};
use crate::circuits::consensus::{KEY_DEPTH, PHASES, SLOTS_PER_EPOCH, Size};
use crate::circuits::layout::Codec;
use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::{Elements, padded_root, root, zero};
use crate::tags::Tag;

impl<F: CircuitField> Validator<F> {
    /// `H[VALIDATOR](addr, weight, tier, otk_root, tier_seed)`.
    pub fn leaf(&self) -> Native<F> {
        Elements::new()
            .digest(&self.addr)
            .u64(self.weight)
            .small(u16::from(self.tier))
            .digest(&self.otk_root)
            .digest(&self.tier_seed)
            .hash(Tag::Validator)
    }
}

/// ROOT over the validator leaves, padded with EMPTY_VALIDATOR to `capacity`.
pub fn validator_set_root<F: CircuitField>(validators: &[Validator<F>], capacity: usize) -> Native<F> {
    let leaves: Vec<Native<F>> = validators.iter().map(Validator::leaf).collect();
    padded_root(&leaves, capacity, &crate::natives::empty(Tag::Validator))
}

impl<F: CircuitField> Ballot<F> {
    /// No vote and no entry.
    pub fn absent() -> Self {
        let z = zero();
        Ballot { votes: [false; PHASES + 1], tags: [z; PHASES], vrf_output: z, vrf_key: z }
    }

    /// Whether it has a VRF entry.
    pub fn entry(&self) -> bool {
        self.votes[PHASES]
    }

    /// Refuses what is there without its flag.
    fn check(&self) -> Result<(), ZkError> {
        let signed = self.votes.iter().zip(&self.tags).any(|(vote, tag)| !vote && *tag != zero());
        let drawn = !self.entry() && [self.vrf_output, self.vrf_key] != [zero(); 2];
        if signed || drawn {
            return Err(ZkError::InvalidWitness("a tag or VRF value without its flag".into()));
        }
        Ok(())
    }
}

impl<F: CircuitField> Statement<F> {
    /// Parses a whole statement.
    pub fn parse(bytes: &[u8], size: &Size) -> Result<Self, ZkError> {
        let statement = <Self as Codec<Size>>::parse(bytes, size)?;
        statement.ballots.iter().try_for_each(Ballot::check)?;
        Ok(statement)
    }

    /// The public inputs. Fails only when the weights do not sum in a u64.
    pub fn public(&self, size: &Size) -> Result<Public<F>, ZkError> {
        let overflow = || ZkError::AmountOutOfRange("total power".into());
        let add = |sum: u64, v: &Validator<F>| sum.checked_add(v.weight);
        let total_power = self.validators.iter().try_fold(0, add).ok_or_else(overflow)?;
        let mut ballots = self.ballots.clone();
        ballots.resize_with(size.validators, Ballot::absent);
        let roots = ballots.iter().map(|b| Elements::new().digest(&b.tags[0]).digest(&b.tags[1]).digest(&b.tags[2]));
        let q: Vec<Native<F>> = roots.map(|e| e.hash(Tag::SigQ)).collect();
        let column = |f: fn(&Ballot<F>) -> Native<F>| root(&ballots.iter().map(f).collect::<Vec<_>>());
        let empty = crate::natives::empty(Tag::Witness);
        let witness_root = padded_root(&self.witness_commitments, size.witnesses, &empty);
        let reputation_list_root = padded_root(&self.reputation_roots, size.reputations, &empty);
        let quorum_bitmap_root = bitmap_root(&ballots);
        let quorum_signature_root = root(&q);
        let bind = |x: &Native<F>| F::compress(&self.block_hash, x);
        Ok(Public {
            block_hash: self.block_hash,
            round: self.round,
            leader_proposal: self.block_hash,
            epoch: self.epoch,
            slot: self.slot,
            quorum_threshold: quorum_threshold(total_power),
            quorum_bitmap_root,
            quorum_signature_root,
            validator_set_root: validator_set_root(&self.validators, size.validators),
            total_power,
            vrf_entry_count: ballots.iter().filter(|b| b.entry()).count() as u16,
            witness_commitment_count: self.witness_commitments.len() as u16,
            reputation_root_count: self.reputation_roots.len() as u16,
            vrf_output_binding: bind(&column(|b| b.vrf_output)),
            vrf_proof_binding: bind(&column(|b| b.vrf_key)),
            witness_root,
            witness_binding: bind(&witness_root),
            reputation_list_root,
            reputation_binding: bind(&reputation_list_root),
            quorum_bitmap_binding: bind(&quorum_bitmap_root),
            quorum_signature_binding: bind(&quorum_signature_root),
        })
    }

    /// The slot's index in its epoch; for a slot outside the epoch something that C8 refuses.
    pub fn slot_index(&self) -> u64 {
        self.slot % SLOTS_PER_EPOCH
    }
}

/// `floor(2·total/3) + 1`.
pub fn quorum_threshold(total: u64) -> u64 {
    (u128::from(total) * 2 / 3 + 1) as u64
}

/// `H[BITMAP]` of the phases' vote bits: ⌈N/16⌉ limbs a phase, on BN254 one element a phase.
fn bitmap_root<F: CircuitField>(ballots: &[Ballot<F>]) -> Native<F> {
    let mut elements = vec![];
    for x in 0..PHASES {
        for chunk in ballots.chunks(bitmap_chunk::<F>(ballots.len())) {
            let bits = chunk.iter().rev();
            elements.push(bits.fold(F::ZERO, |acc, b| acc + acc + F::from_u64(u64::from(b.votes[x]))));
        }
    }
    Elements(elements).hash(Tag::Bitmap)
}

/// Validators per bitmap element.
pub fn bitmap_chunk<F: CircuitField>(validators: usize) -> usize {
    if F::WIDE { validators } else { 16 }
}

impl<F: CircuitField> Opening<F> {
    /// For an unused validator slot.
    pub fn absent() -> Self {
        let z = zero();
        Opening { keys: [z; PHASES], public: [z; PHASES + 1], path: [z; KEY_DEPTH] }
    }

    fn check(&self, ballot: &Ballot<F>) -> Result<(), ZkError> {
        if ballot.votes.iter().zip(&self.keys).any(|(vote, k)| !vote && *k != zero()) {
            return Err(ZkError::InvalidWitness("a one-time key without its vote".into()));
        }
        Ok(())
    }
}

impl<F: CircuitField> Witness<F> {
    /// A false witness: nobody votes. It has the structure of every other one.
    pub fn nobody() -> Self {
        let statement = Statement {
            block_hash: zero(),
            round: 0,
            epoch: 0,
            slot: 0,
            validators: vec![],
            ballots: vec![],
            witness_commitments: vec![],
            reputation_roots: vec![],
        };
        Witness { statement, openings: vec![] }
    }

    /// Parses the statement and the openings after it.
    pub fn parse(bytes: &[u8], size: &Size) -> Result<Self, ZkError> {
        let witness = <Self as Codec<Size>>::parse(bytes, size)?;
        witness.statement.ballots.iter().try_for_each(Ballot::check)?;
        witness
            .openings
            .iter()
            .zip(&witness.statement.ballots)
            .try_for_each(|(opening, ballot)| opening.check(ballot))?;
        Ok(witness)
    }
}
