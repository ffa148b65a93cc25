//! Every field of the envelope, of the public inputs and of a dumped key.

use std::sync::Arc;

use proptest::prelude::*;

use super::edits::edits;
use super::map::{Form, Map};
use crate::backend::{Binding, Security};
use crate::circuits::{Circuit, sample};
use crate::envelope::{Envelope, HEADER_BYTES, public_digest, seal};
use crate::error::{Reject, ZkError};
use crate::field::CircuitField;
use crate::key::{self, Key};

const MAX_BYTES: usize = 1 << 22;
/// Fields of the header with the reason that a change of each gets.
const HEADER: [(&str, usize, Reject); 8] = [
    ("proof_version", 2, Reject::VersionMismatch),
    ("backend", 1, Reject::UnknownBackend),
    ("circuit_id", 1, Reject::UnknownProofKind),
    ("circuit_version", 2, Reject::CircuitVersionMismatch),
    ("params_hash", 32, Reject::ParamsHashMismatch),
    ("vk_id", 32, Reject::VerifyingKeyMismatch),
    ("public_digest", 32, Reject::PublicDigestMismatch),
    ("proof_len", 4, Reject::BodyLengthMismatch),
];

/// A key with an honest proof under it.
struct Case {
    key: Arc<dyn Key>,
    public: Vec<u8>,
    envelope: Vec<u8>,
}

fn case<F: CircuitField>(circuit: Circuit) -> Case {
    let key = key::generate(F::NUMBER, circuit, Security::Standard, [4; 32]).expect("a circuit");
    let (statement, witness) = circuit.sample::<F>();
    let public = key.public_inputs(&statement).expect("a statement");
    let envelope = key.prove(&witness, [5; 32], 1).expect("an honest witness");
    assert_eq!(key.verify(&public, &envelope, MAX_BYTES), Ok(()));
    Case { key, public, envelope }
}

fn each<F: CircuitField>(attack: fn(&Case)) {
    sample::circuits().into_iter().for_each(|circuit| attack(&case::<F>(circuit)));
}

fn on_all(attack: fn(&Case)) {
    each::<stwo::core::fields::m31::M31>(attack);
    each::<p3_koala_bear::KoalaBear>(attack);
    each::<ark_bn254::Fr>(attack);
}

fn header_map() -> Map {
    let mut map = Map::default();
    HEADER.iter().for_each(|(name, len, _)| map.add(name, Form::Opaque, *len));
    assert_eq!(map.end(), HEADER_BYTES);
    map
}

fn header(case: &Case) {
    let map = header_map();
    for field in map.some_of_each().0 {
        let (_, len, reason) = HEADER.iter().find(|h| h.0 == field.name).expect("a header field");
        for (what, edited) in edits(&case.envelope, &map, field) {
            let verdict = case.key.verify(&case.public, &edited, MAX_BYTES);
            // Edits that move the rest change the declared length first of all.
            let moved = edited.len() != case.envelope.len();
            let expected = if moved { Reject::BodyLengthMismatch } else { *reason };
            assert_eq!(verdict, Err(expected), "{} ({len} bytes), {what}", field.name);
        }
    }
}

#[test]
fn every_header_field_is_bound() {
    on_all(header);
}

/// Edited public inputs, with the digest in the header as it was and made again to match.
fn public_inputs(case: &Case) {
    let len = case.public.len() / case.key.public_len();
    let mut map = Map::default();
    (0..case.key.public_len()).for_each(|_| map.add("element", Form::Opaque, len));
    for at in 0..case.key.public_len() {
        let field = map.some_of_each().0[0].clone();
        let field = super::map::Field { at: at * len..(at + 1) * len, ..field };
        for (what, edited) in edits(&case.public, &map, &field) {
            let digest = public_digest(case.key.binding(), &edited);
            let again = seal(case.key.binding(), &digest, &case.envelope[HEADER_BYTES..]);
            for envelope in [&case.envelope, &again] {
                let verdict = case.key.verify(&edited, envelope, MAX_BYTES);
                assert!(verdict.is_err_and(|r| r != Reject::VerifierPanicked), "element {at}, {what}: {verdict:?}");
            }
        }
    }
}

#[test]
fn every_public_input_is_bound_in_every_byte() {
    each::<stwo::core::fields::m31::M31>(public_inputs);
    each::<p3_koala_bear::KoalaBear>(public_inputs);
    // A pairing takes a millisecond, so here the small circuit stands for all.
    public_inputs(&case::<ark_bn254::Fr>(Circuit::Transaction));
}

/// A dumped key, edited in its head, its first fields and its last.
fn dumps(case: &Case) {
    let dump = case.key.dump();
    let backend = case.key.binding().backend;
    let mut map = Map::default();
    map.add("params_hash", Form::Opaque, 32);
    map.add("vk_id", Form::Opaque, 32);
    map.add("body", Form::Opaque, 8);
    map.add("rest", Form::Opaque, dump.len() - map.end() - 8);
    map.add("end", Form::Opaque, 8);
    for field in map.some_of_each().0 {
        for (what, edited) in edits(&dump, &map, field) {
            let result = key::load(backend, case.key.circuit(), Security::Standard, &edited);
            assert!(matches!(result, Err(ZkError::InvalidKeyEncoding(_))), "{}, {what}", field.name);
        }
    }
}

#[test]
fn every_part_of_a_dumped_key_is_bound() {
    each::<stwo::core::fields::m31::M31>(dumps);
    each::<p3_koala_bear::KoalaBear>(dumps);
    dumps(&case::<ark_bn254::Fr>(Circuit::Transaction));
}

fn any_binding() -> impl Strategy<Value = Binding> {
    any::<(u16, u8, u8, u16, [u8; 32], [u8; 32])>().prop_map(|(v, backend, circuit_id, cv, params_hash, vk_id)| {
        Binding { proof_version: v, backend, circuit_id, circuit_version: cv, params_hash, vk_id }
    })
}

proptest! {
    #[test]
    fn an_envelope_opens_to_what_was_sealed(binding in any_binding(), digest: [u8; 32], proof: Vec<u8>) {
        let bytes = seal(&binding, &digest, &proof);
        prop_assert_eq!(bytes.len(), HEADER_BYTES + proof.len());
        let envelope = Envelope::open(&bytes, bytes.len()).expect("its own bytes");
        prop_assert_eq!(envelope.check_binding(&binding), Ok(()));
        prop_assert_eq!((envelope.public_digest(), envelope.proof), (digest, proof.as_slice()));
        prop_assert!(Envelope::open(&bytes, bytes.len() - 1).is_err_and(|r| r == Reject::ProofTooLarge));
    }

    #[test]
    fn bytes_that_open_are_the_only_ones_with_their_content(bytes: Vec<u8>, cut in 0usize..200) {
        for candidate in [bytes.clone(), bytes[..cut.min(bytes.len())].to_vec()] {
            if let Ok(envelope) = Envelope::open(&candidate, candidate.len()) {
                prop_assert_eq!(HEADER_BYTES + envelope.proof.len(), candidate.len());
            }
        }
    }

    #[test]
    fn another_binding_is_refused(a in any_binding(), b in any_binding(), digest: [u8; 32]) {
        let bytes = seal(&a, &digest, &[]);
        let envelope = Envelope::open(&bytes, HEADER_BYTES).expect("its own bytes");
        prop_assert_eq!(envelope.check_binding(&b).is_ok(), a == b);
    }
}
