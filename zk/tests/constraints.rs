//! Consistent forgeries: each breaks one numbered constraint and recomputes everything else honestly, so that only the
//! targeted constraint is left to stop it.

use std::collections::BTreeSet;

use ark_bn254::Fr;
use p3_koala_bear::KoalaBear;
use simnet_zk::circuits::builder::{Builder, Wire, ZERO_WIRE};
use simnet_zk::circuits::check::{check, violated};
use simnet_zk::circuits::gadgets::{self, U64};
use simnet_zk::circuits::sample;
use simnet_zk::circuits::transaction::Transfer;
use simnet_zk::field::CircuitField;
use stwo::core::fields::m31::M31;

mod forgeries;

use forgeries::{Record, recorded, settled};

/// Every forgery breaks what it says and nothing else, and every marked constraint has one.
fn forgeries_break_what_they_say<F: CircuitField>() {
    for circuit in sample::circuits() {
        let structure = circuit.structure::<F>().unwrap();
        let mut unbroken: BTreeSet<&str> = structure.marks.iter().map(|m| m.name).collect();
        for f in forgeries::of::<F>(&circuit).expect("every circuit of the list has forgeries") {
            assert_eq!(f.structure, structure, "{}", f.what);
            let broken = violated(&f.structure, &f.values);
            assert_eq!(broken.iter().copied().collect::<Vec<_>>(), f.broken, "{}", f.what);
            unbroken.retain(|name| !broken.contains(name));
        }
        assert!(unbroken.is_empty(), "circuit {} has no forgery of {unbroken:?}", circuit.id());
    }
}

#[test]
fn forgeries_break_one_constraint_each() {
    forgeries_break_what_they_say::<M31>();
    forgeries_break_what_they_say::<KoalaBear>();
    forgeries_break_what_they_say::<Fr>();
}

#[test]
fn a_transfer_at_the_time_of_the_account_is_good() {
    let mut t = Transfer::<M31>::parse(&sample::transaction(0)).unwrap();
    t.timestamp = t.account.last_decay;
    t.derive();
    let mut b = Builder::new();
    t.record(&mut b);
    let (structure, values) = b.finish();
    assert!(violated(&structure, &values).is_empty());
}

/// Blocks that lack one kind or another, and the first block of a chain.
fn sparse_blocks<F: CircuitField>() {
    use forgeries::recursive::{self, SIZE};
    use simnet_zk::circuits::layout::Codec;
    use simnet_zk::circuits::recursive::statement::{Previous, Statement};
    let satisfied = |change: fn(&mut Statement<F>)| {
        let (structure, values) = recorded(recursive::record::<F>(change), Default::default());
        check(&structure, &values).unwrap();
    };
    satisfied(|s| s.pruning.present[0] = false);
    satisfied(|s| s.decisions.present[0] = false);
    satisfied(|s| s.uptimes.present.fill(false));
    satisfied(recursive::without_identities);
    satisfied(recursive::without_transactions);
    satisfied(|s| {
        s.previous = Previous::genesis(s.previous.roots);
        s.header.height = 1;
    });
    let mut missing = recursive::honest::<F>();
    missing.states.present[1] = false;
    assert!(Statement::<F>::parse(&missing.to_bytes(), &SIZE).is_err(), "a chunk without its state proof");
}

#[test]
fn recursive_takes_blocks_that_lack_a_kind() {
    sparse_blocks::<M31>();
    sparse_blocks::<KoalaBear>();
    sparse_blocks::<Fr>();
}

/// A gap of any length is fine where none is forbidden, and the shortest window that the circuit admits is one second.
fn lenient_windows<F: CircuitField>() {
    use forgeries::uptime;
    use simnet_zk::circuits::uptime::Size;
    let lenient = Size { max_gap: 0, min_window: 0, ..uptime::SIZE };
    let apart = uptime::record_in::<F>(lenient, |w| w.heartbeats[5].t += 500);
    let (structure, values) = recorded(apart, Default::default());
    check(&structure, &values).unwrap();
    let empty = uptime::record_in::<F>(lenient, |w| w.statement.window_end = w.statement.window_start);
    let (structure, values) = recorded(empty, Default::default());
    assert!(violated(&structure, &values).contains("U3"));
}

#[test]
fn uptime_takes_what_its_parameters_do_not_forbid() {
    lenient_windows::<M31>();
    lenient_windows::<KoalaBear>();
    lenient_windows::<Fr>();
}

/// 2^16 moved from every limb into its lower neighbour, one pair after the other: the same integer in another encoding.
/// Carries may absorb it; the range check must object whatever else does.
fn limb_attacks<F: CircuitField>(record: impl Record<F>) -> usize {
    let (honest, values) = recorded(&record, Default::default());
    check(&honest, &values).unwrap();
    let mut attacks = 0;
    for (i, pair) in honest.ranges.windows(2).enumerate() {
        let [low, high] = [pair[0], pair[1]];
        if high.0 != low.0 + 1 {
            continue;
        }
        attacks += 1;
        let value = |w: Wire| values[w.0 as usize];
        let lies = [(low, value(low) + F::from_u64(1 << 16)), (high, value(high) - F::ONE)];
        let name = honest.marks.iter().rev().find(|m| m.start[3] as usize <= i).expect("a constraint").name;
        let (structure, values) = settled(&record, &lies);
        let broken = violated(&structure, &values);
        assert!(broken.contains(name), "limb {i} of {name}: {broken:?}");
    }
    attacks
}

fn every_limb_is_in_range<F: CircuitField>() {
    assert!(limb_attacks(forgeries::pruning::record::<F>(|_| ())) >= 30);
    assert!(limb_attacks(forgeries::recursive::record::<F>(|_| ())) >= 9);
    assert!(limb_attacks(forgeries::uptime::record::<F>(|_| ())) >= 60);
}

#[test]
fn no_limb_has_another_encoding() {
    every_limb_is_in_range::<M31>();
    every_limb_is_in_range::<KoalaBear>();
    every_limb_is_in_range::<Fr>();
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
    fn ranges_are_exact(v in 0u64..(1 << 17), n in 2u32..=16) {
        let inside = v < 1 << n;
        assert_eq!(accepts::<M31>(|b| { let w = b.witness(M31::from_u64(v)); gadgets::range(b, w, n) }), inside);
        assert_eq!(accepts::<Fr>(|b| { let w = b.witness(Fr::from(v)); gadgets::range(b, w, n) }), inside);
    }
}
