//! Poseidon2 over M31 with a replaceable S-box, for cells, SIMD rows and single values.
//!
//! Constants and linear layers are those of `crate::hash`, so a table cannot drift from the hash it proves.

use stwo::core::fields::m31::M31;

use crate::hash::poseidon2::{HALF_EXTERNAL_ROUNDS, Poseidon2Field, internal_linear};
pub use crate::hash::poseidon2::{RATE, WIDTH, external_linear};

use super::value::Value;

const INTERNAL_ROUNDS: usize = 14;
/// S-boxes of one permutation.
pub const SBOXES: usize = 2 * HALF_EXTERNAL_ROUNDS * WIDTH + INTERNAL_ROUNDS;

/// Permutes `state`; every S-box goes through `sbox`, which returns x^5 of its argument in its own way
/// (by computing it, or by reading it from columns and constraining them).
#[inline(always)]
pub fn permute<V: Value>(state: &mut [V; WIDTH], mut sbox: impl FnMut(V) -> V) {
    let constants = M31::constants();
    external_linear(state);
    for round in &constants.initial {
        external_round(state, round, &mut sbox);
    }
    for c in &constants.internal {
        state[0] = sbox(state[0] + *c);
        internal_linear(state, &constants.diagonal);
    }
    for round in &constants.terminal {
        external_round(state, round, &mut sbox);
    }
}

#[inline(always)]
fn external_round<V: Value>(state: &mut [V; WIDTH], round: &[M31; WIDTH], sbox: &mut impl FnMut(V) -> V) {
    for (x, c) in state.iter_mut().zip(round) {
        *x = sbox(*x + *c);
    }
    external_linear(state);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::poseidon2;

    #[test]
    fn stwo_permutation_is_that_of_the_hash() {
        let mut state: [M31; WIDTH] = std::array::from_fn(|i| M31((0x0123_4567 * (i as u32 + 1)) >> 1));
        let (mut expected, mut sboxes) = (state, 0);
        poseidon2::permute(&mut expected);
        permute(&mut state, |x| {
            sboxes += 1;
            x * x * x * x * x
        });
        assert_eq!((state, sboxes), (expected, SBOXES));
    }
}
