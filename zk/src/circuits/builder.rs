//! The recorder that circuits are written over.
//!
//! Running a circuit function on a [`Builder`] records two things at once: the structure (gates, swaps,
//! hashes, range checks, public wires), which must not depend on the witness, and the value of every
//! wire. A backend lowers the structure once (key generation) and fills the values in for every proof:
//! the STARKs into tables joined by a LogUp bus on wire ids (`crate::stark`), Groth16 into R1CS, where
//! linear gates cost nothing.

use std::collections::HashMap;

use crate::field::{CircuitField, DIGEST_MAX, Native};
use crate::tags::Tag;

/// A wire: an index into the values. Wire 0 always holds zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wire(pub u32);

/// The wire that holds zero (fixed by the first gate of every circuit).
pub const ZERO_WIRE: Wire = Wire(0);

/// A wire known to hold 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bit(pub Wire);

/// A digest in a circuit; only the first `F::DIGEST` wires count, the rest are [`ZERO_WIRE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(pub [Wire; DIGEST_MAX]);

impl Digest {
    /// The wires that count in field `F`.
    pub fn wires<F: CircuitField>(&self) -> &[Wire] {
        &self.0[..F::DIGEST]
    }

    /// A digest from exactly `F::DIGEST` wires.
    pub fn from_wires<F: CircuitField>(wires: &[Wire]) -> Self {
        let mut out = [ZERO_WIRE; DIGEST_MAX];
        out[..F::DIGEST].copy_from_slice(wires);
        Digest(out)
    }
}

/// `out = qa·a + qb·b + qm·a·b + qd·d + qc`. An unused slot has coefficient zero and is `ZERO_WIRE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gate<F> {
    pub qa: F,
    pub qb: F,
    pub qm: F,
    pub qd: F,
    pub qc: F,
    pub a: Wire,
    pub b: Wire,
    pub d: Wire,
    pub out: Wire,
    /// `true`: this gate defines `out` (which appears in no earlier operation), so R1CS may substitute
    /// when it is linear; `false`: an assertion about an `out` that exists already.
    pub defines: bool,
}

/// `(l, r) = bit ? (y, x) : (x, y)`; `l` and `r` are defined here, `bit` is boolean by another gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Swap {
    pub bit: Wire,
    pub x: Wire,
    pub y: Wire,
    pub l: Wire,
    pub r: Wire,
}

/// One hash operation; outputs are defined here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HashOp {
    /// One Poseidon2 width-16 permutation `P` (31-bit fields). Its input `x` is
    /// `x = input` when `chain` is false, and for `chain` (the next block of a sponge whose previous block is
    /// the hash op recorded immediately before this one)
    /// `x[i] = input[i] + prev_P[i]` for i < 8, `x[i] = prev_P[i]` for i ≥ 8 (`input[8..]` is `ZERO_WIRE`).
    /// `output[i] = P(x)[i] + (feed_forward ? x[i] : 0)`, i < 8; `None` when a later block continues the sponge.
    Permutation { input: [Wire; 16], chain: bool, feed_forward: bool, output: Option<[Wire; 8]> },
    /// circomlib's Poseidon of 1..=16 inputs (BN254).
    Poseidon { input: Vec<Wire>, output: Wire },
}

/// The structure of a circuit: what key generation sees. Equal for every witness.
#[derive(Clone, Debug, PartialEq, Eq, Default, Hash)]
pub struct Structure<F> {
    /// Number of wires; ids are `0..wires`.
    pub wires: u32,
    /// Wires that carry the public inputs, in order; each is defined by the statement.
    pub public: Vec<Wire>,
    pub gates: Vec<Gate<F>>,
    pub swaps: Vec<Swap>,
    pub hashes: Vec<HashOp>,
    /// Wires that hold a 16-bit value.
    pub ranges: Vec<Wire>,
    /// Where each numbered constraint begins; names violations, fixes nothing.
    pub marks: Vec<Mark>,
}

/// The operations recorded from here to the next mark enforce the constraint `name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mark {
    pub name: &'static str,
    /// Gates, swaps, hashes and ranges recorded before.
    pub start: [u32; 4],
}

/// Records a circuit and the values of its wires.
pub struct Builder<F> {
    structure: Structure<F>,
    values: Vec<F>,
    /// Where the next public input stands in the vector.
    next_public: usize,
    constants: HashMap<F, Wire>,
    /// Values that wires will get whatever is recorded.
    lies: HashMap<u32, F>,
}

impl<F: CircuitField> Default for Builder<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: CircuitField> Builder<F> {
    /// An empty circuit in which wire 0 is fixed to zero.
    pub fn new() -> Self {
        let mut b = Builder {
            structure: Structure {
                wires: 0,
                public: vec![],
                gates: vec![],
                swaps: vec![],
                hashes: vec![],
                ranges: vec![],
                marks: vec![],
            },
            values: vec![],
            next_public: 0,
            constants: HashMap::new(),
            lies: HashMap::new(),
        };
        let zero = b.constant(F::ZERO);
        debug_assert_eq!(zero, ZERO_WIRE);
        b
    }

    /// The structure and the value of every wire.
    pub fn finish(self) -> (Structure<F>, Vec<F>) {
        (self.structure, self.values)
    }

    /// Says that the operations recorded next enforce the constraint `name`.
    pub fn mark(&mut self, name: &'static str) {
        let s = &self.structure;
        let start = [s.gates.len(), s.swaps.len(), s.hashes.len(), s.ranges.len()].map(|n| n as u32);
        self.structure.marks.push(Mark { name, start });
    }

    /// The value of a wire.
    pub fn value(&self, w: Wire) -> F {
        self.values[w.0 as usize]
    }

    /// The values of a digest.
    pub fn digest_value(&self, d: &Digest) -> Native<F> {
        let mut out = [F::ZERO; DIGEST_MAX];
        for (slot, w) in out.iter_mut().zip(d.wires::<F>()) {
            *slot = self.value(*w);
        }
        out
    }

    /// Gives the wire `at`, still to be recorded, the value `v` instead of its own; what is computed from it follows.
    /// For tests of soundness: `check` refuses the result unless `v` satisfies the circuit.
    pub fn lie(&mut self, at: Wire, v: F) {
        self.lies.insert(at.0, v);
    }

    /// A fresh wire with a value that nothing constrains yet.
    pub fn witness(&mut self, v: F) -> Wire {
        let w = Wire(self.structure.wires);
        let v = if self.lies.is_empty() { v } else { self.lies.get(&w.0).copied().unwrap_or(v) };
        self.structure.wires += 1;
        self.values.push(v);
        w
    }

    /// Fresh unconstrained wires that hold a digest.
    pub fn witness_digest(&mut self, v: &Native<F>) -> Digest {
        let mut out = [ZERO_WIRE; DIGEST_MAX];
        for (slot, x) in out.iter_mut().zip(&v[..F::DIGEST]) {
            *slot = self.witness(*x);
        }
        Digest(out)
    }

    /// Says that the public inputs recorded next stand at `place` and after it.
    pub fn public_from(&mut self, place: usize) {
        self.next_public = place;
    }

    /// The next public input.
    pub fn public(&mut self, v: F) -> Wire {
        let w = self.witness(v);
        let (place, public) = (self.next_public, &mut self.structure.public);
        public.resize(public.len().max(place + 1), ZERO_WIRE);
        public[place] = w;
        self.next_public += 1;
        w
    }

    /// The next `F::DIGEST` public inputs.
    pub fn public_digest(&mut self, v: &Native<F>) -> Digest {
        let mut out = [ZERO_WIRE; DIGEST_MAX];
        for (slot, x) in out.iter_mut().zip(&v[..F::DIGEST]) {
            *slot = self.public(*x);
        }
        Digest(out)
    }

    /// A wire fixed to `v`; equal constants share one wire.
    pub fn constant(&mut self, v: F) -> Wire {
        if let Some(w) = self.constants.get(&v) {
            return *w;
        }
        let out = self.witness(v);
        self.structure.gates.push(Gate {
            qa: F::ZERO,
            qb: F::ZERO,
            qm: F::ZERO,
            qd: F::ZERO,
            qc: v,
            a: ZERO_WIRE,
            b: ZERO_WIRE,
            d: ZERO_WIRE,
            out,
            defines: true,
        });
        self.constants.insert(v, out);
        out
    }

    /// A digest fixed to `v`.
    pub fn constant_digest(&mut self, v: &Native<F>) -> Digest {
        let mut out = [ZERO_WIRE; DIGEST_MAX];
        for (slot, x) in out.iter_mut().zip(&v[..F::DIGEST]) {
            *slot = self.constant(*x);
        }
        Digest(out)
    }

    /// A new wire `qa·a + qb·b + qm·a·b + qd·d + qc`.
    #[expect(clippy::too_many_arguments, reason = "the eight parts of one gate")]
    pub fn gate(&mut self, qa: F, a: Wire, qb: F, b: Wire, qm: F, qd: F, d: Wire, qc: F) -> Wire {
        let (va, vb, vd) = (self.value(a), self.value(b), self.value(d));
        let out = self.witness(qa * va + qb * vb + qm * va * vb + qd * vd + qc);
        self.structure.gates.push(Gate { qa, qb, qm, qd, qc, a, b, d, out, defines: true });
        out
    }

    /// `a + b`.
    pub fn add(&mut self, a: Wire, b: Wire) -> Wire {
        self.gate(F::ONE, a, F::ONE, b, F::ZERO, F::ZERO, ZERO_WIRE, F::ZERO)
    }

    /// `a − b`.
    pub fn sub(&mut self, a: Wire, b: Wire) -> Wire {
        self.gate(F::ONE, a, -F::ONE, b, F::ZERO, F::ZERO, ZERO_WIRE, F::ZERO)
    }

    /// `a·b`.
    pub fn mul(&mut self, a: Wire, b: Wire) -> Wire {
        self.gate(F::ZERO, a, F::ZERO, b, F::ONE, F::ZERO, ZERO_WIRE, F::ZERO)
    }

    /// `a·b + d`.
    pub fn mul_add(&mut self, a: Wire, b: Wire, d: Wire) -> Wire {
        self.gate(F::ZERO, a, F::ZERO, b, F::ONE, F::ONE, d, F::ZERO)
    }

    /// `Σ coefficient·wire + constant`. Free in R1CS; one row for every two terms after the first three in a STARK.
    pub fn lin(&mut self, terms: &[(F, Wire)], constant: F) -> Wire {
        let zero = (F::ZERO, ZERO_WIRE);
        let term = |i: usize| terms.get(i).copied().unwrap_or(zero);
        let ((qa, a), (qb, b), (qd, d)) = (term(0), term(1), term(2));
        let mut acc = self.gate(qa, a, qb, b, F::ZERO, qd, d, constant);
        for pair in terms.get(3..).unwrap_or(&[]).chunks(2) {
            let (qa, a) = pair[0];
            let (qb, b) = pair.get(1).copied().unwrap_or(zero);
            acc = self.gate(qa, a, qb, b, F::ZERO, F::ONE, acc, F::ZERO);
        }
        acc
    }

    /// Asserts `qa·a + qb·b + qm·a·b + qd·d + qc = out` for existing wires.
    #[expect(clippy::too_many_arguments, reason = "the nine parts of one gate")]
    pub fn assert_gate(&mut self, qa: F, a: Wire, qb: F, b: Wire, qm: F, qd: F, d: Wire, qc: F, out: Wire) {
        self.structure.gates.push(Gate { qa, qb, qm, qd, qc, a, b, d, out, defines: false });
    }

    /// Asserts `a = b`.
    pub fn assert_eq(&mut self, a: Wire, b: Wire) {
        let z = F::ZERO;
        self.assert_gate(F::ONE, a, z, ZERO_WIRE, z, z, ZERO_WIRE, z, b);
    }

    /// Asserts that two digests are equal.
    pub fn assert_digest_eq(&mut self, a: &Digest, b: &Digest) {
        for (x, y) in a.wires::<F>().iter().zip(b.wires::<F>()) {
            self.assert_eq(*x, *y);
        }
    }

    /// Asserts `a·b = out`.
    pub fn assert_product(&mut self, a: Wire, b: Wire, out: Wire) {
        let z = F::ZERO;
        self.assert_gate(z, a, z, b, F::ONE, z, ZERO_WIRE, z, out);
    }

    /// Constrains `w` to 0 or 1.
    pub fn assert_bool(&mut self, w: Wire) -> Bit {
        self.assert_product(w, w, w);
        Bit(w)
    }

    /// A fresh boolean.
    pub fn bit(&mut self, v: bool) -> Bit {
        let w = self.witness(F::from_u64(u64::from(v)));
        self.assert_bool(w)
    }

    /// Constrains `w` to 16 bits.
    pub fn range16(&mut self, w: Wire) {
        self.structure.ranges.push(w);
    }

    /// `bit ? y : x`.
    pub fn select(&mut self, bit: Bit, x: Wire, y: Wire) -> Wire {
        let difference = self.sub(y, x);
        self.mul_add(bit.0, difference, x)
    }

    /// `bit ? y : x`, element-wise.
    pub fn select_digest(&mut self, bit: Bit, x: &Digest, y: &Digest) -> Digest {
        let mut out = [ZERO_WIRE; DIGEST_MAX];
        for (i, slot) in out.iter_mut().enumerate().take(F::DIGEST) {
            *slot = self.select(bit, x.0[i], y.0[i]);
        }
        Digest(out)
    }

    /// `bit ? (y, x) : (x, y)`, element-wise.
    pub fn swap(&mut self, bit: Bit, x: &Digest, y: &Digest) -> (Digest, Digest) {
        let (mut left, mut right) = ([ZERO_WIRE; DIGEST_MAX], [ZERO_WIRE; DIGEST_MAX]);
        for i in 0..F::DIGEST {
            let (vx, vy, vb) = (self.value(x.0[i]), self.value(y.0[i]), self.value(bit.0));
            let vl = vx + vb * (vy - vx);
            left[i] = self.witness(vl);
            right[i] = self.witness(vx + vy - vl);
            let (l, r) = (left[i], right[i]);
            self.structure.swaps.push(Swap { bit: bit.0, x: x.0[i], y: y.0[i], l, r });
        }
        (Digest(left), Digest(right))
    }

    /// Records a hash operation whose outputs are already allocated (used by the fields' hash recorders only).
    pub fn push_hash(&mut self, op: HashOp) {
        self.structure.hashes.push(op);
    }

    /// `C(l, r)`.
    pub fn compress(&mut self, l: &Digest, r: &Digest) -> Digest {
        F::record_compress(self, l, r)
    }

    /// `H[tag](xs)`.
    pub fn hash(&mut self, tag: Tag, xs: &[Wire]) -> Digest {
        F::record_hash(self, tag, xs)
    }
}
