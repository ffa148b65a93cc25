//! A joint search for second witnesses. From the honest witness of a statement, wires are moved, one or several integers at a
//! time and also by multiples of p, and the rows that this breaks are made to hold again by moving what else they speak of
//! (`repair`). A circuit that has another witness of what it should fix, or another value of a public input that hashes do not
//! fix, is not sound. Hashes are taken as they are: their wires do not move.
//!
//! The search is no proof. It finds what a few rows with little room let through; `bounds` derives the room itself.

use std::collections::BTreeSet;

use ark_bn254::Fr;
use p3_koala_bear::KoalaBear;
use serde_json::{Map, Value};
use simnet_zk::circuits::builder::Structure;
use simnet_zk::circuits::{Circuit, sample};
use simnet_zk::field::CircuitField;
use stwo::core::fields::m31::M31;

mod network;
mod repair;
mod search;

use network::Scope;
use search::{Report, search};

const BUDGET: u32 = 300;
const NIGHTLY_BUDGET: u32 = 2000;

fn honest<F: CircuitField>(circuit: &Circuit) -> (Structure<F>, Vec<F>) {
    circuit.build(&circuit.sample::<F>().1).expect("an honest witness")
}

/// Positions of the public inputs that a true statement may have otherwise with the same hashed data: a transfer may require
/// a lower tier; the identity circuit's epoch nonce is in no constraint (the VRF over it is native); a claim's clock may be
/// later and its threshold lower; a list of commitments or reputation roots may be longer by entries that are the padding's own
/// digest. (Verifiers compute the count and the root from one list.)
fn may_vary<F: CircuitField>(circuit: &Circuit) -> BTreeSet<usize> {
    let (digest, u64s) = (F::DIGEST, if F::WIDE { 1 } else { 4 });
    match circuit {
        Circuit::Transaction => [2 * digest + 3 * u64s].into(),
        Circuit::Identity(_) => (4 * digest..5 * digest).collect(),
        Circuit::Uptime(_) => {
            let threshold = 5 * digest + 4 * u64s;
            (digest..digest + u64s).chain([threshold]).collect()
        }
        Circuit::Consensus(_) => {
            let counts = 5 * digest + 5 * u64s;
            [counts + 1, counts + 2].into()
        }
        _ => BTreeSet::new(),
    }
}

/// Whether other values of these public inputs together make a true statement. Besides `may_vary`: a block that registers nobody
/// where the identity is there before it, so that the count, the list and the root before differ, all three.
fn is_true<F: CircuitField>(circuit: &Circuit, positions: &[usize]) -> bool {
    let others = may_vary::<F>(circuit);
    if positions.iter().all(|i| others.contains(i)) {
        return true;
    }
    let list = 3 * F::DIGEST + 1 + if F::WIDE { 1 } else { 4 };
    let registers_nobody: BTreeSet<usize> = (0..F::DIGEST).chain(list..=list + F::DIGEST).collect();
    matches!(circuit, Circuit::State(_)) && positions.iter().copied().eq(registers_nobody)
}

fn covered<F: CircuitField>(circuit: &Circuit, budget: u32) -> [Report; 2] {
    let (structure, values) = honest::<F>(circuit);
    [Scope::Witness, Scope::Statement].map(|scope| search(&structure, &values, scope, budget))
}

fn nothing_is_found<F: CircuitField>(circuits: &[Circuit], budget: u32) -> Value {
    let (mut out, mut faults) = (Map::new(), vec![]);
    for circuit in circuits {
        let name = format!("circuit {} {:?}", circuit.id(), circuit.params());
        let [witness, statement] = covered::<F>(circuit, budget);
        println!("{name} over field {}: witness {} statement {}", F::NUMBER, witness.to_json(), statement.to_json());
        let found = witness.second.iter().chain(&statement.second);
        faults.extend(found.map(|what| format!("{name}: {what}")));
        for free in statement.statements.iter().filter(|positions| !is_true::<F>(circuit, positions)) {
            faults.push(format!("{name}: public inputs {free:?} may have other values"));
        }
        out.insert(name, serde_json::json!({"witness": witness.to_json(), "statement": statement.to_json()}));
    }
    assert!(faults.is_empty(), "{faults:#?}");
    Value::Object(out)
}

/// The circuit as it was, with carries of 16 bits: the second range check of a carry makes them 14.
fn with_16_bit_carries<F: CircuitField>(mut s: Structure<F>) -> Structure<F> {
    let four = F::from_u64(4);
    let shifted: BTreeSet<u32> = s.gates.iter().filter(|g| g.defines && g.qa == four).map(|g| g.out.0).collect();
    s.ranges.retain(|w| !shifted.contains(&w.0));
    s
}

/// The bug that this search would have found: votes that weigh p more (C5), fees of p more (S8).
fn wide_carries_are_found<F: CircuitField>() {
    for circuit in sample::circuits() {
        let (structure, values) = honest::<F>(&circuit);
        let structure = with_16_bit_carries(structure);
        let [witness, statement] =
            [Scope::Witness, Scope::Statement].map(|scope| search(&structure, &values, scope, BUDGET));
        // The fee sum comes after two roots, the count and the list.
        let fee_sum = 3 * F::DIGEST + 1;
        let found = match circuit {
            Circuit::Consensus(_) => witness.second.iter().any(|what| what.starts_with("C5: ")),
            Circuit::State(_) => (fee_sum..fee_sum + 4).any(|i| statement.free().contains(&i)),
            _ => continue,
        };
        assert!(found, "circuit {}: {:?} {:?}", circuit.id(), witness.second, statement.statements);
    }
}

#[test]
fn sixteen_bit_carries_are_found() {
    wide_carries_are_found::<M31>();
    wide_carries_are_found::<KoalaBear>();
}

#[test]
fn small_circuits_have_one_witness_over_m31() {
    nothing_is_found::<M31>(&sample::circuits(), BUDGET);
}

#[test]
fn small_circuits_have_one_witness_over_koala_bear() {
    nothing_is_found::<KoalaBear>(&sample::circuits(), BUDGET);
}

#[test]
fn small_circuits_have_one_witness_over_bn254() {
    nothing_is_found::<Fr>(&sample::circuits(), BUDGET);
}

/// The sizes that are pinned, with a report of what was covered in `target/second_witness.json`.
#[test]
#[ignore = "nightly: minutes"]
fn real_circuits_have_one_witness() {
    let sizes: [(u8, &[u32]); 7] = [
        (1, &[]),
        (2, &[32]),
        (3, &[16, 4, 32]),
        (4, &[16, 32, 4]),
        (5, &[16, 4, 8, 16]),
        (6, &[32, 10, 32, 3600, 300]),
        (7, &[32, 256, 4]),
    ];
    let circuits = sizes.map(|(id, params)| Circuit::new(id, params).expect("a size"));
    let report = serde_json::json!({
        "stwo": nothing_is_found::<M31>(&circuits, NIGHTLY_BUDGET),
        "plonky3": nothing_is_found::<KoalaBear>(&circuits, NIGHTLY_BUDGET),
        "groth16": nothing_is_found::<Fr>(&circuits, NIGHTLY_BUDGET),
    });
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/second_witness.json");
    std::fs::write(path, serde_json::to_string_pretty(&report).expect("JSON")).expect("a report");
}
