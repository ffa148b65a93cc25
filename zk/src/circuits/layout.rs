//! Layouts: the fields of statements, witnesses and public inputs, in order, told once for each circuit.
//!
//! A circuit's `layout.rs` declares its records ([`record!`]) and its public inputs ([`inputs!`]). From a declaration
//! follow the struct, its strict reader and its writer, the public vector and the wires that carry it; it is data as well,
//! from which Python and the documents take theirs.

mod inputs;
mod record;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub use inputs::Input;
pub(crate) use inputs::inputs;
pub use record::Codec;
pub(crate) use record::{Length, read_counted, read_many, record, write_counted, write_many};

use crate::circuits::family::Family;
use crate::circuits::public::Kind;
use crate::field::CircuitField;
use crate::natives::DIGEST_BYTES;

/// 32 bytes that are of no field: a key, a hash, a nonce.
pub type Hash = [u8; 32];

/// A number that limits a list or an integer.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub enum Bound {
    Fixed(u32),
    /// A size parameter, or `a/b`, the quotient of two.
    Size(&'static str),
}

/// How a field is written. Integers are little-endian, a count is a `u16`; nothing is padded.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "form", rename_all = "snake_case")]
pub enum Form {
    Hash,
    /// A digest of the backend's own field in canonical bytes, always 32 of them.
    Digest,
    U8,
    U16,
    U32,
    U64,
    /// A byte, 0 or 1.
    Flag,
    /// A `u16` up to and including `most`.
    UpTo {
        most: Bound,
    },
    /// A byte of named bits, lowest first.
    Bits {
        names: &'static [&'static str],
    },
    Record {
        name: &'static str,
        doc: &'static str,
        fields: &'static [Field],
    },
    /// The fields of another record, as if they stood here.
    Base {
        record: &'static Form,
    },
    /// Items behind their count.
    List {
        item: &'static Form,
        least: u32,
        most: Bound,
    },
    /// Items without a count: their number is fixed.
    Array {
        item: &'static Form,
        count: Bound,
    },
    /// Items without a count: as many as an earlier list has, or as an earlier number says.
    Each {
        item: &'static Form,
        of: &'static str,
    },
    /// Digests with a name each.
    Named {
        name: &'static str,
        names: &'static [&'static str],
    },
    /// The public-input vector of a circuit, or one made like it.
    Vector {
        inputs: &'static [Field],
    },
}

/// One field of a record, or one public input.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Field {
    pub name: &'static str,
    pub doc: &'static str,
    pub form: Form,
}

/// What a circuit's bytes are. A statement that is its own witness has the same record twice.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Layout {
    pub circuit: u8,
    /// The names of the size parameters, in order.
    pub params: &'static [&'static str],
    pub statement: Form,
    pub witness: Form,
    pub public: &'static [Field],
}

impl Form {
    /// The types of a public input, with its limits as `number` says.
    pub fn kinds(&self, number: &impl Fn(Bound) -> u16) -> Vec<Kind> {
        match self {
            Form::Digest => vec![Kind::Digest],
            Form::U16 => vec![Kind::Small(u16::MAX)],
            Form::U32 => vec![Kind::U32],
            Form::U64 => vec![Kind::U64],
            Form::UpTo { most } => vec![Kind::Small(number(*most))],
            Form::Array { item, count: Bound::Fixed(n) } => item.kinds(number).repeat(*n as usize),
            other => unreachable!("{other:?} is no public input"),
        }
    }

    /// Bytes of the shortest value: that of zeros, if no list needs an item.
    pub fn shortest(&self, number: &impl Fn(Bound) -> usize) -> usize {
        match self {
            Form::Hash | Form::Digest => DIGEST_BYTES,
            Form::U8 | Form::Flag | Form::Bits { .. } => 1,
            Form::U16 | Form::UpTo { .. } => 2,
            Form::U32 => 4,
            Form::U64 => 8,
            Form::Named { names, .. } => DIGEST_BYTES * names.len(),
            Form::Base { record } => record.shortest(number),
            Form::Record { fields, .. } => fields.iter().map(|field| field.form.shortest(number)).sum(),
            Form::Array { item, count } => item.shortest(number) * number(*count),
            Form::List { item, least, .. } => 2 + item.shortest(number) * *least as usize,
            Form::Each { .. } | Form::Vector { .. } => 0,
        }
    }
}

/// Layouts as data are the same in every field; this is one of them.
pub type AnyField = ark_bn254::Fr;

/// The value of a bound in a circuit.
pub fn number<T: Family>(circuit: &T) -> impl Fn(Bound) -> usize {
    let params = circuit.params();
    let named = move |name: &str| {
        let place = T::LAYOUT.params.iter().position(|p| *p == name);
        params[place.expect("a size parameter")] as usize
    };
    move |bound| match bound {
        Bound::Fixed(n) => n as usize,
        Bound::Size(name) => name.split_once('/').map_or_else(|| named(name), |(a, b)| named(a) / named(b)),
    }
}

/// The types of some public inputs. Limits that depend on the circuit's size are left open.
pub fn open_kinds(inputs: &[Field]) -> Vec<Kind> {
    let number = |bound| if let Bound::Fixed(n) = bound { n as u16 } else { u16::MAX };
    inputs.iter().flat_map(|field| field.form.kinds(&number)).collect()
}

/// Where an input's elements begin in a vector.
pub fn offset<F: CircuitField>(inputs: &[Field], index: usize) -> usize {
    crate::circuits::public::length::<F>(&open_kinds(&inputs[..index]))
}

/// The place of a field, by its name.
pub const fn place(fields: &[Field], name: &str) -> usize {
    let mut i = 0;
    while i < fields.len() && !same(fields[i].name, name) {
        i += 1;
    }
    assert!(i < fields.len(), "no field has this name");
    i
}

/// The place of a name. A name that is missing does not compile where this is a constant.
pub const fn position(names: &[&str], name: &str) -> usize {
    let mut i = 0;
    while i < names.len() && !same(names[i], name) {
        i += 1;
    }
    assert!(i < names.len(), "no such name");
    i
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// A bound as data.
macro_rules! bound {
    ($n:literal) => {
        $crate::circuits::layout::Bound::Fixed($n)
    };
    (($n:expr)) => {
        $crate::circuits::layout::Bound::Fixed($n as u32)
    };
    ($param:ident) => {
        $crate::circuits::layout::Bound::Size(stringify!($param))
    };
    ($param:ident / $divisor:ident) => {
        $crate::circuits::layout::Bound::Size(concat!(stringify!($param), "/", stringify!($divisor)))
    };
}

/// A bound's value at a size.
macro_rules! bound_at {
    ($size:ident, $n:literal) => {
        $n
    };
    ($size:ident, ($n:expr)) => {
        usize::from($n)
    };
    ($size:ident, $param:ident) => {
        $size.$param
    };
    ($size:ident, $param:ident / $divisor:ident) => {
        $size.$param / $size.$divisor
    };
}
pub(crate) use {bound, bound_at};
