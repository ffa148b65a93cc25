//! The two ways to walk a structure: with linear combinations, for the setup, and with numbers, for a proof.

use ark_bn254::Fr;
use ark_ff::{One, PrimeField, Zero};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, Result as R1csResult, SynthesisError, Variable,
};

use crate::circuits::builder::{Structure, Wire};
use crate::groth16::lower::{Sink, lower};

/// A linear combination, sorted by variable: 0 is the constant one, then the instance, then the witness.
#[derive(Clone)]
pub struct Symbolic {
    terms: Vec<(u32, Fr)>,
    constant: Option<Fr>,
}

/// Records constraints into arkworks' system.
struct Constraints<'a> {
    cs: ConstraintSystemRef<Fr>,
    instance: u32,
    variables: u32,
    /// Values of the variables, if they are wanted.
    assignment: Option<&'a Evaluation<'a>>,
    failed: R1csResult<()>,
}

impl Constraints<'_> {
    fn variable(&mut self, public: bool) -> Symbolic {
        self.variables += 1;
        self.instance += u32::from(public);
        let (assignment, id, instance) = (self.assignment, self.variables as usize, self.instance as usize);
        let value = || {
            let e = assignment.ok_or(SynthesisError::AssignmentMissing)?;
            Ok(if public { e.instance[id] } else { e.witness[id - instance - 1] })
        };
        let made = if public { self.cs.new_input_variable(value) } else { self.cs.new_witness_variable(value) };
        if let Err(e) = made {
            self.failed = Err(e);
        }
        Symbolic { terms: vec![(self.variables, Fr::one())], constant: None }
    }

    fn lc(&self, v: &Symbolic) -> LinearCombination<Fr> {
        let variable = |id: u32| match id {
            0 => Variable::One,
            id if id <= self.instance => Variable::instance(id as usize),
            id => Variable::witness((id - self.instance - 1) as usize),
        };
        LinearCombination(v.terms.iter().map(|(id, c)| (*c, variable(*id))).collect())
    }
}

/// `a + c·b` of sorted terms.
fn merge(a: &[(u32, Fr)], c: Fr, b: &[(u32, Fr)]) -> Vec<(u32, Fr)> {
    let mut out = Vec::with_capacity(a.len() + b.len());
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let left = a.get(i).map_or(u32::MAX, |t| t.0);
        let right = b.get(j).map_or(u32::MAX, |t| t.0);
        let id = left.min(right);
        let mut sum = Fr::zero();
        if left == id {
            sum += a[i].1;
            i += 1;
        }
        if right == id {
            sum += c * b[j].1;
            j += 1;
        }
        if !sum.is_zero() {
            out.push((id, sum));
        }
    }
    out
}

impl Sink for Constraints<'_> {
    type Value = Symbolic;

    fn constant(&mut self, c: Fr) -> Symbolic {
        let terms = if c.is_zero() { vec![] } else { vec![(0, c)] };
        Symbolic { terms, constant: Some(c) }
    }

    fn as_constant(&self, v: &Symbolic) -> Option<Fr> {
        v.constant
    }

    fn input(&mut self, _wire: Wire, public: bool) -> Symbolic {
        self.variable(public)
    }

    fn bit(&mut self, _v: &Symbolic, _i: usize) -> Symbolic {
        self.variable(false)
    }

    fn add_scaled(&mut self, acc: Symbolic, c: Fr, v: &Symbolic) -> Symbolic {
        let constant = acc.constant.zip(v.constant).map(|(a, v)| a + c * v);
        Symbolic { terms: merge(&acc.terms, c, &v.terms), constant }
    }

    fn product(&mut self, a: &Symbolic, b: &Symbolic) -> Symbolic {
        let out = self.variable(false);
        self.enforce(a.clone(), b.clone(), out.clone());
        out
    }

    fn enforce(&mut self, a: Symbolic, b: Symbolic, c: Symbolic) {
        let [a, b, c] = [&a, &b, &c].map(|v| self.lc(v));
        if let Err(e) = self.cs.enforce_r1cs_constraint(|| a, || b, || c) {
            self.failed = Err(e);
        }
    }
}

/// A structure as an arkworks circuit: what the setup takes, and what other R1CS provers can be measured by.
pub struct R1cs<'a> {
    pub structure: &'a Structure<Fr>,
    /// One value for every wire; the setup needs none.
    pub values: Option<&'a [Fr]>,
}

impl ConstraintSynthesizer<Fr> for R1cs<'_> {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> R1csResult<()> {
        let evaluation = self.values.map(|v| Evaluation::new(self.structure, v));
        let assignment = evaluation.as_ref();
        lower(self.structure, Constraints { cs, instance: 0, variables: 0, assignment, failed: Ok(()) }).failed
    }
}

/// A number, and whether the symbolic walk sees a constant here.
#[derive(Clone, Copy)]
pub struct Number {
    value: Fr,
    constant: bool,
}

/// The assignment, and both sides of every constraint. The right-hand sides are their products.
pub struct Evaluation<'a> {
    wires: &'a [Fr],
    /// 1, then the public inputs.
    pub instance: Vec<Fr>,
    pub witness: Vec<Fr>,
    pub a: Vec<Fr>,
    pub b: Vec<Fr>,
}

impl<'a> Evaluation<'a> {
    /// Walks `structure` on the wires' values.
    pub fn new(structure: &Structure<Fr>, wires: &'a [Fr]) -> Self {
        let empty = Evaluation { wires, instance: vec![Fr::one()], witness: vec![], a: vec![], b: vec![] };
        lower(structure, empty)
    }

    fn variable(&mut self, value: Fr) -> Number {
        self.witness.push(value);
        Number { value, constant: false }
    }
}

impl Sink for Evaluation<'_> {
    type Value = Number;

    fn constant(&mut self, c: Fr) -> Number {
        Number { value: c, constant: true }
    }

    fn as_constant(&self, v: &Number) -> Option<Fr> {
        v.constant.then_some(v.value)
    }

    fn input(&mut self, wire: Wire, public: bool) -> Number {
        let value = self.wires[wire.0 as usize];
        if public {
            self.instance.push(value);
            return Number { value, constant: false };
        }
        self.variable(value)
    }

    fn bit(&mut self, v: &Number, i: usize) -> Number {
        let low = v.value.into_bigint().0[0];
        self.variable(Fr::from(low >> i & 1))
    }

    fn add_scaled(&mut self, acc: Number, c: Fr, v: &Number) -> Number {
        Number { value: acc.value + c * v.value, constant: acc.constant && v.constant }
    }

    fn product(&mut self, a: &Number, b: &Number) -> Number {
        self.a.push(a.value);
        self.b.push(b.value);
        self.variable(a.value * b.value)
    }

    fn enforce(&mut self, a: Number, b: Number, _c: Number) {
        self.a.push(a.value);
        self.b.push(b.value);
    }
}
