//! Groth16 through the key: round trips, determinism, and refusal of everything tampered with.

use std::sync::{Arc, OnceLock};

use simnet_zk::backend::Security;
use simnet_zk::circuits::{Circuit, sample};
use simnet_zk::error::{Reject, ZkError};
use simnet_zk::key::{self, Key};

use ark_bn254::Fr;

const MAX: usize = 1 << 16;

struct Fixture {
    key: Arc<dyn Key>,
    public: Vec<u8>,
    envelope: Vec<u8>,
}

fn transaction() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let key = key::generate(3, Circuit::Transaction, Security::Standard, [1; 32]).unwrap();
        let (statement, witness) = Circuit::Transaction.sample::<Fr>();
        let public = key.public_inputs(&statement).unwrap();
        let envelope = key.prove(&witness, [2; 32], 0).unwrap();
        Fixture { key, public, envelope }
    })
}

fn verdict(public: &[u8], envelope: &[u8]) -> Result<(), Reject> {
    transaction().key.verify(public, envelope, MAX)
}

#[test]
fn an_honest_proof_is_accepted_and_deterministic() {
    let f = transaction();
    assert_eq!(verdict(&f.public, &f.envelope), Ok(()));
    let witness = sample::transaction(0);
    assert_eq!(f.key.prove(&witness, [2; 32], 1).unwrap(), f.envelope);
    assert_eq!(f.key.prove(&witness, [2; 32], 2).unwrap(), f.envelope);
    assert_ne!(f.key.prove(&witness, [3; 32], 1).unwrap(), f.envelope);
}

#[test]
fn a_dumped_key_is_the_same_key() {
    let f = transaction();
    let bytes = f.key.dump();
    let loaded = key::load(3, Circuit::Transaction, Security::Standard, &bytes).unwrap();
    assert_eq!(loaded.binding(), f.key.binding());
    assert_eq!(loaded.prove(&sample::transaction(0), [2; 32], 0).unwrap(), f.envelope);
    for damage in [0, 40, 70, 100, bytes.len() / 2, bytes.len() - 1] {
        let mut bad = bytes.clone();
        bad[damage] ^= 1;
        assert!(
            matches!(key::load(3, Circuit::Transaction, Security::Standard, &bad), Err(ZkError::InvalidKeyEncoding(_))),
            "{damage}"
        );
    }
    for cut in [0, 10, 64, 70, bytes.len() - 1] {
        assert!(matches!(
            key::load(3, Circuit::Transaction, Security::Standard, &bytes[..cut]),
            Err(ZkError::InvalidKeyEncoding(_))
        ));
    }
    let long = [bytes.as_slice(), &[0]].concat();
    assert!(matches!(
        key::load(3, Circuit::Transaction, Security::Standard, &long),
        Err(ZkError::InvalidKeyEncoding(_))
    ));
}

#[test]
fn every_public_input_is_bound() {
    let f = transaction();
    for i in 0..f.key.public_len() {
        let mut public = f.public.clone();
        public[32 * i] ^= 1;
        // With the digest of the changed vector in the envelope, only the pairing is left to refuse it.
        let digest = simnet_zk::envelope::public_digest(f.key.binding(), &public);
        let mut envelope = f.envelope.clone();
        assert_eq!(verdict(&public, &envelope), Err(Reject::PublicDigestMismatch), "input {i}");
        envelope[70..102].copy_from_slice(&digest);
        assert_eq!(verdict(&public, &envelope), Err(Reject::PairingMismatch), "input {i}");
    }
}

#[test]
fn every_proof_byte_is_bound() {
    let f = transaction();
    let start = simnet_zk::envelope::HEADER_BYTES;
    for i in start..f.envelope.len() {
        let mut envelope = f.envelope.clone();
        envelope[i] ^= 4;
        let verdict = verdict(&f.public, &envelope);
        assert!(matches!(verdict, Err(Reject::InvalidProofShape | Reject::PairingMismatch)), "byte {i}: {verdict:?}");
    }
}

#[test]
fn the_rejection_matrix() {
    let f = transaction();
    let changed = |at: usize| {
        let mut envelope = f.envelope.clone();
        envelope[at] ^= 1;
        verdict(&f.public, &envelope)
    };
    assert_eq!(changed(0), Err(Reject::VersionMismatch));
    assert_eq!(changed(2), Err(Reject::UnknownBackend));
    assert_eq!(changed(3), Err(Reject::UnknownProofKind));
    assert_eq!(changed(4), Err(Reject::CircuitVersionMismatch));
    assert_eq!(changed(6), Err(Reject::ParamsHashMismatch));
    assert_eq!(changed(38), Err(Reject::VerifyingKeyMismatch));
    assert_eq!(changed(70), Err(Reject::PublicDigestMismatch));
    assert_eq!(changed(102), Err(Reject::BodyLengthMismatch));
    // The version is checked before the parameters.
    let mut both = f.envelope.clone();
    both[0] ^= 1;
    both[6] ^= 1;
    assert_eq!(verdict(&f.public, &both), Err(Reject::VersionMismatch));
    let long = [f.envelope.as_slice(), &[0]].concat();
    assert_eq!(verdict(&f.public, &long), Err(Reject::BodyLengthMismatch));
    assert_eq!(verdict(&f.public, &f.envelope[..f.envelope.len() - 1]), Err(Reject::BodyLengthMismatch));
    assert_eq!(verdict(&f.public, &f.envelope[..50]), Err(Reject::InvalidProofShape));
    assert_eq!(f.key.verify(&f.public, &f.envelope, f.envelope.len() - 1), Err(Reject::ProofTooLarge));
    assert_eq!(verdict(&f.public[1..], &f.envelope), Err(Reject::PublicInputMismatch));
    let mut not_canonical = f.public.clone();
    not_canonical[..32].fill(0xFF);
    assert_eq!(verdict(&not_canonical, &f.envelope), Err(Reject::NonCanonicalFieldElement));
    let mut wide = f.public.clone();
    wide[2 * 32 + 8] = 1; // amount = 2^64 + …
    assert_eq!(verdict(&wide, &f.envelope), Err(Reject::PublicInputMismatch));
}

#[test]
fn keys_of_other_setups_and_sizes_refuse() {
    let f = transaction();
    let other = key::generate(3, Circuit::Transaction, Security::Standard, [9; 32]).unwrap();
    assert_eq!(other.verify(&f.public, &f.envelope, MAX), Err(Reject::VerifyingKeyMismatch));
    // Even with the other key's id in the envelope.
    let mut forged = f.envelope.clone();
    forged[38..70].copy_from_slice(&other.binding().vk_id);
    assert_eq!(other.verify(&f.public, &forged, MAX), Err(Reject::PairingMismatch));
    let small = Circuit::new(7, &[4, 4, 4]).unwrap();
    assert!(matches!(key::load(3, small, Security::Standard, &f.key.dump()), Err(ZkError::InvalidKeyEncoding(_))));
}

#[test]
fn a_false_witness_is_refused_by_name() {
    let mut witness = sample::transaction(0);
    witness[32..64].copy_from_slice(&[1; 32]); // to = from
    let error = transaction().key.prove(&witness, [0; 32], 0).unwrap_err();
    assert!(error.to_string().starts_with("ConstraintViolation: T14"), "{error}");
}

#[test]
fn consensus_round_trip() {
    let circuit = Circuit::new(7, &[4, 4, 4]).unwrap();
    let key = key::generate(3, circuit, Security::Standard, [5; 32]).unwrap();
    let (statement, witness) = circuit.sample::<Fr>();
    let public = key.public_inputs(&statement).unwrap();
    let envelope = key.prove(&witness, [0; 32], 0).unwrap();
    assert_eq!(key.verify(&public, &envelope, MAX), Ok(()));
}
