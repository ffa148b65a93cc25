//! The proving key in sparse form, and its bytes.

use ark_bn254::{Bn254, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_groth16::VerifyingKey;
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use rayon::prelude::*;

use crate::error::ZkError;
use crate::groth16::setup::check_not_degenerate;

/// A query without the variables whose element is the identity.
#[derive(Clone, Debug, PartialEq)]
pub struct Sparse<G> {
    pub index: Vec<u32>,
    pub points: Vec<G>,
}

impl<G: AffineRepr> Sparse<G> {
    pub fn new(query: &[G]) -> Self {
        let used = || query.iter().enumerate().filter(|(_, p)| !p.is_zero());
        Sparse { index: used().map(|(i, _)| i as u32).collect(), points: used().map(|(_, p)| *p).collect() }
    }
}

/// What arkworks' setup makes, less the identities.
#[derive(Clone, Debug, PartialEq)]
pub struct ProvingKey {
    pub vk: VerifyingKey<Bn254>,
    pub beta_g1: G1Affine,
    pub delta_g1: G1Affine,
    pub a: Sparse<G1Affine>,
    pub b_g1: Sparse<G1Affine>,
    pub b_g2: Sparse<G2Affine>,
    pub h: Vec<G1Affine>,
    pub l: Vec<G1Affine>,
}

/// Sizes of the R1CS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub constraints: usize,
    /// With the constant one.
    pub instance: usize,
    pub witness: usize,
}

impl From<ark_groth16::ProvingKey<Bn254>> for ProvingKey {
    fn from(pk: ark_groth16::ProvingKey<Bn254>) -> Self {
        ProvingKey {
            a: Sparse::new(&pk.a_query),
            b_g1: Sparse::new(&pk.b_g1_query),
            b_g2: Sparse::new(&pk.b_g2_query),
            vk: pk.vk,
            beta_g1: pk.beta_g1,
            delta_g1: pk.delta_g1,
            h: pk.h_query,
            l: pk.l_query,
        }
    }
}

impl ProvingKey {
    /// Uncompressed points behind their counts.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![];
        write(&mut out, &[self.vk.alpha_g1, self.beta_g1, self.delta_g1]);
        write(&mut out, &[self.vk.beta_g2, self.vk.gamma_g2, self.vk.delta_g2]);
        write(&mut out, &self.vk.gamma_abc_g1);
        write_sparse(&mut out, &self.a);
        write_sparse(&mut out, &self.b_g1);
        write_sparse(&mut out, &self.b_g2);
        write(&mut out, &self.h);
        write(&mut out, &self.l);
        out
    }

    /// Reads a key of exactly this shape. Every point is checked to be on its curve, and keys under which anything can be
    /// proved are refused. That it is the key of an honest setup is for whoever has its id or its seed to say.
    pub fn from_bytes(bytes: &[u8], shape: &Shape) -> Result<Self, ZkError> {
        let variables = shape.instance + shape.witness;
        let domain = GeneralEvaluationDomain::<Fr>::compute_size_of_domain(shape.constraints + shape.instance);
        let domain = domain.ok_or_else(|| damaged("domain"))?;
        let mut r = KeyReader(bytes);
        let g1: Vec<G1Affine> = r.points(Some(3))?;
        let g2: Vec<G2Affine> = r.points(Some(3))?;
        let key = ProvingKey {
            beta_g1: g1[1],
            delta_g1: g1[2],
            vk: VerifyingKey {
                alpha_g1: g1[0],
                beta_g2: g2[0],
                gamma_g2: g2[1],
                delta_g2: g2[2],
                gamma_abc_g1: r.points(Some(shape.instance))?,
            },
            a: r.sparse(variables)?,
            b_g1: r.sparse(variables)?,
            b_g2: r.sparse(variables)?,
            h: r.points(Some(domain - 1))?,
            l: r.points(Some(shape.witness))?,
        };
        let subgroup = g2.iter().all(G2Affine::is_in_correct_subgroup_assuming_on_curve);
        if !r.0.is_empty() || !subgroup {
            return Err(damaged("trailing bytes or a point outside the group"));
        }
        check_not_degenerate(&key.vk).map_err(damaged)?;
        if key.beta_g1.is_zero() || key.delta_g1.is_zero() {
            return Err(damaged("beta or delta is the identity"));
        }
        Ok(key)
    }
}

fn damaged(what: &str) -> ZkError {
    ZkError::InvalidKeyEncoding(format!("groth16 key: {what}"))
}

fn write<G: AffineRepr>(out: &mut Vec<u8>, points: &[G]) {
    out.extend((points.len() as u64).to_le_bytes());
    for p in points {
        p.serialize_uncompressed(&mut *out).expect("writing to memory");
    }
}

fn write_sparse<G: AffineRepr>(out: &mut Vec<u8>, query: &Sparse<G>) {
    write(out, &query.points);
    query.index.iter().for_each(|i| out.extend(i.to_le_bytes()));
}

struct KeyReader<'a>(&'a [u8]);

impl KeyReader<'_> {
    fn take(&mut self, n: usize) -> Result<&[u8], ZkError> {
        let (head, tail) = self.0.split_at_checked(n).ok_or_else(|| damaged("too short"))?;
        self.0 = tail;
        Ok(head)
    }

    /// A list of points, `want` of them if given. The count is bounded by the bytes at hand before anything is allocated.
    fn points<P: SWCurveConfig>(&mut self, want: Option<usize>) -> Result<Vec<Affine<P>>, ZkError> {
        let size = Affine::<P>::identity().uncompressed_size();
        let count = u64::from_le_bytes(self.take(8)?.try_into().expect("eight bytes"));
        let count = usize::try_from(count).map_err(|_| damaged("count"))?;
        if want.is_some_and(|w| w != count) {
            return Err(damaged("count"));
        }
        let bytes = self.take(count.checked_mul(size).ok_or_else(|| damaged("count"))?)?;
        let decode = |c: &[u8]| {
            let p = Affine::<P>::deserialize_uncompressed_unchecked(c).map_err(|_| damaged("point"))?;
            // The decoder overlooks a sign flag that uncompressed points do not need.
            let mut canonical = Vec::with_capacity(size);
            p.serialize_uncompressed(&mut canonical).expect("writing to memory");
            if canonical == c && p.is_on_curve() { Ok(p) } else { Err(damaged("point off the curve or miswritten")) }
        };
        bytes.par_chunks_exact(size).map(decode).collect()
    }

    fn sparse<P: SWCurveConfig>(&mut self, variables: usize) -> Result<Sparse<Affine<P>>, ZkError> {
        let points = self.points(None)?;
        let bytes = self.take(4 * points.len())?;
        let index: Vec<u32> =
            bytes.chunks_exact(4).map(|c| u32::from_le_bytes(c.try_into().expect("four bytes"))).collect();
        let ascending = index.windows(2).all(|w| w[0] < w[1]);
        let inside = index.last().is_none_or(|i| (*i as usize) < variables);
        if ascending && inside { Ok(Sparse { index, points }) } else { Err(damaged("variable index")) }
    }
}
