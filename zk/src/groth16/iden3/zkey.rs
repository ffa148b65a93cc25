//! `.zkey`: the proving and verifying key that snarkjs' setup makes.
//!
//! Sections: 1 proof system, 2 header, 3 the public inputs' points, 4 coefficients of A and B, 5 to 9 the queries
//! A, B in G1, B in G2, C and H, 10 contributions. Sizes are checked against the header before anything is read.
//! That the key comes from an honest ceremony is for `snarkjs zkey verify` to say, which needs the ceremony's files.

use std::collections::BTreeMap;

use ark_bn254::{Bn254, Fq, Fr, G1Affine, G1Projective, G2Affine, g1, g2};
use ark_ec::pairing::Pairing;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{BigInteger, FftField, Field, One, PrimeField};
use ark_groth16::VerifyingKey;
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use rayon::prelude::*;

use super::container::{self, Bytes};
use super::documents::write_vk;
use super::montgomery::{ELEMENT_BYTES, Stored, coefficient, point_bytes, points};
use super::{circuit, numbers};
use crate::circuits::builder::Structure;
use crate::error::ZkError;
use crate::groth16::key::{ProvingKey, Sparse};
use crate::groth16::setup::check_not_degenerate;
use crate::groth16::{Shape, shape};

const GROTH16: u32 = 1;
const LAST_SECTION: u32 = 10;
/// Bytes of a coefficient: matrix, row, variable, value.
const COEFFICIENT_BYTES: usize = 12 + ELEMENT_BYTES;

fn damaged(what: impl std::fmt::Display) -> ZkError {
    ZkError::InvalidKeyEncoding(format!("zkey: {what}"))
}

/// An entry of the matrices: (0 for A or 1 for B, row, variable), value.
type Entry = ((u32, u32, u32), Fr);

/// A key whose header, verifying part and section sizes agree with each other.
pub struct Zkey<'a> {
    sections: BTreeMap<u32, &'a [u8]>,
    variables: usize,
    domain: usize,
    pub vk: VerifyingKey<Bn254>,
    beta_g1: G1Affine,
    delta_g1: G1Affine,
}

/// The text of `verification_key.json` of a `.zkey`.
pub fn verification_key(bytes: &[u8]) -> Result<String, ZkError> {
    write_vk(&Zkey::read(bytes)?.vk)
}

/// The proving key of a `.zkey` that was made for this circuit.
pub fn proving_key(structure: &Structure<Fr>, bytes: &[u8]) -> Result<ProvingKey, ZkError> {
    let zkey = Zkey::read(bytes)?;
    zkey.check_circuit(structure)?;
    zkey.proving_key()
}

impl<'a> Zkey<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self, ZkError> {
        let sections = container::read(bytes, b"zkey", 1, LAST_SECTION)?;
        let section = |id: u32| sections.get(&id).copied().ok_or_else(|| damaged(format!("section {id} is missing")));
        let mut kind = Bytes(section(1)?);
        if kind.u32()? != GROTH16 {
            return Err(damaged("the key is not one for Groth16"));
        }
        kind.finish()?;

        let mut header = Bytes(section(2)?);
        prime(&mut header, &Fq::MODULUS.to_bytes_le())?;
        prime(&mut header, &Fr::MODULUS.to_bytes_le())?;
        let [variables, public, domain] = [header.u32()?, header.u32()?, header.u32()?].map(|n| n as usize);
        if public >= variables || !domain.is_power_of_two() {
            return Err(damaged(format!("{public} public of {variables} variables, a domain of {domain}")));
        }
        let sizes = [
            (3, public + 1, point_bytes::<g1::Config>()),
            (5, variables, point_bytes::<g1::Config>()),
            (6, variables, point_bytes::<g1::Config>()),
            (7, variables, point_bytes::<g2::Config>()),
            (8, variables - public - 1, point_bytes::<g1::Config>()),
            (9, domain, point_bytes::<g1::Config>()),
        ];
        for (id, count, size) in sizes {
            if section(id)?.len() != count * size {
                return Err(damaged(format!("section {id} does not have {count} points")));
            }
        }
        section(4)?;
        let alpha_g1 = header_point(&mut header)?;
        let beta_g1 = header_point(&mut header)?;
        let (beta_g2, gamma_g2) = (header_point(&mut header)?, header_point(&mut header)?);
        let (delta_g1, delta_g2) = (header_point(&mut header)?, header_point(&mut header)?);
        header.finish()?;
        let gamma_abc_g1 = query(section(3)?, 3)?;
        let vk = VerifyingKey { alpha_g1, beta_g2, gamma_g2, delta_g2, gamma_abc_g1 };
        check_not_degenerate(&vk).map_err(damaged)?;
        check_pair(beta_g1, beta_g2, "beta")?;
        check_pair(delta_g1, delta_g2, "delta")?;
        Ok(Zkey { variables, domain, vk, beta_g1, delta_g1, sections })
    }

    /// The coefficients, in the order of matrix, row and variable.
    fn coefficients(&self) -> Result<Vec<Entry>, ZkError> {
        let mut r = Bytes(self.sections[&4]);
        let count = r.u32()? as usize;
        if r.0.len() / COEFFICIENT_BYTES != count || !r.0.len().is_multiple_of(COEFFICIENT_BYTES) {
            return Err(damaged(format!("section 4 does not have {count} coefficients")));
        }
        let entry = |bytes: &[u8]| {
            let word = |i: usize| u32::from_le_bytes(bytes[4 * i..4 * i + 4].try_into().expect("four bytes"));
            Some(((word(0), word(1), word(2)), coefficient(&bytes[12..])?))
        };
        let entries: Option<Vec<Entry>> = r.0.par_chunks_exact(COEFFICIENT_BYTES).map(entry).collect();
        let mut entries = entries.ok_or_else(|| damaged("a coefficient that is not below the modulus"))?;
        entries.par_sort_unstable_by_key(|e| e.0);
        Ok(entries)
    }

    /// Whether the key's sizes and matrices are the circuit's. A `.zkey` does not repeat the matrix C.
    fn check_circuit(&self, structure: &Structure<Fr>) -> Result<(), ZkError> {
        let Shape { constraints, instance, witness } = shape(structure);
        let domain = GeneralEvaluationDomain::<Fr>::compute_size_of_domain(constraints + instance);
        let sizes = (self.variables, self.vk.gamma_abc_g1.len(), Some(self.domain));
        if sizes != (instance + witness, instance, domain) || self.coefficients()? != entries(structure, instance)? {
            return Err(damaged("the key is of another circuit or size"));
        }
        Ok(())
    }

    fn proving_key(self) -> Result<ProvingKey, ZkError> {
        let section = |id: u32| self.sections[&id];
        Ok(ProvingKey {
            beta_g1: self.beta_g1,
            delta_g1: self.delta_g1,
            a: Sparse::new(&query(section(5), 5)?),
            b_g1: Sparse::new(&query(section(6), 6)?),
            b_g2: Sparse::new(&query(section(7), 7)?),
            l: query(section(8), 8)?,
            h: powers(&query(section(9), 9)?)?,
            vk: self.vk,
        })
    }
}

/// A prime behind the number of its bytes.
fn prime(r: &mut Bytes<'_>, expected: &[u8]) -> Result<(), ZkError> {
    if r.u32()? as usize == expected.len() && r.take(expected.len())? == expected {
        return Ok(());
    }
    Err(damaged("the key is not one over BN254"))
}

fn header_point<P: SWCurveConfig<BaseField: Stored>>(r: &mut Bytes<'_>) -> Result<Affine<P>, ZkError> {
    let p = query(r.take(point_bytes::<P>())?, 2)?[0];
    numbers::checked(p).map_err(|e| damaged(format!("section 2: {e}")))
}

fn query<P: SWCurveConfig<BaseField: Stored>>(bytes: &[u8], id: u32) -> Result<Vec<Affine<P>>, ZkError> {
    points(bytes).ok_or_else(|| damaged(format!("section {id} has a point off the curve")))
}

/// Whether both points are the same multiple of their groups' generators.
fn check_pair(p: G1Affine, q: G2Affine, name: &str) -> Result<(), ZkError> {
    let same = Bn254::pairing(p, G2Affine::generator()) == Bn254::pairing(G1Affine::generator(), q);
    if same { Ok(()) } else { Err(damaged(format!("{name} is not the same in both groups"))) }
}

/// What the key's section 4 has to be: A and B, then one row of A for the constant and each public input.
fn entries(structure: &Structure<Fr>, instance: usize) -> Result<Vec<Entry>, ZkError> {
    let [a, b, _] = circuit::matrices(structure)?;
    let mut out = vec![];
    for (matrix, rows) in (0u32..).zip([&a, &b]) {
        for (row, terms) in (0u32..).zip(rows) {
            out.extend(terms.iter().map(|(value, wire)| ((matrix, row, *wire as u32), *value)));
        }
    }
    out.extend((0..instance as u32).map(|i| ((0, a.len() as u32 + i, i), Fr::one())));
    out.par_sort_unstable_by_key(|e| e.0);
    Ok(out)
}

/// Our H query from snarkjs'.
///
/// With n the domain's size and w a root of order 2n, snarkjs has `H[i] = L_{2i+1}(τ)/δ`, L being the Lagrange basis on
/// the powers of w. Ours is `h[k] = τ^k·(τ^n − 1)/δ`. The polynomial `X^k·(X^n − 1)` is 0 at even powers of w and
/// `−2·w^((2i+1)k)` at odd ones, hence `h[k] = −2·w^k·Σ_i w^(2ik)·H[i]`: a Fourier transform of the points.
fn powers(h: &[G1Affine]) -> Result<Vec<G1Affine>, ZkError> {
    let too_large = || damaged("the domain exceeds the field's");
    let domain = GeneralEvaluationDomain::<Fr>::new(h.len()).ok_or_else(too_large)?;
    let root = Fr::get_root_of_unity(2 * h.len() as u64).ok_or_else(too_large)?;
    let mut sums: Vec<G1Projective> = h.par_iter().map(|p| p.into_group()).collect();
    domain.fft_in_place(&mut sums);
    sums.pop();
    sums.par_iter_mut().enumerate().for_each(|(k, sum)| *sum *= -Fr::from(2) * root.pow([k as u64]));
    Ok(G1Projective::normalize_batch(&sums))
}
