//! Proofs under parameters weaker than the pinned ones: good proofs to whoever asks for less, never to our verifier.

use super::*;

/// The fixture's key, but for one query and no work before it.
fn weak_key() -> Plonky3 {
    let weak = Parameters { queries: 1, batch_pow: 0, query_pow: 0, ..Parameters::of(Security::Standard) };
    Plonky3 { pcs: weak.pcs(), ..Plonky3::keygen(&small(7).0, Security::Standard, [0; 32]).unwrap() }
}

#[test]
fn a_proof_of_one_query_is_refused() {
    let fx = fixture();
    let weak = weak_key();
    let bytes = weak.prove(&fx.values, &binding(), [0; 32]).unwrap();
    let proof: Proof = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(weak.check_decoded(&fx.public, &binding(), &proof), Ok(()), "it is a proof of its kind");
    assert_eq!(fx.key.verify(&fx.public, &binding(), &bytes), Err(Reject::InvalidProofShape));
    // The library's verifier refuses it too, without our look at its shape.
    assert!(fx.key.check_decoded(&fx.public, &binding(), &proof).is_err());
}

#[test]
fn a_query_given_many_times_is_refused() {
    let fx = fixture();
    let bytes = weak_key().prove(&fx.values, &binding(), [0; 32]).unwrap();
    let mut proof: Proof = postcard::from_bytes(&bytes).unwrap();
    let fri = &mut proof.opening_proof;
    fri.input_openings
        .iter_mut()
        .for_each(|o| o.opened_values = vec![o.opened_values[0].clone(); fx.key.shape.parameters.queries]);
    let folds = fri.commit_phase_openings.iter_mut();
    folds.for_each(|o| o.sibling_values = vec![o.sibling_values[0].clone(); fx.key.shape.parameters.queries]);
    assert!(fx.key.shape.admits(&proof), "only cryptography is left to refuse it");
    let verdict = fx.key.verify(&fx.public, &binding(), &codec::encode(&proof).unwrap());
    assert_eq!(verdict, Err(Reject::OpeningArgumentMismatch));
}
