//! Field elements and points as a `.zkey` holds them: little-endian, in Montgomery form, the identity all zero.

use ark_bn254::{Fq, Fq2, Fr};
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::{BigInt, Fp, MontBackend, MontConfig, PrimeField};
use rayon::prelude::*;

/// Bytes of an element of a prime field.
pub const ELEMENT_BYTES: usize = 32;

fn words(bytes: &[u8]) -> BigInt<4> {
    let word = |i: usize| u64::from_le_bytes(bytes[8 * i..8 * i + 8].try_into().expect("eight bytes"));
    BigInt::new(std::array::from_fn(word))
}

/// The element whose Montgomery form these 32 bytes are; none when they are not below the modulus.
fn element<C: MontConfig<4>>(bytes: &[u8]) -> Option<Fp<MontBackend<C, 4>, 4>> {
    let form = words(bytes);
    (form < C::MODULUS).then(|| Fp::new_unchecked(form))
}

/// A coefficient: snarkjs stores the Montgomery form of the Montgomery form, which its prover's multiplication undoes.
pub fn coefficient(bytes: &[u8]) -> Option<Fr> {
    Some(Fr::new_unchecked(element::<ark_bn254::FrConfig>(bytes)?.into_bigint()))
}

/// A coordinate's bytes.
pub trait Stored: Sized {
    const BYTES: usize;
    fn read(bytes: &[u8]) -> Option<Self>;
}

impl Stored for Fq {
    const BYTES: usize = ELEMENT_BYTES;

    fn read(bytes: &[u8]) -> Option<Self> {
        element(bytes)
    }
}

impl Stored for Fq2 {
    const BYTES: usize = 2 * ELEMENT_BYTES;

    fn read(bytes: &[u8]) -> Option<Self> {
        let (c0, c1) = bytes.split_at(ELEMENT_BYTES);
        Some(Fq2::new(element(c0)?, element(c1)?))
    }
}

/// Bytes of a point.
pub const fn point_bytes<P: SWCurveConfig<BaseField: Stored>>() -> usize {
    2 * P::BaseField::BYTES
}

/// The point, if it is on its curve.
fn point<P: SWCurveConfig<BaseField: Stored>>(bytes: &[u8]) -> Option<Affine<P>> {
    if bytes.iter().all(|b| *b == 0) {
        return Some(Affine::identity());
    }
    let (x, y) = bytes.split_at(P::BaseField::BYTES);
    let p = Affine::new_unchecked(P::BaseField::read(x)?, P::BaseField::read(y)?);
    p.is_on_curve().then_some(p)
}

/// Points side by side, all of them on their curve.
pub fn points<P: SWCurveConfig<BaseField: Stored>>(bytes: &[u8]) -> Option<Vec<Affine<P>>> {
    bytes.par_chunks_exact(point_bytes::<P>()).map(point).collect()
}
