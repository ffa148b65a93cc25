//! Evaluates a structure on values and names the first operation that they violate.

use crate::circuits::builder::{Gate, Structure, Swap};
use crate::error::ZkError;
use crate::field::CircuitField;

const KINDS: [&str; 4] = ["gate", "swap", "hash", "range"];

/// The first violated operation: kind (index into gates, swaps, hashes, ranges) and position.
fn first_violation<F: CircuitField>(s: &Structure<F>, values: &[F]) -> Option<(usize, usize)> {
    let gate = s.gates.iter().position(|g| !gate_holds(g, values)).map(|i| (0, i));
    let swap = || s.swaps.iter().position(|x| !swap_holds(x, values)).map(|i| (1, i));
    let range = || {
        let fits = |v: F| v.to_u64().is_some_and(|v| v < 1 << 16);
        s.ranges.iter().position(|w| !fits(values[w.0 as usize])).map(|i| (3, i))
    };
    let hash = || {
        let mut state = [F::ZERO; 16];
        s.hashes.iter().position(|h| !F::check_hash(h, values, &mut state)).map(|i| (2, i))
    };
    gate.or_else(swap).or_else(range).or_else(hash)
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
    match first_violation(s, values) {
        None => Ok(()),
        Some((kind, index)) => {
            let name = constraint_name(s, kind, index);
            Err(ZkError::ConstraintViolation(format!("{name} ({} {index})", KINDS[kind])))
        }
    }
}
