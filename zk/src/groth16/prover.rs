//! The Groth16 prover on an evaluated circuit.
//!
//! `ark-groth16`'s own entry point wants the R1CS matrices, which for Poseidon have millions of entries: half a
//! gigabyte to hold and to multiply. The walk that assigns the witness already knows both sides of every constraint,
//! so only the polynomial arithmetic and the multi-scalar multiplications are left, over the key in sparse form.

use ark_bn254::{Bn254, Fr, G1Projective, G2Projective};
use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_ff::{AdditiveGroup, FftField, Field, PrimeField};
use ark_groth16::Proof;
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use rayon::prelude::*;

use crate::error::ZkError;
use crate::groth16::key::{ProvingKey, Sparse};
use crate::groth16::sinks::Evaluation;

type BigInt = <Fr as PrimeField>::BigInt;

/// The proof for this evaluation with the blinding scalars `r` and `s`.
pub fn prove(pk: &ProvingKey, evaluation: Evaluation<'_>, r: Fr, s: Fr) -> Result<Proof<Bn254>, ZkError> {
    let Evaluation { instance, witness, a, b, .. } = evaluation;
    let scalars: Vec<BigInt> = instance.par_iter().chain(&witness).map(|x| x.into_bigint()).collect();
    let h = quotient(a, b, &instance)?;
    let h: Vec<BigInt> = h.into_par_iter().map(PrimeField::into_bigint).collect();

    let h_part = G1Projective::msm_bigint(&pk.h, &h);
    let l_part = G1Projective::msm_bigint(&pk.l, &scalars[instance.len()..]);
    let a_part = sparse_msm::<G1Projective>(&pk.a, &scalars);
    let b1_part = sparse_msm::<G1Projective>(&pk.b_g1, &scalars);
    let b2_part = sparse_msm::<G2Projective>(&pk.b_g2, &scalars);

    let g_a = a_part + pk.vk.alpha_g1 + pk.delta_g1 * r;
    let g1_b = b1_part + pk.beta_g1 + pk.delta_g1 * s;
    let g2_b = b2_part + pk.vk.beta_g2 + pk.vk.delta_g2 * s;
    let g_c = l_part + h_part + g_a * s + g1_b * r - pk.delta_g1 * (r * s);
    Ok(Proof { a: g_a.into_affine(), b: g2_b.into_affine(), c: g_c.into_affine() })
}

/// The multi-scalar multiplication over the variables that the query mentions.
fn sparse_msm<G: VariableBaseMSM<ScalarField = Fr>>(query: &Sparse<G::MulBase>, scalars: &[BigInt]) -> G {
    let chosen: Vec<BigInt> = query.index.par_iter().map(|i| scalars[*i as usize]).collect();
    G::msm_bigint(&query.points, &chosen)
}

/// The coefficients of `(A·B − C)/Z`, C being the interpolation of the products: libsnark's reduction.
fn quotient(mut a: Vec<Fr>, mut b: Vec<Fr>, instance: &[Fr]) -> Result<Vec<Fr>, ZkError> {
    let too_large = || ZkError::ProverFailed("the circuit exceeds the field's FFT domain".into());
    a.extend_from_slice(instance);
    let domain = GeneralEvaluationDomain::<Fr>::new(a.len()).ok_or_else(too_large)?;
    let coset = domain.get_coset(Fr::GENERATOR).ok_or_else(too_large)?;
    a.resize(domain.size(), Fr::ZERO);
    b.resize(domain.size(), Fr::ZERO);
    let mut c: Vec<Fr> = a.par_iter().zip(&b).map(|(a, b)| *a * b).collect();
    for polynomial in [&mut a, &mut b, &mut c] {
        domain.ifft_in_place(polynomial);
        coset.fft_in_place(polynomial);
    }
    let vanishing = domain.evaluate_vanishing_polynomial(Fr::GENERATOR);
    let inverse = vanishing.inverse().ok_or_else(too_large)?;
    a.par_iter_mut().zip(&b).zip(&c).for_each(|((a, b), c)| *a = (*a * b - c) * inverse);
    coset.ifft_in_place(&mut a);
    Ok(a)
}
