//! Keys: a function of the structure, and of all of it.

use super::*;
use crate::circuits::builder::HashOp;
use crate::error::ZkError;

#[test]
fn stwo_key_survives_the_disk() {
    let bytes = SMALL.key.dump();
    let loaded = Stwo::load(&SMALL.structure, Security::Standard, &bytes).expect("its own dump");
    assert_eq!(loaded.vk_bytes(), SMALL.key.vk_bytes());
    loaded.verify(&SMALL.public, &binding(), &SMALL.prove()).expect("the same key");
}

#[test]
fn stwo_damaged_key_is_refused() {
    let bytes = SMALL.key.dump();
    for i in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[i] ^= 1;
        let result = Stwo::load(&SMALL.structure, Security::Standard, &damaged);
        assert!(matches!(result, Err(ZkError::InvalidKeyEncoding(_))), "byte {i}");
    }
    assert!(Stwo::load(&SMALL.structure, Security::Standard, &bytes[..bytes.len() - 1]).is_err());
    assert!(Stwo::load(&SMALL.structure, Security::Standard, &[]).is_err());
}

#[test]
fn stwo_key_binds_every_part_of_the_structure() {
    let edits: [fn(&mut Structure<M31>); 7] = [
        |s| s.gates[5].qc += M31(1),
        |s| s.gates.last_mut().expect("gates").a = Wire(1),
        |s| s.swaps.swap(0, 1),
        |s| s.ranges.truncate(1),
        |s| s.public.swap(0, 1),
        |s| flip(&mut s.hashes, |chain, _| *chain = !*chain),
        |s| flip(&mut s.hashes, |_, feed_forward| *feed_forward = !*feed_forward),
    ];
    for (i, edit) in edits.iter().enumerate() {
        let mut structure = SMALL.structure.clone();
        edit(&mut structure);
        let key = Stwo::keygen(&structure, Security::Standard, [0; 32]).expect("a structure");
        assert_ne!(key.vk_bytes(), SMALL.key.vk_bytes(), "edit {i}");
        assert!(key.verify(&SMALL.public, &binding(), &SMALL.prove()).is_err(), "edit {i}");
    }
}

fn flip(hashes: &mut [HashOp], edit: fn(&mut bool, &mut bool)) {
    if let HashOp::Permutation { chain, feed_forward, .. } = &mut hashes[1] {
        edit(chain, feed_forward);
    }
}

#[test]
fn stwo_refuses_structures_it_cannot_express() {
    let mut poseidon = SMALL.structure.clone();
    poseidon.hashes.push(HashOp::Poseidon { input: vec![Wire(0)], output: Wire(1) });
    let mut headless = SMALL.structure.clone();
    flip(&mut headless.hashes[..], |_, _| {});
    headless.hashes.remove(0);
    for structure in [poseidon, headless, Structure::default()] {
        assert!(matches!(Stwo::keygen(&structure, Security::Standard, [0; 32]), Err(ZkError::Unsupported(_))));
    }
}

#[test]
fn stwo_states_at_least_100_conjectured_bits() {
    let (conjectured, proven) = SMALL.key.security_bits();
    assert!(conjectured >= 100.0, "{conjectured}");
    assert!(proven > 50.0 && proven < conjectured, "{proven}");
}
