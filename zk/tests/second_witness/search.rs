//! The perturbations of one circuit, and what became of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use simnet_zk::circuits::builder::Structure;
use simnet_zk::circuits::check::check;
use simnet_zk::field::CircuitField;
use simnet_zk::natives::limbs;

use super::network::{Domain, Network, Scope};
use super::repair::{Outcome, Repair};

/// Integers of one component that are moved two at a time: so many pairs at most.
const PAIRS_MAX: usize = 400;
/// Findings that a report names.
const NAMED_MAX: usize = 12;

/// What a search covered and found.
#[derive(Default, Debug)]
pub struct Report {
    pub rows: usize,
    pub wires: usize,
    /// Wires that may change, apart from sums of others.
    pub free: usize,
    pub inlined: usize,
    pub components: usize,
    pub integers: usize,
    pub moves: usize,
    pub steps: u64,
    /// Moves that were given up.
    pub exhausted: usize,
    /// Wires without effect: inverses of zero.
    pub hints: usize,
    /// Second witnesses: the constraint of the wire that was moved, and how.
    pub second: Vec<String>,
    /// Public inputs (by position) of which other values, together, satisfy the circuit.
    pub statements: BTreeSet<Vec<usize>>,
}

impl Report {
    /// All public inputs that may have another value.
    pub fn free(&self) -> BTreeSet<usize> {
        self.statements.iter().flatten().copied().collect()
    }

    pub fn to_json(&self) -> Value {
        json!({
            "rows": self.rows, "wires": self.wires, "free_wires": self.free, "sums_inlined": self.inlined,
            "components": self.components, "integers": self.integers, "moves": self.moves, "steps": self.steps,
            "given_up": self.exhausted, "hints": self.hints, "second_witnesses": self.second,
            "free_public_inputs": self.free(),
        })
    }
}

/// A perturbation.
type Move<F> = Vec<(u32, F)>;

/// Tries every perturbation; each may take `budget` steps.
pub fn search<F: CircuitField>(s: &Structure<F>, honest: &[F], scope: Scope, budget: u32) -> Report {
    check(s, honest).expect("an honest witness");
    let network = Network::new(s, scope);
    let integers = network.integers();
    let mut report = Report {
        rows: network.rows.len(),
        wires: s.wires as usize,
        free: network.free_wires().count(),
        inlined: network.inlined,
        components: network.component.iter().filter(|c| **c != u32::MAX).collect::<BTreeSet<_>>().len(),
        integers: integers.values().map(Vec::len).sum(),
        ..Report::default()
    };
    let mut values = honest.to_vec();
    let moves = integer_moves(&integers, honest).into_iter().chain(single_moves(&network, honest));
    let mut idle = BTreeSet::new();
    for (what, step) in moves {
        if step.iter().all(|(w, _)| idle.contains(w)) {
            continue;
        }
        report.moves += 1;
        let (outcome, steps) = Repair::run(&network, &mut values, &step, budget);
        report.steps += u64::from(steps);
        match outcome {
            Outcome::None => (),
            Outcome::Exhausted => report.exhausted += 1,
            Outcome::Second(changes) => judge(&network, s, honest, &what, &changes, &mut report, &mut idle),
        }
    }
    report.hints = idle.len();
    report
}

/// Files a set of changes with which all rows hold.
fn judge<F: CircuitField>(
    network: &Network<F>,
    s: &Structure<F>,
    honest: &[F],
    what: &str,
    changes: &[(u32, F)],
    report: &mut Report,
    idle: &mut BTreeSet<u32>,
) {
    let public: Vec<usize> =
        (0..network.public.len()).filter(|i| changes.iter().any(|(w, _)| *w == network.public[*i])).collect();
    if !public.is_empty() {
        report.statements.insert(public);
        return;
    }
    if changes.iter().all(|(w, _)| without_effect(network, honest, *w)) {
        idle.extend(changes.iter().map(|(w, _)| *w));
        return;
    }
    if report.second.len() < NAMED_MAX {
        report.second.push(format!("{}: {what}", constraint(network, s, changes[0].0)));
    }
}

/// Whether no row changes with a wire, as with an inverse that is multiplied by zero.
fn without_effect<F: CircuitField>(network: &Network<F>, honest: &[F], w: u32) -> bool {
    let rows = &network.of_wire[w as usize];
    network.domain[w as usize] == Domain::Any
        && !rows.is_empty()
        && rows.iter().all(|i| network.rows[*i as usize].slope(w, honest).is_none() && !squares(network, *i, w))
}

fn squares<F: CircuitField>(network: &Network<F>, row: u32, w: u32) -> bool {
    network.rows[row as usize].product.is_some_and(|(_, a, b)| a == w && b == w)
}

/// The name of the last constraint that speaks of a wire.
fn constraint<F: CircuitField>(network: &Network<F>, s: &Structure<F>, w: u32) -> &'static str {
    let gate = network.of_wire[w as usize].iter().map(|i| network.rows[*i as usize].gate).min().unwrap_or(0);
    s.marks.iter().rev().find(|m| m.start[0] as usize <= gate).map_or("the circuit", |m| m.name)
}

/// Every wire by itself, a little more or less.
fn single_moves<F: CircuitField>(network: &Network<F>, honest: &[F]) -> Vec<(String, Move<F>)> {
    let mut out = vec![];
    for w in network.free_wires() {
        for (name, v) in [("+ 1", F::ONE), ("- 1", -F::ONE)] {
            let v = honest[w as usize] + v;
            if network.admits(w, v) {
                out.push((format!("wire {w} {name}"), vec![(w, v)]));
            }
        }
    }
    out
}

/// Distances that an integer is moved by: small ones, and multiples of p at the places of limbs.
fn distances<F: CircuitField>() -> Vec<(String, i128)> {
    let powers = [0u32, 16, 32, 48];
    let mut out: Vec<(String, i128)> = powers.iter().map(|e| (format!("2^{e}"), 1 << e)).collect();
    if let Some(last) = (-F::ONE).to_u64() {
        let p = i128::from(last) + 1;
        for k in [1, 2] {
            out.extend(powers.iter().map(|e| (format!("{k}p 2^{e}"), (k * p) << e)));
        }
    }
    let negative: Vec<_> = out.iter().map(|(name, d)| (format!("-{name}"), -d)).collect();
    out.extend(negative);
    out
}

/// Integers of one component: each, those of one value together (and with one more), and pairs; all by the same distance.
fn integer_moves<F: CircuitField>(integers: &BTreeMap<u32, Vec<[u32; 4]>>, honest: &[F]) -> Vec<(String, Move<F>)> {
    let mut out = vec![];
    for all in integers.values() {
        let mut groups: Vec<Vec<[u32; 4]>> = all.iter().map(|x| vec![*x]).collect();
        for group in alike(all, honest) {
            let with = |x: &[u32; 4]| group.iter().copied().chain([*x]).collect();
            groups.extend(all.iter().filter(|x| !group.contains(x)).map(with));
            groups.push(group);
        }
        let pairs = all.iter().enumerate().flat_map(|(i, x)| all[i + 1..].iter().map(|y| vec![*x, *y]));
        groups.extend(pairs.take(PAIRS_MAX));
        for group in groups {
            for (name, distance) in distances::<F>() {
                let moved: Option<Vec<Move<F>>> = group.iter().map(|x| moved(*x, distance, honest)).collect();
                if let Some(moved) = moved {
                    let places: Vec<u32> = group.iter().map(|x| x[0]).collect();
                    out.push((format!("integers {places:?} + {name}"), moved.concat()));
                }
            }
        }
    }
    out
}

fn integer<F: CircuitField>(limbs: [u32; 4], honest: &[F]) -> u64 {
    let limb = |w: u32| honest[w as usize].to_u64().expect("a limb");
    limbs.into_iter().rev().fold(0, |n, w| n << 16 | limb(w))
}

/// Groups of three to eight integers of one value.
fn alike<F: CircuitField>(all: &[[u32; 4]], honest: &[F]) -> Vec<Vec<[u32; 4]>> {
    let mut by_value: BTreeMap<u64, Vec<[u32; 4]>> = BTreeMap::new();
    all.iter().for_each(|x| by_value.entry(integer(*x, honest)).or_default().push(*x));
    by_value.into_values().filter(|group| (3..=8).contains(&group.len())).collect()
}

/// An integer at a distance, where it is still one of 64 bits.
fn moved<F: CircuitField>(x: [u32; 4], distance: i128, honest: &[F]) -> Option<Move<F>> {
    let new = u64::try_from(i128::from(integer(x, honest)) + distance).ok()?;
    let changed = x.into_iter().zip(limbs(new).map(F::from_u64)).filter(|(w, v)| honest[*w as usize] != *v);
    Some(changed.collect())
}
