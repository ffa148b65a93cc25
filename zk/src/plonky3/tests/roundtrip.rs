use super::*;
use crate::attacks::BINDING_EDITS;

#[test]
fn an_honest_proof_verifies() {
    let fx = fixture();
    assert_eq!(fx.key.verify(&fx.public, &binding(), &fx.proof), Ok(()));
    assert!(fx.proof.len() <= fx.key.shape.max_bytes());
}

#[test]
fn another_witness_of_the_same_circuit_verifies_under_the_same_key() {
    let fx = fixture();
    let (structure, values) = small(8);
    let key = Plonky3::keygen(&structure, Security::Standard, [9; 32]).unwrap();
    assert_eq!(key.vk_bytes(), fx.key.vk_bytes());
    let proof = fx.key.prove(&values, &binding(), [0; 32]).unwrap();
    let public = key.filler.public(&values);
    assert_eq!(key.verify(&public, &binding(), &proof), Ok(()));
    assert!(key.verify(&fx.public, &binding(), &proof).is_err());
}

#[test]
fn a_circuit_with_arithmetic_only_verifies() {
    let mut b = Builder::<F>::new();
    let (x, y) = (b.witness(f(6)), b.witness(f(7)));
    let product = b.mul(x, y);
    let shown = b.public(f(42));
    b.assert_eq(product, shown);
    let (structure, values) = b.finish();
    let key = Plonky3::keygen(&structure, Security::Standard, [0; 32]).unwrap();
    assert_eq!(key.tables.len(), 2);
    let proof = key.prove(&values, &binding(), [0; 32]).unwrap();
    assert_eq!(key.verify(&[f(42)], &binding(), &proof), Ok(()));
    assert!(key.verify(&[f(43)], &binding(), &proof).is_err());
}

#[test]
fn every_public_input_is_bound() {
    let fx = fixture();
    for i in 0..fx.public.len() {
        let mut public = fx.public.clone();
        public[i] += F::ONE;
        assert!(fx.key.verify(&public, &binding(), &fx.proof).is_err(), "input {i}");
    }
    let short = &fx.public[..fx.public.len() - 1];
    assert_eq!(fx.key.verify(short, &binding(), &fx.proof), Err(Reject::PublicInputMismatch));
    let long = [&fx.public[..], &[F::ZERO]].concat();
    assert_eq!(fx.key.verify(&long, &binding(), &fx.proof), Err(Reject::PublicInputMismatch));
}

#[test]
fn every_metadata_field_is_bound() {
    let fx = fixture();
    for (i, edit) in BINDING_EDITS.iter().enumerate() {
        let mut other = binding();
        edit(&mut other);
        assert!(fx.key.verify(&fx.public, &other, &fx.proof).is_err(), "field {i}");
    }
}

#[test]
fn keys_depend_on_the_structure_and_load_only_with_it() {
    let fx = fixture();
    let (structure, _) = small(7);
    let loaded = Plonky3::load(&structure, Security::Standard, &fx.key.dump()).unwrap();
    assert_eq!(loaded.vk_bytes(), fx.key.vk_bytes());
    assert_eq!(loaded.verify(&fx.public, &binding(), &fx.proof), Ok(()));

    let mut other = structure.clone();
    other.gates.last_mut().unwrap().qc += F::ONE;
    let other_key = Plonky3::keygen(&other, Security::Standard, [0; 32]).unwrap();
    assert_ne!(other_key.vk_bytes(), fx.key.vk_bytes());
    assert!(other_key.verify(&fx.public, &binding(), &fx.proof).is_err());

    let refused = |bytes: &[u8]| {
        matches!(Plonky3::load(&structure, Security::Standard, bytes), Err(ZkError::InvalidKeyEncoding(_)))
    };
    assert!(refused(&other_key.dump()));
    assert!(refused(&fx.key.dump()[1..]));
    assert!(refused(&[]));
}

#[test]
fn a_sponge_that_continues_nothing_is_no_circuit() {
    let (mut structure, _) = small(7);
    let HashOp::Permutation { chain, .. } = &mut structure.hashes[0] else { unreachable!() };
    *chain = true;
    assert!(matches!(Plonky3::keygen(&structure, Security::Standard, [0; 32]), Err(ZkError::Unsupported(_))));
}

#[test]
fn the_parameters_reach_a_hundred_bits() {
    let (conjectured, proven) = fixture().key.security_bits();
    assert!(conjectured >= 100.0, "{conjectured}");
    assert!(proven >= 55.0, "{proven}");
}
