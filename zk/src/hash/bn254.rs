//! The BN254 scalar field as a circuit field, hashing with circomlib's Poseidon.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};
use blake2::{Blake2s256, Digest as _};

use crate::circuits::builder::{Builder, Digest, HashOp, Wire, ZERO_WIRE};
use crate::field::{CircuitField, DIGEST_MAX, Native};
use crate::hash::poseidon::{FULL_ROUNDS, MAX_INPUTS, PARTIAL_ROUNDS, poseidon, published};
use crate::tags::Tag;

const ZERO: Fr = <Fr as AdditiveGroup>::ZERO;
/// Longest input of `H[tag]` that one call takes (the tag is an input too).
const SINGLE: usize = MAX_INPUTS - 1;
/// Elements per call of a longer input (the tag and the chained value are inputs too).
const CHUNK: usize = MAX_INPUTS - 2;

fn native(x: Fr) -> Native<Fr> {
    let mut out = [ZERO; DIGEST_MAX];
    out[0] = x;
    out
}

fn digest(w: Wire) -> Digest {
    Digest::from_wires::<Fr>(&[w])
}

/// The first input of `H[tag]` of `len` elements.
fn domain(tag: Tag, len: usize) -> Fr {
    Fr::from(u64::from(tag as u16) + ((len as u64) << 32))
}

/// The input lists of the calls that make up `H[tag](xs)`; `None` stands for the previous call's result.
fn calls<T: Copy>(domain: T, zero: T, xs: &[T]) -> Vec<Vec<Option<T>>> {
    let list = |head: &[Option<T>], tail: &[T]| head.iter().copied().chain(tail.iter().copied().map(Some)).collect();
    if xs.len() <= SINGLE {
        return vec![list(&[Some(domain)], xs)];
    }
    let chunk = |(i, c): (usize, &[T])| list(&[Some(domain), (i == 0).then_some(zero)], c);
    xs.chunks(CHUNK).enumerate().map(chunk).collect()
}

fn record(b: &mut Builder<Fr>, input: Vec<Wire>) -> Wire {
    let values: Vec<Fr> = input.iter().map(|w| b.value(*w)).collect();
    let output = b.witness(poseidon(&values));
    b.push_hash(HashOp::Poseidon { input, output });
    output
}

impl CircuitField for Fr {
    const NUMBER: u8 = 3;
    const DIGEST: usize = 1;
    const WIDE: bool = true;
    const BYTES: usize = 32;
    const ZERO: Self = <Fr as AdditiveGroup>::ZERO;
    const ONE: Self = <Fr as Field>::ONE;

    fn from_u64(v: u64) -> Self {
        Fr::from(v)
    }

    fn invert(self) -> Option<Self> {
        self.inverse()
    }

    fn to_le_bytes(self) -> [u8; 32] {
        self.into_bigint().to_bytes_le().try_into().expect("four words")
    }

    fn from_le_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 32] = bytes.try_into().ok()?;
        let mut words = [0; 4];
        for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
        }
        Fr::from_bigint(ark_ff::BigInt::new(words))
    }

    fn compress(l: &Native<Self>, r: &Native<Self>) -> Native<Self> {
        native(poseidon(&[l[0], r[0]]))
    }

    fn hash(tag: Tag, xs: &[Self]) -> Native<Self> {
        let mut last = ZERO;
        for call in calls(domain(tag, xs.len()), ZERO, xs) {
            let inputs: Vec<Fr> = call.into_iter().map(|x| x.unwrap_or(last)).collect();
            last = poseidon(&inputs);
        }
        native(last)
    }

    fn record_compress(b: &mut Builder<Self>, l: &Digest, r: &Digest) -> Digest {
        digest(record(b, vec![l.0[0], r.0[0]]))
    }

    fn record_hash(b: &mut Builder<Self>, tag: Tag, xs: &[Wire]) -> Digest {
        let tag = b.constant(domain(tag, xs.len()));
        let mut last = ZERO_WIRE;
        for call in calls(tag, ZERO_WIRE, xs) {
            let input = call.into_iter().map(|w| w.unwrap_or(last)).collect();
            last = record(b, input);
        }
        digest(last)
    }

    fn compress4(xs: &[Native<Self>; 4]) -> Native<Self> {
        native(poseidon(&xs.map(|x| x[0])))
    }

    fn record_compress4(b: &mut Builder<Self>, xs: &[Digest; 4]) -> Digest {
        digest(record(b, xs.iter().map(|x| x.0[0]).collect()))
    }

    fn check_hash(op: &HashOp, values: &[Self], _state: &mut [Self; 16]) -> bool {
        let HashOp::Poseidon { input, output } = op else {
            return false;
        };
        let inputs: Vec<Fr> = input.iter().map(|w| values[w.0 as usize]).collect();
        values[output.0 as usize] == poseidon(&inputs)
    }

    fn digest_from_wide(bytes: &[u8; 64]) -> Native<Self> {
        native(Fr::from_le_bytes_mod_order(bytes))
    }

    /// Widths 2 to 17, round numbers, a digest of all constants and matrices, and the arity of whole trees.
    fn hash_parameter_bytes() -> Vec<u8> {
        let mut bytes = vec![MAX_INPUTS as u8 + 1, FULL_ROUNDS as u8, 5];
        bytes.extend(PARTIAL_ROUNDS.map(|r| r as u8));
        let mut constants = Blake2s256::new();
        for inputs in 1..=MAX_INPUTS {
            let (rounds, mds) = published(inputs);
            for x in rounds.iter().chain(&mds).flatten() {
                constants.update(CircuitField::to_le_bytes(*x));
            }
        }
        bytes.extend_from_slice(&constants.finalize());
        bytes.push(4);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_inputs_chain_in_chunks_of_fourteen() {
        let xs: Vec<Fr> = (1..=16u64).map(Fr::from).collect();
        let tag = Fr::from(8u64 + (16 << 32));
        let head = |h: Fr, tail: &[Fr]| [&[tag, h], tail].concat();
        let first = poseidon(&head(ZERO, &xs[..14]));
        let second = poseidon(&head(first, &xs[14..]));
        assert_eq!(<Fr as CircuitField>::hash(Tag::Tx, &xs)[0], second);
    }

    #[test]
    fn the_modulus_is_not_canonical() {
        let mut bytes = CircuitField::to_le_bytes(-Fr::from(1));
        assert_eq!(Fr::from_le_bytes(&bytes), Some(-Fr::from(1)));
        bytes[0] += 1;
        assert_eq!(Fr::from_le_bytes(&bytes), None);
    }
}
