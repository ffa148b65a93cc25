//! Records: a struct with its bytes, from one declaration.

use crate::circuits::codec::{Reader, whole};
use crate::circuits::layout::{Bound, Form, Hash};
use crate::error::ZkError;
use crate::field::{CircuitField, DIGEST_MAX, Native};
use crate::natives::digest_bytes;

/// A value with one byte string at each size `S` of its circuit.
pub trait Codec<S>: Sized {
    /// The same as data.
    const FORM: Form;

    /// Reads strictly; `what` names a field in an error.
    fn read(r: &mut Reader<'_>, size: &S, what: &str) -> Result<Self, ZkError>;

    /// Appends the bytes.
    fn write(&self, out: &mut Vec<u8>);

    /// Reads all of `bytes`.
    fn parse(bytes: &[u8], size: &S) -> Result<Self, ZkError> {
        whole(bytes, |r| Self::read(r, size, "value"))
    }

    /// The inverse of `parse`.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![];
        self.write(&mut out);
        out
    }
}

macro_rules! integers {
    ($($ty:ident $form:ident),+) => {
        $(impl<S> Codec<S> for $ty {
            const FORM: Form = Form::$form;

            fn read(r: &mut Reader<'_>, _: &S, what: &str) -> Result<Self, ZkError> {
                r.$ty(what)
            }

            fn write(&self, out: &mut Vec<u8>) {
                out.extend(self.to_le_bytes());
            }
        })+
    };
}
integers!(u8 U8, u16 U16, u32 U32, u64 U64);

impl<S> Codec<S> for bool {
    const FORM: Form = Form::Flag;

    fn read(r: &mut Reader<'_>, _: &S, what: &str) -> Result<Self, ZkError> {
        r.flag(what)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
}

impl<S> Codec<S> for Hash {
    const FORM: Form = Form::Hash;

    fn read(r: &mut Reader<'_>, _: &S, what: &str) -> Result<Self, ZkError> {
        r.bytes32(what)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self);
    }
}

impl<S, F: CircuitField> Codec<S> for [F; DIGEST_MAX] {
    const FORM: Form = Form::Digest;

    fn read(r: &mut Reader<'_>, _: &S, what: &str) -> Result<Self, ZkError> {
        r.digest(what)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(digest_bytes(self));
    }
}

impl<S, const N: usize> Codec<S> for [Hash; N] {
    const FORM: Form = Form::Array { item: &Form::Hash, count: Bound::Fixed(N as u32) };

    fn read(r: &mut Reader<'_>, _: &S, what: &str) -> Result<Self, ZkError> {
        let mut out = [[0; 32]; N];
        for hash in &mut out {
            *hash = r.bytes32(what)?;
        }
        Ok(out)
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|hash| out.extend(hash));
    }
}

impl<S, F: CircuitField, const N: usize> Codec<S> for [Native<F>; N] {
    const FORM: Form = Form::Array { item: &Form::Digest, count: Bound::Fixed(N as u32) };

    fn read(r: &mut Reader<'_>, _: &S, what: &str) -> Result<Self, ZkError> {
        r.digests(what)
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|d| out.extend(digest_bytes(d)));
    }
}

/// What tells how many items a later list has.
pub(crate) trait Length {
    fn length(&self) -> usize;
}

impl Length for u16 {
    fn length(&self) -> usize {
        usize::from(*self)
    }
}

impl<T> Length for Vec<T> {
    fn length(&self) -> usize {
        self.len()
    }
}

/// So many items.
pub(crate) fn read_many<S, T: Codec<S>>(
    r: &mut Reader<'_>,
    size: &S,
    what: &str,
    count: usize,
) -> Result<Vec<T>, ZkError> {
    (0..count).map(|_| T::read(r, size, what)).collect()
}

/// Items behind their count, which is `least` to `most`.
pub(crate) fn read_counted<S, T: Codec<S>>(
    r: &mut Reader<'_>,
    size: &S,
    what: &str,
    (least, most): (usize, usize),
) -> Result<Vec<T>, ZkError> {
    let count = r.count_from(least, most, what)?;
    read_many(r, size, what, count)
}

pub(crate) fn write_many<S, T: Codec<S>>(items: &[T], out: &mut Vec<u8>) {
    items.iter().for_each(|item| item.write(out));
}

pub(crate) fn write_counted<S, T: Codec<S>>(items: &[T], out: &mut Vec<u8>) {
    out.extend((items.len() as u16).to_le_bytes());
    write_many::<S, T>(items, out);
}

/// Declares a record. `in Size`: its limits are of that circuit's size; `in <S>`: it has none and stands in any circuit.
///
/// A field is `name: Type`, and behind some types stands what limits them:
///
/// * `u16 [..= most]` a number;
/// * `Vec<T> [least ..= most]` a list behind its count, `[count]` one of fixed length, `[each field]` as many items as an
///   earlier field has or says, `[each field of count]` so many lists of digests;
/// * `[bool; N] [bits a b c]` the flags of one byte, `[Native<F>; N] [named Name NAMES]` digests with a name each;
/// * `Slots<F> [vectors KIND least ..= most]` the vectors of inner proofs, `T [base]` a record that this one extends.
///
/// A bound is a number, a constant in parentheses, a size parameter or `a / b` of two.
macro_rules! record {
    ($(#[doc = $doc:literal])+ $name:ident $(<$f:ident>)? in <$any:ident> { $($fields:tt)+ }) => {
        $crate::circuits::layout::record!(@item ($($doc)+) $name ($($f)?) ($any) ($any) { $($fields)+ });
    };
    ($(#[doc = $doc:literal])+ $name:ident $(<$f:ident>)? in $size:ident { $($fields:tt)+ }) => {
        $crate::circuits::layout::record!(@item ($($doc)+) $name ($($f)?) () ($size) { $($fields)+ });
    };

    (
        @item ($($doc:literal)+) $name:ident ($($f:ident)?) ($($any:ident)?) ($size:ident)
        { $($(#[doc = $note:literal])* $field:ident: $ty:ty $([$($limit:tt)+])?),+ $(,)? }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug)]
        pub struct $name $(<$f>)? {
            $($(#[doc = $note])* pub $field: $ty,)+
        }

        impl<$($f: $crate::field::CircuitField,)? $($any)?> $crate::circuits::layout::Codec<$size> for $name $(<$f>)? {
            const FORM: $crate::circuits::layout::Form = $crate::circuits::layout::Form::Record {
                name: stringify!($name),
                doc: concat!($($doc),+),
                fields: &[$($crate::circuits::layout::Field {
                    name: stringify!($field),
                    doc: concat!($($note),*),
                    form: $crate::circuits::layout::record!(@form ($size) $ty $([$($limit)+])?),
                }),+],
            };

            fn read(
                r: &mut $crate::circuits::codec::Reader<'_>,
                size: &$size,
                _: &str,
            ) -> Result<Self, $crate::error::ZkError> {
                $(let $field: $ty = {
                    let what = concat!(stringify!($name), ".", stringify!($field));
                    $crate::circuits::layout::record!(@read (r, size, what) $ty $([$($limit)+])?)
                };)+
                Ok($name { $($field),+ })
            }

            fn write(&self, out: &mut Vec<u8>) {
                $($crate::circuits::layout::record!(@write (self.$field, out) ($size) $ty $([$($limit)+])?);)+
            }
        }
    };

    (@form ($size:ident) $ty:ty) => { <$ty as $crate::circuits::layout::Codec<$size>>::FORM };
    (@form ($size:ident) $ty:ty [base]) => {
        $crate::circuits::layout::Form::Base { record: &<$ty as $crate::circuits::layout::Codec<$size>>::FORM }
    };
    (@form ($size:ident) $ty:ty [bits $($bit:ident)+]) => {
        $crate::circuits::layout::Form::Bits { names: &[$(stringify!($bit)),+] }
    };
    (@form ($size:ident) $ty:ty [named $name:ident $names:ident]) => {
        $crate::circuits::layout::Form::Named { name: stringify!($name), names: &$names }
    };
    (@form ($size:ident) $ty:ty [vectors $inner:ident $least:literal ..= $($most:tt)+]) => {
        $crate::circuits::layout::Form::List {
            item: &$crate::circuits::layout::Form::Vector { inputs: $inner.inputs },
            least: $least,
            most: $crate::circuits::layout::bound!($($most)+),
        }
    };
    (@form ($size:ident) $ty:ty [each $of:ident . $part:ident of $($count:tt)+]) => {
        $crate::circuits::layout::Form::Each {
            item: &$crate::circuits::layout::Form::Array {
                item: &$crate::circuits::layout::Form::Digest,
                count: $crate::circuits::layout::bound!($($count)+),
            },
            of: stringify!($part),
        }
    };
    (@form ($size:ident) $ty:ty [each $of:ident $(. $part:ident)?]) => {
        $crate::circuits::layout::Form::Each {
            item: &<<$ty as IntoIterator>::Item as $crate::circuits::layout::Codec<$size>>::FORM,
            of: $crate::circuits::layout::record!(@last $of $($part)?),
        }
    };
    (@form ($size:ident) $ty:ty [..= $($most:tt)+]) => {
        $crate::circuits::layout::Form::UpTo { most: $crate::circuits::layout::bound!($($most)+) }
    };
    (@form ($size:ident) $ty:ty [$least:literal ..= $($most:tt)+]) => {
        $crate::circuits::layout::Form::List {
            item: &<<$ty as IntoIterator>::Item as $crate::circuits::layout::Codec<$size>>::FORM,
            least: $least,
            most: $crate::circuits::layout::bound!($($most)+),
        }
    };
    (@form ($size:ident) $ty:ty [$($count:tt)+]) => {
        $crate::circuits::layout::Form::Array {
            item: &<<$ty as IntoIterator>::Item as $crate::circuits::layout::Codec<$size>>::FORM,
            count: $crate::circuits::layout::bound!($($count)+),
        }
    };

    (@read ($r:ident, $size:ident, $what:ident) $ty:ty $([base])? $([named $name:ident $names:ident])?) => {
        $crate::circuits::layout::Codec::read($r, $size, $what)?
    };
    (@read ($r:ident, $size:ident, $what:ident) $ty:ty [vectors $inner:ident $least:literal ..= $($most:tt)+]) => {
        <$ty>::read($r, &$inner, ($least, $crate::circuits::layout::bound_at!($size, $($most)+)), $what)?
    };
    (@read ($r:ident, $size:ident, $what:ident) $ty:ty [each $of:ident . $part:ident of $($count:tt)+]) => {{
        let count = $crate::circuits::layout::bound_at!($size, $($count)+);
        let lists = 0..$crate::circuits::layout::Length::length(&$of.$part);
        lists.map(|_| $crate::circuits::layout::read_many($r, $size, $what, count)).collect::<Result<_, _>>()?
    }};
    (@read ($r:ident, $size:ident, $what:ident) $ty:ty [bits $($bit:ident)+]) => { $r.bits($what)? };
    (@read ($r:ident, $size:ident, $what:ident) $ty:ty [each $of:ident $(. $part:ident)?]) => {
        $crate::circuits::layout::read_many(
            $r, $size, $what, $crate::circuits::layout::Length::length(&$of $(. $part)?),
        )?
    };
    (@read ($r:ident, $size:ident, $what:ident) $ty:ty [..= $($most:tt)+]) => {
        $r.count_from(0, $crate::circuits::layout::bound_at!($size, $($most)+), $what)? as u16
    };
    (@read ($r:ident, $size:ident, $what:ident) $ty:ty [$least:literal ..= $($most:tt)+]) => {
        $crate::circuits::layout::read_counted(
            $r, $size, $what, ($least, $crate::circuits::layout::bound_at!($size, $($most)+)),
        )?
    };
    (@read ($r:ident, $size:ident, $what:ident) $ty:ty [$($count:tt)+]) => {
        $crate::circuits::layout::read_many($r, $size, $what, $crate::circuits::layout::bound_at!($size, $($count)+))?
    };

    (@write ($this:ident . $field:ident, $out:ident) ($size:ident) $ty:ty [$least:literal ..= $($most:tt)+]) => {
        $crate::circuits::layout::write_counted::<$size, _>(&$this.$field, $out)
    };
    (@write ($this:ident . $field:ident, $out:ident) ($size:ident) $ty:ty [vectors $($vectors:tt)+]) => {
        $this.$field.write($out)
    };
    (
        @write ($this:ident . $field:ident, $out:ident) ($size:ident)
        $ty:ty [each $of:ident . $part:ident of $($count:tt)+]
    ) => {
        $this.$field.iter().for_each(|list| $crate::circuits::layout::write_many::<$size, _>(list, $out))
    };
    (@write ($this:ident . $field:ident, $out:ident) ($size:ident) $ty:ty [bits $($bit:ident)+]) => {
        $out.push($this.$field.iter().rev().fold(0, |bits, set| bits << 1 | u8::from(*set)))
    };
    (
        @write ($this:ident . $field:ident, $out:ident) ($size:ident)
        $ty:ty $([base])? $([named $name:ident $names:ident])? $([..= $($most:tt)+])?
    ) => {
        <$ty as $crate::circuits::layout::Codec<$size>>::write(&$this.$field, $out)
    };
    (@write ($this:ident . $field:ident, $out:ident) ($size:ident) $ty:ty [$($count:tt)+]) => {
        $crate::circuits::layout::write_many::<$size, _>(&$this.$field, $out)
    };

    (@last $only:ident) => { stringify!($only) };
    (@last $base:ident $part:ident) => { stringify!($part) };
}
pub(crate) use record;
