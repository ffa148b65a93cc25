//! Forgeries of consensus rounds: seven of eight slots taken, six of them voting.

use simnet_zk::circuits::builder::{Builder, Structure, Wire};
use simnet_zk::circuits::consensus::Size;
use simnet_zk::circuits::consensus::circuit::Assignment;
use simnet_zk::circuits::consensus::statement::{Ballot, Witness, quorum_threshold, validator_set_root};
use simnet_zk::circuits::sample;
use simnet_zk::field::CircuitField;
use simnet_zk::natives::{lift, limbs, vote_message, vote_tag, vrf_output, zero};

use super::{Forgery, Record, forgery, lie, small_modulus, wrong_hash};

pub const SIZE: Size = Size { validators: 8, witnesses: 8, reputations: 4 };

fn honest<F: CircuitField>() -> Witness<F> {
    sample::consensus(7, 8, 5, 3)
}

/// Makes tags and VRF outputs again from the disclosed keys.
fn reseal<F: CircuitField>(w: &mut Witness<F>) {
    let s = &mut w.statement;
    let message =
        vote_message(&s.block_hash, s.round, s.epoch, s.slot, &validator_set_root(&s.validators, SIZE.validators));
    for ((ballot, opening), validator) in s.ballots.iter_mut().zip(&w.openings).zip(&s.validators) {
        for x in 0..3 {
            ballot.tags[x] = if ballot.votes[x] { vote_tag(x, &opening.keys[x], &message) } else { zero() };
        }
        if ballot.entry() {
            ballot.vrf_output = vrf_output(&ballot.vrf_key, &s.block_hash, s.epoch, &validator.tier_seed);
        }
    }
}

fn assigned<F: CircuitField>(witness: &Witness<F>) -> Assignment<F> {
    Assignment::new(witness, &SIZE).expect("a witness of this size")
}

fn record<F: CircuitField>(assignment: Assignment<F>) -> impl Record<F> {
    move |b: &mut Builder<F>| assignment.record(b)
}

/// A changed witness from which everything else is made again.
fn resealed<F: CircuitField>(change: impl FnOnce(&mut Witness<F>)) -> impl FnOnce(&mut Builder<F>) {
    let mut w = honest::<F>();
    change(&mut w);
    reseal(&mut w);
    record(assigned(&w))
}

/// A changed witness as it stands.
fn unsealed<F: CircuitField>(change: impl FnOnce(&mut Witness<F>)) -> impl FnOnce(&mut Builder<F>) {
    let mut w = honest::<F>();
    change(&mut w);
    record(assigned(&w))
}

/// A change of the assignment alone.
fn tampered<F: CircuitField>(change: impl FnOnce(&mut Assignment<F>)) -> impl Record<F> {
    let mut a = assigned(&honest::<F>());
    change(&mut a);
    record(a)
}

fn withhold<F: CircuitField>(w: &mut Witness<F>, v: usize, phase: usize) {
    w.statement.ballots[v].votes[phase] = false;
    w.openings[v].keys[phase] = zero();
}

fn without_entries<F: CircuitField>(w: &mut Witness<F>) {
    for ballot in &mut w.statement.ballots {
        ballot.votes[3] = false;
        *ballot = Ballot { vrf_output: zero(), vrf_key: zero(), ..ballot.clone() };
    }
}

/// The VRF outputs of two validators exchanged.
fn exchange_outputs<F: CircuitField>(w: &mut Witness<F>) {
    let [first, second] = [0, 1].map(|v| w.statement.ballots[v].vrf_output);
    w.statement.ballots[0].vrf_output = second;
    w.statement.ballots[1].vrf_output = first;
}

pub fn all<F: CircuitField>() -> Vec<Forgery<F>> {
    let mut out = of_the_set();
    out.extend(of_the_votes());
    out.extend(of_the_lists());
    out.extend(of_the_sums());
    out
}

/// C1 to C8: validators, weights, thresholds, the round.
fn of_the_set<F: CircuitField>() -> Vec<Forgery<F>> {
    let other = lift::<F>(&[77; 32]);
    vec![
        forgery("a weight of zero", ["C1"], resealed(|w| w.statement.validators[6].weight = 0)),
        forgery("a tier that is none", ["C1"], resealed(|w| w.statement.validators[6].tier = 8)),
        forgery("an absent validator's weight", ["C1", "C3"], tampered(|a| a.slots[7].validator.weight = 1)),
        forgery("another validator", ["C2"], tampered(|a| a.slots[0].validator.addr = other)),
        // total = 490063 = 3k + 1 and 3k have the same threshold.
        forgery("a total too low", ["C3"], tampered(|a| a.public.total_power -= 1)),
        forgery("a threshold too low", ["C4"], tampered(|a| a.public.quorum_threshold -= 1)),
        forgery("a threshold of one", ["C4"], tampered(|a| a.public.quorum_threshold = 1)),
        forgery(
            "too few votes in every phase",
            ["C5"],
            resealed(|w| (0..3).for_each(|v| (0..3).for_each(|x| withhold(w, v, x)))),
        ),
        forgery("too few votes in one phase", ["C5"], resealed(|w| (0..2).for_each(|v| withhold(w, v, 0)))),
        forgery("phases of different votes", ["C6"], resealed(|w| withhold(w, 0, 2))),
        forgery("another leader", ["C7"], tampered(|a| a.public.leader_proposal = other)),
        forgery("another epoch", ["C8"], resealed(|w| w.statement.epoch += 1)),
        forgery("a slot of the next epoch", ["C8"], resealed(|w| w.statement.slot += 32)),
    ]
}

/// C9 to C14: the message, keys, tags, bitmaps, VRF entries.
fn of_the_votes<F: CircuitField>() -> Vec<Forgery<F>> {
    let other = lift::<F>(&[77; 32]);
    let signature_root = |a: &mut Assignment<F>| {
        a.public.quorum_signature_root = other;
        a.public.quorum_signature_binding = F::compress(&a.public.block_hash, &other);
    };
    let bitmap_root = |a: &mut Assignment<F>| {
        a.public.quorum_bitmap_root = other;
        a.public.quorum_bitmap_binding = F::compress(&a.public.block_hash, &other);
    };
    // Everything consistent but the message that a tag is made for.
    let elsewhere = |w: &mut Witness<F>| {
        w.statement.ballots[0].tags[0] = vote_tag(0, &w.openings[0].keys[0], &lift::<F>(&[78; 32]));
    };
    vec![
        wrong_hash("votes for something else", "C9", record(assigned(&honest::<F>()))),
        forgery("keys of another slot", ["C10", "C8"], tampered(|a| a.slot_index ^= 1)),
        forgery("another path", ["C10"], resealed(|w| w.openings[0].path[2] = other)),
        forgery("another one-time key", ["C11"], resealed(|w| w.openings[1].keys[1] = other)),
        forgery("another VRF key", ["C11"], resealed(|w| w.statement.ballots[1].vrf_key = other)),
        forgery("another root of signatures", ["C12"], tampered(signature_root)),
        forgery("a vote for another block", ["C12"], unsealed(elsewhere)),
        forgery("another root of bitmaps", ["C13"], tampered(bitmap_root)),
        forgery("an entry too many", ["C14"], tampered(|a| a.public.vrf_entry_count += 1)),
        forgery("other VRF outputs", ["C14"], tampered(|a| a.public.vrf_output_binding = other)),
        forgery("other VRF proofs", ["C14"], tampered(|a| a.public.vrf_proof_binding = other)),
        forgery("no entries", ["C14"], resealed(without_entries)),
        forgery("outputs of one another", ["C14"], unsealed(exchange_outputs)),
    ]
}

/// C15 and C16: witness commitments, reputation roots, bindings.
fn of_the_lists<F: CircuitField>() -> Vec<Forgery<F>> {
    let other = lift::<F>(&[77; 32]);
    vec![
        forgery("another commitment", ["C15"], tampered(|a| a.witness_commitments[0] = other)),
        forgery("commitments exchanged", ["C15"], tampered(|a| a.witness_commitments.swap(0, 1))),
        forgery("a commitment too many", ["C15"], tampered(|a| a.public.witness_commitment_count += 1)),
        forgery("another binding of commitments", ["C15"], tampered(|a| a.public.witness_binding = other)),
        forgery("another reputation root", ["C15"], tampered(|a| a.reputation_roots[0] = other)),
        forgery("no reputation roots", ["C15"], resealed(|w| w.statement.reputation_roots.clear())),
        forgery("another binding of bitmaps", ["C16"], tampered(|a| a.public.quorum_bitmap_binding = other)),
        forgery("another binding of signatures", ["C16"], tampered(|a| a.public.quorum_signature_binding = other)),
    ]
}

/// The limbs of the weight of each phase: what C5 range-checks first, then every so many ranges (four limbs, the carries'
/// two ranges each, the four limbs of the comparison).
fn phase_sums<F: CircuitField>(s: &Structure<F>) -> [[Wire; 4]; 3] {
    let mark = s.marks.iter().find(|m| m.name == "C5").expect("a constraint");
    let first = mark.start[3] as usize;
    std::array::from_fn(|x| std::array::from_fn(|i| s.ranges[first + 14 * x + i]))
}

/// Every phase weighs `value`, whoever voted; all that follows is honest.
fn weighed<F: CircuitField>(s: &Structure<F>, value: u64) -> Vec<(Wire, F)> {
    let phase = |sum: [Wire; 4]| sum.into_iter().zip(limbs(value).map(F::from_u64)).collect::<Vec<_>>();
    phase_sums(s).into_iter().flat_map(phase).collect()
}

/// VRF entries, and no vote in any phase.
pub fn without_votes<F: CircuitField>() -> Witness<F> {
    let mut w = honest::<F>();
    (0..7).for_each(|v| (0..3).for_each(|x| withhold(&mut w, v, x)));
    reseal(&mut w);
    w
}

/// Sums that are right modulo p in some limb: the rows of C3 and C5 hold in the field, so only the bound of their carries
/// objects. With carries of 16 bits each of these was provable.
fn of_the_sums<F: CircuitField>() -> Vec<Forgery<F>> {
    let Some(p) = small_modulus::<F>() else { return vec![] };
    // In the lower limbs: seven weights that sum to about 2^62, so that six reach two thirds of what is claimed.
    let claimed = |limb: u32| {
        let mut w = honest::<F>();
        if limb < 2 {
            w.statement.validators.iter_mut().for_each(|v| v.weight = 1 << 59);
        }
        reseal(&mut w);
        let mut a = assigned(&w);
        a.public.total_power += p << (16 * limb);
        a.public.quorum_threshold = quorum_threshold(a.public.total_power);
        (a.public.total_power, record(a))
    };
    let mut out = vec![];
    for (limb, what) in ["a total with p too much", "a total with 2^16 p too much"].into_iter().enumerate() {
        out.push(forgery(what, ["C3"], claimed(limb as u32).1));
    }
    let (total, record_of_all) = claimed(2);
    out.push(lie("a total with 2^32 p too much, and votes to match", ["C3", "C5"], record_of_all, |s, _| {
        weighed(s, total)
    }));
    let whats = ["no votes that weigh p", "no votes that weigh 2^16 p", "no votes that weigh 2^32 p"];
    for (limb, what) in whats.into_iter().enumerate() {
        let record = record(assigned(&without_votes()));
        out.push(lie(what, ["C5"], record, |s, _| weighed(s, p << (16 * limb))));
    }
    out
}
