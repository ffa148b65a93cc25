//! Slots of addresses in sparse trees: BITS32, and the canonical splits that it rests on.
//!
//! The functions take the result as a hint, so that a wrong one leaves exactly their own constraints unsatisfied.

use crate::circuits::builder::{Bit, Builder, Digest, Wire, ZERO_WIRE};
use crate::circuits::gadgets::{is_zero, pack};
use crate::field::CircuitField;
use crate::tags::Tag;

/// Bits of a BN254 scalar.
const WIDE_BITS: usize = 254;

/// BITS32: the low `depth` ≤ 32 bits of the slot of `addr`, least significant first.
///
/// The slot is the 16 low bits of h\[0\], then those of h\[1\], of h = H[SLOT](addr); on BN254 the 32 low bits of h.
/// `slot` is [`crate::natives::bits32`].
pub fn bits32<F: CircuitField>(b: &mut Builder<F>, addr: &Digest, slot: u32, depth: usize) -> Vec<Bit> {
    let h = b.hash(Tag::Slot, addr.wires::<F>());
    let mut bits = if F::WIDE {
        split254(b, h.0[0], slot)
    } else {
        (0..depth.div_ceil(16)).flat_map(|i| split31(b, h.0[i], (slot >> (16 * i)) as u16)).collect()
    };
    bits.truncate(depth);
    bits
}

/// SPLIT31: the 16 low bits, `low`, of the canonical value of `x`; 31-bit fields only.
///
/// `low + 2^16·high = x` also has solutions that reach p. High parts above that of p − 1 are refused, and with
/// this very one the distance p − 1 − x, which has no high part left, must be a 16-bit number.
///
/// Bound: `room` = high_max − high with both below 2^16 is in range only when high ≤ high_max, so the sum is below p + 2^16
/// and is x or x + p. It is x + p only with x < 2^16 and high = high_max; then the distance is at least p − 2^16 > 2^16.
pub fn split31<F: CircuitField>(b: &mut Builder<F>, x: Wire, low: u16) -> Vec<Bit> {
    let base = F::from_u64(1 << 16);
    let inverse = base.invert().expect("2^16 is not zero");
    let high_max = (-F::ONE).to_u64().expect("31 bits") >> 16;
    let bits: Vec<Bit> = (0..16).map(|i| b.bit(low >> i & 1 == 1)).collect();
    let high = b.witness((b.value(x) - F::from_u64(u64::from(low))) * inverse);
    b.range16(high);
    let mut terms: Vec<_> = bits.iter().enumerate().map(|(i, bit)| (F::from_u64(1 << i), bit.0)).collect();
    terms.push((base, high));
    let sum = b.lin(&terms, F::ZERO);
    b.assert_eq(sum, x);
    let room = b.lin(&[(-F::ONE, high)], F::from_u64(high_max));
    b.range16(room);
    let highest = is_zero(b, room).0;
    let distance = b.gate(-F::ONE, highest, F::ZERO, x, -F::ONE, F::ZERO, ZERO_WIRE, F::ZERO);
    b.range16(distance);
    bits
}

/// All bits of the canonical value of `x`, whose lowest 32 are `low`; BN254 only.
///
/// Bound: 254 bits spell less than 2^254 < 2r, so x or x + r, and the comparison with r − 1 refuses the second.
pub fn split254<F: CircuitField>(b: &mut Builder<F>, x: Wire, low: u32) -> Vec<Bit> {
    let inverse = F::from_u64(1 << 32).invert().expect("2^32 is not zero");
    let high = ((b.value(x) - F::from_u64(u64::from(low))) * inverse).to_le_bytes();
    let value = |i: usize| if i < 32 { low >> i & 1 } else { u32::from(high[(i - 32) / 8] >> ((i - 32) % 8) & 1) };
    let bits: Vec<Bit> = (0..WIDE_BITS).map(|i| b.bit(value(i) == 1)).collect();
    let sum = pack(b, &bits.iter().map(|bit| bit.0).collect::<Vec<_>>(), 1);
    b.assert_eq(sum, x);
    // At most r − 1: going down, a bit above that of r − 1 may only follow one below it.
    let max = (-F::ONE).to_le_bytes();
    let mut equal = b.constant(F::ONE);
    for (i, bit) in bits.iter().enumerate().rev() {
        if max[i / 8] >> (i % 8) & 1 == 1 {
            equal = b.mul(equal, bit.0);
        } else {
            b.assert_product(equal, bit.0, ZERO_WIRE);
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fr;
    use p3_koala_bear::KoalaBear;
    use stwo::core::fields::m31::M31;

    use super::*;
    use crate::circuits::check::violated;
    use crate::natives::{self, lift};

    fn number(bits: &[Bit], value: impl Fn(Wire) -> bool) -> u64 {
        bits.iter().rev().fold(0, |n, bit| n << 1 | u64::from(value(bit.0)))
    }

    /// Whether the recorded constraints hold, and the number that the returned bits spell.
    fn run<F: CircuitField>(record: impl FnOnce(&mut Builder<F>) -> Vec<Bit>) -> (bool, u64) {
        let mut b = Builder::<F>::new();
        b.mark("slots");
        let bits = record(&mut b);
        let n = number(&bits[..bits.len().min(32)], |w| b.value(w) == F::ONE);
        let (structure, values) = b.finish();
        (violated(&structure, &values).is_empty(), n)
    }

    fn split<F: CircuitField>(x: F, low: u16) -> bool {
        let (holds, n) = run::<F>(|b| {
            let x = b.witness(x);
            split31(b, x, low)
        });
        assert_eq!(n, u64::from(low));
        holds
    }

    /// Every canonical value has its own low bits and no others.
    fn splits<F: CircuitField>() {
        let p = (-F::ONE).to_u64().unwrap() + 1;
        for v in [0, 1, 2, 0xFFFE, 0xFFFF, 0x10000, p / 2, p - 0x10001, p - 0x10000, p - 0xFFFF, p - 3, p - 2, p - 1] {
            let x = if v < p / 2 { F::from_u64(v) } else { -F::from_u64(p - v) };
            assert!(split(x, v as u16), "{v}");
            // v + p and v + 2p where they have 31 bits, and other numbers.
            for other in [v + p, v + 2 * p, v ^ 1, v ^ 0x8000] {
                assert!(!split(x, other as u16), "{v} as {other}");
            }
        }
    }

    /// For the values where a second split is nearest, all low parts: the high part follows from the low one, so this is
    /// every solution.
    fn every_split<F: CircuitField>() {
        for x in [F::ZERO, F::from_u64(0xFFFE), -F::ONE] {
            let own = x.to_u64().unwrap() as u16;
            assert!((0..=u16::MAX).all(|low| split(x, low) == (low == own)), "{own}");
        }
    }

    #[test]
    fn a_31_bit_element_has_one_split_of_all() {
        every_split::<M31>();
        every_split::<KoalaBear>();
    }

    #[test]
    fn a_31_bit_element_has_one_split() {
        splits::<M31>();
        splits::<KoalaBear>();
    }

    #[test]
    fn a_bn254_element_has_one_decomposition() {
        let split = |x: Fr, low: u32| {
            run::<Fr>(|b| {
                let x = b.witness(x);
                split254(b, x, low)
            })
        };
        let word = |x: Fr| u32::from_le_bytes(CircuitField::to_le_bytes(x)[..4].try_into().unwrap());
        let modulus = word(-Fr::from(1)).wrapping_add(1);
        for x in [Fr::from(0), Fr::from(5), -Fr::from(1), -Fr::from(2), lift::<Fr>(&[3; 32])[0]] {
            assert_eq!(split(x, word(x)), (true, u64::from(word(x))));
            assert!(!split(x, word(x) ^ 1).0);
            // x + r: below 2^254 for small x, so all bits fit and only the comparison is left.
            assert!(!split(x, word(x).wrapping_add(modulus)).0);
        }
    }

    fn agree<F: CircuitField>() {
        for seed in 0..4 {
            let addr = lift::<F>(&[seed; 32]);
            let slot = natives::bits32(&addr);
            for depth in [1, 7, 16, 20, 32] {
                let bits = |slot: u32| {
                    run::<F>(|b| {
                        let addr = b.witness_digest(&addr);
                        bits32(b, &addr, slot, depth)
                    })
                };
                assert_eq!(bits(slot), (true, u64::from(slot) & ((1 << depth) - 1)));
                assert!(!bits(slot ^ 1).0);
                assert!(!bits(slot ^ 1 << (depth - 1)).0);
            }
        }
    }

    #[test]
    fn slots_are_the_native_ones() {
        agree::<M31>();
        agree::<KoalaBear>();
        agree::<Fr>();
    }
}
