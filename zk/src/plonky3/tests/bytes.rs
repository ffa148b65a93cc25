//! Hostile bytes: no panic, no acceptance, no second encoding of a proof.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

fn decoded() -> Proof {
    postcard::from_bytes(&fixture().proof).unwrap()
}

/// Refused, and by a check rather than by catching a panic.
#[track_caller]
fn refuse(bytes: &[u8]) {
    let fx = fixture();
    match fx.key.verify(&fx.public, &binding(), bytes) {
        Ok(()) => panic!("accepted"),
        Err(Reject::VerifierPanicked) => panic!("the verifier panicked"),
        Err(_) => {}
    }
}

#[test]
fn flipped_bits_are_refused_everywhere() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let proof = &fixture().proof;
    let edges = (0..400).chain(proof.len() - 400..proof.len());
    let strided: Vec<usize> = edges.chain((0..proof.len()).step_by(29)).collect();
    for at in strided {
        let mut bytes = proof.clone();
        bytes[at] ^= 1 << rng.gen_range(0..8);
        refuse(&bytes);
    }
}

#[test]
fn random_edits_are_refused() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let proof = &fixture().proof;
    for round in 0..3000 {
        let mut bytes = proof.clone();
        let at = rng.gen_range(0..bytes.len());
        let span = rng.gen_range(1..40).min(bytes.len() - at);
        match round % 4 {
            0 => bytes[at..at + span].iter_mut().for_each(|b| *b = rng.r#gen()),
            1 => drop(bytes.drain(at..at + span)),
            2 => drop(bytes.splice(at..at, (0..span).map(|_| rng.r#gen::<u8>()))),
            _ => bytes[at..at + span].fill(if rng.r#gen() { 0xff } else { 0 }),
        }
        if bytes != *proof {
            refuse(&bytes);
        }
    }
}

#[test]
fn every_length_but_the_proof_s_is_refused() {
    let proof = &fixture().proof;
    for len in (0..300).chain((300..proof.len()).step_by(97)).chain(proof.len() - 300..proof.len()) {
        refuse(&proof[..len]);
    }
    for extra in [1, 2, 33, 4096] {
        let longer = [&proof[..], &vec![0; extra]].concat();
        let verdict = fixture().key.verify(&fixture().public, &binding(), &longer);
        assert!(matches!(verdict, Err(Reject::BodyLengthMismatch | Reject::ProofTooLarge)));
    }
    let huge = vec![1; fixture().key.shape.max_bytes() + 1];
    assert_eq!(fixture().key.verify(&fixture().public, &binding(), &huge), Err(Reject::ProofTooLarge));
}

#[test]
fn hostile_lengths_are_refused() {
    let proof = &fixture().proof;
    // A length prefix of 2^63 and more in place of each of the first bytes.
    for at in 0..200 {
        let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        refuse(&[&proof[..at], &huge, &proof[at + 1..]].concat());
    }
}

#[test]
fn a_longer_encoding_of_the_same_proof_is_refused() {
    let proof = &fixture().proof;
    // The first byte is the number of roots of the first commitment.
    assert_eq!(proof[0], 1);
    let padded = [&[0x81, 0x00], &proof[1..]].concat();
    assert!(postcard::from_bytes::<Proof>(&padded).is_ok());
    refuse(&padded);
}

#[test]
fn no_proof_is_encoded_twice() {
    assert_eq!(codec::encode(&decoded()).unwrap(), fixture().proof);
}

/// Every way to shorten, lengthen, empty or reorder one vector.
fn bend<T: Clone>(v: &mut Vec<T>, how: usize) {
    match how {
        0 => drop(v.pop()),
        1 => v.extend(v.last().cloned()),
        2 => v.clear(),
        3 => v.reverse(),
        4 => {
            let by = v.len().min(1);
            v.rotate_left(by);
        }
        _ => v.extend(v.clone()),
    }
}

#[test]
fn bent_vectors_are_refused() {
    let edits: &[fn(&mut Proof, usize)] = &[
        |p, how| bend(&mut p.degree_bits, how),
        |p, how| bend(&mut p.lookup_terminals, how),
        |p, how| bend(&mut p.opened_values.instances[0].base_opened_values.trace_local, how),
        |p, how| bend(p.opened_values.instances[2].base_opened_values.trace_next.as_mut().unwrap(), how),
        |p, how| bend(&mut p.opened_values.instances[1].base_opened_values.preprocessed.as_mut().unwrap().local, how),
        |p, how| bend(&mut p.opened_values.instances[1].base_opened_values.quotient_chunks, how),
        |p, how| bend(&mut p.opened_values.instances[1].base_opened_values.quotient_chunks[0], how),
        |p, how| bend(&mut p.opened_values.instances[3].permutation_local, how),
        |p, how| bend(&mut p.opened_values.instances[3].permutation_next, how),
        |p, how| bend(&mut p.opening_proof.commit_phase_commits, how),
        |p, how| bend(&mut p.opening_proof.input_openings, how),
        |p, how| bend(&mut p.opening_proof.input_openings[0].opened_values, how),
        |p, how| bend(&mut p.opening_proof.input_openings[1].opened_values[3], how),
        |p, how| bend(&mut p.opening_proof.input_openings[2].opened_values[4][0], how),
        |p, how| bend(&mut p.opening_proof.input_openings[3].opening_proof.sibling_hashes, how),
        |p, how| bend(&mut p.opening_proof.commit_phase_openings, how),
        |p, how| bend(&mut p.opening_proof.commit_phase_openings[0].sibling_values, how),
        |p, how| bend(&mut p.opening_proof.commit_phase_openings[0].sibling_values[1], how),
        |p, how| bend(&mut p.opening_proof.commit_phase_openings[1].opening_proof.sibling_hashes, how),
        |p, how| bend(&mut p.opening_proof.final_poly, how),
        |p, how| bend(&mut p.opening_proof.commit_pow_witnesses, how),
    ];
    for edit in edits {
        for how in 0..6 {
            let mut proof = decoded();
            edit(&mut proof, how);
            let bytes = codec::encode(&proof).unwrap();
            if bytes != fixture().proof {
                refuse(&bytes);
            }
        }
    }
}

#[test]
fn changed_numbers_and_presence_are_refused() {
    let edits: &[fn(&mut Proof)] = &[
        |p| p.lookup_pow_witness = None,
        |p| p.lookup_pow_witness = p.lookup_pow_witness.map(|w| w + F::ONE),
        |p| p.ood_pow_witness += F::ONE,
        |p| p.opening_proof.batch_pow_witness += F::ONE,
        |p| p.opening_proof.query_pow_witness += F::ONE,
        |p| p.opening_proof.commit_pow_witnesses[0] += F::ONE,
        |p| p.opening_proof.final_poly[0] += config::EF::ONE,
        |p| p.lookup_terminals[0] = None,
        |p| p.degree_bits[0] += 1,
        |p| p.degree_bits[0] = usize::MAX,
        |p| p.commitments.random = Some(p.commitments.main.clone()),
        |p| p.commitments.permutation = None,
        |p| p.commitments.permutation = Some(p.commitments.main.clone()),
        |p| std::mem::swap(&mut p.commitments.main, &mut p.commitments.quotient_chunks),
        |p| p.opened_values.instances[0].base_opened_values.random = Some(vec![]),
        |p| p.opened_values.instances[0].base_opened_values.trace_next = Some(vec![]),
        |p| p.opened_values.instances[2].base_opened_values.trace_next = None,
        |p| p.opened_values.instances[0].base_opened_values.preprocessed = None,
        |p| p.opened_values.instances[0].base_opened_values.preprocessed.as_mut().unwrap().next = Some(vec![]),
        |p| p.opened_values.instances.swap(0, 1),
        |p| drop(p.opened_values.instances.pop()),
    ];
    for (i, edit) in edits.iter().enumerate() {
        let mut proof = decoded();
        edit(&mut proof);
        let bytes = codec::encode(&proof).unwrap();
        assert_ne!(bytes, fixture().proof, "edit {i} does nothing");
        refuse(&bytes);
    }
}
