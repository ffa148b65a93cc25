//! The public-input vector: its types, its bytes, and their strict decoding.

use crate::error::Reject;
use crate::field::CircuitField;

/// The type of one public input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Digest,
    U32,
    U64,
    /// A small integer up to and including this value.
    Small(u16),
}

impl Kind {
    /// Field elements it takes.
    pub fn elements<F: CircuitField>(self) -> usize {
        match self {
            Kind::Digest => F::DIGEST,
            Kind::U32 | Kind::U64 if F::WIDE => 1,
            Kind::U32 => 2,
            Kind::U64 => 4,
            Kind::Small(_) => 1,
        }
    }

    fn fits<F: CircuitField>(self, x: F) -> bool {
        match self {
            Kind::Digest => true,
            Kind::U32 => x.to_u64().is_some_and(|v| v < if F::WIDE { 1 << 32 } else { 1 << 16 }),
            Kind::U64 => x.to_u64().is_some_and(|v| F::WIDE || v < 1 << 16),
            Kind::Small(max) => x.to_u64().is_some_and(|v| v <= u64::from(max)),
        }
    }
}

/// Field elements of a vector of these types.
pub fn length<F: CircuitField>(kinds: &[Kind]) -> usize {
    kinds.iter().map(|k| k.elements::<F>()).sum()
}

/// Canonical little-endian bytes, element by element.
pub fn to_bytes<F: CircuitField>(vector: &[F]) -> Vec<u8> {
    vector.iter().flat_map(|x| x.to_le_bytes().into_iter().take(F::BYTES)).collect()
}

/// Decodes a vector of these types; wrong lengths, non-canonical elements and values out of range are refused.
pub fn from_bytes<F: CircuitField>(kinds: &[Kind], bytes: &[u8]) -> Result<Vec<F>, Reject> {
    if bytes.len() != length::<F>(kinds) * F::BYTES {
        return Err(Reject::PublicInputMismatch);
    }
    let decode = |c: &[u8]| F::from_le_bytes(c).ok_or(Reject::NonCanonicalFieldElement);
    let vector: Vec<F> = bytes.chunks_exact(F::BYTES).map(decode).collect::<Result<_, _>>()?;
    let types = kinds.iter().flat_map(|k| std::iter::repeat_n(*k, k.elements::<F>()));
    if types.zip(&vector).all(|(kind, x)| kind.fits(*x)) { Ok(vector) } else { Err(Reject::PublicInputMismatch) }
}
