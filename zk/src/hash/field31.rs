//! M31 (STWO's type) and KoalaBear (Plonky3's type) as circuit fields.

use std::sync::OnceLock;

use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};
use p3_koala_bear::KoalaBear;
use stwo::core::fields::m31::{M31, P};

use crate::circuits::builder::{Builder, Digest, HashOp, Wire};
use crate::field::{CircuitField, Native};
use crate::hash::poseidon2::{self, Constants, Poseidon2Field};
use crate::tags::Tag;

/// What differs between the two types; the rest of `CircuitField` is the macro's.
trait Word31: Sized {
    const MODULUS: u32;
    fn from_word(v: u32) -> Self;
    fn to_word(self) -> u32;
    fn inverse_or_none(self) -> Option<Self>;
}

impl Word31 for M31 {
    const MODULUS: u32 = P;

    fn from_word(v: u32) -> Self {
        M31::from(v)
    }

    fn to_word(self) -> u32 {
        // P itself is a second representation of zero inside the type.
        if self.0 == P { 0 } else { self.0 }
    }

    fn inverse_or_none(self) -> Option<Self> {
        (self.to_word() != 0).then(|| self.inverse())
    }
}

impl Word31 for KoalaBear {
    const MODULUS: u32 = KoalaBear::ORDER_U32;

    fn from_word(v: u32) -> Self {
        KoalaBear::from_u32(v)
    }

    fn to_word(self) -> u32 {
        self.as_canonical_u32()
    }

    fn inverse_or_none(self) -> Option<Self> {
        self.try_inverse()
    }
}

macro_rules! circuit_field {
    ($field:ty, $number:literal, $zero:expr, $one:expr) => {
        impl CircuitField for $field {
            const NUMBER: u8 = $number;
            const DIGEST: usize = 8;
            const WIDE: bool = false;
            const BYTES: usize = 4;
            const ZERO: Self = $zero;
            const ONE: Self = $one;

            fn from_u64(v: u64) -> Self {
                debug_assert!(v < u64::from(<$field as Word31>::MODULUS));
                Self::from_word((v % u64::from(<$field as Word31>::MODULUS)) as u32)
            }

            fn invert(self) -> Option<Self> {
                self.inverse_or_none()
            }

            fn to_le_bytes(self) -> [u8; 32] {
                let mut out = [0; 32];
                out[..4].copy_from_slice(&self.to_word().to_le_bytes());
                out
            }

            fn from_le_bytes(bytes: &[u8]) -> Option<Self> {
                let v = u32::from_le_bytes(bytes.try_into().ok()?);
                (v < <$field as Word31>::MODULUS).then(|| Self::from_word(v))
            }

            fn compress(l: &Native<Self>, r: &Native<Self>) -> Native<Self> {
                poseidon2::compress(l, r)
            }

            fn hash(tag: Tag, xs: &[Self]) -> Native<Self> {
                poseidon2::hash(tag, xs)
            }

            fn record_compress(b: &mut Builder<Self>, l: &Digest, r: &Digest) -> Digest {
                poseidon2::record_compress(b, l, r)
            }

            fn record_hash(b: &mut Builder<Self>, tag: Tag, xs: &[Wire]) -> Digest {
                poseidon2::record_hash(b, tag, xs)
            }

            fn check_hash(op: &HashOp, values: &[Self], state: &mut [Self; 16]) -> bool {
                poseidon2::check(op, values, state)
            }

            fn digest_from_wide(bytes: &[u8; 64]) -> Native<Self> {
                let modulus = u64::from(<$field as Word31>::MODULUS);
                std::array::from_fn(|i| {
                    let wide = u64::from_le_bytes(bytes[8 * i..8 * i + 8].try_into().expect("eight bytes"));
                    Self::from_word((wide % modulus) as u32)
                })
            }

            fn hash_parameter_bytes() -> Vec<u8> {
                poseidon2::parameter_bytes::<Self>()
            }
        }
    };
}

circuit_field!(M31, 1, M31(0), M31(1));
circuit_field!(KoalaBear, 2, <KoalaBear as PrimeCharacteristicRing>::ZERO, <KoalaBear as PrimeCharacteristicRing>::ONE);

impl Poseidon2Field for M31 {
    const SBOX_DEGREE: u8 = 5;

    fn constants() -> &'static Constants<Self> {
        static CONSTANTS: OnceLock<Constants<M31>> = OnceLock::new();
        CONSTANTS.get_or_init(|| {
            use p3_mersenne_31 as p3;
            let word = |x: &p3::Mersenne31| M31::from(x.as_canonical_u32());
            let rows = |rows: &[[p3::Mersenne31; 16]; 4]| rows.map(|row| row.map(|x| word(&x)));
            // diag(−2, 2^0, 2^1, …): the shifts that p3-mersenne-31 documents for width 16.
            let shifts = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 13, 14, 15, 16];
            let mut diagonal = [-M31(2); 16];
            for (d, shift) in diagonal[1..].iter_mut().zip(shifts) {
                *d = M31(1 << shift);
            }
            Constants {
                initial: rows(&p3::MERSENNE31_POSEIDON2_RC_16_EXTERNAL_INITIAL),
                internal: p3::MERSENNE31_POSEIDON2_RC_16_INTERNAL.iter().map(word).collect(),
                terminal: rows(&p3::MERSENNE31_POSEIDON2_RC_16_EXTERNAL_FINAL),
                diagonal,
            }
        })
    }

    fn sbox(self) -> Self {
        let square = self * self;
        square * square * self
    }
}

impl Poseidon2Field for KoalaBear {
    const SBOX_DEGREE: u8 = 3;

    fn constants() -> &'static Constants<Self> {
        static CONSTANTS: OnceLock<Constants<KoalaBear>> = OnceLock::new();
        CONSTANTS.get_or_init(|| {
            use p3_koala_bear as p3;
            let small = |v: u32| KoalaBear::from_u32(v);
            let half = |n: u64| small(1).div_2exp_u64(n);
            // [-2, 1, 2, 1/2, 3, 4, -1/2, -3, -4, 2^-8, 1/8, 2^-24, -2^-8, -1/8, -1/16, -2^-24]: p3-koala-bear's.
            let diagonal = [
                -small(2),
                small(1),
                small(2),
                half(1),
                small(3),
                small(4),
                -half(1),
                -small(3),
                -small(4),
                half(8),
                half(3),
                half(24),
                -half(8),
                -half(3),
                -half(4),
                -half(24),
            ];
            Constants {
                initial: p3::KOALABEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL,
                internal: p3::KOALABEAR_POSEIDON2_RC_16_INTERNAL.to_vec(),
                terminal: p3::KOALABEAR_POSEIDON2_RC_16_EXTERNAL_FINAL,
                diagonal,
            }
        })
    }

    fn sbox(self) -> Self {
        self * self * self
    }
}

#[cfg(test)]
mod tests {
    use p3_symmetric::Permutation;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// The extremes, one lane at a time too, and 300 random states.
    fn states(modulus: u32) -> Vec<[u32; 16]> {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let edges = [[0; 16], [modulus - 1; 16]];
        let lanes = (0..16).map(|lane| std::array::from_fn(|i| if i == lane { modulus - 1 } else { 0 }));
        let random = (0..300).map(|_| std::array::from_fn(|_| rng.gen_range(0..modulus)));
        edges.into_iter().chain(lanes).chain(random.collect::<Vec<_>>()).collect()
    }

    #[test]
    fn m31_permutation_is_the_published_one() {
        let published = p3_mersenne_31::default_mersenne31_poseidon2_16();
        for words in states(P) {
            let mut ours = words.map(M31::from);
            poseidon2::permute(&mut ours);
            let theirs = published.permute(words.map(p3_mersenne_31::Mersenne31::from_u32));
            assert_eq!(ours.map(Word31::to_word), theirs.map(|x| x.as_canonical_u32()), "{words:?}");
        }
    }

    #[test]
    fn koala_bear_permutation_is_the_published_one() {
        let published = p3_koala_bear::default_koalabear_poseidon2_16();
        for words in states(KoalaBear::MODULUS) {
            let mut ours = words.map(KoalaBear::from_u32);
            let theirs = published.permute(ours);
            poseidon2::permute(&mut ours);
            assert_eq!(ours, theirs, "{words:?}");
        }
    }

    #[test]
    fn only_canonical_words_decode() {
        assert_eq!(M31::from_le_bytes(&P.to_le_bytes()), None);
        assert_eq!(KoalaBear::from_le_bytes(&KoalaBear::MODULUS.to_le_bytes()), None);
        assert_eq!(M31::from_le_bytes(&(P - 1).to_le_bytes()), Some(M31(P - 1)));
        assert_eq!(M31::from_le_bytes(&[0; 3]), None);
    }

    #[test]
    fn the_length_separates_padded_inputs() {
        let one = M31::hash(Tag::Lift, &[M31(0)]);
        let two = M31::hash(Tag::Lift, &[M31(0), M31(0)]);
        assert_ne!(one, two);
        assert_ne!(M31::hash(Tag::Lift, &[]), M31::hash(Tag::List, &[]));
    }
}
