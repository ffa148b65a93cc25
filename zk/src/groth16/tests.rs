//! Our prover beside arkworks' own, on the same key, the same R1CS and the same blinding scalars.
//!
//! Arkworks' prover takes its matrices from the symbolic walk and knows nothing of the evaluating one, so equal bytes
//! show that the two walks agree on every constraint, and that the sparse key and our quotient lose nothing.

use std::sync::LazyLock;

use ark_bn254::{Bn254, Fr};
use ark_groth16::{ProvingKey as ArkKey, VerifyingKey, prepare_verifying_key};

use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystem, OptimizationGoal, R1CS_PREDICATE_LABEL};

use super::*;
use crate::backend::PROOF_VERSION;
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
    Binding {
        proof_version: PROOF_VERSION,
        backend: 3,
        circuit_id: 1,
        circuit_version: 1,
        params_hash: [5; 32],
        vk_id: [6; 32],
    }
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
fn groth16_keys_are_those_of_arkworks() {
    let f = &*TRANSACTION;
    assert_eq!(f.ours.key, ProvingKey::from(f.ark.clone()));
}
