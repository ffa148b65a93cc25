//! The circuit families: honest proofs are accepted and bound to every public input; each numbered constraint stops a
//! witness that breaks it alone.

use ark_bn254::Fr;
use p3_koala_bear::KoalaBear;
use simnet_zk::backend::Security;
use simnet_zk::circuits::Circuit;
use simnet_zk::circuits::builder::Wire;
use simnet_zk::circuits::check::{check, violated};
use simnet_zk::envelope::public_digest;
use simnet_zk::error::Reject;
use simnet_zk::field::CircuitField;
use simnet_zk::key;
use stwo::core::fields::m31::M31;

mod forgeries;

use forgeries::{Forgery, Record, recorded, settled};

const MAX_BYTES: usize = 1 << 20;
const PRUNING: u8 = 4;
const RECURSIVE: u8 = 5;
const UPTIME: u8 = 6;

/// The sample satisfies the circuit, whose structure no witness changes, and its vector is that of the statement.
fn honest<F: CircuitField>(id: u8, params: &[u32], public_len: [usize; 2]) {
    let circuit = Circuit::new(id, params).unwrap();
    assert_eq!((circuit.id(), circuit.params()), (id, params.to_vec()));
    let (statement, witness) = circuit.sample::<F>();
    let (structure, values) = circuit.build::<F>(&witness).unwrap();
    check(&structure, &values).unwrap();
    let public: Vec<F> = structure.public.iter().map(|w| values[w.0 as usize]).collect();
    assert_eq!(public, circuit.vector::<F>(&statement).unwrap());
    assert_eq!(public.len(), public_len[usize::from(F::WIDE)]);
    assert_eq!(public.len(), simnet_zk::circuits::public::length::<F>(&circuit.kinds()));
    assert_eq!(structure, circuit.structure::<F>().unwrap(), "the structure must not depend on the witness");
    for bad in [&statement[..statement.len() - 1], &[statement.as_slice(), &[0]].concat()] {
        assert!(circuit.vector::<F>(bad).is_err(), "truncated and lengthened statements");
    }
}

fn honest_everywhere(id: u8, params: &[u32], public_len: [usize; 2]) {
    honest::<M31>(id, params, public_len);
    honest::<KoalaBear>(id, params, public_len);
    honest::<Fr>(id, params, public_len);
}

/// Proves the sample; the verifier accepts it, and refuses it for a statement that differs in any one element.
fn proves_and_binds<F: CircuitField>(id: u8, params: &[u32]) {
    let circuit = Circuit::new(id, params).unwrap();
    let key = key::generate(F::BACKEND, circuit, Security::Standard, [3; 32]).unwrap();
    assert!(F::WIDE || key.security_bits().0 >= 100.0, "{:?}", key.security_bits());
    let (statement, witness) = circuit.sample::<F>();
    let public = key.public_inputs(&statement).unwrap();
    let mut envelope = key.prove(&witness, [4; 32], 2).unwrap();
    assert_eq!(key.verify(&public, &envelope, MAX_BYTES), Ok(()));
    for i in 0..key.public_len() {
        let mut other = public.clone();
        other[F::BYTES * i] ^= 1;
        let digest = public_digest(key.binding(), &other);
        envelope[70..102].copy_from_slice(&digest);
        let verdict = key.verify(&other, &envelope, MAX_BYTES);
        assert!(verdict.is_err_and(|e| e != Reject::PublicDigestMismatch), "input {i}: {verdict:?}");
    }
}

/// 2^16 moved from every limb into its lower neighbour, one pair after the other: the same integer in another encoding.
/// Carries may absorb it; the range check must object whatever else does.
fn limb_attacks<F: CircuitField>(record: impl Record<F>) -> usize {
    let (honest, values) = recorded(&record, Default::default());
    let mut attacks = 0;
    for (i, pair) in honest.ranges.windows(2).enumerate() {
        let [low, high] = [pair[0], pair[1]];
        if high.0 != low.0 + 1 {
            continue;
        }
        attacks += 1;
        let value = |w: Wire| values[w.0 as usize];
        let lies = [(low, value(low) + F::from_u64(1 << 16)), (high, value(high) - F::ONE)];
        let name = honest.marks.iter().rev().find(|m| m.start[3] as usize <= i).expect("a constraint").name;
        let (structure, values) = settled(&record, &lies);
        let broken = violated(&structure, &values);
        assert!(broken.contains(name), "limb {i} of {name}: {broken:?}");
    }
    attacks
}

fn only_the_named_constraint_objects<F: CircuitField>(forgeries: Vec<Forgery<F>>) {
    for f in forgeries {
        let broken: Vec<_> = violated(&f.structure, &f.values).into_iter().collect();
        assert_eq!(broken, f.broken, "{}", f.what);
    }
}

#[test]
fn pruning_is_satisfied_by_honest_windows() {
    for params in [[1, 1, 1], [4, 8, 2], [4, 4, 4], [16, 32, 4]] {
        honest_everywhere(PRUNING, &params, [68, 12]);
    }
    for params in [&[3, 8, 1][..], &[4, 8, 8], &[4, 8], &[64, 1024, 4], &[0, 1, 1]] {
        assert!(Circuit::new(PRUNING, params).is_err(), "{params:?}");
    }
}

#[test]
fn pruning_proves_on_m31() {
    proves_and_binds::<M31>(PRUNING, &[16, 32, 4]);
}

#[test]
fn pruning_proves_on_koala_bear() {
    proves_and_binds::<KoalaBear>(PRUNING, &[16, 32, 4]);
}

#[test]
fn pruning_proves_on_bn254() {
    proves_and_binds::<Fr>(PRUNING, &[2, 2, 2]);
}

/// The honest record is accepted, each forgery and each limb attack refused.
fn forgeries_fail<F: CircuitField>(honest: impl Record<F>, forgeries: Vec<Forgery<F>>, attacks: usize) {
    let (structure, values) = recorded(&honest, Default::default());
    check(&structure, &values).unwrap();
    only_the_named_constraint_objects(forgeries);
    assert!(limb_attacks(&honest) >= attacks);
}

fn pruning_forgeries<F: CircuitField>() {
    forgeries_fail(forgeries::pruning::record::<F>(|_| ()), forgeries::pruning::all(), 30);
}

#[test]
fn pruning_constraints_stop_forgeries() {
    pruning_forgeries::<M31>();
    pruning_forgeries::<KoalaBear>();
    pruning_forgeries::<Fr>();
}

#[test]
fn recursive_is_satisfied_by_honest_blocks() {
    for params in [[1, 1, 1, 1], [2, 1, 1, 2], [8, 3, 3, 4], [16, 4, 8, 16]] {
        honest_everywhere(RECURSIVE, &params, [88, 15]);
    }
    for params in [&[3, 1, 1, 3][..], &[8, 1, 1, 3], &[8, 0, 1, 8], &[8, 1, 1, 0], &[8, 1, 1], &[1024, 1, 1, 1]] {
        assert!(Circuit::new(RECURSIVE, params).is_err(), "{params:?}");
    }
}

#[test]
fn recursive_proves_on_m31() {
    proves_and_binds::<M31>(RECURSIVE, &[16, 4, 8, 16]);
    proves_and_binds::<M31>(RECURSIVE, &[8, 3, 3, 4]);
}

#[test]
fn recursive_proves_on_koala_bear() {
    proves_and_binds::<KoalaBear>(RECURSIVE, &[16, 4, 8, 16]);
    proves_and_binds::<KoalaBear>(RECURSIVE, &[8, 3, 3, 4]);
}

#[test]
fn recursive_proves_on_bn254() {
    proves_and_binds::<Fr>(RECURSIVE, &[2, 1, 1, 1]);
}

/// Blocks that lack one kind or another, and the first block of a chain.
fn sparse_blocks<F: CircuitField>() {
    use forgeries::recursive::{self, SIZE};
    use simnet_zk::circuits::recursive::statement::{Previous, Statement};
    let satisfied = |change: fn(&mut Statement<F>)| {
        let (structure, values) = recorded(recursive::record::<F>(change), Default::default());
        check(&structure, &values).unwrap();
    };
    satisfied(|s| s.pruning.present[0] = false);
    satisfied(|s| s.consensus.present[0] = false);
    satisfied(|s| s.uptimes.present.fill(false));
    satisfied(recursive::without_identities);
    satisfied(recursive::without_transactions);
    satisfied(|s| {
        s.previous = Previous::genesis(s.previous.roots);
        s.height = 1;
    });
    let mut missing = recursive::honest::<F>();
    missing.states.present[1] = false;
    assert!(Statement::<F>::parse(&missing.to_bytes(), &SIZE).is_err(), "a chunk without its state proof");
}

#[test]
fn recursive_takes_blocks_that_lack_a_kind() {
    sparse_blocks::<M31>();
    sparse_blocks::<KoalaBear>();
    sparse_blocks::<Fr>();
}

fn recursive_forgeries<F: CircuitField>() {
    forgeries_fail(forgeries::recursive::record::<F>(|_| ()), forgeries::recursive::all(), 9);
}

#[test]
fn recursive_constraints_stop_forgeries() {
    recursive_forgeries::<M31>();
    recursive_forgeries::<KoalaBear>();
    recursive_forgeries::<Fr>();
}

#[test]
fn uptime_is_satisfied_by_honest_claims() {
    for params in [[1, 1, 1, 0, 0], [4, 1, 6, 60, 0], [8, 6, 6, 3600, 300], [32, 10, 32, 3600, 300]] {
        honest_everywhere(UPTIME, &params, [58, 11]);
    }
    for params in [&[0, 1, 1, 0, 0][..], &[8, 0, 6, 0, 0], &[8, 6, 33, 0, 0], &[8, 6, 6, 0], &[512, 6, 6, 0, 0]] {
        assert!(Circuit::new(UPTIME, params).is_err(), "{params:?}");
    }
}

#[test]
fn uptime_proves_on_m31() {
    proves_and_binds::<M31>(UPTIME, &[32, 10, 32, 3600, 300]);
}

#[test]
fn uptime_proves_on_koala_bear() {
    proves_and_binds::<KoalaBear>(UPTIME, &[32, 10, 32, 3600, 300]);
}

#[test]
fn uptime_proves_on_bn254() {
    proves_and_binds::<Fr>(UPTIME, &[2, 2, 3, 3600, 300]);
}

fn uptime_forgeries<F: CircuitField>() {
    forgeries_fail(forgeries::uptime::record::<F>(|_| ()), forgeries::uptime::all(), 60);
}

#[test]
fn uptime_constraints_stop_forgeries() {
    uptime_forgeries::<M31>();
    uptime_forgeries::<KoalaBear>();
    uptime_forgeries::<Fr>();
}

/// A gap of any length is fine where none is forbidden, and the shortest window that the circuit admits is one second.
fn lenient_windows<F: CircuitField>() {
    use forgeries::uptime;
    use simnet_zk::circuits::uptime::Size;
    let lenient = Size { max_gap: 0, min_window: 0, ..uptime::SIZE };
    let apart = uptime::record_in::<F>(lenient, |w| w.heartbeats[5].t += 500);
    let (structure, values) = recorded(apart, Default::default());
    check(&structure, &values).unwrap();
    let empty = uptime::record_in::<F>(lenient, |w| w.statement.window_end = w.statement.window_start);
    let (structure, values) = recorded(empty, Default::default());
    assert!(violated(&structure, &values).contains("U3"));
}

#[test]
fn uptime_takes_what_its_parameters_do_not_forbid() {
    lenient_windows::<M31>();
    lenient_windows::<KoalaBear>();
    lenient_windows::<Fr>();
}

/// The aggregation reads vectors by a layout of its own; it is that of the circuits, but for bounds of small integers.
#[test]
fn inner_vectors_are_laid_out_like_the_circuits() {
    use simnet_zk::circuits::public::Kind;
    use simnet_zk::circuits::recursive::vectors::{self, CONSENSUS, IDENTITY, PRUNING, STATE, TRANSACTION};
    let inner = [&TRANSACTION, &IDENTITY, &STATE, &PRUNING, &vectors::UPTIME, &CONSENSUS];
    let params: [&[u32]; 6] = [&[], &[16], &[4, 1, 16], &[4, 8, 2], &[8, 6, 6, 3600, 300], &[8, 8, 4]];
    for (inner, params) in inner.into_iter().zip(params) {
        let unbounded = |k: Kind| if let Kind::Small(_) = k { Kind::Small(0) } else { k };
        let kinds = Circuit::new(inner.id, params).unwrap().kinds();
        let [theirs, ours] = [&kinds[..], inner.kinds].map(|k| k.iter().copied().map(unbounded).collect::<Vec<_>>());
        assert_eq!(theirs, ours, "{}", inner.name);
    }
}

fn each_breaks_its_constraint<F: CircuitField>(circuit: Circuit) {
    only_the_named_constraint_objects(forgeries::of::<F>(&circuit).expect("a table"));
}

#[test]
fn identity_and_state_constraints_stop_forgeries() {
    for circuit in [Circuit::Identity(forgeries::identity::SIZE), Circuit::State(forgeries::state::SIZE)] {
        each_breaks_its_constraint::<M31>(circuit);
        each_breaks_its_constraint::<KoalaBear>(circuit);
        each_breaks_its_constraint::<Fr>(circuit);
    }
}
