//! The gadgets that circuits are made of. Each records its constraints whatever the values are.
//!
//! A row that speaks of integers is an equation in the field, so it says what it should only when the difference of its
//! sides stays below the modulus p in absolute value, whatever values the bounds of its wires allow: then zero in the field
//! is zero. Each gadget gives its bound; p is 2^31 − 1 (M31), 2^31 − 2^24 + 1 (KoalaBear) or above 2^253 (BN254). The test
//! `zk/tests/bounds.rs` derives every bound again from the recorded constraints of every circuit.

pub mod slots;

use crate::circuits::builder::{Bit, Builder, Digest, Wire, ZERO_WIRE};
use crate::field::{CircuitField, DIGEST_MAX, Native};
use crate::natives::{Elements, limbs};

/// An unsigned 64-bit integer: four 16-bit limbs, and on BN254 also their sum in one element.
#[derive(Clone, Copy, Debug)]
pub struct U64 {
    pub limbs: [Wire; 4],
    /// Σ limb·2^(16i) where the field is wide, else unused.
    pub packed: Wire,
}

impl U64 {
    /// The wires that stand for the integer in hashes and public inputs.
    pub fn wires<F: CircuitField>(&self) -> &[Wire] {
        if F::WIDE { std::slice::from_ref(&self.packed) } else { &self.limbs }
    }

    /// The integer, modulo 2^64 if a limb is out of range.
    pub fn value<F: CircuitField>(&self, b: &Builder<F>) -> u64 {
        self.limbs.iter().rev().fold(0, |acc: u64, w| (acc << 16).wrapping_add(b.value(*w).to_u64().unwrap_or(0)))
    }
}

/// How far a carry between limbs can reach.
#[derive(Clone, Copy, Debug)]
pub enum Carry {
    Bool,
    /// Below 2^n.
    Bits(u32),
    /// From −3 to 4.
    Signed,
}

/// `Σ 2^(step·i)·w_i`. The packed number decides its parts while they are below 2^step and together below p.
pub fn pack<F: CircuitField>(b: &mut Builder<F>, wires: &[Wire], step: usize) -> Wire {
    let base = F::from_u64(1 << step);
    let mut weight = F::ONE;
    let mut terms = Vec::with_capacity(wires.len());
    for w in wires {
        terms.push((weight, *w));
        weight = weight * base;
    }
    b.lin(&terms, F::ZERO)
}

/// U64: a witness integer; every limb is range-checked. Packed it is below 2^64 < p where the field is wide.
pub fn u64_witness<F: CircuitField>(b: &mut Builder<F>, v: u64) -> U64 {
    let limbs = limbs(v).map(|l| b.witness(F::from_u64(l)));
    limbs.iter().for_each(|l| b.range16(*l));
    let packed = if F::WIDE { pack(b, &limbs, 16) } else { ZERO_WIRE };
    U64 { limbs, packed }
}

/// U32: the next public input (two limbs, or one element on BN254) as one element, for what equals a field sum below 2^30.
///
/// The high limb has 14 bits, so low + 2^16·high < 2^30 < p: with 16, a 31-bit field would give the sum a second encoding,
/// itself plus the modulus. On BN254 the input *is* the sum, and has no other range than that.
pub fn u32_public<F: CircuitField>(b: &mut Builder<F>, v: u32) -> Wire {
    let encoded = Elements::new().u32(v).0;
    let limbs: Vec<Wire> = encoded.into_iter().map(|x| b.public(x)).collect();
    if let [low, high] = limbs.as_slice() {
        b.range16(*low);
        range(b, *high, 14);
    }
    pack(b, &limbs, 16)
}

/// A `u16` as the next public input, range-checked.
pub fn u16_public<F: CircuitField>(b: &mut Builder<F>, v: u16) -> Wire {
    let w = b.public(F::from_u64(u64::from(v)));
    b.range16(w);
    w
}

/// U64: the next public input (four limbs, or one element on BN254).
pub fn u64_public<F: CircuitField>(b: &mut Builder<F>, v: u64) -> U64 {
    if F::WIDE {
        let packed = b.public(F::from_u64(v));
        let x = u64_witness(b, v);
        b.assert_eq(x.packed, packed);
        return U64 { limbs: x.limbs, packed };
    }
    let limbs = limbs(v).map(|l| b.public(F::from_u64(l)));
    limbs.iter().for_each(|l| b.range16(*l));
    U64 { limbs, packed: ZERO_WIRE }
}

/// A constant integer.
pub fn u64_constant<F: CircuitField>(b: &mut Builder<F>, v: u64) -> U64 {
    let limbs = limbs(v).map(|l| b.constant(F::from_u64(l)));
    let packed = if F::WIDE { b.constant(F::from_u64(v)) } else { ZERO_WIRE };
    U64 { limbs, packed }
}

/// Asserts `Σ c·x + Σ low = out` over the integers.
///
/// On the 31-bit fields limb by limb, `Σ c·x_i + k_(i−1) = out_i + 2^16·k_i` with the carries k bounded by `carry` and
/// the last one zero (`low` joins the lowest limb); on BN254 in one linear constraint, for nothing here reaches 2^80.
///
/// Bound of a row, with Σ|c| = C over limbs below 2^16, |low| ≤ L and carries of at most K: its sides differ by less than
/// (C + 1)·2^16 + L + 2^16·K + K. Boolean carries (C = 2, L ≤ 1): below 2^18. `Signed` (C = 4, L ≤ 2, K = 4): below 2^20.
/// C8 (C = 32, L ≤ 31, K = 31): below 2^22. SUM64 has its own.
pub fn relation<F: CircuitField>(
    b: &mut Builder<F>,
    terms: &[(i64, &U64)],
    low: &[(i64, Wire)],
    out: &U64,
    carry: Carry,
) {
    let low: Vec<(F, Wire)> = low.iter().map(|(c, w)| (F::from_i64(*c), *w)).collect();
    if F::WIDE {
        let all: Vec<_> = terms.iter().map(|(c, x)| (F::from_i64(*c), x.packed)).chain(low).collect();
        let sum = b.lin(&all, F::ZERO);
        b.assert_eq(sum, out.packed);
        return;
    }
    let base = F::from_u64(1 << 16);
    let inverse = base.invert().expect("2^16 is not zero");
    let mut extra = low;
    for i in 0..4 {
        let all: Vec<_> = terms.iter().map(|(c, x)| (F::from_i64(*c), x.limbs[i])).chain(extra).collect();
        let sum = b.lin(&all, F::ZERO);
        if i == 3 {
            b.assert_eq(sum, out.limbs[3]);
            return;
        }
        // Dividing in the field satisfies the equation always; the bound refuses a carry that is no integer.
        let k = b.witness((b.value(sum) - b.value(out.limbs[i])) * inverse);
        b.assert_gate(F::ONE, sum, -base, k, F::ZERO, F::ZERO, ZERO_WIRE, F::ZERO, out.limbs[i]);
        bound(b, k, carry);
        extra = vec![(F::ONE, k)];
    }
}

fn bound<F: CircuitField>(b: &mut Builder<F>, k: Wire, carry: Carry) {
    match carry {
        Carry::Bool => {
            b.assert_bool(k);
        }
        Carry::Bits(n) => range(b, k, n),
        Carry::Signed => {
            let shifted = b.lin(&[(F::ONE, k)], F::from_u64(3));
            range(b, shifted, 3);
        }
    }
}

/// ADD64: `x + y = z` without overflow: the carry out of the highest limb is zero.
pub fn add64<F: CircuitField>(b: &mut Builder<F>, x: &U64, y: &U64, z: &U64) {
    relation(b, &[(1, x), (1, y)], &[], z, Carry::Bool);
}

/// LE64: some U64 d has `x + d = y`.
pub fn le64<F: CircuitField>(b: &mut Builder<F>, x: &U64, y: &U64) {
    let d = y.value(b).wrapping_sub(x.value(b));
    let d = u64_witness(b, d);
    add64(b, x, &d, y);
}

/// LT64: some U64 d has `x + d + 1 = y`.
pub fn lt64<F: CircuitField>(b: &mut Builder<F>, x: &U64, y: &U64) {
    let d = y.value(b).wrapping_sub(x.value(b)).wrapping_sub(1);
    let d = u64_witness(b, d);
    let one = b.constant(F::ONE);
    relation(b, &[(1, x), (1, &d)], &[(1, one)], y, Carry::Bool);
}

/// `bit·x`, wire by wire; not range-checked again: a limb or zero is below 2^16, too.
pub fn gate_u64<F: CircuitField>(b: &mut Builder<F>, bit: Bit, x: &U64) -> U64 {
    if F::WIDE {
        return U64 { limbs: [ZERO_WIRE; 4], packed: b.mul(bit.0, x.packed) };
    }
    U64 { limbs: x.limbs.map(|l| b.mul(bit.0, l)), packed: ZERO_WIRE }
}

/// The most integers that SUM64 adds.
pub const SUM_TERMS_MAX: usize = 1 << 14;

/// SUM64: the sum of up to 2^14 integers. The result's value is `sum`; limb sums first, then one carry pass.
///
/// Bound, 31-bit fields: a limb sum and the carry into it are below 2^14·(2^16 − 1) + 2^14 = 2^30, and so is
/// out + 2^16·k with a carry of 14 bits: both sides of a row are integers below 2^30 < p. (With 16 bits a side reaches
/// 2^32, and sum + p would do as well as sum.) Wide: below 2^78.
pub fn sum64<F: CircuitField>(b: &mut Builder<F>, xs: &[U64], sum: &U64) {
    assert!(xs.len() <= SUM_TERMS_MAX, "{} integers to add, at most {SUM_TERMS_MAX} are sound", xs.len());
    let total = if F::WIDE {
        U64 { limbs: [ZERO_WIRE; 4], packed: add_all(b, xs.iter().map(|x| x.packed)) }
    } else {
        let limbs = std::array::from_fn(|i| add_all(b, xs.iter().map(|x| x.limbs[i])));
        U64 { limbs, packed: ZERO_WIRE }
    };
    relation(b, &[(1, &total)], &[], sum, Carry::Bits(14));
}

/// The sum of gated integers as a new U64.
pub fn sum64_witness<F: CircuitField>(b: &mut Builder<F>, xs: &[U64], value: u64) -> U64 {
    let sum = u64_witness(b, value);
    sum64(b, xs, &sum);
    sum
}

/// `Σ w`. The number of wires is structure; who compares the sum says what bounds it.
pub fn add_all<F: CircuitField>(b: &mut Builder<F>, wires: impl Iterator<Item = Wire>) -> Wire {
    let terms: Vec<_> = wires.map(|w| (F::ONE, w)).collect();
    b.lin(&terms, F::ZERO)
}

/// RANGE(n), 2 ≤ n ≤ 16: `0 ≤ x < 2^n`.
///
/// Bound, 31-bit fields: x < 2^16 is checked first, so x·2^(16−n) < 2^(32−n) ≤ 2^30 < p is that integer, and below 2^16 only
/// when x < 2^n. With n = 1 it would reach 2^31: KoalaBear takes 65025 and 65026 for bits. Use [`Builder::bit`] for those.
/// Wide: bits that spell less than 2^16.
///
/// # Panics
///
/// For another n.
pub fn range<F: CircuitField>(b: &mut Builder<F>, x: Wire, n: u32) {
    assert!((2..=16).contains(&n), "a range of {n} bits is not sound, only those of 2 to 16 are");
    if n == 16 {
        b.range16(x);
    } else if F::WIDE {
        // R1CS has no tables: n booleans are cheaper than two 16-bit checks.
        let value = b.value(x).to_u64().unwrap_or(0);
        let bits: Vec<Wire> = (0..n).map(|i| b.bit(value >> i & 1 == 1).0).collect();
        let sum = pack(b, &bits, 1);
        b.assert_eq(sum, x);
    } else {
        b.range16(x);
        let shifted = b.lin(&[(F::from_u64(1 << (16 - n)), x)], F::ZERO);
        b.range16(shifted);
    }
}

/// ISZERO: the flag `x = 0`, of field elements: x·inverse = 1 − flag and x·flag = 0 leave flag = 1 for x = 0, else 0.
pub fn is_zero<F: CircuitField>(b: &mut Builder<F>, x: Wire) -> Bit {
    let inverse = b.value(x).invert();
    let flag = b.witness(if inverse.is_some() { F::ZERO } else { F::ONE });
    let inverse = b.witness(inverse.unwrap_or(F::ZERO));
    let one = b.constant(F::ONE);
    b.assert_gate(F::ZERO, x, F::ZERO, inverse, F::ONE, F::ONE, flag, F::ZERO, one);
    b.assert_product(x, flag, ZERO_WIRE);
    Bit(flag)
}

/// Asserts `x ≠ 0` in the field; of an integer only where 0 ≤ x < p.
pub fn assert_nonzero<F: CircuitField>(b: &mut Builder<F>, x: Wire) {
    let inverse = b.witness(b.value(x).invert().unwrap_or(F::ZERO));
    let one = b.constant(F::ONE);
    b.assert_product(x, inverse, one);
}

/// NEQ: asserts that two digests differ in some element: 0 ≤ D − Σ flag ≤ D ≤ 8 is not 0.
pub fn assert_digest_neq<F: CircuitField>(b: &mut Builder<F>, x: &Digest, y: &Digest) {
    let mut terms = vec![];
    for (x, y) in x.wires::<F>().iter().zip(y.wires::<F>()) {
        let difference = b.sub(*x, *y);
        terms.push((-F::ONE, is_zero(b, difference).0));
    }
    let unequal = b.lin(&terms, F::from_u64(F::DIGEST as u64));
    assert_nonzero(b, unequal);
}

/// Asserts that two integers are equal. Equal limbs, hence nothing to range-check.
pub fn assert_u64_eq<F: CircuitField>(b: &mut Builder<F>, x: &U64, y: &U64) {
    for (x, y) in x.wires::<F>().iter().zip(y.wires::<F>()) {
        b.assert_eq(*x, *y);
    }
}

/// Asserts `bit·(x − y) = 0`, element-wise.
pub fn assert_eq_if<F: CircuitField>(b: &mut Builder<F>, bit: Bit, x: &Digest, y: &Digest) {
    for (x, y) in x.wires::<F>().iter().zip(y.wires::<F>()) {
        let difference = b.sub(*x, *y);
        b.assert_product(bit.0, difference, ZERO_WIRE);
    }
}

/// Asserts `x = bit·x`: the flag `x` implies `bit`.
pub fn assert_implies<F: CircuitField>(b: &mut Builder<F>, x: Bit, bit: Bit) {
    b.assert_product(x.0, bit.0, x.0);
}

/// ACTIVE: `n` flags of which the first `count` are set; returns them and their sum.
pub fn active<F: CircuitField>(b: &mut Builder<F>, n: usize, count: usize) -> (Vec<Bit>, Wire) {
    let flags: Vec<bool> = (0..n).map(|i| i < count).collect();
    active_flags(b, &flags)
}

/// ACTIVE on given flags, which are constrained to be set first and clear after. Their sum is at most their number, < 2^15.
pub fn active_flags<F: CircuitField>(b: &mut Builder<F>, flags: &[bool]) -> (Vec<Bit>, Wire) {
    let flags: Vec<Bit> = flags.iter().map(|f| b.bit(*f)).collect();
    for pair in flags.windows(2) {
        assert_implies(b, pair[1], pair[0]);
    }
    let sum = add_all(b, flags.iter().map(|f| f.0));
    (flags, sum)
}

/// `bit·x`, element-wise.
pub fn gate_digest<F: CircuitField>(b: &mut Builder<F>, bit: Bit, x: &Digest) -> Digest {
    let gated: Vec<Wire> = x.wires::<F>().iter().map(|w| b.mul(bit.0, *w)).collect();
    Digest::from_wires::<F>(&gated)
}

/// SELECT of a constant: `bit ? constant : x`, one gate an element.
pub fn constant_if<F: CircuitField>(b: &mut Builder<F>, bit: Bit, constant: &Native<F>, x: &Digest) -> Digest {
    let mut out = [ZERO_WIRE; DIGEST_MAX];
    for i in 0..F::DIGEST {
        out[i] = b.gate(constant[i], bit.0, F::ONE, x.0[i], -F::ONE, F::ZERO, ZERO_WIRE, F::ZERO);
    }
    Digest(out)
}

/// SELECT with a constant: `bit ? x : constant`, one gate an element.
pub fn select_or_constant<F: CircuitField>(b: &mut Builder<F>, bit: Bit, x: &Digest, constant: &Native<F>) -> Digest {
    let mut out = [ZERO_WIRE; DIGEST_MAX];
    for i in 0..F::DIGEST {
        let c = constant[i];
        out[i] = b.gate(-c, bit.0, F::ZERO, x.0[i], F::ONE, F::ZERO, ZERO_WIRE, c);
    }
    Digest(out)
}

/// The value of the last set flag, or `none`: flags that are set first and clear after differ from the next one in one
/// place only, so a sum of products, one gate an element, selects it. Field elements throughout: one factor is 1, all
/// others are 0.
pub fn last_active<F: CircuitField>(b: &mut Builder<F>, flags: &[Bit], values: &[Digest], none: &Digest) -> Digest {
    let mut out = none.0;
    for x in &mut out[..F::DIGEST] {
        *x = b.gate(F::ZERO, flags[0].0, F::ONE, *x, -F::ONE, F::ZERO, ZERO_WIRE, F::ZERO);
    }
    for (i, value) in values.iter().enumerate() {
        let last = match flags.get(i + 1) {
            Some(next) => b.sub(flags[i].0, next.0),
            None => flags[i].0,
        };
        for (acc, x) in out.iter_mut().zip(value.wires::<F>()) {
            *acc = b.mul_add(last, *x, *acc);
        }
    }
    Digest(out)
}

/// MERKLE: the root above `leaf`; bit i says that the path is a right child at level i, leaf first.
pub fn merkle<F: CircuitField>(b: &mut Builder<F>, leaf: Digest, bits: &[Bit], siblings: &[Digest]) -> Digest {
    let mut current = leaf;
    for (bit, sibling) in bits.iter().zip(siblings) {
        let (l, r) = b.swap(*bit, &current, sibling);
        current = b.compress(&l, &r);
    }
    current
}

/// UPDATE: the roots above the old and the new leaf of one slot, over the same siblings.
pub fn update<F: CircuitField>(
    b: &mut Builder<F>,
    old: Digest,
    new: Digest,
    bits: &[Bit],
    siblings: &[Digest],
) -> (Digest, Digest) {
    (merkle(b, old, bits, siblings), merkle(b, new, bits, siblings))
}

/// ROOT: the root of a whole tree, shaped as [`crate::natives::root`].
pub fn root<F: CircuitField>(b: &mut Builder<F>, leaves: &[Digest]) -> Digest {
    let mut level = leaves.to_vec();
    while level.len() >= 4 {
        level = level.chunks_exact(4).map(|c| F::record_compress4(b, c.try_into().expect("four"))).collect();
    }
    match level.as_slice() {
        [l, r] => b.compress(l, r),
        [only] => *only,
        _ => unreachable!("the width is a power of two"),
    }
}
