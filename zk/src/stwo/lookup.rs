//! The LogUp bus that joins the tables.
//!
//! A term is m / (id + α·value − z) on the wire bus and m / (byte − z') on the byte bus, each bus with
//! challenges of its own. A table's terms are added in pairs: N/D of two terms is one extension column,
//! so constraints keep degree 3. The sum over all tables and over the statement's own terms must be 0.

use stwo::core::channel::Channel;
use stwo::core::fields::FieldExpOps;
use stwo::core::fields::m31::{M31, P};
use stwo::core::fields::qm31::QM31;

use super::value::{Extension, Value};
use crate::stark::layout::Slot;

/// Which bus a term is on.
#[derive(Clone, Copy, Debug)]
pub enum Key<V> {
    /// A wire slot: the wire's bus id and the value there.
    Wire { id: V, value: V },
    /// A value from 0 to 255.
    Byte(V),
}

/// One LogUp term.
#[derive(Clone, Copy, Debug)]
pub struct Term<V> {
    pub key: Key<V>,
    pub mult: V,
}

/// The challenges, over the type they are used in; z enters negated so that a denominator is a sum.
#[derive(Clone, Copy, Debug)]
pub struct Relations<X> {
    alpha: X,
    minus_z: X,
    minus_byte_z: X,
}

impl Relations<QM31> {
    /// Draws the challenges of both buses.
    pub fn draw(channel: &mut impl Channel) -> Self {
        let drawn = channel.draw_secure_felts(3);
        Relations { alpha: drawn[0], minus_z: -drawn[1], minus_byte_z: -drawn[2] }
    }

    /// The same challenges for another kind of cell.
    pub fn lift<V, X: Extension<V>>(&self) -> Relations<X> {
        Relations { alpha: self.alpha.into(), minus_z: self.minus_z.into(), minus_byte_z: self.minus_byte_z.into() }
    }

    /// The statement's terms: the verifier itself puts each public input on the bus.
    /// `None` if a challenge hits a denominator, which no one sees happen.
    pub fn public_sum(&self, slots: &[PublicSlot], values: &[M31]) -> Option<QM31> {
        let denominators: Vec<QM31> =
            slots.iter().zip(values).map(|(s, v)| self.alpha * *v + self.minus_z + s.id).collect();
        if denominators.contains(&QM31::default()) {
            return None;
        }
        let inverses = if denominators.is_empty() { vec![] } else { QM31::batch_inverse(&denominators) };
        Some(slots.iter().zip(inverses).fold(QM31::default(), |sum, (s, inverse)| sum + inverse * s.mult))
    }
}

impl<X> Relations<X> {
    /// The denominator of a term.
    fn denominator<V: Value>(&self, key: Key<V>) -> X
    where
        X: Extension<V>,
    {
        match key {
            Key::Wire { id, value } => self.alpha * value + (self.minus_z + id),
            Key::Byte(byte) => self.minus_byte_z + byte,
        }
    }
}

/// What the key keeps of a public wire: its bus id and the multiplicity of the statement's slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicSlot {
    pub id: M31,
    pub mult: M31,
}

impl From<&Slot> for PublicSlot {
    fn from(s: &Slot) -> Self {
        PublicSlot { id: M31(s.id), mult: signed(s.mult) }
    }
}

/// A multiplicity as a field element; `key` has checked that |m| < 2^31 − 1.
pub fn signed(m: i64) -> M31 {
    M31(m.rem_euclid(i64::from(P)) as u32)
}

/// Adds up terms in pairs, handing each N/D to `emit`; a last odd term goes alone.
pub struct Pairs<'a, V, X, E> {
    relations: &'a Relations<X>,
    pending: Option<(V, X)>,
    emit: E,
}

impl<'a, V: Value, X: Extension<V>, E: FnMut(X, X)> Pairs<'a, V, X, E> {
    pub fn new(relations: &'a Relations<X>, emit: E) -> Self {
        Pairs { relations, pending: None, emit }
    }

    #[inline(always)]
    pub fn add(&mut self, term: Term<V>) {
        let d = self.relations.denominator(term.key);
        match self.pending.take() {
            None => self.pending = Some((term.mult, d)),
            Some((mult, e)) => (self.emit)(d * mult + e * term.mult, e * d),
        }
    }

    pub fn finish(mut self) {
        if let Some((mult, d)) = self.pending.take() {
            (self.emit)(X::from(mult), d);
        }
    }
}
