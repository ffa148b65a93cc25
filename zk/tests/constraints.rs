//! Consistent forgeries: each breaks one numbered constraint and recomputes everything else honestly, so that only the
//! targeted constraint is left to stop it.

use ark_bn254::Fr;
use p3_koala_bear::KoalaBear;
use simnet_zk::circuits::builder::{Builder, ZERO_WIRE};
use simnet_zk::circuits::check::violated;
use simnet_zk::circuits::consensus::Size;
use simnet_zk::circuits::consensus::circuit::Assignment;
use simnet_zk::circuits::consensus::statement::{Ballot, Witness, validator_set_root};
use simnet_zk::circuits::gadgets::{self, U64};
use simnet_zk::circuits::sample;
use simnet_zk::circuits::transaction::Transfer;
use simnet_zk::field::CircuitField;
use simnet_zk::natives::{lift, vote_message, vote_tag, vrf_output, zero};
use stwo::core::fields::m31::M31;

const SIZE: Size = Size { validators: 8, witnesses: 8, reputations: 4 };

/// Seven of eight slots taken, six of them voting.
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
        if ballot.entry {
            ballot.vrf_output = vrf_output(&ballot.vrf_key, &s.block_hash, s.epoch, &validator.tier_seed);
        }
    }
}

fn broken<F: CircuitField>(a: &Assignment<F>) -> Vec<&'static str> {
    let mut b = Builder::new();
    a.record(&mut b);
    let (structure, values) = b.finish();
    violated(&structure, &values).into_iter().collect()
}

/// What a changed witness breaks once everything that follows from it is made again.
fn forged<F: CircuitField>(change: impl FnOnce(&mut Witness<F>)) -> Vec<&'static str> {
    let mut w = honest::<F>();
    change(&mut w);
    reseal(&mut w);
    broken(&Assignment::new(&w, &SIZE).unwrap())
}

/// What a change of the assignment alone breaks.
fn tampered<F: CircuitField>(change: impl FnOnce(&mut Assignment<F>)) -> Vec<&'static str> {
    let mut a = Assignment::new(&honest::<F>(), &SIZE).unwrap();
    change(&mut a);
    broken(&a)
}

fn withhold<F: CircuitField>(w: &mut Witness<F>, v: usize, phase: usize) {
    w.statement.ballots[v].votes[phase] = false;
    w.openings[v].keys[phase] = zero();
}

fn consensus_constraints<F: CircuitField>() {
    let other = lift::<F>(&[77; 32]);
    assert_eq!(forged::<F>(|_| ()), Vec::<&str>::new());
    assert_eq!(forged::<F>(|w| w.statement.validators[6].weight = 0), ["C1"]);
    assert_eq!(forged::<F>(|w| w.statement.validators[6].tier = 8), ["C1"]);
    assert_eq!(tampered::<F>(|a| a.slots[7].validator.weight = 1), ["C1", "C3"]);
    assert_eq!(tampered::<F>(|a| a.slots[0].validator.addr = other), ["C2"]);
    // total = 490063 = 3k + 1 and 3k have the same threshold.
    assert_eq!(tampered::<F>(|a| a.public.total_power -= 1), ["C3"]);
    assert_eq!(tampered::<F>(|a| a.public.quorum_threshold -= 1), ["C4"]);
    assert_eq!(tampered::<F>(|a| a.public.quorum_threshold = 1), ["C4"]);
    assert_eq!(forged::<F>(|w| (0..3).for_each(|v| (0..3).for_each(|x| withhold(w, v, x)))), ["C5"]);
    assert_eq!(forged::<F>(|w| (0..2).for_each(|v| withhold(w, v, 0))), ["C5"]);
    assert_eq!(forged::<F>(|w| withhold(w, 0, 2)), ["C6"]);
    assert_eq!(tampered::<F>(|a| a.public.leader_proposal = other), ["C7"]);
    assert_eq!(forged::<F>(|w| w.statement.epoch += 1), ["C8"]);
    assert_eq!(forged::<F>(|w| w.statement.slot += 32), ["C8"]);
    assert_eq!(tampered::<F>(|a| a.slot_index ^= 1), ["C10", "C8"]);
    assert_eq!(forged::<F>(|w| w.openings[0].path[2] = other), ["C10"]);
    assert_eq!(forged::<F>(|w| w.openings[1].keys[1] = other), ["C11"]);
    assert_eq!(forged::<F>(|w| w.statement.ballots[1].vrf_key = other), ["C11"]);
    assert_eq!(
        tampered::<F>(|a| {
            a.public.quorum_signature_root = other;
            a.public.quorum_signature_binding = F::compress(&a.public.block_hash, &other);
        }),
        ["C12"]
    );
    assert_eq!(
        tampered::<F>(|a| {
            a.public.quorum_bitmap_root = other;
            a.public.quorum_bitmap_binding = F::compress(&a.public.block_hash, &other);
        }),
        ["C13"]
    );
    assert_eq!(tampered::<F>(|a| a.public.vrf_entry_count += 1), ["C14"]);
    assert_eq!(tampered::<F>(|a| a.public.vrf_output_binding = other), ["C14"]);
    assert_eq!(tampered::<F>(|a| a.public.vrf_proof_binding = other), ["C14"]);
    let no_entries = |w: &mut Witness<F>| {
        for ballot in &mut w.statement.ballots {
            *ballot = Ballot { entry: false, vrf_output: zero(), vrf_key: zero(), ..ballot.clone() };
        }
    };
    assert_eq!(forged::<F>(no_entries), ["C14"]);
    assert_eq!(tampered::<F>(|a| a.witness_commitments[0] = other), ["C15"]);
    assert_eq!(tampered::<F>(|a| a.witness_commitments.swap(0, 1)), ["C15"]);
    assert_eq!(tampered::<F>(|a| a.public.witness_commitment_count += 1), ["C15"]);
    assert_eq!(tampered::<F>(|a| a.public.witness_binding = other), ["C15"]);
    assert_eq!(tampered::<F>(|a| a.reputation_roots[0] = other), ["C15"]);
    assert_eq!(forged::<F>(|w| w.statement.reputation_roots.clear()), ["C15"]);
    assert_eq!(tampered::<F>(|a| a.public.quorum_bitmap_binding = other), ["C16"]);
    assert_eq!(tampered::<F>(|a| a.public.quorum_signature_binding = other), ["C16"]);
}

/// A vote for another block: everything consistent but the message that the tags are made for.
fn vote_for_another_block<F: CircuitField>() {
    let mut w = honest::<F>();
    let elsewhere = lift::<F>(&[78; 32]);
    w.statement.ballots[0].tags[0] = vote_tag(0, &w.openings[0].keys[0], &elsewhere);
    assert_eq!(broken(&Assignment::new(&w, &SIZE).unwrap()), ["C12"]);
    let mut w = honest::<F>();
    let [first, second] = [0, 1].map(|v| w.statement.ballots[v].vrf_output);
    w.statement.ballots[0].vrf_output = second;
    w.statement.ballots[1].vrf_output = first;
    assert_eq!(broken(&Assignment::new(&w, &SIZE).unwrap()), ["C14"]);
}

#[test]
fn consensus() {
    consensus_constraints::<M31>();
    consensus_constraints::<KoalaBear>();
    consensus_constraints::<Fr>();
    vote_for_another_block::<M31>();
    vote_for_another_block::<Fr>();
}

/// What a changed transfer breaks; `derive` makes leaves and m again.
fn transfer<F: CircuitField>(derive: bool, change: impl FnOnce(&mut Transfer<F>)) -> Vec<&'static str> {
    let mut t = Transfer::<F>::parse(&sample::transaction(0)).unwrap();
    change(&mut t);
    if derive {
        t.derive();
    }
    let mut b = Builder::new();
    t.record(&mut b);
    let (structure, values) = b.finish();
    violated(&structure, &values).into_iter().collect()
}

fn transaction_constraints<F: CircuitField>() {
    let other = lift::<F>(&[77; 32]);
    assert_eq!(transfer::<F>(true, |_| ()), Vec::<&str>::new());
    assert_eq!(transfer::<F>(true, |t| t.account.tier = 6), ["T1"]);
    assert_eq!(transfer::<F>(true, |t| (t.account.tier, t.required_tier) = (7, 7)), ["T1"]);
    assert_eq!(transfer::<F>(false, |t| t.m = other), ["T4"]);
    let credit = |t: &mut Transfer<F>, by: u64| (t.total, t.balance_new) = (t.total + by, t.balance_new - by);
    assert_eq!(transfer::<F>(true, |t| credit(t, 1)), ["T5"]);
    assert_eq!(transfer::<F>(true, |t| t.balance_new += 1), ["T6"]);
    // Balance short by one: the new balance would wrap.
    assert_eq!(transfer::<F>(true, |t| (t.account.balance, t.balance_new) = (t.total - 1, u64::MAX)), ["T6"]);
    assert_eq!(transfer::<F>(true, |t| t.nonce += 1), ["T7"]);
    assert_eq!(transfer::<F>(true, |t| (t.account.nonce, t.nonce) = (u64::MAX, 0)), ["T7"]);
    assert_eq!(transfer::<F>(false, |t| t.leaf_old = other), ["T8"]);
    assert_eq!(transfer::<F>(false, |t| t.leaf_new = other), ["T9"]);
    assert_eq!(transfer::<F>(true, |t| t.required_tier = 4), ["T10"]);
    assert_eq!(transfer::<F>(true, |t| t.timestamp = t.account.last_decay - 1), ["T11"]);
    assert_eq!(transfer::<F>(true, |t| t.timestamp = t.account.last_decay), Vec::<&str>::new());
    assert_eq!(transfer::<F>(true, |t| t.to = t.from), ["T14"]);
    let nothing = |t: &mut Transfer<F>| {
        (t.balance_new, t.total) = (t.balance_new + t.amount, t.fee);
        t.amount = 0;
    };
    assert_eq!(transfer::<F>(true, nothing), ["T15"]);
    // amount + fee wraps around 2^64.
    let wrap = |t: &mut Transfer<F>| {
        (t.amount, t.fee, t.total) = (u64::MAX, 2, 1);
        t.balance_new = t.account.balance - 1;
    };
    assert_eq!(transfer::<F>(true, wrap), ["T5"]);
}

#[test]
fn transaction() {
    transaction_constraints::<M31>();
    transaction_constraints::<KoalaBear>();
    transaction_constraints::<Fr>();
}

/// 2^16 moved from one limb into its neighbour: the same integer in another encoding, hence another leaf hash.
/// Carries absorb it; only the range check objects.
fn limb_attack<F: CircuitField>() {
    let mut b = Builder::<F>::new();
    b.mark("range");
    let limbs = [(1 << 16) + 5, 6, 0, 0].map(|l| b.witness(F::from_u64(l)));
    limbs.iter().for_each(|l| b.range16(*l));
    b.mark("sum");
    let packed = if F::WIDE {
        let terms: Vec<_> = limbs.iter().enumerate().map(|(i, l)| (F::from_u64(1 << (16 * i)), *l)).collect();
        b.lin(&terms, F::ZERO)
    } else {
        ZERO_WIRE
    };
    let x = U64 { limbs, packed };
    let (nothing, same) = (gadgets::u64_constant(&mut b, 0), gadgets::u64_witness(&mut b, (7 << 16) + 5));
    gadgets::add64(&mut b, &x, &nothing, &same);
    let (structure, values) = b.finish();
    assert_eq!(violated(&structure, &values).into_iter().collect::<Vec<_>>(), ["range"]);
}

#[test]
fn limbs_have_one_encoding() {
    limb_attack::<M31>();
    limb_attack::<KoalaBear>();
    limb_attack::<Fr>();
}

/// Whether the recorded gadget accepts.
fn accepts<F: CircuitField>(record: impl FnOnce(&mut Builder<F>)) -> bool {
    let mut b = Builder::<F>::new();
    b.mark("gadget");
    record(&mut b);
    let (structure, values) = b.finish();
    violated(&structure, &values).is_empty()
}

fn comparisons<F: CircuitField>(x: u64, y: u64, z: u64) {
    let le = accepts::<F>(|b| {
        let [x, y] = [x, y].map(|v| gadgets::u64_witness(b, v));
        gadgets::le64(b, &x, &y);
    });
    let lt = accepts::<F>(|b| {
        let [x, y] = [x, y].map(|v| gadgets::u64_witness(b, v));
        gadgets::lt64(b, &x, &y);
    });
    let sum = |claim: u64| {
        accepts::<F>(|b| {
            let all = [x, y, z].map(|v| gadgets::u64_witness(b, v));
            gadgets::sum64_witness(b, &all, claim);
        })
    };
    let total = u128::from(x) + u128::from(y) + u128::from(z);
    let fits = total < 1 << 64;
    assert_eq!((le, lt), (x <= y, x < y), "{x} {y}");
    assert_eq!(sum(total as u64), fits, "{x} + {y} + {z}");
    assert!(!sum((total as u64).wrapping_add(1)));
}

proptest::proptest! {
    #[test]
    fn integer_gadgets_agree_with_integers(x: u64, y: u64, z: u64, shift in 0u32..64) {
        comparisons::<M31>(x >> shift, y >> shift, z);
        comparisons::<KoalaBear>(x, y >> shift, z >> shift);
        comparisons::<Fr>(x >> shift, y >> shift, z >> shift);
        comparisons::<M31>(x, x, 0);
    }

    #[test]
    fn ranges_are_exact(v in 0u64..(1 << 17), n in 1u32..=16) {
        let inside = v < 1 << n;
        assert_eq!(accepts::<M31>(|b| { let w = b.witness(M31::from_u64(v)); gadgets::range(b, w, n) }), inside);
        assert_eq!(accepts::<Fr>(|b| { let w = b.witness(Fr::from(v)); gadgets::range(b, w, n) }), inside);
    }
}
