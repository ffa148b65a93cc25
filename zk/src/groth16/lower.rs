//! Lowers a recorded structure to R1CS.
//!
//! One walk serves key generation (on linear combinations) and proving (on numbers), so the two cannot disagree about
//! which constraint is which. Linear gates, swaps' right outputs and hash outputs are substituted and cost nothing.

use ark_bn254::Fr;
use ark_ff::{One, Zero};

use crate::circuits::builder::{Gate, HashOp, Structure, Swap, Wire};
use crate::field::CircuitField;
use crate::hash::poseidon::{self, Machine};

/// What a walk produces. `Value` is a number or a linear combination.
pub trait Sink {
    type Value: Clone;

    fn constant(&mut self, c: Fr) -> Self::Value;
    /// A constant by construction: both walks answer alike.
    fn as_constant(&self, v: &Self::Value) -> Option<Fr>;
    /// A variable that carries a wire; public wires come first, in order.
    fn input(&mut self, wire: Wire, public: bool) -> Self::Value;
    /// A fresh variable that carries bit `i` of `v`.
    fn bit(&mut self, v: &Self::Value, i: usize) -> Self::Value;
    /// `acc + c·v`.
    fn add_scaled(&mut self, acc: Self::Value, c: Fr, v: &Self::Value) -> Self::Value;
    /// A fresh variable fixed to `a·b` by one constraint.
    fn product(&mut self, a: &Self::Value, b: &Self::Value) -> Self::Value;
    /// The constraint `a·b = c`.
    fn enforce(&mut self, a: Self::Value, b: Self::Value, c: Self::Value);
}

/// What defines a wire; a wire without definition is an input.
#[derive(Clone, Copy)]
enum Definition {
    Input,
    Public,
    Gate(usize),
    Left(usize),
    Right(usize),
    Hash(usize),
}

fn definitions(s: &Structure<Fr>) -> Vec<Definition> {
    let mut out = vec![Definition::Input; s.wires as usize];
    let mut set = |w: Wire, d: Definition| out[w.0 as usize] = d;
    s.public.iter().for_each(|w| set(*w, Definition::Public));
    for (i, g) in s.gates.iter().enumerate().filter(|(_, g)| g.defines) {
        set(g.out, Definition::Gate(i));
    }
    for (i, swap) in s.swaps.iter().enumerate() {
        set(swap.l, Definition::Left(i));
        set(swap.r, Definition::Right(i));
    }
    for (i, hash) in s.hashes.iter().enumerate() {
        if let HashOp::Poseidon { output, .. } = hash {
            set(*output, Definition::Hash(i));
        }
    }
    out
}

/// Walks the structure. Wire ids grow in recorded order, so every definition refers to earlier wires only.
pub fn lower<S: Sink>(s: &Structure<Fr>, sink: S) -> S {
    let mut walk = Walk { sink, wires: Vec::with_capacity(s.wires as usize) };
    let public: Vec<S::Value> = s.public.iter().map(|w| walk.sink.input(*w, true)).collect();
    let mut public = public.into_iter();
    for (id, definition) in definitions(s).into_iter().enumerate() {
        let value = match definition {
            Definition::Input => walk.sink.input(Wire(id as u32), false),
            Definition::Public => public.next().expect("public wires are allocated in order"),
            Definition::Gate(i) => walk.gate_value(&s.gates[i]),
            Definition::Left(i) => walk.swap_left(&s.swaps[i]),
            Definition::Right(i) => walk.swap_right(&s.swaps[i]),
            Definition::Hash(i) => walk.hash(&s.hashes[i]),
        };
        walk.wires.push(value);
    }
    for g in s.gates.iter().filter(|g| !g.defines) {
        walk.assertion(g);
    }
    for w in &s.ranges {
        walk.range16(*w);
    }
    walk.sink
}

struct Walk<S: Sink> {
    sink: S,
    wires: Vec<S::Value>,
}

impl<S: Sink> Walk<S> {
    fn wire(&self, w: Wire) -> S::Value {
        self.wires[w.0 as usize].clone()
    }

    fn scaled(&mut self, c: Fr, w: Wire) -> S::Value {
        let (zero, v) = (self.sink.constant(Fr::zero()), self.wire(w));
        self.sink.add_scaled(zero, c, &v)
    }

    /// `qa·a + qb·b + qd·d + qc`.
    fn linear_part(&mut self, g: &Gate<Fr>) -> S::Value {
        let mut acc = self.sink.constant(g.qc);
        for (q, w) in [(g.qa, g.a), (g.qb, g.b), (g.qd, g.d)] {
            if !q.is_zero() {
                let v = self.wire(w);
                acc = self.sink.add_scaled(acc, q, &v);
            }
        }
        acc
    }

    fn gate_value(&mut self, g: &Gate<Fr>) -> S::Value {
        let linear = self.linear_part(g);
        if g.qm.is_zero() {
            return linear;
        }
        let (a, b) = (self.wire(g.a), self.wire(g.b));
        let product = self.multiply(&a, &b);
        self.sink.add_scaled(linear, g.qm, &product)
    }

    /// `a·b`; free when a factor is constant.
    fn multiply(&mut self, a: &S::Value, b: &S::Value) -> S::Value {
        let zero = self.sink.constant(Fr::zero());
        match (self.sink.as_constant(a), self.sink.as_constant(b)) {
            (Some(c), _) => self.sink.add_scaled(zero, c, b),
            (_, Some(c)) => self.sink.add_scaled(zero, c, a),
            _ => self.sink.product(a, b),
        }
    }

    /// `l = x + bit·(y − x)`.
    fn swap_left(&mut self, s: &Swap) -> S::Value {
        let (bit, x, y) = (self.wire(s.bit), self.wire(s.x), self.wire(s.y));
        let difference = self.sink.add_scaled(y, -Fr::one(), &x);
        let product = self.multiply(&bit, &difference);
        self.sink.add_scaled(x, Fr::one(), &product)
    }

    /// `r = x + y − l`.
    fn swap_right(&mut self, s: &Swap) -> S::Value {
        let (x, y, l) = (self.wire(s.x), self.wire(s.y), self.wire(s.l));
        let sum = self.sink.add_scaled(x, Fr::one(), &y);
        self.sink.add_scaled(sum, -Fr::one(), &l)
    }

    fn hash(&mut self, op: &HashOp) -> S::Value {
        let HashOp::Poseidon { input, .. } = op else {
            unreachable!("BN254 records Poseidon only");
        };
        let inputs: Vec<S::Value> = input.iter().map(|w| self.wire(*w)).collect();
        poseidon::run(self, &inputs)
    }

    fn assertion(&mut self, g: &Gate<Fr>) {
        let (linear, out) = (self.linear_part(g), self.wire(g.out));
        if g.qm.is_zero() {
            let difference = self.sink.add_scaled(linear, -Fr::one(), &out);
            let (one, zero) = (self.sink.constant(Fr::one()), self.sink.constant(Fr::zero()));
            return self.sink.enforce(difference, one, zero);
        }
        let (a, b) = (self.scaled(g.qm, g.a), self.wire(g.b));
        let rest = self.sink.add_scaled(out, -Fr::one(), &linear);
        self.sink.enforce(a, b, rest);
    }

    /// Fifteen boolean variables, and the top bit as what is left over 2^15: 16 constraints.
    fn range16(&mut self, w: Wire) {
        let v = self.wire(w);
        let mut rest = v.clone();
        let bits: Vec<S::Value> = (0..15).map(|i| self.sink.bit(&v, i)).collect();
        for (i, bit) in bits.iter().enumerate() {
            rest = self.sink.add_scaled(rest, -Fr::from(1u64 << i), bit);
        }
        let inverse = CircuitField::invert(Fr::from(1u64 << 15)).expect("not zero");
        let zero = self.sink.constant(Fr::zero());
        let top = self.sink.add_scaled(zero, inverse, &rest);
        for bit in bits.into_iter().chain([top]) {
            let (one, zero) = (self.sink.constant(Fr::one()), self.sink.constant(Fr::zero()));
            let complement = self.sink.add_scaled(one, -Fr::one(), &bit);
            self.sink.enforce(bit, complement, zero);
        }
    }
}

impl<S: Sink> Machine for Walk<S> {
    type Value = S::Value;

    fn constant(&mut self, c: Fr) -> S::Value {
        self.sink.constant(c)
    }

    fn add_constant(&mut self, x: &mut S::Value, c: Fr) {
        let one = self.sink.constant(Fr::one());
        *x = self.sink.add_scaled(x.clone(), c, &one);
    }

    fn dot(&mut self, row: &[Fr], x: &[S::Value]) -> S::Value {
        let mut acc = self.sink.constant(Fr::zero());
        for (c, v) in row.iter().zip(x) {
            acc = self.sink.add_scaled(acc, *c, v);
        }
        acc
    }

    fn add_scaled(&mut self, x: S::Value, c: Fr, y: &S::Value) -> S::Value {
        self.sink.add_scaled(x, c, y)
    }

    /// x² = x·x, x³ = x·x², x⁵ = x³·x². In this order x² never enters the A polynomials and x³ never the B ones:
    /// a third of both queries is empty.
    fn sbox(&mut self, x: S::Value) -> S::Value {
        let square = self.multiply(&x, &x);
        let cube = self.multiply(&x, &square);
        self.multiply(&cube, &square)
    }
}
