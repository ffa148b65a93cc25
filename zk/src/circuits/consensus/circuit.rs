//! The constraints of the consensus circuit; numbers as in the parent module.

use crate::circuits::builder::{Bit, Builder, Digest, Wire, ZERO_WIRE};
use crate::circuits::consensus::layout::PublicWires;
use crate::circuits::consensus::statement::{Ballot, Opening, Public, Validator, Witness, bitmap_chunk};
use crate::circuits::consensus::{KEY_DEPTH, PHASES, Size};
use crate::circuits::gadgets::{
    self, Carry, U64, active, add_all, assert_eq_if, assert_implies, assert_nonzero, gate_digest, gate_u64, le64,
    merkle, range, relation, select_or_constant, sum64, sum64_witness, u64_constant, u64_witness,
};
use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::{empty, zero};
use crate::tags::{Tag, VOTE};

/// The values of one validator slot.
#[derive(Clone, Debug)]
pub struct Slot<F> {
    pub present: bool,
    pub validator: Validator<F>,
    pub ballot: Ballot<F>,
    pub opening: Opening<F>,
}

/// Everything the circuit assigns; tests change single fields of it.
#[derive(Clone, Debug)]
pub struct Assignment<F> {
    pub public: Public<F>,
    pub slots: Vec<Slot<F>>,
    /// j, the index of the slot in its epoch.
    pub slot_index: u64,
    pub witness_commitments: Vec<Native<F>>,
    pub reputation_roots: Vec<Native<F>>,
}

/// The root that a path of zero siblings gives an unused slot; see the parent module.
fn absent_validator<F: CircuitField>(opening: &Opening<F>, slot_index: u64) -> Validator<F> {
    let mut node = F::compress4(&opening.public);
    for (level, sibling) in opening.path.iter().enumerate() {
        node = match slot_index >> level & 1 {
            0 => F::compress(&node, sibling),
            _ => F::compress(sibling, &node),
        };
    }
    Validator { addr: zero(), weight: 0, tier: 0, otk_root: node, tier_seed: zero() }
}

impl<F: CircuitField> Assignment<F> {
    /// Pads a witness to the circuit's size.
    pub fn new(witness: &Witness<F>, size: &Size) -> Result<Self, ZkError> {
        let s = &witness.statement;
        let present = s.validators.iter().zip(&s.ballots).zip(&witness.openings);
        let mut slots: Vec<Slot<F>> = present
            .map(|((v, b), o)| Slot { present: true, validator: v.clone(), ballot: b.clone(), opening: o.clone() })
            .collect();
        let opening = Opening::absent();
        let validator = absent_validator(&opening, s.slot_index());
        slots.resize(size.validators, Slot { present: false, validator, ballot: Ballot::absent(), opening });
        let padded = |list: &[Native<F>], n: usize| {
            let mut list = list.to_vec();
            list.resize(n, zero());
            list
        };
        Ok(Assignment {
            public: s.public(size)?,
            slots,
            slot_index: s.slot_index(),
            witness_commitments: padded(&s.witness_commitments, size.witnesses),
            reputation_roots: padded(&s.reputation_roots, size.reputations),
        })
    }

    /// Records the circuit on these values.
    pub fn record(&self, b: &mut Builder<F>) {
        b.mark("C1");
        let public = self.public.wires(b);
        let slots: Vec<SlotWires> = self.slots.iter().map(|s| SlotWires::record(b, s)).collect();
        validator_set(b, &public, &slots);
        let weights: Vec<U64> = slots.iter().map(|s| s.weight).collect();
        b.mark("C3");
        sum64(b, &weights, &public.total_power);
        b.mark("C4");
        threshold(b, &public, &self.public);
        self.quorum(b, &public, &slots);
        b.mark("C7");
        b.assert_digest_eq(&public.block_hash, &public.leader_proposal);
        b.mark("C8");
        let bits = slot_bits(b, &public, self.slot_index);
        b.mark("C9");
        let message = [
            public.block_hash.wires::<F>(),
            public.round.wires::<F>(),
            public.epoch.wires::<F>(),
            public.slot.wires::<F>(),
            public.validator_set_root.wires::<F>(),
        ];
        let message = b.hash(Tag::VoteMsg, &message.concat());
        b.mark("C10");
        slots.iter().for_each(|s| s.key_tree(b, &bits));
        b.mark("C11");
        slots.iter().for_each(|s| s.disclosed(b));
        signatures(b, &public, &slots, &message);
        bitmap(b, &public, &slots);
        vrf(b, &public, &slots);
        b.mark("C15");
        let (values, count) = (&self.witness_commitments, self.public.witness_commitment_count);
        let expected = [public.witness_root, public.witness_binding];
        list(b, &public.block_hash, values, count, public.witness_commitment_count, expected);
        let (values, count) = (&self.reputation_roots, self.public.reputation_root_count);
        let expected = [public.reputation_list_root, public.reputation_binding];
        list(b, &public.block_hash, values, count, public.reputation_root_count, expected);
        b.mark("C16");
        bind(b, &public.block_hash, &public.quorum_bitmap_root, &public.quorum_bitmap_binding);
        bind(b, &public.block_hash, &public.quorum_signature_root, &public.quorum_signature_binding);
    }

    /// C5 and C6.
    fn quorum(&self, b: &mut Builder<F>, public: &PublicWires<F>, slots: &[SlotWires]) {
        b.mark("C5");
        let sums: [U64; PHASES] = std::array::from_fn(|x| {
            let voters = self.slots.iter().filter(|s| s.ballot.votes[x]);
            let value = voters.fold(0, |sum: u64, s| sum.wrapping_add(s.validator.weight));
            let gated: Vec<U64> = slots.iter().map(|s| gate_u64(b, s.votes[x], &s.weight)).collect();
            let sum = sum64_witness(b, &gated, value);
            le64(b, &public.quorum_threshold, &sum);
            sum
        });
        b.mark("C6");
        le64(b, &sums[1], &sums[2]);
    }
}

struct SlotWires {
    present: Bit,
    votes: [Bit; PHASES],
    entry: Bit,
    addr: Digest,
    weight: U64,
    tier: Wire,
    otk_root: Digest,
    tier_seed: Digest,
    /// The keys of the phases, then the VRF's.
    keys: [Digest; 4],
    hashes: [Digest; 4],
    path: [Digest; KEY_DEPTH],
}

impl SlotWires {
    /// C1.
    fn record<F: CircuitField>(b: &mut Builder<F>, s: &Slot<F>) -> Self {
        let present = b.bit(s.present);
        let [prevote, precommit, commit, entry] = s.ballot.votes.map(|v| b.bit(v));
        let votes = [prevote, precommit, commit];
        votes.iter().chain([&entry]).for_each(|flag| assert_implies(b, *flag, present));
        let weight = u64_witness(b, s.validator.weight);
        let tier = b.witness(F::from_u64(u64::from(s.validator.tier)));
        range(b, tier, 3);
        // Below 2^18, on BN254 below 2^64: zero in the field only for a weight of 0.
        let sum = add_all(b, weight.wires::<F>().iter().copied());
        let inverse = b.witness(b.value(sum).invert().unwrap_or(F::ZERO));
        b.assert_product(sum, inverse, present.0);
        b.assert_product(sum, present.0, sum);
        let [k0, k1, k2] = s.opening.keys;
        SlotWires {
            present,
            votes,
            entry,
            addr: b.witness_digest(&s.validator.addr),
            weight,
            tier,
            otk_root: b.witness_digest(&s.validator.otk_root),
            tier_seed: b.witness_digest(&s.validator.tier_seed),
            keys: [k0, k1, k2, s.ballot.vrf_key].map(|k| b.witness_digest(&k)),
            hashes: s.opening.public.map(|k| b.witness_digest(&k)),
            path: s.opening.path.map(|d| b.witness_digest(&d)),
        }
    }

    /// C10.
    fn key_tree<F: CircuitField>(&self, b: &mut Builder<F>, bits: &[Bit]) {
        let node = F::record_compress4(b, &self.hashes);
        let root = merkle(b, node, bits, &self.path);
        b.assert_digest_eq(&root, &self.otk_root);
    }

    /// C11.
    fn disclosed<F: CircuitField>(&self, b: &mut Builder<F>) {
        let flags = self.votes.iter().chain([&self.entry]);
        for ((flag, key), expected) in flags.zip(&self.keys).zip(&self.hashes) {
            let hash = b.hash(Tag::Otk, key.wires::<F>());
            assert_eq_if(b, *flag, &hash, expected);
        }
    }
}

/// C2.
fn validator_set<F: CircuitField>(b: &mut Builder<F>, public: &PublicWires<F>, slots: &[SlotWires]) {
    b.mark("C2");
    let absent = empty::<F>(Tag::Validator);
    let mut leaves = Vec::with_capacity(slots.len());
    for s in slots {
        let parts =
            [s.addr.wires::<F>(), s.weight.wires::<F>(), &[s.tier], s.otk_root.wires::<F>(), s.tier_seed.wires::<F>()];
        let leaf = b.hash(Tag::Validator, &parts.concat());
        leaves.push(select_or_constant(b, s.present, &leaf, &absent));
    }
    let root = gadgets::root(b, &leaves);
    b.assert_digest_eq(&root, &public.validator_set_root);
}

/// C4, written as `2·total − 2·Q1 − r = Q1` with `Q1 = threshold − 1`.
///
/// Carries: 16 bits of 2·t − 2·q − r + k − q lie between −3·65535 − 2 − 3 and 2·65535 + 4, so k from −3 to 2 suffices.
fn threshold<F: CircuitField>(b: &mut Builder<F>, public: &PublicWires<F>, values: &Public<F>) {
    let q1_value = values.quorum_threshold.wrapping_sub(1);
    let q1 = u64_witness(b, q1_value);
    let one = u64_constant(b, 1);
    gadgets::add64(b, &q1, &one, &public.quorum_threshold);
    let remainder = i128::from(values.total_power) * 2 - i128::from(q1_value) * 3;
    let r = b.witness(F::from_u64(remainder.clamp(0, 2) as u64));
    // r(r − 1)(r − 2) = 0
    let square = b.mul(r, r);
    let product = b.sub(square, r);
    let two_less = b.lin(&[(F::ONE, r)], -F::from_u64(2));
    b.assert_product(product, two_less, ZERO_WIRE);
    relation(b, &[(2, &public.total_power), (-2, &q1)], &[(-1, r)], &q1, Carry::Signed);
}

/// C8: the bits of j, least significant first.
fn slot_bits<F: CircuitField>(b: &mut Builder<F>, public: &PublicWires<F>, index: u64) -> [Bit; KEY_DEPTH] {
    let bits: [Bit; KEY_DEPTH] = std::array::from_fn(|i| b.bit(index >> i & 1 == 1));
    let low: [(i64, Wire); KEY_DEPTH] = std::array::from_fn(|i| (1 << i, bits[i].0));
    relation(b, &[(1 << KEY_DEPTH, &public.epoch)], &low, &public.slot, Carry::Bits(KEY_DEPTH as u32));
    bits
}

/// C12.
fn signatures<F: CircuitField>(b: &mut Builder<F>, public: &PublicWires<F>, slots: &[SlotWires], message: &Digest) {
    b.mark("C12");
    let mut leaves = Vec::with_capacity(slots.len());
    for s in slots {
        let mut tags = vec![];
        for ((domain, key), vote) in VOTE.into_iter().zip(&s.keys).zip(&s.votes) {
            let tag = b.hash(domain, &[key.wires::<F>(), message.wires::<F>()].concat());
            tags.extend_from_slice(gate_digest(b, *vote, &tag).wires::<F>());
        }
        leaves.push(b.hash(Tag::SigQ, &tags));
    }
    let root = gadgets::root(b, &leaves);
    b.assert_digest_eq(&root, &public.quorum_signature_root);
}

/// C13. An element holds 16 bits on the 31-bit fields and at most 128 on BN254: below p, so it decides its bits.
fn bitmap<F: CircuitField>(b: &mut Builder<F>, public: &PublicWires<F>, slots: &[SlotWires]) {
    b.mark("C13");
    let mut elements = vec![];
    for x in 0..PHASES {
        for chunk in slots.chunks(bitmap_chunk::<F>(slots.len())) {
            let mut weight = F::ONE;
            let mut terms = vec![];
            for s in chunk {
                terms.push((weight, s.votes[x].0));
                weight = weight + weight;
            }
            elements.push(b.lin(&terms, F::ZERO));
        }
    }
    let root = b.hash(Tag::Bitmap, &elements);
    b.assert_digest_eq(&root, &public.quorum_bitmap_root);
}

/// C14.
fn vrf<F: CircuitField>(b: &mut Builder<F>, public: &PublicWires<F>, slots: &[SlotWires]) {
    b.mark("C14");
    let (mut outputs, mut keys) = (vec![], vec![]);
    for s in slots {
        let input = [public.block_hash.wires::<F>(), public.epoch.wires::<F>(), s.tier_seed.wires::<F>()];
        let input = b.hash(Tag::VrfIn, &input.concat());
        let output = b.hash(Tag::VrfOut, &[s.keys[3].wires::<F>(), input.wires::<F>()].concat());
        outputs.push(gate_digest(b, s.entry, &output));
        keys.push(gate_digest(b, s.entry, &s.keys[3]));
    }
    let count = add_all(b, slots.iter().map(|s| s.entry.0));
    b.assert_eq(count, public.vrf_entry_count);
    assert_nonzero(b, count);
    let outputs = gadgets::root(b, &outputs);
    bind(b, &public.block_hash, &outputs, &public.vrf_output_binding);
    let keys = gadgets::root(b, &keys);
    bind(b, &public.block_hash, &keys, &public.vrf_proof_binding);
}

/// C15 for one list. The count is at most 2^10. The first flag is set, so the count is at least 1.
fn list<F: CircuitField>(
    b: &mut Builder<F>,
    block_hash: &Digest,
    values: &[Native<F>],
    count: u16,
    expected_count: Wire,
    [expected_root, binding]: [Digest; 2],
) {
    let (flags, sum) = active(b, values.len(), usize::from(count));
    b.assert_eq(sum, expected_count);
    let one = b.constant(F::ONE);
    b.assert_eq(flags[0].0, one);
    let padding = empty::<F>(Tag::Witness);
    let mut leaves = Vec::with_capacity(values.len());
    for (flag, value) in flags.iter().zip(values) {
        let value = b.witness_digest(value);
        leaves.push(select_or_constant(b, *flag, &value, &padding));
    }
    let root = gadgets::root(b, &leaves);
    b.assert_digest_eq(&root, &expected_root);
    bind(b, block_hash, &root, &binding);
}

/// `C(block_hash, x) = binding`.
fn bind<F: CircuitField>(b: &mut Builder<F>, block_hash: &Digest, x: &Digest, binding: &Digest) {
    let computed = b.compress(block_hash, x);
    b.assert_digest_eq(&computed, binding);
}
