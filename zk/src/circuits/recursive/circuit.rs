//! The constraints of the recursive circuit; numbers as in the parent module.

use crate::accounts::list0;
use crate::circuits::builder::{Bit, Builder, Digest, Wire, ZERO_WIRE};
use crate::circuits::gadgets::{
    self, U64, active_flags, add_all, add64, assert_nonzero, gate_digest, last_active, select_or_constant,
    u64_constant, u64_witness,
};
use crate::circuits::recursive::Size;
use crate::circuits::recursive::layout::PublicWires;
use crate::circuits::recursive::statement::{GLOBAL_STATE, Previous, Public, ROOTS, Slots, Statement, ZSI};
use crate::circuits::recursive::vectors::{DECISION, IDENTITY, Inner, PRUNING, STATE, TRANSACTION, UPTIME, input};
use crate::field::{CircuitField, Native};
use crate::natives::{empty, lift, zero};
use crate::tags::Tag;

/// Records the circuit on a statement and the public inputs claimed for it.
pub fn record<F: CircuitField>(b: &mut Builder<F>, size: &Size, s: &Statement<F>, public: &Public<F>) {
    b.mark("R14");
    let public = public.wires(b);
    let previous = PreviousWires::record(b, &s.previous);
    b.mark("R1");
    let flags = [&s.transactions, &s.identities, &s.uptimes, &s.decisions].map(|slots| active_flags(b, &slots.present));
    let counts = [0, 1, 2, 3].map(|i| flags[i].1);
    let expected = [public.tx_count, public.id_count, public.uptime_count, public.decision_count];
    for (count, expected) in counts.into_iter().zip(expected) {
        b.assert_eq(count, expected);
    }
    // At most 512 + 64 + 64 + 1.
    let total = add_all(b, counts.into_iter());
    assert_nonzero(b, total);
    let keys = verifying_keys(b, s, &public);
    let [transactions, identities, uptimes, decisions] = flags.map(|(flags, _)| flags);
    let transactions = Items::record(b, &TRANSACTION, &keys, transactions, &s.transactions);
    let identities = Items::record(b, &IDENTITY, &keys, identities, &s.identities);
    let uptimes = Items::record(b, &UPTIME, &keys, uptimes, &s.uptimes);
    let decisions = Items::record(b, &DECISION, &keys, decisions, &s.decisions);
    // A chunk has a state proof when it has a transaction; the first always has.
    let one = Bit(b.constant(F::ONE));
    let chunk_flags = (0..size.chunks()).map(|j| if j == 0 { one } else { transactions.flags[j * size.chunk] });
    let states = Items::record(b, &STATE, &keys, chunk_flags.collect(), &s.states);
    b.mark("R9");
    let has_pruning = b.bit(s.pruning.present[0]);
    let pruning = Items::record(b, &PRUNING, &keys, vec![has_pruning], &s.pruning);

    b.mark("R4");
    let kinds =
        [&identities, &transactions, &uptimes, &decisions].map(|items| chained(b, &items.flags, &items.commitments));
    b.mark("R5");
    let [tx_count, id_count, uptime_count, decision_count] = counts;
    let mut parts = vec![];
    for (chain, count) in kinds.iter().zip([id_count, tx_count, uptime_count, decision_count]) {
        parts.extend_from_slice(chain.wires::<F>());
        parts.push(count);
    }
    let pruning_pc = gate_digest(b, has_pruning, &pruning.commitments[0]);
    parts.extend_from_slice(pruning_pc.wires::<F>());
    let activity = b.hash(Tag::Activity, &parts);

    transfers(b, size, &transactions, &states);
    registrations(b, &identities, id_count, &states, &previous, &public);
    state_roots(b, &states, &previous, &public);
    b.mark("R9");
    let fold = pruning.digest::<F>(0, input::PRUNING_FOLD);
    let fold = gate_digest(b, has_pruning, &fold);
    b.assert_digest_eq(&fold, &public.pruning_fold);
    b.mark("R10");
    for (flag, vector) in uptimes.iter() {
        equal_if(b, *flag, UPTIME.part::<F, _>(vector, input::UPTIME_IDENTITY_ROOT), previous.roots[ZSI].wires::<F>());
    }
    header(b, s, &public, &transactions, tx_count, &decisions, &states);

    b.mark("R12");
    let state_proof = chained(b, &states.flags, &states.commitments);
    let state_digest = state_digest(b, &state_proof, &public.roots, &public.block_height);
    b.mark("R13");
    let computed = aggregate(
        b,
        [&public.previous_commitment, &state_digest, &public.pruning_fold, &activity],
        &public.block_height,
    );
    b.assert_digest_eq(&computed, &public.aggregated_commitment);
    continuity(b, &previous, &public);
}

struct PreviousWires {
    previous_commitment: Digest,
    state_proof: Digest,
    roots: [Digest; ROOTS],
    pruning_fold: Digest,
    activity: Digest,
    height: U64,
}

impl PreviousWires {
    fn record<F: CircuitField>(b: &mut Builder<F>, p: &Previous<F>) -> Self {
        PreviousWires {
            previous_commitment: b.witness_digest(&p.previous_commitment),
            state_proof: b.witness_digest(&p.state_proof),
            roots: p.roots.map(|root| b.witness_digest(&root)),
            pruning_fold: b.witness_digest(&p.pruning_fold),
            activity: b.witness_digest(&p.activity),
            height: u64_witness(b, p.height),
        }
    }
}

/// The proofs of one kind: whether they are there, their vectors, their commitments.
struct Items {
    inner: &'static Inner,
    flags: Vec<Bit>,
    vectors: Vec<Vec<Wire>>,
    commitments: Vec<Digest>,
}

impl Items {
    /// R3.
    fn record<F: CircuitField>(
        b: &mut Builder<F>,
        inner: &'static Inner,
        keys: &[Digest],
        flags: Vec<Bit>,
        slots: &Slots<F>,
    ) -> Self {
        b.mark("R3");
        let id = b.constant(F::from_u64(u64::from(inner.id)));
        let key = keys[usize::from(inner.id) - 1];
        let (mut vectors, mut commitments) = (vec![], vec![]);
        for values in &slots.vectors {
            let vector: Vec<Wire> = values.iter().map(|x| b.witness(*x)).collect();
            let pid = b.hash(Tag::Public, &vector);
            commitments.push(b.hash(Tag::Proof, &[&[id], key.wires::<F>(), pid.wires::<F>()].concat()));
            vectors.push(vector);
        }
        Items { inner, flags, vectors, commitments }
    }

    fn iter(&self) -> impl Iterator<Item = (&Bit, &Vec<Wire>)> {
        self.flags.iter().zip(&self.vectors)
    }

    fn part<F: CircuitField>(&self, i: usize, input: usize) -> &[Wire] {
        self.inner.part::<F, _>(&self.vectors[i], input)
    }

    fn digest<F: CircuitField>(&self, i: usize, input: usize) -> Digest {
        Digest::from_wires::<F>(self.part::<F>(i, input))
    }

    fn digests<F: CircuitField>(&self, input: usize) -> Vec<Digest> {
        (0..self.vectors.len()).map(|i| self.digest::<F>(i, input)).collect()
    }
}

/// R2: the lifted key ids.
fn verifying_keys<F: CircuitField>(b: &mut Builder<F>, s: &Statement<F>, public: &PublicWires<F>) -> Vec<Digest> {
    b.mark("R2");
    let mut keys: Vec<Digest> = s.vk_ids.iter().map(|id| b.witness_digest(&lift(id))).collect();
    keys.push(b.constant_digest(&zero()));
    let root = gadgets::root(b, &keys);
    b.assert_digest_eq(&root, &public.vk_set_root);
    keys
}

/// Asserts `bit·(x − y) = 0`, element-wise.
fn equal_if<F: CircuitField>(b: &mut Builder<F>, bit: Bit, x: &[Wire], y: &[Wire]) {
    for (x, y) in x.iter().zip(y) {
        let difference = b.sub(*x, *y);
        b.assert_product(bit.0, difference, ZERO_WIRE);
    }
}

/// The items with a set flag, chained by C from LIST0.
fn chained<F: CircuitField>(b: &mut Builder<F>, flags: &[Bit], items: &[Digest]) -> Digest {
    let start = b.constant_digest(&list0());
    let mut list = start;
    let mut lists = Vec::with_capacity(items.len());
    for item in items {
        list = b.compress(&list, item);
        lists.push(list);
    }
    last_active(b, flags, &lists, &start)
}

/// R6.
fn transfers<F: CircuitField>(b: &mut Builder<F>, size: &Size, transactions: &Items, states: &Items) {
    b.mark("R6");
    let mut links = Vec::with_capacity(size.transactions);
    for i in 0..size.transactions {
        let parts = [input::TX_DIGEST, input::TX_LEAF_OLD, input::TX_LEAF_NEW].map(|x| transactions.part::<F>(i, x));
        links.push(b.hash(Tag::TxLink, &parts.concat()));
    }
    for (j, links) in links.chunks_exact(size.chunk).enumerate() {
        let flags = &transactions.flags[j * size.chunk..][..size.chunk];
        let list = chained(b, flags, links);
        equal_if(b, states.flags[j], list.wires::<F>(), states.part::<F>(j, input::STATE_TX_LIST));
        let count = add_all(b, flags.iter().map(|flag| flag.0));
        equal_if(b, states.flags[j], &[count], states.part::<F>(j, input::STATE_TX_COUNT));
    }
}

/// R7.
fn registrations<F: CircuitField>(
    b: &mut Builder<F>,
    identities: &Items,
    count: Wire,
    states: &Items,
    previous: &PreviousWires,
    public: &PublicWires<F>,
) {
    b.mark("R7");
    let mut links = vec![];
    let mut before = previous.roots[ZSI];
    for (i, (flag, vector)) in identities.iter().enumerate() {
        let [addr, commitment] = [input::IDENTITY_ADDR, input::IDENTITY_COMMITMENT].map(|x| identities.part::<F>(i, x));
        links.push(b.hash(Tag::IdLink, &[addr, commitment].concat()));
        equal_if(b, *flag, IDENTITY.part::<F, _>(vector, input::IDENTITY_ROOT_BEFORE), before.wires::<F>());
        before = identities.digest::<F>(i, input::IDENTITY_ROOT_AFTER);
        let state_root = IDENTITY.part::<F, _>(vector, input::IDENTITY_STATE_ROOT);
        equal_if(b, *flag, state_root, states.part::<F>(0, input::STATE_ROOT_BEFORE));
    }
    let roots = identities.digests::<F>(input::IDENTITY_ROOT_AFTER);
    let last = last_active(b, &identities.flags, &roots, &previous.roots[ZSI]);
    b.assert_digest_eq(&last, &public.roots[ZSI]);
    let list = chained(b, &identities.flags, &links);
    b.assert_digest_eq(&list, &states.digest::<F>(0, input::STATE_ID_LIST));
    b.assert_eq(count, states.part::<F>(0, input::STATE_ID_COUNT)[0]);
    for (j, flag) in states.flags.iter().enumerate().skip(1) {
        equal_if(b, *flag, states.part::<F>(j, input::STATE_ID_COUNT), &[ZERO_WIRE]);
    }
}

/// R8, and of R14 that the first chunk begins at the previous block's root.
fn state_roots<F: CircuitField>(b: &mut Builder<F>, states: &Items, previous: &PreviousWires, public: &PublicWires<F>) {
    b.mark("R14");
    b.assert_digest_eq(&states.digest::<F>(0, input::STATE_ROOT_BEFORE), &previous.roots[GLOBAL_STATE]);
    b.mark("R8");
    let after = states.digests::<F>(input::STATE_ROOT_AFTER);
    for (j, flag) in states.flags.iter().enumerate().skip(1) {
        equal_if(b, *flag, states.part::<F>(j, input::STATE_ROOT_BEFORE), after[j - 1].wires::<F>());
    }
    let last = last_active(b, &states.flags, &after, &after[0]);
    b.assert_digest_eq(&last, &public.roots[GLOBAL_STATE]);
}

/// R11.
fn header<F: CircuitField>(
    b: &mut Builder<F>,
    s: &Statement<F>,
    public: &PublicWires<F>,
    transactions: &Items,
    tx_count: Wire,
    decisions: &Items,
    states: &Items,
) {
    b.mark("R11");
    let parent = b.witness_digest(&s.header.parent);
    let timestamp = u64_witness(b, s.header.timestamp);
    let padding: Native<F> = empty(Tag::Tx);
    let digests = transactions.digests::<F>(input::TX_DIGEST);
    let leaves: Vec<Digest> =
        transactions.flags.iter().zip(&digests).map(|(flag, m)| select_or_constant(b, *flag, m, &padding)).collect();
    let tx_root = gadgets::root(b, &leaves);
    let parts = [
        parent.wires::<F>(),
        public.block_height.wires::<F>(),
        public.roots[GLOBAL_STATE].wires::<F>(),
        tx_root.wires::<F>(),
        timestamp.wires::<F>(),
        &[tx_count],
    ];
    let digest = b.hash(Tag::Header, &parts.concat());
    for (flag, vector) in decisions.iter() {
        equal_if(b, *flag, DECISION.part::<F, _>(vector, input::DECISION_BLOCK_HASH), digest.wires::<F>());
    }
    for (flag, vector) in states.iter() {
        equal_if(b, *flag, STATE.part::<F, _>(vector, input::STATE_BLOCK_TIME), timestamp.wires::<F>());
    }
}

/// H[STATEDIGEST](state_proof, roots, height).
fn state_digest<F: CircuitField>(
    b: &mut Builder<F>,
    state_proof: &Digest,
    roots: &[Digest; ROOTS],
    height: &U64,
) -> Digest {
    let mut parts = state_proof.wires::<F>().to_vec();
    roots.iter().for_each(|root| parts.extend_from_slice(root.wires::<F>()));
    parts.extend_from_slice(height.wires::<F>());
    b.hash(Tag::StateDigest, &parts)
}

/// H[AGG](previous_commitment, state_digest, pruning_fold, activity, height).
fn aggregate<F: CircuitField>(b: &mut Builder<F>, digests: [&Digest; 4], height: &U64) -> Digest {
    let [a, c, d, e] = digests.map(|x| x.wires::<F>());
    b.hash(Tag::Agg, &[a, c, d, e, height.wires::<F>()].concat())
}

/// R14.
fn continuity<F: CircuitField>(b: &mut Builder<F>, p: &PreviousWires, public: &PublicWires<F>) {
    b.mark("R14");
    let state_digest = state_digest(b, &p.state_proof, &p.roots, &p.height);
    let opened = aggregate(b, [&p.previous_commitment, &state_digest, &p.pruning_fold, &p.activity], &p.height);
    b.assert_digest_eq(&opened, &public.previous_commitment);
    let one = u64_constant(b, 1);
    add64(b, &p.height, &one, &public.block_height);
}
