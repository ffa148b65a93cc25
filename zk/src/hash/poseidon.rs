//! circomlib's Poseidon over the BN254 scalar field, t = 2..=17.
//!
//! Constants follow the published procedure: a Grain LFSR (field 1, S-box 0, n = 254, t, R_F = 8, R_P) yields the round
//! constants and a Cauchy MDS matrix, exactly as in the Poseidon reference script; circomlib's vectors pin the result.
//!
//! Partial rounds run in their sparse form (Poseidon paper, appendix B). With `M = [[m, v], [w, M̂]]`,
//! `M = diag(1, M̂)·[[m, v], [M̂⁻¹w, 1]]`, and the dense factor commutes with an S-box on element 0, so it can be pushed
//! into the next round's matrix. Likewise the constants of elements 1.. are pushed forward through `M`.

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_crypto_primitives::sponge::poseidon::find_poseidon_ark_and_mds;
use ark_ff::{Field, Zero};

/// Full rounds, half before and half after the partial ones.
pub const FULL_ROUNDS: usize = 8;
/// Partial rounds by t − 2.
pub const PARTIAL_ROUNDS: [usize; 16] = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68];
/// Most inputs of one call.
pub const MAX_INPUTS: usize = 16;

type Matrix = Vec<Vec<Fr>>;

/// A partial round: `x0 ← (x0 + constant)^5`, then `x0 ← Σ row[i]·x[i]` and `x[i] ← x[i] + column[i−1]·x0(before)`.
struct PartialRound {
    constant: Fr,
    row: Vec<Fr>,
    column: Vec<Fr>,
}

/// Everything one width needs.
pub struct Parameters {
    initial: Vec<Vec<Fr>>,
    partial: Vec<PartialRound>,
    /// What is left of the dense factors after the last partial round; acts on elements 1.. only.
    dense: Matrix,
    terminal: Vec<Vec<Fr>>,
    mds: Matrix,
}

/// How the permutation is carried out: on numbers, or on linear combinations that record constraints.
pub trait Machine {
    type Value: Clone;

    fn constant(&mut self, c: Fr) -> Self::Value;
    fn add_constant(&mut self, x: &mut Self::Value, c: Fr);
    /// `Σ row[i]·x[i]`.
    fn dot(&mut self, row: &[Fr], x: &[Self::Value]) -> Self::Value;
    /// `x + c·y`.
    fn add_scaled(&mut self, x: Self::Value, c: Fr, y: &Self::Value) -> Self::Value;
    /// `x^5`.
    fn sbox(&mut self, x: Self::Value) -> Self::Value;
}

/// Plain arithmetic.
struct Numbers;

impl Machine for Numbers {
    type Value = Fr;

    fn constant(&mut self, c: Fr) -> Fr {
        c
    }

    fn add_constant(&mut self, x: &mut Fr, c: Fr) {
        *x += c;
    }

    fn dot(&mut self, row: &[Fr], x: &[Fr]) -> Fr {
        row.iter().zip(x).map(|(m, x)| *m * x).sum()
    }

    fn add_scaled(&mut self, x: Fr, c: Fr, y: &Fr) -> Fr {
        x + c * y
    }

    fn sbox(&mut self, x: Fr) -> Fr {
        let square = x.square();
        square.square() * x
    }
}

/// The parameters for `inputs` + 1 state elements, generated at first use.
///
/// # Panics
/// Unless 1 ≤ `inputs` ≤ 16.
pub fn parameters(inputs: usize) -> &'static Parameters {
    static CELLS: [OnceLock<Parameters>; MAX_INPUTS] = [const { OnceLock::new() }; MAX_INPUTS];
    CELLS[inputs - 1].get_or_init(|| Parameters::generate(inputs))
}

/// Round constants by round, and the MDS matrix, as circomlib publishes them.
pub fn published(inputs: usize) -> (Vec<Vec<Fr>>, Matrix) {
    find_poseidon_ark_and_mds::<Fr>(254, inputs, FULL_ROUNDS as u64, PARTIAL_ROUNDS[inputs - 1] as u64, 0)
}

impl Parameters {
    fn generate(inputs: usize) -> Self {
        let (mut constants, mds) = published(inputs);
        let (half, partial) = (FULL_ROUNDS / 2, PARTIAL_ROUNDS[inputs - 1]);
        for round in half..half + partial {
            // Only element 0 meets an S-box here, so the other constants may be added after it, and thus after `mds`.
            let rest: Vec<Fr> = constants[round][1..].to_vec();
            for (i, row) in mds.iter().enumerate() {
                let pushed: Fr = row[1..].iter().zip(&rest).map(|(m, c)| *m * c).sum();
                constants[round + 1][i] += pushed;
            }
        }
        let mut dense = identity(inputs);
        let partial = (half..half + partial).map(|round| sparse_round(&mds, &mut dense, constants[round][0])).collect();
        let terminal = constants.split_off(constants.len() - half);
        constants.truncate(half);
        Parameters { initial: constants, partial, dense, terminal, mds }
    }
}

fn identity(n: usize) -> Matrix {
    (0..n).map(|i| (0..n).map(|j| Fr::from(u8::from(i == j))).collect()).collect()
}

/// Factors `mds · diag(1, dense)` into `diag(1, dense') · sparse`, leaving `dense'` behind.
fn sparse_round(mds: &Matrix, dense: &mut Matrix, constant: Fr) -> PartialRound {
    let product = |row: &[Fr]| -> Vec<Fr> {
        (0..dense.len()).map(|j| row.iter().zip(dense.iter()).map(|(m, d)| *m * d[j]).sum()).collect()
    };
    let mut row = vec![mds[0][0]];
    row.extend(product(&mds[0][1..]));
    let next: Matrix = mds[1..].iter().map(|m| product(&m[1..])).collect();
    let below: Vec<Fr> = mds[1..].iter().map(|m| m[0]).collect();
    let column = solve(next.clone(), below);
    *dense = next;
    PartialRound { constant, row, column }
}

/// The `x` with `a·x = y`, by Gauss–Jordan; the blocks of an MDS matrix are invertible.
fn solve(mut a: Matrix, mut y: Vec<Fr>) -> Vec<Fr> {
    for i in 0..a.len() {
        let pivot = (i..a.len()).find(|r| !a[*r][i].is_zero()).expect("an MDS block is invertible");
        a.swap(i, pivot);
        y.swap(i, pivot);
        let inverse = a[i][i].inverse().expect("the pivot is not zero");
        a[i].iter_mut().for_each(|x| *x *= inverse);
        y[i] *= inverse;
        let pivot_row = a[i].clone();
        for r in (0..a.len()).filter(|r| *r != i) {
            let factor = a[r][i];
            a[r].iter_mut().zip(&pivot_row).for_each(|(x, p)| *x -= factor * p);
            let term = factor * y[i];
            y[r] -= term;
        }
    }
    y
}

/// The first element of the permuted state `(0, inputs…)`, on any machine.
pub fn run<M: Machine>(machine: &mut M, inputs: &[M::Value]) -> M::Value {
    let p = parameters(inputs.len());
    let mut state = vec![machine.constant(Fr::zero())];
    state.extend_from_slice(inputs);
    for round in &p.initial {
        full_sboxes(machine, &mut state, round);
        state = p.mds.iter().map(|row| machine.dot(row, &state)).collect();
    }
    for round in &p.partial {
        partial_round(machine, &mut state, round);
    }
    let tail: Vec<M::Value> = p.dense.iter().map(|row| machine.dot(row, &state[1..])).collect();
    state.truncate(1);
    state.extend(tail);
    let (last, others) = p.terminal.split_last().expect("four rounds");
    for round in others {
        full_sboxes(machine, &mut state, round);
        state = p.mds.iter().map(|row| machine.dot(row, &state)).collect();
    }
    full_sboxes(machine, &mut state, last);
    machine.dot(&p.mds[0], &state)
}

fn full_sboxes<M: Machine>(machine: &mut M, state: &mut [M::Value], constants: &[Fr]) {
    for (x, c) in state.iter_mut().zip(constants) {
        machine.add_constant(x, *c);
        *x = machine.sbox(x.clone());
    }
}

fn partial_round<M: Machine>(machine: &mut M, state: &mut [M::Value], round: &PartialRound) {
    machine.add_constant(&mut state[0], round.constant);
    state[0] = machine.sbox(state[0].clone());
    let first = machine.dot(&round.row, state);
    let (head, tail) = state.split_at_mut(1);
    for (x, c) in tail.iter_mut().zip(&round.column) {
        *x = machine.add_scaled(x.clone(), *c, &head[0]);
    }
    state[0] = first;
}

/// `Poseidon(inputs)` for 1 to 16 inputs.
pub fn poseidon(inputs: &[Fr]) -> Fr {
    run(&mut Numbers, inputs)
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn number(text: &str) -> Fr {
        Fr::from_str(text).expect("a decimal number")
    }

    #[test]
    fn circomlib_vectors() {
        let one_two = number("7853200120776062878684798364095072458815029376092732009249414926327459813530");
        assert_eq!(poseidon(&[Fr::from(1), Fr::from(2)]), one_two);
        let one = number("18586133768512220936620570745912940619677854269274689475585506675881198879027");
        assert_eq!(poseidon(&[Fr::from(1)]), one);
    }

    /// Poseidon(1, 2, …, n) for every width, computed with circomlibjs 0.1.7.
    #[test]
    fn every_width_agrees_with_circomlibjs() {
        let vectors = include_str!("../../vectors/circomlibjs_poseidon.txt");
        let mut widths = 0;
        for (n, line) in vectors.lines().enumerate() {
            let inputs: Vec<Fr> = (1..=n as u64 + 1).map(Fr::from).collect();
            assert_eq!(poseidon(&inputs), number(line), "{} inputs", n + 1);
            widths += 1;
        }
        assert_eq!(widths, MAX_INPUTS);
    }
}
