//! A recorded circuit as rows over the wires that a second witness may change.

use std::collections::{BTreeMap, HashMap};

use simnet_zk::circuits::builder::{Gate, HashOp, Structure, Wire};
use simnet_zk::field::CircuitField;

/// Terms beyond which a sum keeps its own wire.
const INLINED_MAX: usize = 300;

/// Which wires may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Witness wires: another witness of the same statement.
    Witness,
    /// Public inputs, too, if no hash takes them: another statement over the same hashed data.
    Statement,
}

/// `constant + Σ coefficient·wire + coefficient·wire·wire = 0`.
#[derive(Clone, Debug)]
pub struct Row<F> {
    pub constant: F,
    pub terms: Vec<(F, u32)>,
    pub product: Option<(F, u32, u32)>,
    /// The gate that it comes from.
    pub gate: usize,
    /// The wire that the gate computes.
    pub defines: Option<u32>,
}

impl<F: CircuitField> Row<F> {
    pub fn residual(&self, values: &[F]) -> F {
        let value = |w: u32| values[w as usize];
        let linear = self.terms.iter().fold(self.constant, |sum, (c, w)| sum + *c * value(*w));
        self.product.map_or(linear, |(c, a, b)| linear + c * value(a) * value(b))
    }

    pub fn wires(&self) -> impl Iterator<Item = u32> {
        let product = self.product.iter().flat_map(|(_, a, b)| [*a, *b]);
        self.terms.iter().map(|(_, w)| *w).chain(product)
    }

    /// How fast the row changes with a wire that it holds once, given the others.
    pub fn slope(&self, w: u32, values: &[F]) -> Option<F> {
        let mut slope = F::ZERO;
        for (c, _) in self.terms.iter().filter(|(_, x)| *x == w) {
            slope = slope + *c;
        }
        match self.product {
            Some((_, a, b)) if a == w && b == w => return None,
            Some((c, a, b)) if a == w => slope = slope + c * values[b as usize],
            Some((c, a, b)) if b == w => slope = slope + c * values[a as usize],
            _ => (),
        }
        (slope != F::ZERO).then_some(slope)
    }
}

/// What is known of a wire by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    Any,
    Bit,
    Limb,
}

pub struct Network<F> {
    pub rows: Vec<Row<F>>,
    /// The rows that hold a wire.
    pub of_wire: Vec<Vec<u32>>,
    pub domain: Vec<Domain>,
    /// Whether the search may change a wire.
    pub free: Vec<bool>,
    /// The component of a free wire: those that rows connect it with. A wire that is not free has none.
    pub component: Vec<u32>,
    pub public: Vec<u32>,
    /// Wires that are sums of others and were put in their place: their values follow.
    pub inlined: usize,
}

impl<F: CircuitField> Network<F> {
    pub fn new(s: &Structure<F>, scope: Scope) -> Self {
        let n = s.wires as usize;
        let hashed = hashed(s);
        let mut domain = vec![Domain::Any; n];
        s.gates.iter().filter(|g| is_bit(g)).for_each(|g| domain[g.a.0 as usize] = Domain::Bit);
        s.ranges.iter().for_each(|w| domain[w.0 as usize] = Domain::Limb);
        let sums = Sums::new(s, &hashed, &domain);
        let rows = sums.rows(s);
        let mut free: Vec<bool> = hashed.iter().map(|h| !h).collect();
        free[0] = false;
        s.gates.iter().filter(|g| is_constant(g)).for_each(|g| free[g.out.0 as usize] = false);
        if scope == Scope::Witness {
            s.public.iter().for_each(|w| free[w.0 as usize] = false);
        }
        sums.terms.keys().for_each(|w| free[w.0 as usize] = false);
        let mut of_wire = vec![vec![]; n];
        for (i, row) in rows.iter().enumerate() {
            for w in row.wires().filter(|w| free[*w as usize]) {
                if of_wire[w as usize].last() != Some(&(i as u32)) {
                    of_wire[w as usize].push(i as u32);
                }
            }
        }
        let component = components(&rows, &free);
        let public = s.public.iter().map(|w| w.0).collect();
        Network { rows, of_wire, domain, free, component, public, inlined: sums.terms.len() }
    }

    /// Whether a value is one that the wire may have.
    pub fn admits(&self, w: u32, v: F) -> bool {
        match self.domain[w as usize] {
            Domain::Any => true,
            Domain::Bit => v == F::ZERO || v == F::ONE,
            Domain::Limb => v.to_u64().is_some_and(|v| v < 1 << 16),
        }
    }

    pub fn free_wires(&self) -> impl Iterator<Item = u32> {
        (0..self.free.len() as u32).filter(|w| self.free[*w as usize])
    }

    /// The integers of four limbs that may change, by component.
    pub fn integers(&self) -> BTreeMap<u32, Vec<[u32; 4]>> {
        let mut out: BTreeMap<u32, Vec<[u32; 4]>> = BTreeMap::new();
        let mut w = 0;
        while w + 3 < self.free.len() as u32 {
            let limbs = [w, w + 1, w + 2, w + 3];
            if limbs.iter().all(|l| self.free[*l as usize] && self.domain[*l as usize] == Domain::Limb) {
                out.entry(self.component[w as usize]).or_default().push(limbs);
                w += 4;
            } else {
                w += 1;
            }
        }
        out
    }
}

fn is_bit<F: CircuitField>(g: &Gate<F>) -> bool {
    !g.defines && g.qm == F::ONE && g.a == g.b && g.a == g.out && [g.qa, g.qb, g.qd, g.qc].iter().all(|q| *q == F::ZERO)
}

fn is_constant<F: CircuitField>(g: &Gate<F>) -> bool {
    g.defines && [g.qa, g.qb, g.qm, g.qd].iter().all(|q| *q == F::ZERO)
}

/// Wires that a hash or a swap on the way to one takes or gives: to change those is to find a collision.
fn hashed<F>(s: &Structure<F>) -> Vec<bool> {
    let mut out = vec![false; s.wires as usize];
    let mut mark = |w: Wire| out[w.0 as usize] = true;
    s.swaps.iter().for_each(|x| [x.bit, x.x, x.y, x.l, x.r].into_iter().for_each(&mut mark));
    for h in &s.hashes {
        match h {
            HashOp::Permutation { input, output, .. } => {
                input.iter().chain(output.iter().flatten()).for_each(|w| mark(*w));
            }
            HashOp::Poseidon { input, output } => input.iter().chain([output]).for_each(|w| mark(*w)),
        }
    }
    out
}

/// A sum of wires: a constant and terms.
type Sum<F> = (F, Vec<(F, u32)>);

/// Sums that only other sums use, in the place of which their terms can stand.
struct Sums<F> {
    terms: HashMap<Wire, Sum<F>>,
}

impl<F: CircuitField> Sums<F> {
    fn new(s: &Structure<F>, hashed: &[bool], domain: &[Domain]) -> Self {
        let mut kept: Vec<bool> = hashed.iter().zip(domain).map(|(h, d)| *h || *d != Domain::Any).collect();
        s.public.iter().for_each(|w| kept[w.0 as usize] = true);
        for g in s.gates.iter().filter(|g| g.qm != F::ZERO) {
            [g.a, g.b].into_iter().for_each(|w| kept[w.0 as usize] = true);
        }
        let mut sums = Sums { terms: HashMap::new() };
        for g in s.gates.iter().filter(|g| g.defines && g.qm == F::ZERO && !is_constant(g) && !kept[g.out.0 as usize]) {
            let sum = sums.linear(g);
            if sum.1.len() <= INLINED_MAX {
                sums.terms.insert(g.out, sum);
            }
        }
        sums
    }

    /// `qa·a + qb·b + qd·d + qc` with sums in the place of their wires.
    fn linear(&self, g: &Gate<F>) -> Sum<F> {
        let (mut constant, mut terms): Sum<F> = (g.qc, vec![]);
        for (q, w) in [(g.qa, g.a), (g.qb, g.b), (g.qd, g.d)].into_iter().filter(|(q, _)| *q != F::ZERO) {
            self.add(q, w, &mut constant, &mut terms);
        }
        (constant, terms)
    }

    fn add(&self, q: F, w: Wire, constant: &mut F, terms: &mut Vec<(F, u32)>) {
        match self.terms.get(&w) {
            Some((c, inner)) => {
                *constant = *constant + q * *c;
                terms.extend(inner.iter().map(|(x, w)| (q * *x, *w)));
            }
            None => terms.push((q, w.0)),
        }
    }

    fn rows(&self, s: &Structure<F>) -> Vec<Row<F>> {
        let kept = s.gates.iter().enumerate().filter(|(_, g)| !is_constant(g) && !self.terms.contains_key(&g.out));
        // An equality with a sum is a gate whose `out` is that sum.
        let equalities = s.gates.iter().enumerate().filter(|(_, g)| !g.defines && self.terms.contains_key(&g.out));
        let row = |(gate, g): (usize, &Gate<F>)| {
            let (mut constant, mut terms) = self.linear(g);
            self.add(-F::ONE, g.out, &mut constant, &mut terms);
            let product = (g.qm != F::ZERO).then_some((g.qm, g.a.0, g.b.0));
            Row { constant, terms, product, gate, defines: g.defines.then_some(g.out.0) }
        };
        kept.chain(equalities).map(row).collect()
    }
}

fn components<F>(rows: &[Row<F>], free: &[bool]) -> Vec<u32>
where
    F: CircuitField,
{
    let mut parent: Vec<u32> = (0..free.len() as u32).collect();
    for row in rows {
        let mut wires = row.wires().filter(|w| free[*w as usize]);
        let Some(first) = wires.next() else { continue };
        for w in wires {
            let (a, b) = (root(&mut parent, first), root(&mut parent, w));
            parent[a.max(b) as usize] = a.min(b);
        }
    }
    (0..free.len() as u32).map(|w| if free[w as usize] { root(&mut parent, w) } else { u32::MAX }).collect()
}

fn root(parent: &mut [u32], mut w: u32) -> u32 {
    while parent[w as usize] != w {
        parent[w as usize] = parent[parent[w as usize] as usize];
        w = parent[w as usize];
    }
    w
}
