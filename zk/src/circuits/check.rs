//! Evaluates a structure on values and names the first operation that they violate.

use std::collections::BTreeSet;

use crate::circuits::builder::{Gate, HashOp, Structure, Swap, Wire};
use crate::error::ZkError;
use crate::field::CircuitField;

const KINDS: [&str; 4] = ["gate", "swap", "hash", "range"];

/// Every violated operation: kind (index into gates, swaps, hashes, ranges) and position.
fn violations<'a, F: CircuitField>(s: &'a Structure<F>, values: &'a [F]) -> impl Iterator<Item = (usize, usize)> + 'a {
    let failing = |kind: usize, holds: bool, i: usize| (!holds).then_some((kind, i));
    let gates = s.gates.iter().enumerate().filter_map(move |(i, g)| failing(0, gate_holds(g, values), i));
    let swaps = s.swaps.iter().enumerate().filter_map(move |(i, x)| failing(1, swap_holds(x, values), i));
    let fits = |w: &Wire| values[w.0 as usize].to_u64().is_some_and(|v| v < 1 << 16);
    let ranges = s.ranges.iter().enumerate().filter_map(move |(i, w)| failing(3, fits(w), i));
    let mut state = [F::ZERO; 16];
    let mut hash_holds = move |h: &HashOp| F::check_hash(h, values, &mut state);
    let hashes = s.hashes.iter().enumerate().filter_map(move |(i, h)| failing(2, hash_holds(h), i));
    gates.chain(swaps).chain(ranges).chain(hashes)
}

fn gate_holds<F: CircuitField>(g: &Gate<F>, values: &[F]) -> bool {
    let [a, b, d, out] = [g.a, g.b, g.d, g.out].map(|w| values[w.0 as usize]);
    g.qa * a + g.qb * b + g.qm * a * b + g.qd * d + g.qc == out
}

fn swap_holds<F: CircuitField>(s: &Swap, values: &[F]) -> bool {
    let [bit, x, y, l, r] = [s.bit, s.x, s.y, s.l, s.r].map(|w| values[w.0 as usize]);
    l == x + bit * (y - x) && l + r == x + y
}

/// The numbered constraint that an operation belongs to.
fn constraint_name<F>(s: &Structure<F>, kind: usize, index: usize) -> &'static str {
    s.marks.iter().rev().find(|m| m.start[kind] as usize <= index).map_or("the circuit", |m| m.name)
}

/// Refuses values that do not satisfy the structure, with the name of the first violated constraint.
pub fn check<F: CircuitField>(s: &Structure<F>, values: &[F]) -> Result<(), ZkError> {
    if values.len() != s.wires as usize {
        return Err(ZkError::InvalidWitness(format!("{} values for {} wires", values.len(), s.wires)));
    }
    match violations(s, values).next() {
        None => Ok(()),
        Some((kind, index)) => {
            let name = constraint_name(s, kind, index);
            Err(ZkError::ConstraintViolation(format!("{name} ({} {index})", KINDS[kind])))
        }
    }
}

/// The names of all violated constraints.
pub fn violated<F: CircuitField>(s: &Structure<F>, values: &[F]) -> BTreeSet<&'static str> {
    violations(s, values).map(|(kind, index)| constraint_name(s, kind, index)).collect()
}
