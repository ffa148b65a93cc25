//! Which integers the wires of a recorded circuit stand for, and whether each row is an equation of those.
//!
//! A wire is *lifted* when something bounds it: a range check, a gate that makes it boolean, or a row that computes it from
//! lifted wires. Its lift is an integer that the wire's value is congruent to. A row between lifted wires says what it should
//! over the integers exactly when the difference of its sides is below p in absolute value for all values in the bounds.
//! Nothing here knows a gadget or trusts a comment: bounds come from the constraints alone.

use std::collections::HashMap;

use simnet_zk::circuits::builder::{Gate, HashOp, Structure, Wire, ZERO_WIRE};
use simnet_zk::field::CircuitField;

use super::interval::{FAR, Interval};

/// p, or for BN254 a number far below it that no row may reach either.
pub fn modulus<F: CircuitField>() -> i128 {
    (-F::ONE).to_u64().map_or(1 << 120, |v| i128::from(v) + 1)
}

/// A coefficient or constant as the integer of least absolute value; `None` for one above 64 bits.
fn signed<F: CircuitField>(c: F) -> Option<i128> {
    let positive = c.to_u64().map(i128::from);
    let negative = (-c).to_u64().map(|v| -i128::from(v));
    match (positive, negative) {
        (Some(x), Some(y)) => Some(if x <= -y { x } else { y }),
        (x, y) => x.or(y),
    }
}

/// As [`signed`]; of a larger one, only that it is one.
fn magnitude<F: CircuitField>(c: F) -> i128 {
    signed(c).unwrap_or(FAR)
}

/// `constant + Σ coefficient·wire + Σ coefficient·wire·wire = 0`.
struct Row {
    constant: Option<i128>,
    linear: Vec<(i128, Wire)>,
    product: Option<(i128, Wire, Wire)>,
}

impl Row {
    fn of<F: CircuitField>(g: &Gate<F>) -> Self {
        let terms = [(g.qa, g.a), (g.qb, g.b), (g.qd, g.d), (-F::ONE, g.out)];
        let used = terms.into_iter().filter(|(q, w)| *q != F::ZERO && *w != ZERO_WIRE);
        let product = g.qm != F::ZERO && g.a != ZERO_WIRE && g.b != ZERO_WIRE;
        Row {
            constant: signed(g.qc),
            linear: used.map(|(q, w)| (magnitude(q), w)).collect(),
            product: product.then(|| (magnitude(g.qm), g.a, g.b)),
        }
    }

    fn wires(&self) -> impl Iterator<Item = Wire> {
        let product = self.product.iter().flat_map(|(_, a, b)| [*a, *b]);
        self.linear.iter().map(|(_, w)| *w).chain(product)
    }
}

/// What was found about the rows of a circuit.
#[derive(Default, Debug)]
pub struct Verdicts {
    /// Equations of integers, with room below p.
    pub integer: usize,
    /// Integers narrower than p, equal to field elements: each of these decides the integer.
    pub pinned: usize,
    /// Products that say whether an integer in (−p, p) is zero.
    pub nonzero: usize,
    /// Rows of field elements, in which integers are at most bits that switch.
    pub field: usize,
    /// Integers of p or more equal to a field element; the constraint's name.
    pub splits: Vec<&'static str>,
    /// Rows in which p more or less would do as well; the constraint's name and the row.
    pub broken: Vec<(&'static str, usize)>,
}

pub struct Lifts<'a, F> {
    s: &'a Structure<F>,
    rows: Vec<Row>,
    lift: Vec<Option<Interval>>,
    /// The gate that defines a wire.
    defining: HashMap<Wire, &'a Gate<F>>,
    /// Wires that nothing defines: only those are lifted by solving a row for them.
    free: Vec<bool>,
    /// Rows that gave a wire its lift.
    giving: HashMap<usize, Wire>,
    p: i128,
}

impl<'a, F: CircuitField> Lifts<'a, F> {
    pub fn new(s: &'a Structure<F>) -> Self {
        let rows = s.gates.iter().map(Row::of).collect();
        let mut lifts = Lifts {
            s,
            rows,
            lift: vec![None; s.wires as usize],
            defining: s.gates.iter().filter(|g| g.defines).map(|g| (g.out, g)).collect(),
            free: free_wires(s),
            giving: HashMap::new(),
            p: modulus::<F>(),
        };
        lifts.lift[0] = Some(Interval::only(0));
        s.ranges.iter().for_each(|w| lifts.lift[w.0 as usize] = Some(Interval::new(0, 0xFFFF)));
        lifts.bits();
        lifts.flags_of_zero();
        lifts.thirds();
        while lifts.spread() | lifts.narrow() {}
        lifts
    }

    fn get(&self, w: Wire) -> Option<Interval> {
        self.lift[w.0 as usize]
    }

    /// w·w = w.
    fn bits(&mut self) {
        for g in self.s.gates.iter().filter(|g| is_product(g) && g.a == g.b && g.a == g.out) {
            self.lift[g.a.0 as usize] = Some(Interval::BIT);
        }
    }

    /// x·inverse + flag = 1 followed by x·flag = 0.
    fn flags_of_zero(&mut self) {
        for pair in self.s.gates.windows(2) {
            let (sum, product) = (&pair[0], &pair[1]);
            let one = self.defining.get(&sum.out).is_some_and(|g| g.qc == F::ONE && Row::of(g).wires().count() == 1);
            let sums = !sum.defines && sum.qm == F::ONE && sum.qd == F::ONE && one;
            if sums && is_product(product) && product.out == ZERO_WIRE && product.a == sum.a && product.b == sum.d {
                self.lift[sum.d.0 as usize] = Some(Interval::BIT);
            }
        }
    }

    /// (r·r − r)·(r − 2) = 0.
    fn thirds(&mut self) {
        let defining = |w: Wire| self.defining.get(&w);
        let mut found = vec![];
        for g in self.s.gates.iter().filter(|g| is_product(g) && g.out == ZERO_WIRE) {
            let (Some(product), Some(less)) = (defining(g.a), defining(g.b)) else { continue };
            let r = less.a;
            let square = defining(product.a).is_some_and(|s| s.qm == F::ONE && (s.a, s.b) == (r, r));
            if square && product.b == r && product.qb == -F::ONE && less.qc == -F::from_u64(2) && less.qa == F::ONE {
                found.push(r);
            }
        }
        found.into_iter().for_each(|r| self.lift[r.0 as usize] = Some(Interval::new(0, 2)));
    }

    /// The sum of a row's terms, leaving out the linear ones of `without`; `None` if a wire has no lift.
    fn sum(&self, row: &Row, without: Option<Wire>) -> Option<Interval> {
        let mut sum = Interval::only(row.constant?);
        for (c, w) in row.linear.iter().filter(|(_, w)| Some(*w) != without) {
            sum = sum.plus(self.get(*w)?.scaled(*c));
        }
        if let Some((c, a, b)) = row.product {
            sum = sum.plus(self.get(a)?.times(self.get(b)?).scaled(c));
        }
        Some(sum)
    }

    /// Lifts wires that rows compute from lifted ones. Whether it found any.
    fn spread(&mut self) -> bool {
        let mut found = false;
        for i in 0..self.rows.len() {
            let row = &self.rows[i];
            let mut unlifted: Vec<Wire> = row.wires().filter(|w| self.get(*w).is_none()).collect();
            unlifted.dedup();
            let [w] = unlifted[..] else { continue };
            let [(c, _)] = row.linear.iter().filter(|(_, x)| *x == w).collect::<Vec<_>>()[..] else { continue };
            let defined = self.s.gates[i].defines && self.s.gates[i].out == w;
            let equal_public = row.product.is_none() && row.linear.len() == 2 && self.s.public.contains(&w);
            if c.abs() != 1 || !(defined || self.free[w.0 as usize] || equal_public) {
                continue;
            }
            let Some(rest) = self.sum(row, Some(w)) else { continue };
            if !defined && !rest.narrower_than(self.p) {
                continue;
            }
            self.lift[w.0 as usize] = Some(rest.scaled(-c));
            self.giving.insert(i, w);
            found = true;
        }
        found
    }

    /// Narrows the bounds of wires by rows that are equations of integers. Whether it found any.
    fn narrow(&mut self) -> bool {
        let mut found = false;
        for i in 0..self.rows.len() {
            for (w, interval) in self.narrowed_by(i) {
                found |= self.lift[w.0 as usize] != Some(interval);
                self.lift[w.0 as usize] = Some(interval);
            }
        }
        found
    }

    /// The bounds that a row leaves to its wires: to all of them, or to the one whose lift it gives.
    fn narrowed_by(&self, i: usize) -> Vec<(Wire, Interval)> {
        let row = &self.rows[i];
        let given = self.giving.get(&i);
        let certain = given.is_some() || self.sum(row, None).is_some_and(|d| d.within(self.p));
        if !certain || (row.product.is_some() && given.is_none()) {
            return vec![];
        }
        let terms = row.linear.iter().filter(|(c, w)| {
            c.abs() != FAR && row.wires().filter(|x| x == w).count() == 1 && given.is_none_or(|g| g == w)
        });
        let narrowed = |(c, w): &(i128, Wire)| {
            let rest = self.sum(row, Some(*w))?;
            Some((*w, self.get(*w)?.narrowed(rest.scaled(-1).divided(*c))))
        };
        terms.filter_map(narrowed).collect()
    }

    /// Judges every row.
    pub fn verdicts(&self) -> Verdicts {
        let mut out = Verdicts::default();
        for (i, row) in self.rows.iter().enumerate() {
            if self.giving.contains_key(&i) {
                continue;
            }
            match self.sum(row, None) {
                Some(d) if d.within(self.p) => out.integer += 1,
                Some(_) => out.broken.push((self.name(i), i)),
                None => self.judge_mixed(i, row, &mut out),
            }
        }
        out
    }

    /// A row with a wire that has no bound.
    fn judge_mixed(&self, i: usize, row: &Row, out: &mut Verdicts) {
        if let Some((_, a, b)) = row.product {
            // Of integers only a bit may switch an element; an inverse says that an integer is not zero.
            let factor = match (self.get(a), self.get(b)) {
                (Some(x), None) | (None, Some(x)) => x,
                _ => Interval::BIT,
            };
            match factor {
                x if x == Interval::BIT || x.is_constant() => out.field += 1,
                x if x.within(self.p) => out.nonzero += 1,
                _ => out.broken.push((self.name(i), i)),
            }
            return;
        }
        let lifted: Vec<Interval> = row
            .linear
            .iter()
            .filter_map(|(c, w)| Some(self.get(*w)?.scaled(*c)))
            .filter(|x| !x.is_constant())
            .collect();
        if lifted.is_empty() {
            out.field += 1;
        } else if lifted.iter().fold(Interval::only(0), |sum, x| sum.plus(*x)).narrower_than(self.p) {
            out.pinned += 1;
        } else {
            out.splits.push(self.name(i));
        }
    }

    fn name(&self, gate: usize) -> &'static str {
        self.s.marks.iter().rev().find(|m| m.start[0] as usize <= gate).map_or("the circuit", |m| m.name)
    }
}

/// `a·b = out`, asserted.
fn is_product<F: CircuitField>(g: &Gate<F>) -> bool {
    !g.defines && g.qm == F::ONE && [g.qa, g.qb, g.qd, g.qc].iter().all(|q| *q == F::ZERO)
}

/// Wires that no operation defines and no statement names.
fn free_wires<F>(s: &Structure<F>) -> Vec<bool> {
    let mut free = vec![true; s.wires as usize];
    let mut take = |w: Wire| free[w.0 as usize] = false;
    s.public.iter().for_each(|w| take(*w));
    s.gates.iter().filter(|g| g.defines).for_each(|g| take(g.out));
    s.swaps.iter().for_each(|x| [x.l, x.r].into_iter().for_each(&mut take));
    for h in &s.hashes {
        match h {
            HashOp::Permutation { output, .. } => output.iter().flatten().for_each(|w| take(*w)),
            HashOp::Poseidon { output, .. } => take(*output),
        }
    }
    free
}
