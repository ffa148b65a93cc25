//! Hostile bytes: no mutation of a proof is accepted, and none panics. (An abort would end the test run.)

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use stwo::core::fields::m31::P;
use stwo::core::fields::qm31::QM31;
use stwo::core::vcs::blake2_hash::Blake2sHash;

use super::*;
use crate::error::Reject;
use crate::stwo::codec::{Parts, decode, encode};

fn parts(bytes: &[u8]) -> Parts {
    decode(bytes, &SMALL.key.shape, SMALL.key.root).expect("an honest proof")
}

/// The verdict, which must be a rejection that the shape checks or the verifier found without a panic.
fn refused(what: &str, bytes: &[u8]) -> Reject {
    let verdict = SMALL.key.verify(&SMALL.public, &binding(), bytes);
    let reject = verdict.expect_err(what);
    assert_ne!(reject, Reject::VerifierPanicked, "{what}");
    reject
}

#[test]
fn stwo_codec_is_exact() {
    let proof = SMALL.prove();
    assert_eq!(encode(&parts(&proof)).expect("canonical"), proof);
    assert!(proof.len() <= SMALL.key.shape.max_bytes());
}

#[test]
fn stwo_every_region_is_bound() {
    let proof = SMALL.prove();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    // One flip in every stretch of sixteen bytes, then many anywhere.
    let stretches = (0..proof.len()).step_by(16).map(|i| i + (i / 16) % 16);
    let anywhere: Vec<usize> = (0..4000).map(|_| rng.gen_range(0..proof.len())).collect();
    for at in stretches.chain(anywhere).filter(|at| *at < proof.len()) {
        let mut damaged = proof.clone();
        damaged[at] ^= 1 << rng.gen_range(0..8);
        refused(&format!("flip at {at}"), &damaged);
    }
}

#[test]
fn stwo_several_flips_are_refused() {
    let proof = SMALL.prove();
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for round in 0..1000 {
        let mut damaged = proof.clone();
        for _ in 0..rng.gen_range(2..20) {
            let at = rng.gen_range(0..damaged.len());
            damaged[at] = damaged[at].wrapping_add(rng.gen_range(1..=255));
        }
        if damaged != proof {
            refused(&format!("round {round}"), &damaged);
        }
    }
}

#[test]
fn stwo_length_is_exact() {
    let proof = SMALL.prove();
    for len in (0..proof.len()).step_by(97).chain([proof.len() - 1]) {
        assert_ne!(refused(&format!("cut at {len}"), &proof[..len]), Reject::ProofTooLarge);
    }
    for extra in [1, 4, 32, 1000] {
        let mut longer = proof.clone();
        longer.extend(vec![0; extra]);
        assert_eq!(refused("extension", &longer), Reject::BodyLengthMismatch);
    }
    let huge = vec![0; SMALL.key.shape.max_bytes() + 1];
    assert_eq!(refused("huge", &huge), Reject::ProofTooLarge);
    refused("zeros", &vec![0; proof.len()]);
    refused("ones", &vec![0xff; proof.len()]);
}

#[test]
fn stwo_random_bytes_are_refused() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for _ in 0..500 {
        let bytes: Vec<u8> = (0..rng.gen_range(0..SMALL.key.shape.max_bytes())).map(|_| rng.r#gen()).collect();
        refused("noise", &bytes);
    }
}

#[test]
fn stwo_words_are_canonical() {
    let proof = SMALL.prove();
    let sums = 8..8 + 16 * SMALL.key.shape.tables.len();
    for at in sums.step_by(4) {
        let mut damaged = proof.clone();
        let word = u32::from_le_bytes(damaged[at..at + 4].try_into().expect("a word"));
        // The same element by another name.
        damaged[at..at + 4].copy_from_slice(&(word + P).to_le_bytes());
        assert_eq!(refused("word + P", &damaged), Reject::NonCanonicalFieldElement);
    }
}

type Edit = fn(&mut Parts, &mut ChaCha8Rng);

/// Structural edits: what a peer can do who writes his own encoder.
const EDITS: [(&str, Edit); 20] = [
    ("drop a sum", |p, _| p.sums.truncate(1)),
    ("add a sum", |p, _| p.sums.push(QM31::default())),
    ("exchange sums", |p, _| p.sums.swap(0, 1)),
    ("another root", |p, r| p.stark.0.commitments[r.gen_range(1..4)] = Blake2sHash([r.r#gen(); 32])),
    ("exchange roots", |p, _| p.stark.0.commitments.swap(1, 2)),
    ("drop a sampled column", |p, r| shorten(&mut p.stark.0.sampled_values[r.gen_range(0..4)])),
    ("drop a sample", |p, r| shorten(&mut p.stark.0.sampled_values[r.gen_range(0..4)][0])),
    ("repeat a sample", |p, r| {
        let column = &mut p.stark.0.sampled_values[r.gen_range(0..4)][0];
        column.push(column[0]);
    }),
    ("zero the samples", |p, r| {
        p.stark.0.sampled_values[r.gen_range(0..4)].iter_mut().for_each(|c| c.fill(QM31::default()))
    }),
    ("drop a row", |p, _| all_columns(p, shorten)),
    ("drop all rows", |p, _| all_columns(p, Vec::clear)),
    ("repeat a row", |p, _| all_columns(p, |c| c.push(c[0]))),
    ("exchange rows", |p, _| all_columns(p, |c| c.swap(0, 1))),
    ("drop an opened cell", |p, r| shorten(&mut p.stark.0.queried_values[r.gen_range(0..4)][0])),
    ("drop a hash", |p, r| shorten(&mut p.stark.0.decommitments[r.gen_range(0..4)].hash_witness)),
    ("repeat a hash", |p, r| {
        let hashes = &mut p.stark.0.decommitments[r.gen_range(0..4)].hash_witness;
        hashes.push(hashes[0]);
    }),
    ("drop an inner layer", |p, _| shorten(&mut p.stark.0.fri_proof.inner_layers)),
    ("repeat an inner layer", |p, _| {
        let layers = &mut p.stark.0.fri_proof.inner_layers;
        layers.push(layers[0].clone());
    }),
    ("drop a folding value", |p, _| shorten(&mut p.stark.0.fri_proof.first_layer.fri_witness)),
    ("clear a layer", |p, _| {
        let layer = &mut p.stark.0.fri_proof.inner_layers[0];
        layer.fri_witness.clear();
        layer.decommitment.hash_witness.clear();
    }),
];

fn shorten<T>(list: &mut Vec<T>) {
    list.pop();
}

fn all_columns(parts: &mut Parts, edit: impl Fn(&mut Vec<M31>)) {
    parts.stark.0.queried_values.iter_mut().flatten().for_each(edit);
}

#[test]
fn stwo_structural_edits_are_refused() {
    let honest = parts(&SMALL.prove());
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for (what, edit) in EDITS {
        for _ in 0..12 {
            let mut edited = honest.clone();
            edit(&mut edited, &mut rng);
            refused(what, &encode(&edited).expect("canonical"));
        }
    }
}

#[test]
fn stwo_counts_are_bounded_by_the_bytes_left() {
    // Every word that could be a count, blown up: decoding must refuse before it allocates.
    let proof = SMALL.prove();
    for at in (0..proof.len() - 4).step_by(4).skip(2) {
        let word = u32::from_le_bytes(proof[at..at + 4].try_into().expect("a word"));
        if word < 4096 {
            for count in [u32::MAX, 1 << 30, word.wrapping_add(1), word.wrapping_sub(1)] {
                let mut damaged = proof.clone();
                damaged[at..at + 4].copy_from_slice(&count.to_le_bytes());
                refused(&format!("count at {at}"), &damaged);
            }
        }
    }
}
