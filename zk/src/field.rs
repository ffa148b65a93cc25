//! What a circuit needs to know about the field it runs over.
//!
//! Three fields implement this: M31 (STWO), KoalaBear (Plonky3), the BN254 scalar field (Groth16).
//! The first two hold 31 bits, so a `u64` is four 16-bit limbs and a digest eight elements; the last
//! holds a `u64` or a digest in one element.

use std::fmt::Debug;
use std::hash::Hash;
use std::ops::{Add, Mul, Neg, Sub};

use crate::circuits::builder::{Builder, Digest, HashOp, Wire};
use crate::tags::Tag;

/// Largest number of field elements in a digest (8 on the 31-bit fields, 1 on BN254).
pub const DIGEST_MAX: usize = 8;

/// A digest outside a circuit; only the first [`CircuitField::DIGEST`] elements count, the rest are zero.
pub type Native<F> = [F; DIGEST_MAX];

/// A prime field that circuits are written over, with the hash that is native to it.
pub trait CircuitField:
    Copy
    + Eq
    + Hash
    + Debug
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
{
    /// The field's own number: that of the first proof system over it.
    const NUMBER: u8;
    /// Elements in a digest: 8 or 1.
    const DIGEST: usize;
    /// Whether one element holds a `u64` without reduction.
    const WIDE: bool;
    /// Bytes of one canonical little-endian element: 4 or 32.
    const BYTES: usize;
    const ZERO: Self;
    const ONE: Self;

    /// `v` as an element. `v` must be below the modulus (circuits only pass values below 2^30, or any `u64` when WIDE).
    fn from_u64(v: u64) -> Self;
    /// The inverse, or `None` for zero.
    fn invert(self) -> Option<Self>;
    /// The canonical value as 256-bit little-endian bytes (zero-extended on the 31-bit fields).
    fn to_le_bytes(self) -> [u8; 32];
    /// The inverse of the first `BYTES` bytes of [`Self::to_le_bytes`]; `None` unless `bytes.len() == BYTES` and the value is canonical.
    fn from_le_bytes(bytes: &[u8]) -> Option<Self>;

    /// 2-to-1 compression `C(l, r)` outside a circuit.
    fn compress(l: &Native<Self>, r: &Native<Self>) -> Native<Self>;
    /// `H[tag](xs)` outside a circuit.
    fn hash(tag: Tag, xs: &[Self]) -> Native<Self>;
    /// Records `C(l, r)`.
    fn record_compress(b: &mut Builder<Self>, l: &Digest, r: &Digest) -> Digest;
    /// Records `H[tag](xs)`.
    fn record_hash(b: &mut Builder<Self>, tag: Tag, xs: &[Wire]) -> Digest;

    /// Whether the values satisfy a recorded hash operation. `state` carries a sponge from one call to the next;
    /// call in recorded order.
    fn check_hash(op: &HashOp, values: &[Self], state: &mut [Self; 16]) -> bool;
    /// A digest-sized value that is close to uniform when `bytes` are.
    fn digest_from_wide(bytes: &[u8; 64]) -> Native<Self>;
    /// Canonical bytes of what fixes the hash (widths, rounds, constants, matrices), part of `params_hash`.
    fn hash_parameter_bytes() -> Vec<u8>;

    /// Compression of four digests, `C(C(a, b), C(c, d))` unless the field has a native one.
    fn compress4(xs: &[Native<Self>; 4]) -> Native<Self> {
        Self::compress(&Self::compress(&xs[0], &xs[1]), &Self::compress(&xs[2], &xs[3]))
    }

    /// Records [`Self::compress4`].
    fn record_compress4(b: &mut Builder<Self>, xs: &[Digest; 4]) -> Digest {
        let left = Self::record_compress(b, &xs[0], &xs[1]);
        let right = Self::record_compress(b, &xs[2], &xs[3]);
        Self::record_compress(b, &left, &right)
    }

    /// `v`, for small signed constants.
    fn from_i64(v: i64) -> Self {
        let magnitude = Self::from_u64(v.unsigned_abs());
        if v < 0 { -magnitude } else { magnitude }
    }

    /// The canonical value if it fits 64 bits. Used to read limbs and flags back from values.
    fn to_u64(self) -> Option<u64> {
        let bytes = self.to_le_bytes();
        let (low, high) = bytes.split_at(8);
        high.iter().all(|b| *b == 0).then(|| u64::from_le_bytes(low.try_into().expect("eight bytes")))
    }
}
