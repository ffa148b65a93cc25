//! What a hostile peer does to one field of a byte string.

use super::map::{Field, Form, Map};

/// (what, the edited bytes) for every edit that applies to a field and changes something.
pub fn edits(bytes: &[u8], map: &Map, field: &Field) -> Vec<(&'static str, Vec<u8>)> {
    let at = field.at.clone();
    let replaced = |with: &[u8]| [&bytes[..at.start], with, &bytes[at.end..]].concat();
    let own = &bytes[at.clone()];
    let mut out = vec![
        ("bit flip, first byte", replaced(&flipped(own, 0, 0))),
        ("bit flip, last byte", replaced(&flipped(own, own.len() - 1, 7))),
        ("last byte dropped", replaced(&own[..own.len() - 1])),
        ("field dropped", replaced(&[])),
        ("a byte more", replaced(&[own, &[0]].concat())),
        ("field repeated", replaced(&[own, own].concat())),
        ("zeros", replaced(&vec![0; own.len()])),
        ("ones", replaced(&vec![0xff; own.len()])),
    ];
    if let Some(other) = map.next_alike(field) {
        let mut swapped = bytes.to_vec();
        swapped[at.clone()].copy_from_slice(&bytes[other.at.clone()]);
        swapped[other.at.clone()].copy_from_slice(own);
        out.push(("exchanged with the next", swapped));
    }
    match field.form {
        Form::Elements { modulus } => {
            let word = u32::from_le_bytes(*own.first_chunk().expect("four bytes"));
            let raised = u64::from(word) + u64::from(modulus);
            // The same element by another name, where it fits.
            if let Ok(raised) = u32::try_from(raised) {
                out.push(("element + p", replaced(&[&raised.to_le_bytes(), &own[4..]].concat())));
            }
            let next = (word + 1) % modulus;
            out.push(("element + 1", replaced(&[&next.to_le_bytes(), &own[4..]].concat())));
        }
        Form::Count => {
            out.push(("count + 1", replaced(&added(own, 1))));
            out.push(("count − 1", replaced(&added(own, u8::MAX))));
        }
        Form::Opaque => {}
    }
    out.retain(|(_, edited)| edited != bytes);
    out
}

fn flipped(own: &[u8], byte: usize, bit: u8) -> Vec<u8> {
    let mut out = own.to_vec();
    out[byte] ^= 1 << bit;
    out
}

fn added(own: &[u8], by: u8) -> Vec<u8> {
    let mut out = own.to_vec();
    out[0] = out[0].wrapping_add(by);
    out
}
