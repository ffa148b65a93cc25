//! The verifying part of a seeded setup, without the prover's part: what a stored key is held against.

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{Field, UniformRand};
use ark_groth16::VerifyingKey;
use ark_groth16::r1cs_to_qap::{LibsnarkReduction, R1CSToQAP};
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystem, OptimizationGoal, SynthesisError, SynthesisMode};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::sinks::R1cs;
use crate::circuits::builder::Structure;
use crate::error::ZkError;

/// The verifying key that [`super::Groth16`] makes from this seed: the same numbers, drawn in the order of arkworks'
/// `generate_random_parameters_with_reduction` (which a test compares), and a group operation for each public input only.
pub fn verifying_key(structure: &Structure<Fr>, seed: [u8; 32]) -> Result<VerifyingKey<Bn254>, ZkError> {
    draw(structure, seed).map_err(|e| ZkError::ProverFailed(format!("groth16 setup: {e}")))
}

fn draw(structure: &Structure<Fr>, seed: [u8; 32]) -> Result<VerifyingKey<Bn254>, SynthesisError> {
    let mut rng = ChaCha20Rng::from_seed(seed);
    let [alpha, beta, gamma, delta] = std::array::from_fn(|_| Fr::rand(&mut rng));
    let (g1, g2) = (G1Projective::rand(&mut rng), G2Projective::rand(&mut rng));
    let cs = ConstraintSystem::new_ref();
    cs.set_optimization_goal(OptimizationGoal::Constraints);
    cs.set_mode(SynthesisMode::Setup);
    R1cs { structure, values: None }.generate_constraints(cs.clone())?;
    cs.finalize();
    let size = cs.num_constraints() + cs.num_instance_variables();
    let domain = GeneralEvaluationDomain::<Fr>::new(size).ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
    let t = domain.sample_element_outside_domain(&mut rng);
    let instance = cs.num_instance_variables();
    let (a, b, c, ..) = LibsnarkReduction::instance_map_with_evaluation::<Fr, GeneralEvaluationDomain<Fr>>(cs, &t)?;
    let inverse = gamma.inverse().ok_or(SynthesisError::DivisionByZero)?;
    let public = |i: usize| g1 * ((beta * a[i] + alpha * b[i] + c[i]) * inverse);
    let gamma_abc: Vec<G1Projective> = (0..instance).map(public).collect();
    Ok(VerifyingKey {
        alpha_g1: (g1 * alpha).into_affine(),
        beta_g2: (g2 * beta).into_affine(),
        gamma_g2: (g2 * gamma).into_affine(),
        delta_g2: (g2 * delta).into_affine(),
        gamma_abc_g1: G1Projective::normalize_batch(&gamma_abc),
    })
}

/// Refuses verifying keys under which anybody can prove anything: with an identity among these points, or with the same
/// gamma and delta (a setup that nobody contributed to), one proof makes others, and a public input whose point is the
/// identity is bound to nothing.
pub fn check_not_degenerate(vk: &VerifyingKey<Bn254>) -> Result<(), &'static str> {
    let g2 = [vk.beta_g2, vk.gamma_g2, vk.delta_g2];
    if vk.alpha_g1.is_zero() || g2.iter().any(AffineRepr::is_zero) {
        return Err("alpha, beta, gamma or delta is the identity");
    }
    if vk.gamma_g2 == vk.delta_g2 || vk.gamma_g2 == -vk.delta_g2 {
        return Err("gamma and delta are the same: nobody contributed to the setup");
    }
    if vk.gamma_abc_g1.iter().skip(1).any(G1Affine::is_zero) {
        return Err("a public input has the identity as its point");
    }
    Ok(())
}
