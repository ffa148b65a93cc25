//! Where the parts of a proof stand in its bytes.

use serde::Serialize;

use super::*;
use crate::attacks::{Form, Map, Target};

/// Elements are stored in Montgomery form, which has the same modulus.
const ELEMENTS: Form = Form::Elements { modulus: F::ORDER_U32 };

fn encoded<T: Serialize>(value: &T) -> usize {
    postcard::to_allocvec(value).expect("writing to memory").len()
}

/// A count and its items, each a field of its own.
fn list<T: Serialize>(m: &mut Map, names: [&'static str; 2], form: Form, items: &[T]) {
    m.add(names[0], Form::Count, encoded(&items.len()));
    items.iter().for_each(|item| m.add(names[1], form, encoded(item)));
}

/// A tag, then the content if there is any.
fn optional<T: Serialize>(m: &mut Map, name: &'static str, form: Form, value: Option<&T>) {
    m.add("presence", Form::Count, 1);
    if let Some(value) = value {
        m.add(name, form, encoded(value));
    }
}

fn optional_list<T: Serialize>(m: &mut Map, names: [&'static str; 2], value: Option<&Vec<T>>) {
    m.add("presence", Form::Count, 1);
    if let Some(items) = value {
        list(m, names, ELEMENTS, items);
    }
}

fn opened_values(m: &mut Map, proof: &Proof) {
    m.add("instances", Form::Count, encoded(&proof.opened_values.instances.len()));
    for i in &proof.opened_values.instances {
        let base = &i.base_opened_values;
        list(m, ["main samples", "main sample"], ELEMENTS, &base.trace_local);
        optional_list(m, ["next samples", "next sample"], base.trace_next.as_ref());
        let pre = base.preprocessed.as_ref().expect("every table has some");
        m.add("presence", Form::Count, 1);
        list(m, ["preprocessed samples", "preprocessed sample"], ELEMENTS, &pre.local);
        optional_list(m, ["presence", "presence"], pre.next.as_ref());
        m.add("chunks", Form::Count, encoded(&base.quotient_chunks.len()));
        for chunk in &base.quotient_chunks {
            list(m, ["chunk samples", "chunk sample"], ELEMENTS, chunk);
        }
        optional_list(m, ["presence", "presence"], base.random.as_ref());
        list(m, ["bus samples", "bus sample"], ELEMENTS, &i.permutation_local);
        list(m, ["next bus samples", "next bus sample"], ELEMENTS, &i.permutation_next);
    }
}

fn opening_proof(m: &mut Map, proof: &Proof) {
    let fri = &proof.opening_proof;
    m.add("batch nonce", ELEMENTS, 4);
    list(m, ["fold roots", "fold root"], Form::Opaque, &fri.commit_phase_commits);
    list(m, ["fold nonces", "fold nonce"], ELEMENTS, &fri.commit_pow_witnesses);
    m.add("openings", Form::Count, encoded(&fri.input_openings.len()));
    for batch in &fri.input_openings {
        m.add("opened queries", Form::Count, encoded(&batch.opened_values.len()));
        for query in &batch.opened_values {
            m.add("opened rows", Form::Count, encoded(&query.len()));
            query.iter().for_each(|row| list(m, ["row cells", "row cell"], ELEMENTS, row));
        }
        list(m, ["path hashes", "path hash"], Form::Opaque, &batch.opening_proof.sibling_hashes);
    }
    m.add("folds", Form::Count, encoded(&fri.commit_phase_openings.len()));
    for fold in &fri.commit_phase_openings {
        m.add("folded queries", Form::Count, encoded(&fold.sibling_values.len()));
        fold.sibling_values.iter().for_each(|query| list(m, ["siblings", "sibling"], ELEMENTS, query));
        list(m, ["fold hashes", "fold hash"], Form::Opaque, &fold.opening_proof.sibling_hashes);
    }
    list(m, ["final coefficients", "final coefficient"], ELEMENTS, &fri.final_poly);
    m.add("query nonce", ELEMENTS, 4);
}

impl Target for Plonky3 {
    fn cheat(&self, values: &[F], public: &[F], binding: &Binding) -> Vec<(&'static str, Vec<u8>)> {
        let proof = self.prove_traces(&self.traces(values), public, binding).expect("cheaters always finish");
        vec![("unchecked", proof)]
    }

    fn map(&self, bytes: &[u8]) -> Map {
        let proof = codec::decode(bytes, &self.shape).expect("an honest proof");
        let mut m = Map::default();
        m.add("main root", Form::Opaque, encoded(&proof.commitments.main));
        optional(&mut m, "bus root", Form::Opaque, proof.commitments.permutation.as_ref());
        m.add("quotient root", Form::Opaque, encoded(&proof.commitments.quotient_chunks));
        optional(&mut m, "random root", Form::Opaque, proof.commitments.random.as_ref());
        opened_values(&mut m, &proof);
        opening_proof(&mut m, &proof);
        m.add("terminals", Form::Count, encoded(&proof.lookup_terminals.len()));
        proof.lookup_terminals.iter().for_each(|t| optional(&mut m, "terminal", ELEMENTS, t.as_ref()));
        list(&mut m, ["heights", "height"], Form::Count, &proof.degree_bits);
        optional(&mut m, "lookup nonce", ELEMENTS, proof.lookup_pow_witness.as_ref());
        m.add("out-of-domain nonce", ELEMENTS, 4);
        m
    }
}
