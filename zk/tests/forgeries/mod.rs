//! Consistent forgeries: false witnesses in which one numbered constraint is broken and everything else is made honestly.
//!
//! Each is the structure of a circuit with values that violate it, so that it can be shown to `check` as well as proved
//! by a prover that checks nothing. A circuit adds a file with `SIZE` and `all`, and a line to `of`.

use std::collections::HashMap;

use simnet_zk::circuits::Circuit;
use simnet_zk::circuits::builder::{Builder, Gate, Structure, Wire};
use simnet_zk::field::CircuitField;

pub mod consensus;
pub mod identity;
pub mod pruning;
pub mod recursive;
pub mod state;
pub mod transaction;
pub mod uptime;

/// A false witness.
pub struct Forgery<F> {
    pub what: &'static str,
    /// The constraints that it breaks, in alphabetical order.
    pub broken: Vec<&'static str>,
    pub structure: Structure<F>,
    pub values: Vec<F>,
}

/// Every forgery of a circuit; `None` for a circuit or size that has no table.
pub fn of<F: CircuitField>(circuit: &Circuit) -> Option<Vec<Forgery<F>>> {
    match circuit {
        Circuit::Transaction => Some(transaction::all()),
        Circuit::Consensus(size) if *size == consensus::SIZE => Some(consensus::all()),
        Circuit::Identity(size) if *size == identity::SIZE => Some(identity::all()),
        Circuit::State(size) if *size == state::SIZE => Some(state::all()),
        Circuit::Pruning(size) if *size == pruning::SIZE => Some(pruning::all()),
        Circuit::Recursive(size) if *size == recursive::SIZE => Some(recursive::all()),
        Circuit::Uptime(size) if *size == uptime::SIZE => Some(uptime::all()),
        _ => None,
    }
}

/// A circuit recorded on some witness.
pub trait Record<F>: Fn(&mut Builder<F>) {}
impl<F, T: Fn(&mut Builder<F>)> Record<F> for T {}

pub fn recorded<F: CircuitField>(record: impl Record<F>, forced: HashMap<Wire, F>) -> (Structure<F>, Vec<F>) {
    let mut b = Builder::new();
    forced.into_iter().for_each(|(w, v)| b.lie(w, v));
    record(&mut b);
    b.finish()
}

/// The modulus of a 31-bit field; `None` for BN254, where no sum of integers comes near it.
pub fn small_modulus<F: CircuitField>() -> Option<u64> {
    (-F::ONE).to_u64().map(|v| v + 1)
}

/// A forgery from a recorded false witness.
pub fn forgery<F: CircuitField>(
    what: &'static str,
    broken: impl Into<Vec<&'static str>>,
    record: impl FnOnce(&mut Builder<F>),
) -> Forgery<F> {
    let mut b = Builder::new();
    record(&mut b);
    let (structure, values) = b.finish();
    Forgery { what, broken: broken.into(), structure, values }
}

/// The two sides of a gate that does nothing but assert them equal.
fn equality<F: CircuitField>(g: &Gate<F>) -> Option<[Wire; 2]> {
    let rest = [g.qb, g.qm, g.qd, g.qc];
    (!g.defines && g.qa == F::ONE && rest == [F::ZERO; 4]).then_some([g.a, g.out])
}

/// Public inputs that contradict what the circuit computes, with the computed values.
fn contradicted<F: CircuitField>(s: &Structure<F>, values: &[F]) -> Vec<(Wire, F)> {
    let value = |w: Wire| values[w.0 as usize];
    let pairs = s.gates.iter().filter_map(equality).filter(|[x, y]| value(*x) != value(*y));
    let sides = pairs.flat_map(|[x, y]| [(x, value(y)), (y, value(x))]);
    sides.filter(|(w, _)| s.public.contains(w)).collect()
}

/// Records a circuit with lies about some wires, in which public inputs are what follows from the lies. Lies that
/// contradict each other in the public inputs do not settle; then other constraints object as well.
pub fn settled<F: CircuitField>(record: impl Record<F>, lies: &[(Wire, F)]) -> (Structure<F>, Vec<F>) {
    let lies: HashMap<Wire, F> = lies.iter().copied().collect();
    let mut forced = lies.clone();
    let (mut structure, mut values) = recorded(&record, forced.clone());
    for _ in 0..8 {
        let mut wrong = contradicted(&structure, &values);
        wrong.retain(|(w, _)| !lies.contains_key(w));
        if wrong.is_empty() {
            break;
        }
        forced.extend(wrong);
        (structure, values) = recorded(&record, forced.clone());
    }
    (structure, values)
}

/// As [`forgery`], with lies about wires that are chosen with the honest structure and values in view.
pub fn lie<F: CircuitField>(
    what: &'static str,
    broken: impl Into<Vec<&'static str>>,
    record: impl Record<F>,
    lies: impl FnOnce(&Structure<F>, &[F]) -> Vec<(Wire, F)>,
) -> Forgery<F> {
    let (structure, values) = recorded(&record, HashMap::new());
    let lies = lies(&structure, &values);
    let (structure, values) = settled(&record, &lies);
    Forgery { what, broken: broken.into(), structure, values }
}

/// A lie about one public input, which becomes `value`.
pub fn claim<F: CircuitField>(
    what: &'static str,
    broken: impl Into<Vec<&'static str>>,
    record: impl Record<F>,
    position: usize,
    value: F,
) -> Forgery<F> {
    lie(what, broken, record, |s, _| vec![(s.public[position], value)])
}

/// A hash of the wrong value: the first element of the first result that the constraint `name` computes is one more.
pub fn wrong_hash<F: CircuitField>(what: &'static str, name: &'static str, record: impl Record<F>) -> Forgery<F> {
    use simnet_zk::circuits::builder::HashOp;
    lie(what, [name], record, |s, values| {
        let mark = s.marks.iter().find(|m| m.name == name).expect("a constraint");
        let outputs = s.hashes[mark.start[2] as usize..].iter().find_map(|h| match h {
            HashOp::Permutation { output, .. } => output.map(|o| o[0]),
            HashOp::Poseidon { output, .. } => Some(*output),
        });
        let w = outputs.expect("it hashes");
        vec![(w, values[w.0 as usize] + F::ONE)]
    })
}
