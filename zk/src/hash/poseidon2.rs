//! Poseidon2 of width 16 over the 31-bit fields: permutation, compression, sponge, and their recorders.
//!
//! The round constants are those published in `p3-mersenne-31` and `p3-koala-bear`. The linear layers are
//! generic so that a constraint table can evaluate them on its own expression type.

use std::ops::{Add, Mul};

use crate::circuits::builder::{Builder, Digest, HashOp, Wire, ZERO_WIRE};
use crate::field::{CircuitField, Native};
use crate::tags::Tag;

/// Field elements of the state.
pub const WIDTH: usize = 16;
/// Elements absorbed per permutation, and elements of a digest.
pub const RATE: usize = 8;
/// External rounds before, and as many after, the internal ones.
pub const HALF_EXTERNAL_ROUNDS: usize = 4;

/// Round constants and the internal matrix `1 + diag(diagonal)`.
#[derive(Debug)]
pub struct Constants<F> {
    pub initial: [[F; WIDTH]; HALF_EXTERNAL_ROUNDS],
    pub internal: Vec<F>,
    pub terminal: [[F; WIDTH]; HALF_EXTERNAL_ROUNDS],
    pub diagonal: [F; WIDTH],
}

/// A field with a published Poseidon2 instance of width 16.
pub trait Poseidon2Field: CircuitField {
    /// The degree of the S-box.
    const SBOX_DEGREE: u8;

    fn constants() -> &'static Constants<Self>;
    /// `self` to the power [`Self::SBOX_DEGREE`].
    fn sbox(self) -> Self;
}

/// The 4×4 matrix circ(2, 3, 1, 1) on a quarter of the state.
fn mix4<T: Clone + Add<Output = T>>(x: &mut [T]) {
    let t01 = x[0].clone() + x[1].clone();
    let t23 = x[2].clone() + x[3].clone();
    let all = t01.clone() + t23.clone();
    let (plus1, plus3) = (all.clone() + x[1].clone(), all + x[3].clone());
    x[3] = plus3.clone() + x[0].clone() + x[0].clone();
    x[1] = plus1.clone() + x[2].clone() + x[2].clone();
    x[0] = plus1 + t01;
    x[2] = plus3 + t23;
}

/// The external matrix: circ(2·M4, M4, M4, M4).
pub fn external_linear<T: Clone + Add<Output = T>>(state: &mut [T; WIDTH]) {
    for quarter in state.chunks_exact_mut(4) {
        mix4(quarter);
    }
    let column = |k: usize| state[k].clone() + state[k + 4].clone() + state[k + 8].clone() + state[k + 12].clone();
    let sums = [column(0), column(1), column(2), column(3)];
    for (i, x) in state.iter_mut().enumerate() {
        *x = x.clone() + sums[i % 4].clone();
    }
}

/// The internal matrix: `state[i] ← Σ state + diagonal[i]·state[i]`.
pub fn internal_linear<T, F>(state: &mut [T; WIDTH], diagonal: &[F; WIDTH])
where
    T: Clone + Add<Output = T> + Mul<F, Output = T>,
    F: Copy,
{
    let sum = state[1..].iter().cloned().fold(state[0].clone(), |acc, x| acc + x);
    for (x, d) in state.iter_mut().zip(diagonal) {
        *x = sum.clone() + x.clone() * *d;
    }
}

fn external_round<F: Poseidon2Field>(state: &mut [F; WIDTH], constants: &[F; WIDTH]) {
    for (x, c) in state.iter_mut().zip(constants) {
        *x = (*x + *c).sbox();
    }
    external_linear(state);
}

/// The permutation `P`.
pub fn permute<F: Poseidon2Field>(state: &mut [F; WIDTH]) {
    let constants = F::constants();
    external_linear(state);
    for round in &constants.initial {
        external_round(state, round);
    }
    for c in &constants.internal {
        state[0] = (state[0] + *c).sbox();
        internal_linear(state, &constants.diagonal);
    }
    for round in &constants.terminal {
        external_round(state, round);
    }
}

/// `C(l, r)[i] = P(l ‖ r)[i] + l[i]`. Without the feed-forward the function would be invertible.
pub fn compress<F: Poseidon2Field>(l: &Native<F>, r: &Native<F>) -> Native<F> {
    let mut state = [F::ZERO; WIDTH];
    state[..RATE].copy_from_slice(l);
    state[RATE..].copy_from_slice(r);
    permute(&mut state);
    std::array::from_fn(|i| state[i] + l[i])
}

/// The capacity a sponge starts with: domain, length, 1. The length makes zero padding unambiguous.
fn capacity<F: CircuitField>(tag: Tag, len: usize) -> [F; WIDTH - RATE] {
    let mut out = [F::ZERO; WIDTH - RATE];
    out[0] = F::from_u64(u64::from(tag as u16));
    out[1] = F::from_u64(len as u64);
    out[2] = F::ONE;
    out
}

/// `H[tag](xs)`: sponge of rate 8; the empty input costs one permutation too.
pub fn hash<F: Poseidon2Field>(tag: Tag, xs: &[F]) -> Native<F> {
    let mut state = [F::ZERO; WIDTH];
    state[RATE..].copy_from_slice(&capacity(tag, xs.len()));
    for block in blocks(xs) {
        for (s, x) in state.iter_mut().zip(block) {
            *s = *s + *x;
        }
        permute(&mut state);
    }
    std::array::from_fn(|i| state[i])
}

/// Blocks of the rate, at least one.
fn blocks<T>(xs: &[T]) -> impl ExactSizeIterator<Item = &[T]> {
    (0..xs.len().div_ceil(RATE).max(1)).map(move |i| &xs[i * RATE..xs.len().min((i + 1) * RATE)])
}

/// Records `C(l, r)`.
pub fn record_compress<F: Poseidon2Field>(b: &mut Builder<F>, l: &Digest, r: &Digest) -> Digest {
    let value = compress(&b.digest_value(l), &b.digest_value(r));
    let output = b.witness_digest(&value);
    let mut input = [ZERO_WIRE; WIDTH];
    input[..RATE].copy_from_slice(&l.0);
    input[RATE..].copy_from_slice(&r.0);
    b.push_hash(HashOp::Permutation { input, chain: false, feed_forward: true, output: Some(output.0) });
    output
}

/// Records `H[tag](xs)`, one permutation a block; only the last has outputs on the bus.
pub fn record_hash<F: Poseidon2Field>(b: &mut Builder<F>, tag: Tag, xs: &[Wire]) -> Digest {
    let values: Vec<F> = xs.iter().map(|w| b.value(*w)).collect();
    let start: [F; WIDTH - RATE] = capacity(tag, xs.len());
    let start = start.map(|v| b.constant(v));
    let output = b.witness_digest(&hash(tag, &values));
    let count = blocks(xs).len();
    for (i, block) in blocks(xs).enumerate() {
        let mut input = [ZERO_WIRE; WIDTH];
        input[..block.len()].copy_from_slice(block);
        if i == 0 {
            input[RATE..].copy_from_slice(&start);
        }
        let output = (i + 1 == count).then_some(output.0);
        b.push_hash(HashOp::Permutation { input, chain: i > 0, feed_forward: false, output });
    }
    output
}

/// Whether the values satisfy a recorded permutation. `state` carries the sponge from one call to the next.
pub fn check<F: Poseidon2Field>(op: &HashOp, values: &[F], state: &mut [F; WIDTH]) -> bool {
    let HashOp::Permutation { input, chain, feed_forward, output } = op else {
        return false;
    };
    let wires = input.map(|w| values[w.0 as usize]);
    let x: [F; WIDTH] = std::array::from_fn(|i| match (*chain, i < RATE) {
        (false, _) => wires[i],
        (true, true) => wires[i] + state[i],
        (true, false) => state[i],
    });
    *state = x;
    permute(state);
    output.is_none_or(|out| {
        (0..RATE).all(|i| {
            let forward = if *feed_forward { x[i] } else { F::ZERO };
            values[out[i].0 as usize] == state[i] + forward
        })
    })
}

/// Canonical bytes of everything that fixes the hash: part of `params_hash`.
pub fn parameter_bytes<F: Poseidon2Field>() -> Vec<u8> {
    let constants = F::constants();
    let rows = constants.initial.iter().chain(&constants.terminal).flatten();
    let mut bytes = vec![WIDTH as u8, 2 * HALF_EXTERNAL_ROUNDS as u8, constants.internal.len() as u8, F::SBOX_DEGREE];
    for c in rows.chain(&constants.internal).chain(&constants.diagonal) {
        bytes.extend_from_slice(&c.to_le_bytes()[..F::BYTES]);
    }
    bytes
}
