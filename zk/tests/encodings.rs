//! Encodings: what decodes has one byte string, and everything else is refused.

use std::sync::LazyLock;

use ark_bn254::Fr;
use p3_koala_bear::KoalaBear;
use proptest::prelude::*;
use simnet_zk::backend::Security;
use simnet_zk::circuits::codec::whole;
use simnet_zk::circuits::consensus::Size;
use simnet_zk::circuits::consensus::statement::Statement;
use simnet_zk::circuits::layout::Codec;
use simnet_zk::circuits::public::{self, Kind};
use simnet_zk::circuits::{Circuit, sample};
use simnet_zk::error::{Reject, ZkError};
use simnet_zk::field::CircuitField;
use simnet_zk::key;
use stwo::core::fields::m31::M31;

const SIZE: Size = Size { validators: 8, witnesses: 8, reputations: 4 };

/// A change of some bytes: overwritten, cut off, or added.
#[derive(Clone, Debug)]
enum Edit {
    Set(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Add(Vec<u8>),
}

fn any_edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        4 => any::<(prop::sample::Index, u8)>().prop_map(|(at, byte)| Edit::Set(at, byte)),
        1 => any::<prop::sample::Index>().prop_map(Edit::Cut),
        1 => prop::collection::vec(any::<u8>(), 1..64).prop_map(Edit::Add),
    ]
}

fn edited(bytes: &[u8], edit: &Edit) -> Vec<u8> {
    let mut out = bytes.to_vec();
    match edit {
        Edit::Set(at, byte) => out[at.index(bytes.len())] = *byte,
        Edit::Cut(at) => out.truncate(at.index(bytes.len())),
        Edit::Add(more) => out.extend(more),
    }
    out
}

/// A consensus statement that decodes is encoded to the bytes it came from.
fn statement_is_canonical<F: CircuitField>(edit: &Edit) {
    let honest = sample::consensus::<F>(5, 8, 5, 3).statement.to_bytes();
    let bytes = edited(&honest, edit);
    if let Ok(statement) = Statement::<F>::parse(&bytes, &SIZE) {
        assert_eq!(statement.to_bytes(), bytes);
    } else {
        assert_ne!(bytes, honest);
    }
}

/// A statement that differs has another vector, or none. State and recursive statements hold fields that other proofs
/// or the circuit bind (a transfer's required tier, a header without its consensus proof), so this is not theirs.
fn statement_is_bound<F: CircuitField>(circuit: &Circuit, edit: &Edit) {
    let honest = circuit.sample::<F>().0;
    let bytes = edited(&honest, edit);
    let vector = |bytes: &[u8]| circuit.vector::<F>(bytes);
    if let (Ok(a), Ok(b)) = (vector(&honest), vector(&bytes)) {
        assert_eq!(a == b, honest == bytes, "circuit {}", circuit.id());
    }
}

/// A vector of these kinds survives its bytes; changed bytes are another vector or refused with a reason.
fn vector_is_canonical<F: CircuitField>(circuit: &Circuit, edit: &Edit) {
    let vector = circuit.vector::<F>(&circuit.sample::<F>().0).expect("a statement");
    let bytes = public::to_bytes(&vector);
    let same = |bytes: &[u8]| public::from_bytes::<F>(&circuit.kinds(), bytes).is_ok_and(|v| v == vector);
    assert!(same(&bytes));
    let changed = edited(&bytes, edit);
    assert_eq!(same(&changed), changed == bytes);
    if changed.len() != bytes.len() {
        let verdict = public::from_bytes::<F>(&circuit.kinds(), &changed);
        assert!(verdict.is_err_and(|r| r == Reject::PublicInputMismatch));
    }
}

/// A number of a kind decodes exactly when it is in the kind's range.
fn kinds_are_exact<F: CircuitField>(value: u32, max: u16) {
    let bytes = public::to_bytes(&[F::from_u64(value.into())]);
    let small = public::from_bytes::<F>(&[Kind::Small(max)], &bytes);
    assert_eq!(small.is_ok(), value <= u32::from(max));
}

static KEYS: LazyLock<Vec<(u8, Vec<u8>)>> = LazyLock::new(|| {
    let dump = |b| key::generate(b, Circuit::Transaction, Security::Standard, [1; 32]).expect("a circuit").dump();
    (1..=3).map(|b| (b, dump(b))).collect()
});

proptest! {
    #[test]
    fn consensus_statements_are_canonical(edit in any_edit()) {
        statement_is_canonical::<M31>(&edit);
        statement_is_canonical::<KoalaBear>(&edit);
        statement_is_canonical::<Fr>(&edit);
    }

    #[test]
    fn statements_are_bound_by_their_vectors(edit in any_edit()) {
        for circuit in sample::circuits().into_iter().filter(|c| matches!(c.id(), 1 | 2 | 7)) {
            statement_is_bound::<M31>(&circuit, &edit);
            statement_is_bound::<Fr>(&circuit, &edit);
        }
    }

    #[test]
    fn vectors_are_canonical(edit in any_edit()) {
        for circuit in sample::circuits() {
            vector_is_canonical::<M31>(&circuit, &edit);
            vector_is_canonical::<KoalaBear>(&circuit, &edit);
            vector_is_canonical::<Fr>(&circuit, &edit);
        }
    }

    #[test]
    fn small_numbers_have_exact_limits(value in 0u32..(1 << 17), max: u16) {
        kinds_are_exact::<M31>(value, max);
        kinds_are_exact::<KoalaBear>(value, max);
        kinds_are_exact::<Fr>(value, max);
    }

    #[test]
    fn readers_give_back_what_was_written(a: u8, b: u16, c: u64, d: [u8; 32], more: Vec<u8>) {
        let bytes = [&[a], b.to_le_bytes().as_slice(), &c.to_le_bytes(), &d, &more].concat();
        let read = |bytes: &[u8]| whole(bytes, |r| Ok((r.u8("a")?, r.u16("b")?, r.u64("c")?, r.bytes32("d")?)));
        prop_assert_eq!(read(&bytes[..43]).unwrap(), (a, b, c, d));
        prop_assert_eq!(read(&bytes).is_ok(), more.is_empty());
        prop_assert!((0..43).all(|cut| read(&bytes[..cut]).is_err()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_dumped_key_loads_from_its_own_bytes_alone(edit in any_edit()) {
        for (backend, dump) in KEYS.iter() {
            let bytes = edited(dump, &edit);
            match key::load(*backend, Circuit::Transaction, Security::Standard, &bytes) {
                Ok(key) => assert!(bytes == *dump && key.dump() == *dump, "backend {backend}"),
                Err(e) => assert!(matches!(e, ZkError::InvalidKeyEncoding(_)) && bytes != *dump, "backend {backend}: {e}"),
            }
        }
    }
}
