//! The identity of a circuit's structure: what tells a key of an earlier form of the circuit apart.

use blake2::{Blake2s256, Digest as _};

use crate::circuits::builder::{HashOp, Structure, Wire};
use crate::field::CircuitField;

/// Blake2s-256 of every operation in order; marks are names and stay outside.
pub fn structure_digest<F: CircuitField>(s: &Structure<F>) -> [u8; 32] {
    let mut out = Feed(Blake2s256::new_with_prefix(b"SIMNET-STRUCTURE-V1"));
    out.number(s.wires as usize);
    out.wires(&s.public);
    out.number(s.gates.len());
    for g in &s.gates {
        [g.qa, g.qb, g.qm, g.qd, g.qc].iter().for_each(|q| out.0.update(q.to_le_bytes()));
        out.wires(&[g.a, g.b, g.d, g.out]);
        out.number(usize::from(g.defines));
    }
    out.number(s.swaps.len());
    s.swaps.iter().for_each(|x| out.wires(&[x.bit, x.x, x.y, x.l, x.r]));
    out.number(s.hashes.len());
    s.hashes.iter().for_each(|h| out.hash(h));
    out.wires(&s.ranges);
    out.0.finalize().into()
}

struct Feed(Blake2s256);

impl Feed {
    fn number(&mut self, n: usize) {
        self.0.update((n as u32).to_le_bytes());
    }

    /// A list behind its length, so that no two structures feed the same bytes.
    fn wires(&mut self, wires: &[Wire]) {
        self.number(wires.len());
        wires.iter().for_each(|w| self.0.update(w.0.to_le_bytes()));
    }

    fn hash(&mut self, op: &HashOp) {
        match op {
            HashOp::Permutation { input, chain, feed_forward, output } => {
                self.number(usize::from(*chain) | usize::from(*feed_forward) << 1);
                self.wires(input);
                self.wires(output.as_ref().map_or(&[], |o| o));
            }
            HashOp::Poseidon { input, output } => {
                self.number(4);
                self.wires(input);
                self.wires(&[*output]);
            }
        }
    }
}
