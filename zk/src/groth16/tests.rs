//! Our prover beside arkworks' own, on the same key, the same R1CS and the same blinding scalars.
//!
//! Arkworks' prover takes its matrices from the symbolic walk and knows nothing of the evaluating one, so equal bytes
//! show that the two walks agree on every constraint, and that the sparse key and our quotient lose nothing.

use std::sync::LazyLock;

use ark_bn254::{Bn254, Fr};
use ark_ec::CurveGroup;
use ark_ff::{BigInteger, Field, PrimeField};
use ark_groth16::{ProvingKey as ArkKey, VerifyingKey, prepare_verifying_key};

use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystem, OptimizationGoal, R1CS_PREDICATE_LABEL};

use super::*;
use crate::attacks::{Form, Map, Target};
use crate::circuits::{Circuit, sample};

const SETUP_SEED: [u8; 32] = [7; 32];
const PROOF_SEED: [u8; 32] = [8; 32];

struct Fixture {
    structure: Structure<Fr>,
    values: Vec<Fr>,
    ark: ArkKey<Bn254>,
    ours: Groth16,
}

/// The transaction circuit with a key of arkworks' and ours from one seed.
static TRANSACTION: LazyLock<Fixture> = LazyLock::new(|| {
    let (structure, values) = Circuit::Transaction.build::<Fr>(&sample::transaction(3)).expect("an honest witness");
    let circuit = R1cs { structure: &structure, values: None };
    let mut rng = ChaCha20Rng::from_seed(SETUP_SEED);
    let ark = Ark::<Bn254>::generate_random_parameters_with_reduction(circuit, &mut rng).expect("a circuit");
    let ours = Groth16::keygen(&structure, Security::Standard, SETUP_SEED).expect("a circuit");
    Fixture { structure, values, ark, ours }
});

fn binding() -> Binding {
    crate::attacks::binding(3)
}

/// Arkworks' proof from the R1CS matrices and the full assignment.
fn from_matrices(f: &Fixture, r: Fr, s: Fr) -> Proof<Bn254> {
    let cs = ConstraintSystem::new_ref();
    cs.set_optimization_goal(OptimizationGoal::Constraints);
    R1cs { structure: &f.structure, values: Some(&f.values) }.generate_constraints(cs.clone()).expect("a circuit");
    cs.finalize();
    assert!(cs.is_satisfied().expect("an assignment"));
    let matrices = cs.to_matrices().expect("finalized");
    let (inputs, constraints) = (cs.num_instance_variables(), cs.num_constraints());
    let assignment = [cs.instance_assignment().expect("values"), cs.witness_assignment().expect("values")].concat();
    let r1cs = &matrices[R1CS_PREDICATE_LABEL];
    Ark::<Bn254>::create_proof_with_reduction_and_matrices(&f.ark, r, s, r1cs, inputs, constraints, &assignment)
        .expect("a proof")
}

fn public(f: &Fixture) -> Vec<Fr> {
    f.structure.public.iter().map(|w| f.values[w.0 as usize]).collect()
}

#[test]
fn groth16_proofs_are_those_of_arkworks_byte_for_byte() {
    let f = &*TRANSACTION;
    let (r, s) = blinding(PROOF_SEED, &binding(), &public(f));
    let ours = f.ours.prove(&f.values, &binding(), PROOF_SEED).expect("an honest witness");
    assert_eq!(encode(&from_matrices(f, r, s)), ours);
    // Without blinding arkworks leaves a multiplication out; the proof has to be the same all the same.
    let bare = prover::prove(&f.ours.key, Evaluation::new(&f.structure, &f.values), Fr::zero(), Fr::zero());
    assert_eq!(from_matrices(f, Fr::zero(), Fr::zero()), bare.expect("a proof"));
}

#[test]
fn groth16_proofs_convince_arkworks_verifier() {
    let f = &*TRANSACTION;
    let bytes = f.ours.prove(&f.values, &binding(), PROOF_SEED).expect("an honest witness");
    let proof = Proof::deserialize_compressed(bytes.as_slice()).expect("three points");
    let key: &VerifyingKey<Bn254> = &f.ark.vk;
    let prepared = prepare_verifying_key(key);
    let mut public = public(f);
    assert!(Ark::<Bn254>::verify_proof(&prepared, &proof, &public).expect("as many inputs as the key"));
    public[0] += Fr::from(1);
    assert!(!Ark::<Bn254>::verify_proof(&prepared, &proof, &public).expect("as many inputs as the key"));
}

#[test]
fn the_verifying_part_follows_from_the_seed() {
    let f = &*TRANSACTION;
    assert_eq!(super::setup::verifying_key(&f.structure, SETUP_SEED).expect("a setup"), f.ark.vk);
    let follows = |key: &Groth16, seed| key.follows_from(seed).expect("a setup");
    assert!(follows(&f.ours, SETUP_SEED));
    assert!(!follows(&f.ours, [9; 32]));
    let mut key = f.ours.key.clone();
    key.vk.gamma_abc_g1.swap(1, 2);
    let written = Groth16::load(&f.structure, crate::backend::Security::Standard, &key.to_bytes()).expect("points");
    assert!(!follows(&written, SETUP_SEED), "a public input exchanged for another");
}

/// Keys under which one proof makes others, or a public input counts for nothing.
#[test]
fn degenerate_keys_are_not_loaded() {
    let f = &*TRANSACTION;
    let refused = |change: fn(&mut ProvingKey)| {
        let mut key = f.ours.key.clone();
        change(&mut key);
        let loaded = Groth16::load(&f.structure, crate::backend::Security::Standard, &key.to_bytes());
        matches!(loaded, Err(crate::error::ZkError::InvalidKeyEncoding(_)))
    };
    assert!(!refused(|_| ()));
    assert!(refused(|k| k.vk.alpha_g1 = ark_bn254::G1Affine::identity()));
    assert!(refused(|k| k.vk.beta_g2 = ark_bn254::G2Affine::identity()));
    assert!(refused(|k| k.vk.gamma_g2 = ark_bn254::G2Affine::identity()));
    assert!(refused(|k| k.vk.delta_g2 = ark_bn254::G2Affine::identity()));
    assert!(refused(|k| k.vk.gamma_g2 = k.vk.delta_g2));
    assert!(refused(|k| k.vk.gamma_g2 = -k.vk.delta_g2));
    assert!(refused(|k| k.vk.gamma_abc_g1[3] = ark_bn254::G1Affine::identity()));
    assert!(refused(|k| k.beta_g1 = ark_bn254::G1Affine::identity()));
    assert!(refused(|k| k.delta_g1 = ark_bn254::G1Affine::identity()));
}

#[test]
fn groth16_keys_are_those_of_arkworks() {
    let f = &*TRANSACTION;
    assert_eq!(f.ours.key, ProvingKey::from(f.ark.clone()));
}

impl Target for Groth16 {
    /// The quotient is made of the products whatever the third side of a constraint says, so a false witness gives a
    /// proof like any other.
    fn cheat(&self, values: &[Fr], _public: &[Fr], _binding: &Binding) -> Vec<(&'static str, Vec<u8>)> {
        let evaluation = Evaluation::new(&self.structure, values);
        let proof = prover::prove(&self.key, evaluation, Fr::from(3), Fr::from(5)).expect("a proof");
        vec![("unchecked", encode(&proof))]
    }

    fn map(&self, proof: &[u8]) -> Map {
        assert_eq!(proof.len(), PROOF_BYTES);
        let mut map = Map::default();
        [("a", 32), ("b", 64), ("c", 32)].into_iter().for_each(|(name, len)| map.add(name, Form::Opaque, len));
        map
    }
}

/// A coordinate and the modulus of its field are the same coordinate in another encoding.
#[test]
fn groth16_coordinates_have_one_encoding() {
    let f = &*TRANSACTION;
    let proof = f.ours.prove(&f.values, &binding(), PROOF_SEED).expect("an honest witness");
    let modulus = ark_bn254::Fq::MODULUS;
    // Both coordinates of b's x stand before its flags.
    for at in [0, 32, 64, 96] {
        let mut raised = proof.clone();
        let flags = raised[at + 31] & 0xc0;
        raised[at + 31] &= 0x3f;
        let mut x = <ark_bn254::Fq as PrimeField>::BigInt::default();
        let words = raised[at..at + 32].as_chunks::<8>().0;
        x.0.iter_mut().zip(words).for_each(|(x, w)| *x = u64::from_le_bytes(*w));
        assert!(!x.add_with_carry(&modulus), "there is room for x + p");
        let bytes: Vec<u8> = x.0.iter().flat_map(|w| w.to_le_bytes()).collect();
        raised[at..at + 32].copy_from_slice(&bytes);
        raised[at + 31] |= flags;
        assert_eq!(f.ours.verify(&public(f), &binding(), &raised), Err(Reject::InvalidProofShape), "at {at}");
    }
}

/// The setup's secret numbers, as arkworks draws them from the published seed.
fn toxic_waste() -> [Fr; 4] {
    let mut rng = ChaCha20Rng::from_seed(SETUP_SEED);
    std::array::from_fn(|_| Fr::rand(&mut rng))
}

/// A proof of any statement, true or not, from the setup's secrets and no witness.
fn simulate(f: &Fixture, public: &[Fr], a: Fr, b: Fr) -> Vec<u8> {
    let [alpha, beta, gamma, delta] = toxic_waste();
    let key = &f.ours.key;
    let inverse = |x: Fr| x.inverse().expect("drawn at random");
    let g1 = key.vk.alpha_g1 * inverse(alpha);
    let g2 = key.vk.beta_g2 * inverse(beta);
    let (constant, inputs) = key.vk.gamma_abc_g1.split_first().expect("the constant one");
    let prepared = G1Projective::msm(inputs, public).expect("as many inputs as the key") + constant;
    let c = (g1 * (a * b - alpha * beta) - prepared * gamma) * inverse(delta);
    encode(&Proof::<Bn254> { a: (g1 * a).into_affine(), b: (g2 * b).into_affine(), c: c.into_affine() })
}

/// What hides and what does not. A proof is as good as one made without any witness, so it cannot show one; and the
/// same secrets let whoever knows the setup's seed prove what is false.
#[test]
fn groth16_hides_its_witness_and_trusts_its_setup() {
    let f = &*TRANSACTION;
    let made = [PROOF_SEED, [9; 32]].map(|seed| f.ours.prove(&f.values, &binding(), seed).expect("an honest witness"));
    // Nothing of two proofs of one statement is alike.
    for part in [0..32, 32..96, 96..128] {
        assert_ne!(made[0][part.clone()], made[1][part]);
    }
    let simulated = simulate(f, &public(f), Fr::from(1_234_567), Fr::from(7_654_321));
    assert_eq!(f.ours.verify(&public(f), &binding(), &simulated), Ok(()), "no witness was needed");
    let mut lie = public(f);
    lie[0] += Fr::from(1);
    let forged = simulate(f, &lie, Fr::from(11), Fr::from(13));
    assert_eq!(f.ours.verify(&lie, &binding(), &forged), Ok(()), "whoever knows the seed can forge");
}
