//! How a recorded circuit becomes the rows of the tables that both STARK backends fill.
//!
//! Tables are joined by a LogUp bus on (wire id, value). Every *slot* of a row that refers to a wire carries
//! the wire's id and a multiplicity, both preprocessed. Of a wire's n slots the first has multiplicity
//! −(n−1) and the others +1, so the fractions of a wire sum to zero for random challenges only if all its
//! slots hold one value. The multiplicities are structure: a prover has no freedom in them.
//! Bound: n is below the modulus (key generation refuses a circuit of so many slots), so a sum of some of the +1 is zero
//! only when there are none; and the bus ids are below it, so that no two wires share one.
//! A public wire has one more slot, the statement's, and it is that slot that carries −(n−1).

use std::collections::HashMap;

use crate::circuits::builder::{Gate, HashOp, Structure, Wire, ZERO_WIRE};
use crate::field::CircuitField;

/// One reference of a row to a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Whose value fills the cell.
    pub wire: Wire,
    /// The bus id (≥ 1; wires asserted equal share one), 0 when the slot is unused.
    pub id: u32,
    /// Bus multiplicity; 0 when the slot is unused or its wire has no other slot.
    pub mult: i64,
}

/// `qa·a + qb·b + qm·a·b + qd·d + qc − out = 0`; slots are a, b, d, out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArithRow<F> {
    pub q: [F; 5],
    pub slots: [Slot; 4],
}

/// One Poseidon2 permutation; see [`HashOp::Permutation`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermRow {
    pub input: [Slot; 16],
    pub output: [Slot; 8],
    pub chain: bool,
    pub feed_forward: bool,
}

/// The rows of every table, before padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout<F> {
    pub arith: Vec<ArithRow<F>>,
    /// Slots are bit, x, y, l, r.
    pub swap: Vec<[Slot; 5]>,
    pub perm: Vec<PermRow>,
    /// Wires that hold 16 bits, each split into two bytes by the table.
    pub range: Vec<Slot>,
    /// The statement's slots, in public-input order.
    pub public: Vec<Slot>,
}

const UNUSED: Slot = Slot { wire: ZERO_WIRE, id: 0, mult: 0 };

/// The log2 height of a table: at least 2^4 rows (STWO's SIMD lanes).
pub fn log_height(rows: usize) -> u32 {
    rows.max(16).next_power_of_two().trailing_zeros()
}

/// Wires asserted equal, as classes: the bus makes equality free.
struct Classes {
    parent: Vec<u32>,
    public: Vec<bool>,
}

impl Classes {
    fn root(&mut self, w: u32) -> u32 {
        let mut r = w;
        while self.parent[r as usize] != r {
            let up = self.parent[self.parent[r as usize] as usize];
            self.parent[r as usize] = up;
            r = up;
        }
        r
    }

    /// Joins two classes, except when both carry a public input (a class has one statement slot at most).
    fn join(&mut self, a: Wire, b: Wire) -> bool {
        let (a, b) = (self.root(a.0), self.root(b.0));
        if a != b {
            if self.public[a as usize] && self.public[b as usize] {
                return false;
            }
            let (low, high) = (a.min(b), a.max(b));
            self.parent[high as usize] = low;
            self.public[low as usize] |= self.public[high as usize];
        }
        true
    }
}

/// Whether a gate only says `a = out`.
fn is_equality<F: CircuitField>(g: &Gate<F>) -> bool {
    !g.defines && g.qa == F::ONE && [g.qb, g.qm, g.qd, g.qc].iter().all(|q| *q == F::ZERO)
}

impl<F: CircuitField> Layout<F> {
    /// Lays out a recorded structure. Deterministic: rows keep the recorded order.
    pub fn new(structure: &Structure<F>) -> Self {
        let mut classes =
            Classes { parent: (0..structure.wires).collect(), public: vec![false; structure.wires as usize] };
        for w in &structure.public {
            classes.public[w.0 as usize] = true;
        }
        let rows: Vec<&Gate<F>> =
            structure.gates.iter().filter(|g| !(is_equality(g) && classes.join(g.a, g.out))).collect();
        let mut slot = |w: Wire| Slot { wire: w, id: classes.root(w.0) + 1, mult: 0 };
        let mut layout = Layout {
            arith: rows.into_iter().map(|g| arith_row(g, &mut slot)).collect(),
            swap: structure.swaps.iter().map(|s| [s.bit, s.x, s.y, s.l, s.r].map(&mut slot)).collect(),
            perm: structure.hashes.iter().map(|h| perm_row(h, &mut slot)).collect(),
            range: structure.ranges.iter().map(|w| slot(*w)).collect(),
            public: structure.public.iter().map(|w| slot(*w)).collect(),
        };
        layout.balance();
        layout
    }

    /// Every slot in a fixed order, the statement's first.
    fn slots_mut(&mut self) -> impl Iterator<Item = &mut Slot> {
        self.public
            .iter_mut()
            .chain(self.arith.iter_mut().flat_map(|r| r.slots.iter_mut()))
            .chain(self.swap.iter_mut().flatten())
            .chain(self.perm.iter_mut().flat_map(|r| r.input.iter_mut().chain(r.output.iter_mut())))
            .chain(self.range.iter_mut())
            .filter(|s| s.id != 0)
    }

    /// Sets the multiplicities: the first slot of an id gets −(n−1), the others +1.
    fn balance(&mut self) {
        let mut count: HashMap<u32, i64> = HashMap::new();
        for s in self.slots_mut() {
            *count.entry(s.id).or_insert(0) += 1;
        }
        for s in self.slots_mut() {
            let n = count.get_mut(&s.id).expect("counted above");
            // The entry turns to 0 once the first slot has taken −(n−1).
            s.mult = if *n > 0 { 1 - std::mem::take(n) } else { 1 };
        }
    }
}

fn arith_row<F: CircuitField>(g: &Gate<F>, slot: &mut impl FnMut(Wire) -> Slot) -> ArithRow<F> {
    let mut used = |w: Wire, q: &[F]| if q.iter().all(|q| *q == F::ZERO) { UNUSED } else { slot(w) };
    let slots = [used(g.a, &[g.qa, g.qm]), used(g.b, &[g.qb, g.qm]), used(g.d, &[g.qd]), used(g.out, &[F::ONE])];
    ArithRow { q: [g.qa, g.qb, g.qm, g.qd, g.qc], slots }
}

fn perm_row(h: &HashOp, slot: &mut impl FnMut(Wire) -> Slot) -> PermRow {
    let HashOp::Permutation { input, chain, feed_forward, output } = h else {
        unreachable!("the 31-bit fields record permutations only");
    };
    let mut row = PermRow {
        input: input.map(&mut *slot),
        output: output.map_or([UNUSED; 8], |o| o.map(&mut *slot)),
        chain: *chain,
        feed_forward: *feed_forward,
    };
    if *chain {
        // The capacity comes from the previous row, not from the bus.
        row.input[8..].fill(UNUSED);
    }
    row
}
