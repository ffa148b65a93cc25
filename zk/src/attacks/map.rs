//! What each byte of a proof is, so that edits can be aimed.

use std::collections::BTreeMap;
use std::ops::Range;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Field elements of so many bytes each, little-endian words below this modulus.
    Elements { modulus: u32 },
    /// The number of items that follow, or a tag.
    Count,
    /// Anything else: digests, nonces, curve points.
    Opaque,
}

/// One field of a byte string.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: &'static str,
    pub form: Form,
    pub at: Range<usize>,
}

/// The fields of a byte string, in order and without gaps.
#[derive(Default)]
pub struct Map(Vec<Field>);

impl Map {
    /// Says that the next `len` bytes are this field; empty ones leave no trace.
    pub fn add(&mut self, name: &'static str, form: Form, len: usize) {
        let at = self.end()..self.end() + len;
        if len > 0 {
            self.0.push(Field { name, form, at });
        }
    }

    /// Where the next field begins.
    pub fn end(&self) -> usize {
        self.0.last().map_or(0, |f| f.at.end)
    }

    /// The first, middle and last field of every name, and how many names there are.
    pub fn some_of_each(&self) -> (Vec<&Field>, usize) {
        let mut by_name: BTreeMap<&str, Vec<&Field>> = BTreeMap::new();
        self.0.iter().for_each(|f| by_name.entry(f.name).or_default().push(f));
        let names = by_name.len();
        let chosen = by_name.into_values().flat_map(|all| {
            let mut places = vec![0, all.len() / 2, all.len() - 1];
            places.dedup();
            places.into_iter().map(|i| all[i]).collect::<Vec<_>>()
        });
        (chosen.collect(), names)
    }

    /// The next field after this one that has its name and length.
    pub fn next_alike(&self, field: &Field) -> Option<&Field> {
        let alike = |f: &&Field| f.name == field.name && f.at.len() == field.at.len() && f.at.start > field.at.start;
        self.0.iter().find(alike)
    }
}
