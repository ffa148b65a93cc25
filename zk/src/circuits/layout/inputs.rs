//! Public inputs: their values, their vector and the wires that carry them, from one declaration.

use crate::circuits::builder::{Builder, Digest, Wire};
use crate::circuits::gadgets::{U64, u16_public, u32_public, u64_public};
use crate::circuits::layout::Codec;
use crate::field::{CircuitField, DIGEST_MAX, Native};
use crate::natives::Elements;

/// A type that a public input can have.
pub trait Input<F: CircuitField>: Codec<()> {
    /// What stands for it in the circuit.
    type Wires: Copy;

    /// Appends its elements.
    fn append(&self, to: Elements<F>) -> Elements<F>;

    /// Records it as the next public input, with the range that its type has.
    fn record(&self, b: &mut Builder<F>) -> Self::Wires;
}

impl<F: CircuitField> Input<F> for [F; DIGEST_MAX] {
    type Wires = Digest;

    fn append(&self, to: Elements<F>) -> Elements<F> {
        to.digest(self)
    }

    fn record(&self, b: &mut Builder<F>) -> Digest {
        b.public_digest(self)
    }
}

impl<F: CircuitField, const N: usize> Input<F> for [Native<F>; N] {
    type Wires = [Digest; N];

    fn append(&self, to: Elements<F>) -> Elements<F> {
        self.iter().fold(to, Elements::digest)
    }

    fn record(&self, b: &mut Builder<F>) -> [Digest; N] {
        self.map(|d| b.public_digest(&d))
    }
}

macro_rules! integers {
    ($($ty:ident $append:ident $record:ident $wires:ident),+) => {
        $(impl<F: CircuitField> Input<F> for $ty {
            type Wires = $wires;

            fn append(&self, to: Elements<F>) -> Elements<F> {
                to.$append(*self)
            }

            fn record(&self, b: &mut Builder<F>) -> $wires {
                $record(b, *self)
            }
        })+
    };
}
integers!(u16 small u16_public Wire, u32 u32 u32_public Wire, u64 u64 u64_public U64);

/// Declares the public inputs of a circuit. An input is `name: Type`, or `name: u16 [..= most]`, whose limit is left to
/// the circuit's constraints.
///
/// Each has a method of its name that records it, at its place in the vector wherever in the circuit that happens;
/// `wires` records all of them in order.
macro_rules! inputs {
    (
        $(#[doc = $doc:literal])+
        $name:ident<$f:ident>, $wires:ident {
            $($(#[doc = $note:literal])* $field:ident: $ty:ty $([..= $($most:tt)+])?),+ $(,)?
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug)]
        pub struct $name<$f> {
            $($(#[doc = $note])* pub $field: $ty,)+
        }

        /// The wires of the public inputs.
        pub struct $wires<$f: $crate::field::CircuitField> {
            $(pub $field: <$ty as $crate::circuits::layout::Input<$f>>::Wires,)+
        }

        impl<$f: $crate::field::CircuitField> $name<$f> {
            /// The same as data.
            pub const INPUTS: &'static [$crate::circuits::layout::Field] = &[$($crate::circuits::layout::Field {
                name: stringify!($field),
                doc: concat!($($note),*),
                form: $crate::circuits::layout::inputs!(@form $ty $([$($most)+])?),
            }),+];

            /// The public-input vector.
            pub fn vector(&self) -> Vec<$f> {
                let vector = $crate::natives::Elements::new();
                $(let vector = $crate::circuits::layout::Input::append(&self.$field, vector);)+
                vector.0
            }

            /// Records all in order.
            pub fn wires(&self, b: &mut $crate::circuits::builder::Builder<$f>) -> $wires<$f> {
                $wires { $($field: self.$field(b)),+ }
            }

            $(pub fn $field(
                &self,
                b: &mut $crate::circuits::builder::Builder<$f>,
            ) -> <$ty as $crate::circuits::layout::Input<$f>>::Wires {
                let place = $crate::circuits::layout::place(Self::INPUTS, stringify!($field));
                b.public_from($crate::circuits::layout::offset::<$f>(Self::INPUTS, place));
                $crate::circuits::layout::inputs!(@record (self.$field, b) $f $([$($most)+])?)
            })+
        }
    };

    (@form $ty:ty) => { <$ty as $crate::circuits::layout::Codec<()>>::FORM };
    (@form $ty:ty [$($most:tt)+]) => {
        $crate::circuits::layout::Form::UpTo { most: $crate::circuits::layout::bound!($($most)+) }
    };

    (@record ($this:ident . $field:ident, $b:ident) $f:ident) => {
        $crate::circuits::layout::Input::record(&$this.$field, $b)
    };
    (@record ($this:ident . $field:ident, $b:ident) $f:ident [$($most:tt)+]) => {
        $b.public($f::from_u64(u64::from($this.$field)))
    };
}
pub(crate) use inputs;
