//! The sizes of the circuits as `docs/circuits.md` states them: they follow from the source, not from a machine.

use ark_bn254::Fr;
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystem, OptimizationGoal, SynthesisMode};
use p3_koala_bear::KoalaBear;
use simnet_zk::circuits::Circuit;
use simnet_zk::circuits::builder::Structure;
use simnet_zk::field::CircuitField;
use simnet_zk::groth16::R1cs;
use stwo::core::fields::m31::M31;

fn structure<F: CircuitField>(id: u8, params: &[u32]) -> Structure<F> {
    Circuit::new(id, params).unwrap().structure().unwrap()
}

/// Hashes (permutations on the 31-bit fields), gates, swaps, 16-bit ranges, public inputs.
fn figures<F: CircuitField>(id: u8, params: &[u32]) -> [usize; 5] {
    let s = structure::<F>(id, params);
    [s.hashes.len(), s.gates.len(), s.swaps.len(), s.ranges.len(), s.public.len()]
}

#[test]
fn operations_are_those_of_the_documentation() {
    let consensus = [32, 256, 4];
    let state = [16, 4, 32];
    assert_eq!(figures::<M31>(1, &[]), [15, 114, 0, 54, 65]);
    assert_eq!(figures::<M31>(7, &consensus), [1353, 7974, 1280, 280, 127]);
    assert_eq!(figures::<M31>(2, &[32]), [73, 98, 512, 6, 64]);
    assert_eq!(figures::<M31>(3, &state), [2840, 5145, 18432, 1446, 42]);
    assert_eq!(figures::<KoalaBear>(1, &[]), figures::<M31>(1, &[]));
    assert_eq!(figures::<KoalaBear>(2, &[32]), figures::<M31>(2, &[32]));
    assert_eq!(figures::<KoalaBear>(3, &state), figures::<M31>(3, &state));
    assert_eq!(figures::<KoalaBear>(7, &consensus), figures::<M31>(7, &consensus));
    assert_eq!(figures::<Fr>(1, &[]), [3, 76, 0, 44, 11]);
    assert_eq!(figures::<Fr>(2, &[32]), [67, 645, 64, 0, 8]);
    assert_eq!(figures::<Fr>(3, &state), [2468, 24375, 2304, 1096, 8]);
    assert_eq!(figures::<Fr>(7, &consensus), [682, 2314, 160, 180, 21]);
}

#[test]
fn operations_of_block_circuits_are_those_of_the_documentation() {
    let [pruning, block, recursive, chunked] = [&[16, 32, 4][..], &[4, 256, 4], &[16, 4, 8, 16], &[256, 4, 8, 16]];
    let uptime = &[32, 10, 32, 3600, 300];
    let sizes = [(4, pruning), (4, block), (5, recursive), (5, chunked), (6, uptime)];
    let all = |f: fn(u8, &[u32]) -> [usize; 5]| sizes.map(|(id, params)| f(id, params));
    let m31 = [
        [1129, 11135, 0, 201, 68],
        [2093, 21635, 0, 57, 68],
        [516, 1194, 0, 12, 88],
        [4986, 9189, 0, 12, 88],
        [488, 2043, 2816, 420, 58],
    ];
    let bn254 = [
        [389, 3745, 0, 198, 12],
        [697, 7221, 0, 54, 12],
        [146, 290, 0, 12, 15],
        [1471, 2420, 0, 12, 15],
        [387, 1523, 352, 414, 11],
    ];
    assert_eq!((all(figures::<M31>), all(figures::<Fr>)), (m31, bn254));
    assert_eq!(all(figures::<KoalaBear>), m31);
}

#[test]
fn r1cs_sizes_are_those_of_the_documentation() {
    let cs = ConstraintSystem::new_ref();
    cs.set_optimization_goal(OptimizationGoal::Constraints);
    cs.set_mode(SynthesisMode::Setup);
    R1cs { structure: &structure(1, &[]), values: None }.generate_constraints(cs.clone()).unwrap();
    cs.finalize();
    assert_eq!((cs.num_constraints(), cs.num_instance_variables(), cs.num_witness_variables()), (1960, 12, 1946));
}
