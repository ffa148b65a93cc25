//! What a consensus proof is about: the bytes of the statement and the witness, and the public inputs that follow.

use crate::circuits::codec::{Reader, whole};
use crate::circuits::consensus::{KEY_DEPTH, PHASES, SLOTS_PER_EPOCH, Size};
use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::{Elements, padded_root, root, zero};
use crate::tags::Tag;

/// A member of the validator set.
#[derive(Clone, Debug)]
pub struct Validator<F> {
    pub addr: Native<F>,
    pub weight: u64,
    pub tier: u16,
    pub otk_root: Native<F>,
    pub tier_seed: Native<F>,
}

impl<F: CircuitField> Validator<F> {
    pub fn read(r: &mut Reader<'_>) -> Result<Self, ZkError> {
        Ok(Validator {
            addr: r.digest("validator addr")?,
            weight: r.u64("validator weight")?,
            tier: u16::from(r.u8("validator tier")?),
            otk_root: r.digest("validator otk_root")?,
            tier_seed: r.digest("validator tier_seed")?,
        })
    }

    /// `H[VALIDATOR](addr, weight, tier, otk_root, tier_seed)`.
    pub fn leaf(&self) -> Native<F> {
        Elements::new()
            .digest(&self.addr)
            .u64(self.weight)
            .small(self.tier)
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

/// What one validator contributed in this slot; zero digests where it did not.
#[derive(Clone, Debug)]
pub struct Ballot<F> {
    /// Prevote, precommit, commit.
    pub votes: [bool; PHASES],
    /// Whether it has a VRF entry.
    pub entry: bool,
    pub tags: [Native<F>; PHASES],
    pub vrf_output: Native<F>,
    pub vrf_key: Native<F>,
}

impl<F: CircuitField> Ballot<F> {
    /// No vote and no entry.
    pub fn absent() -> Self {
        let z = zero();
        Ballot { votes: [false; PHASES], entry: false, tags: [z; PHASES], vrf_output: z, vrf_key: z }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, ZkError> {
        let flags = r.u8("votes")?;
        if flags >= 16 {
            return Err(ZkError::InvalidWitness(format!("votes: unknown bits in {flags}")));
        }
        let ballot = Ballot {
            votes: std::array::from_fn(|x| flags >> x & 1 == 1),
            entry: flags & 8 != 0,
            tags: r.digests("tag")?,
            vrf_output: r.digest("vrf_output")?,
            vrf_key: r.digest("vrf_key")?,
        };
        let entry = [&ballot.vrf_output, &ballot.vrf_key].map(|d| (ballot.entry, d));
        let votes = ballot.votes.iter().copied().zip(&ballot.tags);
        if votes.chain(entry).any(|(set, d)| !set && *d != zero()) {
            return Err(ZkError::InvalidWitness("a tag or VRF value without its flag".into()));
        }
        Ok(ballot)
    }
}

/// The statement: what every node knows when it verifies.
#[derive(Clone, Debug)]
pub struct Statement<F> {
    pub block_hash: Native<F>,
    pub round: u64,
    pub epoch: u64,
    pub slot: u64,
    pub validators: Vec<Validator<F>>,
    pub ballots: Vec<Ballot<F>>,
    pub witness_commitments: Vec<Native<F>>,
    pub reputation_roots: Vec<Native<F>>,
}

impl<F: CircuitField> Statement<F> {
    /// Parses a whole statement.
    pub fn parse(bytes: &[u8], size: &Size) -> Result<Self, ZkError> {
        whole(bytes, |r| Self::read(r, size))
    }

    fn read(r: &mut Reader<'_>, size: &Size) -> Result<Self, ZkError> {
        let block_hash = r.digest("block_hash")?;
        let (round, epoch, slot) = (r.u64("round")?, r.u64("epoch")?, r.u64("slot")?);
        let n = r.count(size.validators, "number of validators")?;
        let validators = (0..n).map(|_| Validator::read(r)).collect::<Result<_, _>>()?;
        let ballots = (0..n).map(|_| Ballot::read(r)).collect::<Result<_, _>>()?;
        let mut list = |max: usize, what: &str| -> Result<Vec<Native<F>>, ZkError> {
            let n = r.count(max, what)?;
            (0..n).map(|_| r.digest(what)).collect()
        };
        let witness_commitments = list(size.witnesses, "witness commitments")?;
        let reputation_roots = list(size.reputations, "reputation roots")?;
        Ok(Statement { block_hash, round, epoch, slot, validators, ballots, witness_commitments, reputation_roots })
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
            vrf_entry_count: ballots.iter().filter(|b| b.entry).count() as u16,
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

/// The public inputs, in order.
#[derive(Clone, Debug)]
pub struct Public<F> {
    pub block_hash: Native<F>,
    pub round: u64,
    pub leader_proposal: Native<F>,
    pub epoch: u64,
    pub slot: u64,
    pub quorum_threshold: u64,
    pub quorum_bitmap_root: Native<F>,
    pub quorum_signature_root: Native<F>,
    pub validator_set_root: Native<F>,
    pub total_power: u64,
    pub vrf_entry_count: u16,
    pub witness_commitment_count: u16,
    pub reputation_root_count: u16,
    pub vrf_output_binding: Native<F>,
    pub vrf_proof_binding: Native<F>,
    pub witness_root: Native<F>,
    pub witness_binding: Native<F>,
    pub reputation_list_root: Native<F>,
    pub reputation_binding: Native<F>,
    pub quorum_bitmap_binding: Native<F>,
    pub quorum_signature_binding: Native<F>,
}

impl<F: CircuitField> Public<F> {
    pub fn vector(&self) -> Vec<F> {
        Elements::new()
            .digest(&self.block_hash)
            .u64(self.round)
            .digest(&self.leader_proposal)
            .u64(self.epoch)
            .u64(self.slot)
            .u64(self.quorum_threshold)
            .digest(&self.quorum_bitmap_root)
            .digest(&self.quorum_signature_root)
            .digest(&self.validator_set_root)
            .u64(self.total_power)
            .small(self.vrf_entry_count)
            .small(self.witness_commitment_count)
            .small(self.reputation_root_count)
            .digest(&self.vrf_output_binding)
            .digest(&self.vrf_proof_binding)
            .digest(&self.witness_root)
            .digest(&self.witness_binding)
            .digest(&self.reputation_list_root)
            .digest(&self.reputation_binding)
            .digest(&self.quorum_bitmap_binding)
            .digest(&self.quorum_signature_binding)
            .0
    }
}

/// What the prover adds for one validator.
#[derive(Clone, Debug)]
pub struct Opening<F> {
    /// The disclosed one-time keys of the phases; zero without the vote.
    pub keys: [Native<F>; PHASES],
    /// The public hashes K0..K3 of this slot's keys.
    pub hashes: [Native<F>; 4],
    /// Siblings, leaf to root.
    pub path: [Native<F>; KEY_DEPTH],
}

impl<F: CircuitField> Opening<F> {
    /// For an unused validator slot.
    pub fn absent() -> Self {
        let z = zero();
        Opening { keys: [z; PHASES], hashes: [z; 4], path: [z; KEY_DEPTH] }
    }

    fn read(r: &mut Reader<'_>, ballot: &Ballot<F>) -> Result<Self, ZkError> {
        let opening =
            Opening { keys: r.digests("one-time key")?, hashes: r.digests("key hash")?, path: r.digests("path")? };
        if ballot.votes.iter().zip(&opening.keys).any(|(vote, k)| !vote && *k != zero()) {
            return Err(ZkError::InvalidWitness("a one-time key without its vote".into()));
        }
        Ok(opening)
    }
}

/// Everything a consensus proof is made from.
#[derive(Clone, Debug)]
pub struct Witness<F> {
    pub statement: Statement<F>,
    pub openings: Vec<Opening<F>>,
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
        whole(bytes, |r| {
            let statement = Statement::read(r, size)?;
            let openings = statement.ballots.iter().map(|ballot| Opening::read(r, ballot)).collect::<Result<_, _>>()?;
            Ok(Witness { statement, openings })
        })
    }
}
