//! Our prover beside arkworks' `create_proof_with_reduction_and_matrices`, on the same R1CS and a key from one seed.
//!
//! The matrices and the full assignment are made beforehand and their making is not counted; ours starts from the
//! values of the wires.

use std::hint::black_box;
use std::time::{Duration, Instant};

use ark_bn254::{Bn254, Fr};
use ark_groth16::{Groth16 as Ark, Proof, ProvingKey, prepare_verifying_key};
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystem, Matrix, OptimizationGoal, R1CS_PREDICATE_LABEL};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use simnet_zk::backend::{ProofSystem, Security};
use simnet_zk::circuits::Circuit;
use simnet_zk::circuits::builder::Structure;
use simnet_zk::circuits::sample::binding;
use simnet_zk::groth16::{Groth16, R1cs};

use crate::circuits::CONSENSUS;
use crate::table::{Table, pools};

const SEED: [u8; 32] = [3; 32];

/// One circuit with both keys.
struct Case {
    values: Vec<Fr>,
    public: Vec<Fr>,
    ours: Groth16,
    bare: Bare,
}

/// All that arkworks' prover takes.
struct Bare {
    key: ProvingKey<Bn254>,
    matrices: Vec<Matrix<Fr>>,
    inputs: usize,
    constraints: usize,
    assignment: Vec<Fr>,
}

impl Bare {
    fn new(structure: &Structure<Fr>, values: &[Fr]) -> Self {
        let mut rng = ChaCha20Rng::from_seed(SEED);
        let setup = R1cs { structure, values: None };
        let key = Ark::<Bn254>::generate_random_parameters_with_reduction(setup, &mut rng).expect("a key");
        let cs = ConstraintSystem::new_ref();
        cs.set_optimization_goal(OptimizationGoal::Constraints);
        R1cs { structure, values: Some(values) }.generate_constraints(cs.clone()).expect("a circuit");
        cs.finalize();
        let matrices = cs.to_matrices().expect("finalized").remove(R1CS_PREDICATE_LABEL).expect("R1CS");
        let (inputs, constraints) = (cs.num_instance_variables(), cs.num_constraints());
        let assignment = [cs.instance_assignment().expect("values"), cs.witness_assignment().expect("values")].concat();
        Bare { key, matrices, inputs, constraints, assignment }
    }

    fn prove(&self) -> Proof<Bn254> {
        let (r, s) = (Fr::from(17), Fr::from(19));
        Ark::<Bn254>::create_proof_with_reduction_and_matrices(
            &self.key,
            r,
            s,
            &self.matrices,
            self.inputs,
            self.constraints,
            &self.assignment,
        )
        .expect("a proof")
    }
}

impl Case {
    fn new(circuit: Circuit) -> Self {
        let (_, witness) = circuit.sample::<Fr>();
        let (structure, values) = circuit.build::<Fr>(&witness).expect("an honest witness");
        let public = structure.public.iter().map(|w| values[w.0 as usize]).collect();
        let ours = Groth16::keygen(&structure, Security::Standard, SEED).expect("a key");
        Case { bare: Bare::new(&structure, &values), values, public, ours }
    }

    fn prove(&self) -> Vec<u8> {
        self.ours.prove(&self.values, &binding(3), SEED).expect("a proof")
    }
}

pub fn transaction(table: &mut Table) {
    let case = Case::new(Circuit::Transaction);
    for (threads, pool) in pools() {
        let name = format!("groth16 transaction R1CS/prove/{threads}");
        let took = table.time(&name, &pool, || drop(case.prove()));
        let bare = table.time(&format!("{name}/reference"), &pool, || _ = black_box(case.bare.prove()));
        table.line(&name, took, bare);
    }
    let (proof, bare_proof) = (case.prove(), case.bare.prove());
    let prepared = prepare_verifying_key(&case.bare.key.vk);
    let (name, pool) = ("groth16 transaction R1CS/verify", &pools()[0].1);
    let took = table.time(name, pool, || case.ours.verify(&case.public, &binding(3), &proof).expect("honest"));
    let bare = table.time(&format!("{name}/reference"), pool, || {
        assert!(Ark::<Bn254>::verify_proof(&prepared, &bare_proof, &case.public).expect("as many inputs"));
    });
    table.line(name, took, bare);
}

/// Two proofs each: at seconds a proof, criterion's ten samples would take longer than all the rest.
pub fn consensus(table: &mut Table) {
    if std::env::args().skip(1).any(|a| !a.starts_with('-')) {
        return; // a filter asks for something else
    }
    let case = Case::new(Circuit::new(7, &CONSENSUS).expect("a circuit"));
    let shortest = |work: &(dyn Fn() + Sync)| -> Option<Duration> {
        let timed = |_| {
            let start = Instant::now();
            work();
            start.elapsed()
        };
        (0..2).map(timed).min()
    };
    for (threads, pool) in pools() {
        let took = pool.install(|| shortest(&|| drop(case.prove())));
        let bare = pool.install(|| shortest(&|| _ = black_box(case.bare.prove())));
        table.line(&format!("groth16 consensus 32x256x4/prove/{threads}"), took, bare);
    }
}
