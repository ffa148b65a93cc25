//! Permutations through our tables, beside a component that does nothing else: one Poseidon2 permutation a row,
//! written with the library's own constraint framework, no bus, no preprocessed columns. Same rows, same parameters.

use num_traits::Zero;
use rayon::prelude::*;
use stwo::core::air::Component;
use stwo::core::channel::Blake2sChannel;
use stwo::core::fields::FieldExpOps;
use stwo::core::fields::m31::M31;
use stwo::core::fields::qm31::SecureField;
use stwo::core::pcs::CommitmentSchemeVerifier;
use stwo::core::poly::circle::CanonicCoset;
use stwo::core::proof::StarkProof;
use stwo::core::vcs_lifted::blake2_merkle::{Blake2sMerkleChannel, Blake2sMerkleHasher};
use stwo::core::verifier::verify;
use stwo::prover::backend::simd::SimdBackend;
use stwo::prover::backend::simd::column::BaseColumn;
use stwo::prover::backend::simd::m31::{N_LANES, PackedM31};
use stwo::prover::poly::circle::{CircleEvaluation, PolyOps};
use stwo::prover::poly::twiddles::TwiddleTree;
use stwo::prover::{CommitmentSchemeProver, prove};
use stwo_constraint_framework::{EvalAtRow, FrameworkComponent, FrameworkEval, TraceLocationAllocator};

use simnet_zk::backend::{ProofSystem, Security};
use simnet_zk::circuits::sample::binding;
use simnet_zk::hash::poseidon2::{Poseidon2Field, WIDTH, external_linear, internal_linear};
use simnet_zk::stwo::{Stwo, config};

use crate::chain::{self, PERMUTATIONS};
use crate::table::{Table, pools};

const LOG_ROWS: u32 = PERMUTATIONS.ilog2();

type Proof = StarkProof<Blake2sMerkleHasher>;

/// What permuting needs of a cell, a SIMD row or an expression.
trait State: FieldExpOps + std::ops::Add<Output = Self> + std::ops::Mul<M31, Output = Self> + From<M31> {}

impl<T: FieldExpOps + std::ops::Add<Output = T> + std::ops::Mul<M31, Output = T> + From<M31>> State for T {}

/// Permutes; `sbox` answers with x^5 of its argument.
fn permute<T: State>(state: &mut [T; WIDTH], mut sbox: impl FnMut(T) -> T) {
    let constants = M31::constants();
    external_linear(state);
    constants.initial.iter().for_each(|round| external_round(state, round, &mut sbox));
    for c in &constants.internal {
        state[0] = sbox(state[0].clone() + T::from(*c));
        internal_linear(state, &constants.diagonal);
    }
    constants.terminal.iter().for_each(|round| external_round(state, round, &mut sbox));
}

fn external_round<T: State>(state: &mut [T; WIDTH], round: &[M31; WIDTH], sbox: &mut impl FnMut(T) -> T) {
    for (x, c) in state.iter_mut().zip(round) {
        *x = sbox(x.clone() + T::from(*c));
    }
    external_linear(state);
}

/// Columns: sixteen inputs, then the square and the fifth power of every S-box (the degree bound of the library
/// allows no more than cubes).
struct Eval;

impl FrameworkEval for Eval {
    fn log_size(&self) -> u32 {
        LOG_ROWS
    }

    fn max_constraint_log_degree_bound(&self) -> u32 {
        LOG_ROWS + 1
    }

    fn evaluate<E: EvalAtRow>(&self, mut eval: E) -> E {
        let mut state: [E::F; WIDTH] = std::array::from_fn(|_| eval.next_trace_mask());
        permute(&mut state, |x| {
            let (square, fifth) = (eval.next_trace_mask(), eval.next_trace_mask());
            eval.add_constraint(x.square() - square.clone());
            eval.add_constraint(square.square() * x - fifth.clone());
            fifth
        });
        eval
    }
}

fn component() -> FrameworkComponent<Eval> {
    FrameworkComponent::new(&mut TraceLocationAllocator::default(), Eval, SecureField::zero())
}

/// The cells of sixteen rows; the inputs are counted up.
fn rows(chunk: usize) -> Vec<PackedM31> {
    let input = |i: usize, k: usize| M31(((chunk * N_LANES + i) * WIDTH + k) as u32);
    let mut state: [PackedM31; WIDTH] =
        std::array::from_fn(|k| PackedM31::from_array(std::array::from_fn(|i| input(i, k))));
    let mut cells = state.to_vec();
    permute(&mut state, |x| {
        let square = x.square();
        let fifth = square.square() * x;
        cells.extend([square, fifth]);
        fifth
    });
    cells
}

fn parameters() -> config::Parameters {
    config::Parameters::of(Security::Standard)
}

fn reference(twiddles: &TwiddleTree<SimdBackend>) -> Proof {
    let mut channel = Blake2sChannel::default();
    let mut scheme = CommitmentSchemeProver::<_, Blake2sMerkleChannel>::new(parameters().pcs(), twiddles);
    scheme.set_store_polynomials_coefficients();
    scheme.tree_builder().commit(&mut channel);
    let rows: Vec<Vec<PackedM31>> = (0..PERMUTATIONS / N_LANES).into_par_iter().map(rows).collect();
    let column = |k: usize| BaseColumn::from_simd(rows.iter().map(|r| r[k]).collect());
    let domain = CanonicCoset::new(LOG_ROWS).circle_domain();
    let mut tree = scheme.tree_builder();
    tree.extend_evals((0..rows[0].len()).map(|k| CircleEvaluation::new(domain, column(k))).collect::<Vec<_>>());
    tree.commit(&mut channel);
    prove(&[&component()], &mut channel, scheme).expect("a proof")
}

fn check(proof: Proof) {
    let component = component();
    let mut channel = Blake2sChannel::default();
    let mut scheme = CommitmentSchemeVerifier::<Blake2sMerkleChannel>::new(parameters().pcs());
    let logs = component.trace_log_degree_bounds();
    scheme.commit(proof.commitments[0], &logs[0], &mut channel);
    scheme.commit(proof.commitments[1], &logs[1], &mut channel);
    verify(&[&component], &mut channel, &mut scheme, proof).expect("honest");
}

pub fn permutations(table: &mut Table) {
    let (structure, values) = chain::record::<M31>();
    let key = Stwo::keygen(&structure, Security::Standard, [0; 32]).expect("a key");
    let public: Vec<M31> = structure.public.iter().map(|w| values[w.0 as usize]).collect();
    let log_domain = LOG_ROWS + parameters().log_blowup;
    let twiddles = SimdBackend::precompute_twiddles(CanonicCoset::new(log_domain).circle_domain().half_coset);
    let ours = || key.prove(&values, &binding(1), [0; 32]).expect("a proof");
    for (threads, pool) in pools() {
        let name = format!("stwo permutations/prove/{threads}");
        let took = table.time(&name, &pool, || drop(ours()));
        let bare = table.time(&format!("{name}/reference"), &pool, || drop(reference(&twiddles)));
        table.permutations(&name, took, bare, PERMUTATIONS);
    }
    let (proof, bare_proof) = (ours(), reference(&twiddles));
    let (name, pool) = ("stwo permutations/verify", &pools()[0].1);
    let took = table.time(name, pool, || key.verify(&public, &binding(1), &proof).expect("honest"));
    let bare = table.time(&format!("{name}/reference"), pool, || check(bare_proof.clone()));
    table.line(name, took, bare);
}
