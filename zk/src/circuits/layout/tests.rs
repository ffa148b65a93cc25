//! A layout is told once: a copy in which fields are swapped and a limit is another has other bytes, another vector and
//! other places of its wires, and nothing that uses it by name is touched.

use p3_koala_bear::KoalaBear;

use crate::circuits::builder::Builder;
use crate::circuits::layout::{Bound, Codec, Form, inputs, offset, open_kinds, place, record};
use crate::circuits::public;
use crate::field::{CircuitField, Native};
use crate::natives::{digest_bytes, lift};

type F = KoalaBear;

pub struct Size {
    items: usize,
    rooms: usize,
}

const SIZE: Size = Size { items: 6, rooms: 2 };

mod told {
    use super::*;

    record! {
        /// A sheet.
        Sheet<F> in Size {
            number: u32,
            root: Native<F>,
            counted: u16 [..= items],
            marks: [bool; 3] [bits red green blue],
            items: Vec<Native<F>> [1 ..= items / rooms],
            flags: Vec<bool> [each items],
        }
    }

    inputs! {
        /// What is public of it.
        Public<F>, Wires { root: Native<F>, number: u64, count: u16 [..= 3] }
    }
}

mod changed {
    use super::*;

    record! {
        /// A sheet.
        Sheet<F> in Size {
            items: Vec<Native<F>> [1 ..= items],
            flags: Vec<bool> [each items],
            root: Native<F>,
            marks: [bool; 3] [bits red green blue],
            number: u32,
            counted: u16 [..= items],
        }
    }

    inputs! {
        /// What is public of it.
        Public<F>, Wires { count: u16 [..= 7], root: Native<F>, number: u64 }
    }
}

/// Everything that is done with a layout, by names alone: the bytes of a sheet of so many items, the vector of the public
/// inputs, and the vector as a circuit carries it that records them in an order of its own.
macro_rules! used {
    ($layout:ident, $items:expr) => {{
        let root: Native<F> = lift(&[1; 32]);
        let marks = [true, false, true];
        let (items, flags) = (vec![lift(&[2; 32]); $items], vec![true; $items]);
        let bytes = $layout::Sheet { number: 7, root, counted: 5, marks, items, flags }.to_bytes();
        let input = $layout::Public { root, number: 1 << 40, count: 3 };
        let mut b = Builder::new();
        (input.number(&mut b), input.count(&mut b), input.root(&mut b));
        let mut in_order = Builder::new();
        let wires = input.wires(&mut in_order);
        assert_eq!(in_order.digest_value(&wires.root), root);
        assert_eq!([wires.number.value(&in_order), in_order.value(wires.count).to_u64().unwrap()], [1 << 40, 3]);
        let (structure, values) = b.finish();
        let carried: Vec<F> = structure.public.iter().map(|w| values[w.0 as usize]).collect();
        (bytes, input.vector(), carried)
    }};
}

fn bytes_of(root: u8) -> [u8; 32] {
    digest_bytes(&lift::<F>(&[root; 32]))
}

#[test]
fn bytes_and_vector_follow_the_declaration() {
    let (bytes, vector, carried) = used!(told, 2);
    let [root, item] = [1, 2].map(bytes_of);
    let parts: [&[u8]; 7] = [&[7, 0, 0, 0], &root, &[5, 0], &[5], &[2, 0], &[item, item].concat(), &[1, 1]];
    assert_eq!(bytes, parts.concat());
    assert_eq!(vector[..8], lift::<F>(&[1; 32]));
    assert_eq!(vector[12], F::from_u64(3));
    assert_eq!(carried, vector);
    assert_eq!(told::Sheet::<F>::parse(&bytes, &SIZE).expect("a sheet").to_bytes(), bytes);
}

#[test]
fn a_changed_copy_needs_no_other_edit() {
    let (bytes, vector, carried) = used!(changed, 2);
    let [root, item] = [1, 2].map(bytes_of);
    let parts: [&[u8]; 7] = [&[2, 0], &[item, item].concat(), &[1, 1], &root, &[5], &[7, 0, 0, 0], &[5, 0]];
    assert_eq!(bytes, parts.concat());
    assert_eq!(vector[0], F::from_u64(3));
    assert_eq!(vector[1..9], lift::<F>(&[1; 32]));
    assert_eq!(carried, vector, "the wires stand where the vector has their inputs");
    assert_eq!(changed::Sheet::<F>::parse(&bytes, &SIZE).expect("a sheet").to_bytes(), bytes);
}

#[test]
fn a_changed_limit_is_another_limit() {
    let four = used!(told, 4).0;
    let error = told::Sheet::<F>::parse(&four, &SIZE).expect_err("three at most").to_string();
    assert!(error.contains("Sheet.items: 4 is not between 1 and 3"), "{error}");
    assert!(changed::Sheet::<F>::parse(&used!(changed, 4).0, &SIZE).is_ok());
    let limit = |count: u64, inputs| {
        let mut vector = vec![F::ZERO; 13];
        vector[offset::<F>(inputs, place(inputs, "count"))] = F::from_u64(count);
        public::from_bytes::<F>(&open_kinds(inputs), &public::to_bytes(&vector)).is_ok()
    };
    assert_eq!([3, 4].map(|n| limit(n, told::Public::<F>::INPUTS)), [true, false]);
    assert_eq!([7, 8].map(|n| limit(n, changed::Public::<F>::INPUTS)), [true, false]);
}

#[test]
fn the_data_say_the_same() {
    let names = |form: Form| match form {
        Form::Record { fields, .. } => fields.iter().map(|f| f.name).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(names(told::Sheet::<F>::FORM), ["number", "root", "counted", "marks", "items", "flags"]);
    assert_eq!(names(changed::Sheet::<F>::FORM), ["items", "flags", "root", "marks", "number", "counted"]);
    let number = |bound| if let Bound::Fixed(n) = bound { n as usize } else { 0 };
    assert_eq!(told::Sheet::<F>::FORM.shortest(&number), 4 + 32 + 2 + 1 + (2 + 32));
}

/// Every cut, a byte too many, an unknown bit, a flag that is none, an element that is not canonical.
#[test]
fn reading_is_strict() {
    let bytes = used!(told, 2).0;
    let read = |bytes: &[u8]| told::Sheet::<F>::parse(bytes, &SIZE).is_ok();
    assert!((0..bytes.len()).all(|cut| !read(&bytes[..cut])));
    assert!(!read(&[bytes.as_slice(), &[0]].concat()));
    for (at, value) in [(36, 7), (38, 8), (39, 0), (bytes.len() - 1, 2), (7, 0xFF)] {
        let mut wrong = bytes.clone();
        wrong[at] = value;
        assert!(!read(&wrong), "byte {at}");
    }
}
