//! Field elements and points as iden3's JSON writes them: decimal strings, projective coordinates.

use std::fmt;
use std::marker::PhantomData;

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::{AdditiveGroup, BigInt, Field, PrimeField};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Most digits of a number below 2^256.
const DIGITS_MAX: usize = 78;

/// A prime field element as a decimal string; only the shortest digits of a number below the modulus are read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decimal<F>(pub F);

impl<F: PrimeField> Serialize for Decimal<F> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0.into_bigint())
    }
}

impl<'de, F: PrimeField<BigInt = BigInt<4>>> Deserialize<'de> for Decimal<F> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_str(Digits(PhantomData)).map(Decimal)
    }
}

struct Digits<F>(PhantomData<F>);

impl<F: PrimeField<BigInt = BigInt<4>>> Visitor<'_> for Digits<F> {
    type Value = F;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal number in quotes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<F, E> {
        let digits = (1..=DIGITS_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if !digits || (text.len() > 1 && text.starts_with('0')) {
            return Err(E::custom("not a decimal number without leading zeros"));
        }
        let number = text.parse::<BigInt<4>>().ok().and_then(F::from_bigint);
        number.ok_or_else(|| E::custom("a number that is not below the field's modulus"))
    }
}

/// A coordinate: a number in G1, two in G2.
pub trait Coordinate: Field {
    type Text: Copy;
    fn text(self) -> Self::Text;
    fn number(text: Self::Text) -> Self;
}

impl Coordinate for Fq {
    type Text = Decimal<Fq>;

    fn text(self) -> Self::Text {
        Decimal(self)
    }

    fn number(text: Self::Text) -> Self {
        text.0
    }
}

impl Coordinate for Fq2 {
    type Text = [Decimal<Fq>; 2];

    fn text(self) -> Self::Text {
        [Decimal(self.c0), Decimal(self.c1)]
    }

    fn number([c0, c1]: Self::Text) -> Self {
        Fq2::new(c0.0, c1.0)
    }
}

/// Projective coordinates `[x, y, 1]`, or `[0, 1, 0]` for the identity.
type Projective<T> = [T; 3];

fn to_projective<P: SWCurveConfig<BaseField: Coordinate>>(
    p: Affine<P>,
) -> Projective<<P::BaseField as Coordinate>::Text> {
    let (zero, one) = (P::BaseField::ZERO, P::BaseField::ONE);
    p.xy().map_or([zero, one, zero], |(x, y)| [x, y, one]).map(Coordinate::text)
}

/// The point, on its curve and in the group of prime order.
fn from_projective<P: SWCurveConfig<BaseField: Coordinate>>(
    coordinates: Projective<<P::BaseField as Coordinate>::Text>,
) -> Result<Affine<P>, &'static str> {
    let (zero, one) = (P::BaseField::ZERO, P::BaseField::ONE);
    let [x, y, z] = coordinates.map(P::BaseField::number);
    if [x, y, z] == [zero, one, zero] {
        return Ok(Affine::identity());
    }
    if z != one {
        return Err("a point whose last coordinate is not 1");
    }
    checked(Affine::new_unchecked(x, y))
}

/// `p` if it is on its curve and in the group of prime order.
pub fn checked<P: SWCurveConfig>(p: Affine<P>) -> Result<Affine<P>, &'static str> {
    if !p.is_on_curve() {
        return Err("a point off the curve");
    }
    if p.is_in_correct_subgroup_assuming_on_curve() { Ok(p) } else { Err("a point outside the group of prime order") }
}

/// A point of G1 in a document.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "[Decimal<Fq>; 3]", try_from = "[Decimal<Fq>; 3]")]
pub struct G1(pub G1Affine);

/// A point of G2 in a document.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "[[Decimal<Fq>; 2]; 3]", try_from = "[[Decimal<Fq>; 2]; 3]")]
pub struct G2(pub G2Affine);

impl From<G1> for [Decimal<Fq>; 3] {
    fn from(p: G1) -> Self {
        to_projective(p.0)
    }
}

impl From<G2> for [[Decimal<Fq>; 2]; 3] {
    fn from(p: G2) -> Self {
        to_projective(p.0)
    }
}

impl TryFrom<[Decimal<Fq>; 3]> for G1 {
    type Error = &'static str;

    fn try_from(c: [Decimal<Fq>; 3]) -> Result<Self, Self::Error> {
        from_projective(c).map(G1)
    }
}

impl TryFrom<[[Decimal<Fq>; 2]; 3]> for G2 {
    type Error = &'static str;

    fn try_from(c: [[Decimal<Fq>; 2]; 3]) -> Result<Self, Self::Error> {
        from_projective(c).map(G2)
    }
}
