//! Files that snarkjs made, and the same files damaged.

use simnet_zk::backend::Security;
use simnet_zk::circuits::{Circuit, sample};
use simnet_zk::error::ZkError;
use simnet_zk::groth16::iden3::{self, zkey};
use simnet_zk::key;

const ZKEY: &[u8] = include_bytes!("../vectors/snarkjs/multiplier.zkey");
const VK: &str = include_str!("../vectors/snarkjs/verification_key.json");
const PUBLIC: &str = include_str!("../vectors/snarkjs/public.json");
const PROOF: &str = include_str!("../vectors/snarkjs/proof.json");
/// The order of BN254's groups.
const R: &str = "21888242871839275222246405745257275088548364400416034343698204186575808495617";

/// The documents with one part replaced; the part has to be there.
#[track_caller]
fn verify_with(document: usize, from: &str, to: &str) -> Result<bool, ZkError> {
    let mut texts = [VK, PUBLIC, PROOF].map(String::from);
    assert!(texts[document].contains(from), "{from:?}");
    texts[document] = texts[document].replacen(from, to, 1);
    iden3::verify(&texts[0], &texts[1], &texts[2])
}

#[track_caller]
fn refused(verdict: Result<bool, ZkError>, why: &str) {
    match verdict {
        Err(ZkError::InvalidDocument(message)) => assert!(message.contains(why), "{message}"),
        other => panic!("{other:?}"),
    }
}

/// The first string of digits of a document's field.
fn number<'a>(text: &'a str, field: &str) -> &'a str {
    let rest = &text[text.find(field).expect("a field") + field.len()..];
    rest.split('"').find(|s| s.len() > 60).expect("a number")
}

#[test]
fn a_proof_of_snarkjs_holds() {
    assert!(iden3::verify(VK, PUBLIC, PROOF).unwrap());
    assert!(!verify_with(1, "33", "34").unwrap());
    // Another point of the right group.
    let (alpha, a) = (number(VK, "vk_alpha_1"), number(PROOF, "pi_a"));
    assert_ne!(alpha, a);
    let proof: serde_json::Value = serde_json::from_str(PROOF).unwrap();
    let mut swapped = proof.clone();
    swapped["pi_a"] = proof["pi_c"].clone();
    assert!(!iden3::verify(VK, PUBLIC, &swapped.to_string()).unwrap());
}

#[test]
fn the_key_of_a_zkey_is_the_one_that_snarkjs_exports_byte_for_byte() {
    assert_eq!(zkey::verification_key(ZKEY).unwrap(), VK);
}

#[test]
fn a_public_input_plus_r_is_refused() {
    // 33 + r, and r itself, which would be 0.
    let shifted = R.replace("495617", "495650");
    refused(verify_with(1, "33", &shifted), "public.json: a number that is not below the field's modulus at line 2");
    refused(verify_with(1, "33", R), "not below the field's modulus");
    refused(verify_with(1, "33", &"9".repeat(78)), "not below the field's modulus");
    refused(verify_with(1, "33", &"9".repeat(79)), "not a decimal number");
}

#[test]
fn numbers_have_one_spelling() {
    for spelling in ["033", "+33", "-33", "3_3", " 33", "0x21", "33.0", ""] {
        refused(verify_with(1, "33", spelling), "not a decimal number without leading zeros");
    }
    refused(verify_with(1, "\"33\"", "33"), "expected a decimal number in quotes");
}

#[test]
fn documents_have_their_fields_and_no_others() {
    refused(verify_with(0, "\"groth16\"", "\"plonk\""), "protocol \"plonk\"");
    refused(verify_with(2, "\"groth16\"", "\"plonk\""), "protocol \"plonk\"");
    refused(verify_with(2, "\"bn128\"", "\"bls12381\""), "curve \"bls12381\"");
    refused(verify_with(2, "\"curve\"", "\"kurve\""), "unknown field `kurve`");
    refused(verify_with(2, "\"protocol\": \"groth16\",", ""), "missing field `protocol`");
    refused(verify_with(0, "\"nPublic\": 1", "\"nPublic\": 2"), "nPublic is 2, IC has 2 points");
    refused(verify_with(0, "\"nPublic\": 1", "\"nPublic\": 18446744073709551615"), "nPublic is");
    refused(verify_with(1, "\"33\"", "\"33\", \"0\""), "public.json has 2 inputs, the verification key 1");
    refused(verify_with(1, "\"33\"", ""), "public.json has 0 inputs, the verification key 1");
    let alpha_beta = number(VK, "vk_alphabeta_12");
    refused(verify_with(0, alpha_beta, "1"), "vk_alphabeta_12 is not the pairing");
    refused(iden3::verify(VK, PUBLIC, &PROOF.replace('\n', &" ".repeat(200))), "bytes; at most 4096");
    refused(iden3::verify(VK, &"[".repeat(100_000), PROOF), "public.json: invalid type: sequence");
}

#[test]
fn points_are_on_their_curves_and_in_their_groups() {
    refused(verify_with(2, number(PROOF, "pi_a"), "5"), "a point off the curve");
    refused(verify_with(2, number(PROOF, "pi_b"), "5"), "a point off the curve");
    refused(verify_with(2, "\"1\"\n ]", "\"2\"\n ]"), "whose last coordinate is not 1");
    let mut proof: serde_json::Value = serde_json::from_str(PROOF).unwrap();
    proof["pi_a"] = serde_json::json!(["0", "1", "0"]);
    assert!(!iden3::verify(VK, PUBLIC, &proof.to_string()).unwrap());
    proof["pi_b"] = outside_the_group();
    refused(iden3::verify(VK, PUBLIC, &proof.to_string()), "a point outside the group of prime order");
    let mut key: serde_json::Value = serde_json::from_str(VK).unwrap();
    key["vk_delta_2"] = serde_json::json!([["0", "0"], ["1", "0"], ["0", "0"]]);
    refused(iden3::verify(&key.to_string(), PUBLIC, PROOF), "is the identity");
}

/// A point of the twist whose order is not r: the first whose abscissa is a small integer.
fn outside_the_group() -> serde_json::Value {
    use ark_bn254::{Fq2, G2Affine};
    let on_curve = (1..).find_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::new(x.into(), 0.into()), true));
    let p = on_curve.expect("half of all x have a point");
    assert!(!p.is_in_correct_subgroup_assuming_on_curve());
    let pair = |c: Fq2| serde_json::json!([c.c0.to_string(), c.c1.to_string()]);
    serde_json::json!([pair(p.x), pair(p.y), ["1", "0"]])
}

#[test]
fn a_damaged_zkey_is_refused() {
    for cut in (0..ZKEY.len()).step_by(7) {
        assert!(matches!(zkey::verification_key(&ZKEY[..cut]), Err(ZkError::InvalidKeyEncoding(_))), "cut at {cut}");
    }
    let long = [ZKEY, &[0]].concat();
    assert!(matches!(zkey::verification_key(&long), Err(ZkError::InvalidKeyEncoding(_))));
    // Magic to the end of the header's points: every bit counts but those of nothing.
    let header = 12 + 12 + 4 + 12 + 2 * 36 + 12 + 3 * 64 + 3 * 128;
    for at in 0..header {
        let mut bad = ZKEY.to_vec();
        bad[at] ^= 1 << (at % 8);
        assert!(matches!(zkey::verification_key(&bad), Err(ZkError::InvalidKeyEncoding(_))), "byte {at}");
    }
}

#[test]
fn a_zkey_that_claims_huge_sections_costs_nothing() {
    for claim in [u64::MAX, 1 << 62, 1 << 40] {
        let mut bad = ZKEY.to_vec();
        bad[16..24].copy_from_slice(&claim.to_le_bytes());
        assert!(matches!(zkey::verification_key(&bad), Err(ZkError::InvalidKeyEncoding(_))));
    }
    // The numbers of variables, public inputs and the domain.
    let counts = 12 + 12 + 4 + 12 + 2 * 36;
    for at in [counts, counts + 4, counts + 8] {
        let mut bad = ZKEY.to_vec();
        bad[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(zkey::verification_key(&bad), Err(ZkError::InvalidKeyEncoding(_))));
    }
}

#[test]
fn a_zkey_of_another_circuit_is_no_key_of_ours() {
    let error = key::from_zkey(Circuit::Transaction, ZKEY).err().expect("another circuit");
    assert!(error.to_string().contains("the key is of another circuit or size"), "{error}");
}

#[test]
fn only_groth16_proofs_that_hold_are_exported() {
    let key = key::generate(3, Circuit::Transaction, Security::Standard, [1; 32]).unwrap();
    let witness = sample::transaction(0);
    let public = key.public_inputs(&witness).unwrap();
    let mut envelope = key.prove(&witness, [2; 32], 0).unwrap();
    let [vk, inputs, proof] = iden3::export(&*key, &public, &envelope).unwrap();
    assert!(iden3::verify(&vk, &inputs, &proof).unwrap());
    envelope[120] ^= 1;
    let error = iden3::export(&*key, &public, &envelope).unwrap_err();
    assert!(error.to_string().contains("a proof that is refused cannot be exported"), "{error}");
    let other = key::generate(2, Circuit::Transaction, Security::Standard, [1; 32]).unwrap();
    assert!(matches!(iden3::export(&*other, &public, &envelope), Err(ZkError::Unsupported(_))));
}

#[test]
fn a_witness_that_does_not_satisfy_the_circuit_is_not_written() {
    let mut witness = sample::transaction(0);
    witness[32..64].copy_from_slice(&[1; 32]); // to = from
    assert!(matches!(iden3::circuit::wtns(&Circuit::Transaction, &witness), Err(ZkError::ConstraintViolation(_))));
}
