//! Every row of every circuit, in every field, is an equation of integers below p: derived from the recorded constraints
//! (`rows`), for the real sizes and the largest, and by trying every value where there are few enough.

use std::collections::BTreeSet;

use ark_bn254::Fr;
use p3_koala_bear::KoalaBear;
use simnet_zk::circuits::builder::{Builder, Structure, Wire};
use simnet_zk::circuits::check::violated;
use simnet_zk::circuits::gadgets::{self, SUM_TERMS_MAX};
use simnet_zk::circuits::{Circuit, sample};
use simnet_zk::field::CircuitField;
use stwo::core::fields::m31::M31;

mod interval;
mod rows;

use rows::{Lifts, Verdicts};

/// The sizes that are pinned, and the largest that the families have (pruning and state: of what is not more of the same).
const SIZES: [(u8, &[u32]); 11] = [
    (1, &[]),
    (2, &[32]),
    (3, &[16, 4, 32]),
    (3, &[128, 32, 16]),
    (4, &[16, 32, 4]),
    (4, &[4, 256, 4]),
    (5, &[16, 4, 8, 16]),
    (5, &[512, 64, 64, 16]),
    (6, &[256, 20, 32, 3600, 300]),
    (7, &[32, 256, 4]),
    (7, &[128, 1024, 64]),
];

fn circuits() -> impl Iterator<Item = Circuit> {
    let real = SIZES.iter().map(|(id, params)| Circuit::new(*id, params).expect("a size"));
    sample::circuits().into_iter().chain(real)
}

/// How many elements a circuit splits into integers that reach p, which `gadgets::slots` makes canonical by other rows: one
/// for each 16 bits of an address's slot, on BN254 one for all.
fn splits<F: CircuitField>(circuit: &Circuit) -> usize {
    let (slots, depth) = match circuit {
        Circuit::Identity(size) => (1, size.depth),
        Circuit::State(size) => (size.identities + 2 * size.transfers, size.depth),
        Circuit::Uptime(size) => (1, size.depth),
        _ => (0, 0),
    };
    slots * if F::WIDE { 1 } else { depth.div_ceil(16) }
}

fn judged<F: CircuitField>(s: &Structure<F>) -> Verdicts {
    Lifts::new(s).verdicts()
}

fn all_rows_are_equations_of_integers<F: CircuitField>() {
    for circuit in circuits() {
        let name = format!("circuit {} {:?}", circuit.id(), circuit.params());
        let v = judged(&circuit.structure::<F>().expect("a circuit"));
        println!(
            "{name}, modulus {}: {} integer rows, {} pinned, {} nonzero, {} of elements, {} splits",
            rows::modulus::<F>(),
            v.integer,
            v.pinned,
            v.nonzero,
            v.field,
            v.splits.len()
        );
        assert!(v.broken.is_empty(), "{name}: {:?}", v.broken);
        assert_eq!(v.splits.len(), splits::<F>(&circuit), "{name}: {:?}", v.splits);
        assert!(v.integer + v.pinned > 0, "{name}: nothing was judged");
    }
}

#[test]
fn rows_over_m31() {
    all_rows_are_equations_of_integers::<M31>();
}

#[test]
fn rows_over_koala_bear() {
    all_rows_are_equations_of_integers::<KoalaBear>();
}

#[test]
fn rows_over_bn254() {
    all_rows_are_equations_of_integers::<Fr>();
}

/// The circuit as it was: carries of SUM64 with 16 bits. Their second range check is what makes them 14.
fn with_16_bit_carries<F: CircuitField>(circuit: &Circuit) -> Structure<F> {
    let mut s = circuit.structure::<F>().expect("a circuit");
    let four = F::from_u64(4);
    let shifted: BTreeSet<u32> = s.gates.iter().filter(|g| g.defines && g.qa == four).map(|g| g.out.0).collect();
    s.ranges.retain(|w| !shifted.contains(&w.0));
    s
}

fn wide_carries_are_seen<F: CircuitField>() {
    for circuit in sample::circuits() {
        let broken = judged(&with_16_bit_carries::<F>(&circuit)).broken;
        let names: BTreeSet<&str> = broken.iter().map(|(name, _)| *name).collect();
        let expected: &[&str] = match circuit {
            Circuit::Consensus(_) => &["C3", "C5"],
            Circuit::State(_) => &["S8"],
            Circuit::Pruning(_) => &["P5"],
            _ => &[],
        };
        assert_eq!(names.into_iter().collect::<Vec<_>>(), expected, "circuit {}", circuit.id());
    }
}

#[test]
fn carries_of_16_bits_are_refused() {
    wide_carries_are_seen::<M31>();
    wide_carries_are_seen::<KoalaBear>();
}

fn longest_sum<F: CircuitField>() {
    let mut b = Builder::<F>::new();
    b.mark("sum");
    let terms: Vec<_> = (0..SUM_TERMS_MAX).map(|_| gadgets::u64_witness(&mut b, 1)).collect();
    gadgets::sum64_witness(&mut b, &terms, SUM_TERMS_MAX as u64);
    let (structure, values) = b.finish();
    assert!(violated(&structure, &values).is_empty());
    assert!(judged(&structure).broken.is_empty());
}

#[test]
fn the_longest_sum_has_room() {
    longest_sum::<M31>();
    longest_sum::<KoalaBear>();
    longest_sum::<Fr>();
}

/// Whether the recorded gadget accepts a value.
fn accepts<F: CircuitField>(x: F, record: impl FnOnce(&mut Builder<F>, Wire)) -> bool {
    let mut b = Builder::<F>::new();
    b.mark("gadget");
    let w = b.witness(x);
    record(&mut b, w);
    let (structure, values) = b.finish();
    violated(&structure, &values).is_empty()
}

/// Only values below 2^16 can pass, and all of them are tried.
fn ranges_take_what_they_should<F: CircuitField>() {
    for n in 2..=16 {
        for v in 0..1 << 16 {
            assert_eq!(accepts(F::from_u64(v), |b, w| gadgets::range(b, w, n)), v < 1 << n, "{v} in {n} bits");
        }
        for v in [1 << 16, (1 << 16) + 1, 1 << 20, (1 << 30) + 1] {
            assert!(!accepts(F::from_u64(v), |b, w| gadgets::range(b, w, n)));
            assert!(!accepts(-F::from_u64(v - 0xFFFF), |b, w| gadgets::range(b, w, n)));
        }
    }
}

#[test]
fn every_value_of_every_range() {
    ranges_take_what_they_should::<M31>();
    ranges_take_what_they_should::<KoalaBear>();
}

/// What a range of one bit would be: x and x·2^15 below 2^16.
#[test]
fn one_bit_ranges_would_be_wrong_in_koala_bear() {
    let taken: Vec<u64> = (0..1 << 16).filter(|v| (v << 15) % 2_130_706_433 < 1 << 16).collect();
    assert_eq!(taken, [0, 1, 65025, 65026]);
    for n in [0, 1, 17, 32] {
        let refused = std::panic::catch_unwind(|| accepts(KoalaBear::from_u64(1), |b, w| gadgets::range(b, w, n)));
        assert!(refused.is_err(), "{n} bits");
    }
    assert!(
        std::panic::catch_unwind(|| {
            let mut b = Builder::<M31>::new();
            let one = gadgets::u64_constant(&mut b, 1);
            gadgets::sum64_witness(&mut b, &vec![one; SUM_TERMS_MAX + 1], 0);
        })
        .is_err()
    );
}
