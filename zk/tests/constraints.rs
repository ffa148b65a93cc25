//! Consistent forgeries: each breaks one numbered constraint and recomputes everything else honestly, so that only the
//! targeted constraint is left to stop it.

use std::collections::BTreeSet;

use ark_bn254::Fr;
use p3_koala_bear::KoalaBear;
use simnet_zk::circuits::builder::{Builder, ZERO_WIRE};
use simnet_zk::circuits::check::violated;
use simnet_zk::circuits::gadgets::{self, U64};
use simnet_zk::circuits::sample;
use simnet_zk::circuits::transaction::Transfer;
use simnet_zk::field::CircuitField;
use stwo::core::fields::m31::M31;

mod forgeries;

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
