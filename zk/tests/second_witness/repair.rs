//! After a perturbation: makes the violated rows hold again by changing further wires, each at most once.

use std::collections::{BTreeSet, HashSet};

use simnet_zk::field::CircuitField;
use simnet_zk::natives;

use super::network::{Domain, Network, Row};

/// Values tried for a wire that nothing bounds by itself: carries and remainders are among them.
const GUESSES: std::ops::RangeInclusive<i64> = -3..=4;

/// Rows of more free wires are repaired by one of them only: pairs would be too many.
const PAIRED_MAX: usize = 40;

/// One search for a second witness.
pub struct Repair<'a, F> {
    network: &'a Network<F>,
    values: &'a mut [F],
    /// What was changed, with the value before.
    changed: Vec<(u32, F)>,
    locked: HashSet<u32>,
    budget: u32,
}

/// How a search ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<F> {
    /// All rows hold again with these values.
    Second(Vec<(u32, F)>),
    /// There is no way that the search knows.
    None,
    /// It gave up.
    Exhausted,
}

/// Wires with new values.
type Step<F> = Vec<(u32, F)>;

impl<'a, F: CircuitField> Repair<'a, F> {
    /// Applies a perturbation and repairs what it breaks; `values` are afterwards as before.
    pub fn run(network: &'a Network<F>, values: &'a mut [F], move_: &[(u32, F)], budget: u32) -> (Outcome<F>, u32) {
        let mut repair = Repair { network, values, changed: vec![], locked: HashSet::new(), budget };
        let outcome = if repair.apply(move_) && repair.solve(repair.touched(move_)) {
            Outcome::Second(repair.changed.iter().map(|(w, _)| (*w, repair.values[*w as usize])).collect())
        } else if repair.budget == 0 {
            Outcome::Exhausted
        } else {
            Outcome::None
        };
        let spent = budget - repair.budget;
        repair.undo(0);
        (outcome, spent)
    }

    /// Sets and locks wires; false (with nothing to undo but what `changed` says) when one may not have its value.
    fn apply(&mut self, step: &[(u32, F)]) -> bool {
        for (w, v) in step {
            if !self.network.admits(*w, *v) || !self.locked.insert(*w) {
                return false;
            }
            self.changed.push((*w, self.values[*w as usize]));
            self.values[*w as usize] = *v;
        }
        true
    }

    fn undo(&mut self, length: usize) {
        for (w, old) in self.changed.drain(length..).rev() {
            self.values[w as usize] = old;
            self.locked.remove(&w);
        }
    }

    fn touched(&self, step: &[(u32, F)]) -> BTreeSet<u32> {
        step.iter().flat_map(|(w, _)| self.network.of_wire[*w as usize].iter().copied()).collect()
    }

    /// Makes the rows of `open` hold, the first violated one first.
    fn solve(&mut self, mut open: BTreeSet<u32>) -> bool {
        if self.budget == 0 {
            return false;
        }
        self.budget -= 1;
        let violated = loop {
            match open.pop_first() {
                None => return true,
                Some(i) if self.network.rows[i as usize].residual(self.values) == F::ZERO => (),
                Some(i) => break &self.network.rows[i as usize],
            }
        };
        for step in self.steps(violated) {
            let before = self.changed.len();
            if self.apply(&step) {
                let mut next = open.clone();
                next.extend(self.touched(&step));
                if self.solve(next) {
                    return true;
                }
            }
            self.undo(before);
        }
        false
    }

    /// The ways to make a row hold: by one wire, or by one with few values and another.
    fn steps(&mut self, row: &Row<F>) -> Vec<Step<F>> {
        let mut wires: Vec<u32> =
            row.wires().filter(|w| self.network.free[*w as usize] && !self.locked.contains(w)).collect();
        // What the row computes comes first, then what comes last in the circuit.
        wires.sort_unstable_by_key(|w| (row.defines != Some(*w), std::cmp::Reverse(*w)));
        wires.dedup();
        let mut steps: Vec<Step<F>> = vec![];
        let residual = row.residual(self.values);
        for w in &wires {
            if let Some(v) = self.solved(row, residual, *w) {
                steps.push(vec![(*w, v)]);
            }
        }
        if wires.len() > PAIRED_MAX {
            return steps;
        }
        if F::WIDE {
            steps.extend(wires.iter().filter_map(|w| self.solved_integer(row, *w)));
        }
        for few in &wires {
            for guess in self.guesses(*few) {
                let old = std::mem::replace(&mut self.values[*few as usize], guess);
                let residual = row.residual(self.values);
                for w in wires.iter().filter(|w| *w != few) {
                    if let Some(v) = self.solved(row, residual, *w) {
                        steps.push(vec![(*few, guess), (*w, v)]);
                    }
                }
                self.values[*few as usize] = old;
            }
        }
        steps
    }

    /// The one value of a wire with which a row of this residual holds, if the wire may have it and does not have it already.
    fn solved(&self, row: &Row<F>, residual: F, w: u32) -> Option<F> {
        let slope = row.slope(w, self.values)?;
        let old = self.values[w as usize];
        if self.network.domain[w as usize] == Domain::Bit {
            let other = F::ONE - old;
            return (residual + slope * (other - old) == F::ZERO && other != old).then_some(other);
        }
        let step = residual * slope.invert()?;
        (step != F::ZERO && self.network.admits(w, old - step)).then_some(old - step)
    }

    /// The four limbs from `first` on with which the row holds, where it holds them as one integer.
    fn solved_integer(&self, row: &Row<F>, first: u32) -> Option<Step<F>> {
        let limbs = [first, first + 1, first + 2, first + 3];
        let usable = |w: &u32| {
            self.network.domain.get(*w as usize) == Some(&Domain::Limb)
                && self.network.free[*w as usize]
                && !self.locked.contains(w)
        };
        if !limbs.iter().all(usable) {
            return None;
        }
        let slope = row.slope(first, self.values)?;
        let mut weight = slope;
        let mut integer = F::ZERO;
        for w in limbs {
            if row.slope(w, self.values)? != weight {
                return None;
            }
            integer = integer + weight * self.values[w as usize];
            weight = weight * F::from_u64(1 << 16);
        }
        let wanted = ((integer - row.residual(self.values)) * slope.invert()?).to_u64()?;
        Some(limbs.into_iter().zip(natives::limbs(wanted).map(F::from_u64)).collect())
    }

    /// The other values of a wire that has few.
    fn guesses(&self, w: u32) -> Vec<F> {
        let values: Vec<F> = match self.network.domain[w as usize] {
            Domain::Bit => vec![F::ZERO, F::ONE],
            Domain::Any => GUESSES.map(F::from_i64).collect(),
            Domain::Limb => vec![],
        };
        values.into_iter().filter(|v| *v != self.values[w as usize]).collect()
    }
}
