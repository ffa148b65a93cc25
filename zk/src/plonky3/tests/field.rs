//! stand-in
use crate::circuits::builder::{Builder, Digest, HashOp, Wire, ZERO_WIRE};
use crate::field::{CircuitField, Native};
use crate::tags::Tag;
use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};
use p3_koala_bear::{KoalaBear, default_koalabear_poseidon2_16};
use p3_symmetric::Permutation;

impl CircuitField for KoalaBear {
    const DIGEST: usize = 8;
    const WIDE: bool = false;
    const BYTES: usize = 4;
    const ZERO: Self = <Self as PrimeCharacteristicRing>::ZERO;
    const ONE: Self = <Self as PrimeCharacteristicRing>::ONE;
    fn from_u64(v: u64) -> Self {
        <Self as PrimeCharacteristicRing>::from_u64(v)
    }
    fn invert(self) -> Option<Self> {
        self.try_inverse()
    }
    fn to_le_bytes(self) -> [u8; 32] {
        let mut o = [0; 32];
        o[..4].copy_from_slice(&self.as_canonical_u32().to_le_bytes());
        o
    }
    fn from_le_bytes(b: &[u8]) -> Option<Self> {
        Some(<Self as PrimeCharacteristicRing>::from_u32(u32::from_le_bytes(b.try_into().ok()?)))
    }
    fn compress(l: &Native<Self>, r: &Native<Self>) -> Native<Self> {
        let x: [Self; 16] = std::array::from_fn(|i| if i < 8 { l[i] } else { r[i - 8] });
        let p = default_koalabear_poseidon2_16().permute(x);
        std::array::from_fn(|i| p[i] + x[i])
    }
    fn hash(tag: Tag, xs: &[Self]) -> Native<Self> {
        let mut s = [<Self as PrimeCharacteristicRing>::ZERO; 16];
        s[8] = CircuitField::from_u64(tag as u64);
        s[9] = CircuitField::from_u64(xs.len() as u64);
        s[10] = <Self as PrimeCharacteristicRing>::ONE;
        let perm = default_koalabear_poseidon2_16();
        if xs.is_empty() {
            perm.permute_mut(&mut s);
        }
        for c in xs.chunks(8) {
            for (a, b) in s.iter_mut().zip(c) {
                *a += *b;
            }
            perm.permute_mut(&mut s);
        }
        *s.first_chunk().unwrap()
    }
    fn record_compress(b: &mut Builder<Self>, l: &Digest, r: &Digest) -> Digest {
        let v = Self::compress(&b.digest_value(l), &b.digest_value(r));
        let out = b.witness_digest(&v);
        let input = std::array::from_fn(|i| if i < 8 { l.0[i] } else { r.0[i - 8] });
        b.push_hash(HashOp::Permutation { input, chain: false, feed_forward: true, output: Some(out.0) });
        out
    }
    fn record_hash(b: &mut Builder<Self>, tag: Tag, xs: &[Wire]) -> Digest {
        let vals: Vec<Self> = xs.iter().map(|w| b.value(*w)).collect();
        let cap = [
            b.constant(CircuitField::from_u64(tag as u64)),
            b.constant(CircuitField::from_u64(xs.len() as u64)),
            b.constant(<Self as PrimeCharacteristicRing>::ONE),
        ];
        let out = b.witness_digest(&Self::hash(tag, &vals));
        let blocks: Vec<&[Wire]> = if xs.is_empty() { vec![&[]] } else { xs.chunks(8).collect() };
        for (i, block) in blocks.iter().enumerate() {
            let mut input = [ZERO_WIRE; 16];
            input[..block.len()].copy_from_slice(block);
            if i == 0 {
                input[8..11].copy_from_slice(&cap);
            }
            b.push_hash(HashOp::Permutation {
                input,
                chain: i > 0,
                feed_forward: false,
                output: (i + 1 == blocks.len()).then_some(out.0),
            });
        }
        out
    }
}
