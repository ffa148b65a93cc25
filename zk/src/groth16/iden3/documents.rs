//! `verification_key.json`, `public.json` and `proof.json`, byte for byte as snarkjs writes them.

use ark_bn254::{Bn254, Fq, Fr, G1Affine, G2Affine};
use ark_ec::pairing::Pairing;
use ark_groth16::{Proof, VerifyingKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::ser::{PrettyFormatter, Serializer};

use super::numbers::{Decimal, G1, G2};
use crate::error::ZkError;
use crate::groth16::setup::check_not_degenerate;

const PROTOCOL: &str = "groth16";
/// snarkjs' name of BN254.
const CURVE: &str = "bn128";
/// Most bytes of a verification key: about 80,000 public inputs.
const KEY_BYTES_MAX: usize = 1 << 24;
/// Most bytes of a list of public inputs.
const PUBLIC_BYTES_MAX: usize = 1 << 23;
/// Most bytes of a proof, which has about 800.
const PROOF_BYTES_MAX: usize = 1 << 12;

/// An element of the pairing's target group: two halves of three coefficients in Fq2.
type Target = [[[Decimal<Fq>; 2]; 3]; 2];

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VerificationKey {
    protocol: String,
    curve: String,
    #[serde(rename = "nPublic")]
    inputs: usize,
    vk_alpha_1: G1,
    vk_beta_2: G2,
    vk_gamma_2: G2,
    vk_delta_2: G2,
    vk_alphabeta_12: Target,
    #[serde(rename = "IC")]
    ic: Vec<G1>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProofDocument {
    pi_a: G1,
    pi_b: G2,
    pi_c: G1,
    protocol: String,
    curve: String,
}

pub fn write_vk(vk: &VerifyingKey<Bn254>) -> Result<String, ZkError> {
    write(&VerificationKey {
        protocol: PROTOCOL.into(),
        curve: CURVE.into(),
        inputs: vk.gamma_abc_g1.len() - 1,
        vk_alpha_1: G1(vk.alpha_g1),
        vk_beta_2: G2(vk.beta_g2),
        vk_gamma_2: G2(vk.gamma_g2),
        vk_delta_2: G2(vk.delta_g2),
        vk_alphabeta_12: target(vk.alpha_g1, vk.beta_g2),
        ic: vk.gamma_abc_g1.iter().map(|p| G1(*p)).collect(),
    })
}

pub fn write_public(inputs: &[Fr]) -> Result<String, ZkError> {
    write(&inputs.iter().map(|x| Decimal(*x)).collect::<Vec<_>>())
}

pub fn write_proof(proof: &Proof<Bn254>) -> Result<String, ZkError> {
    let (protocol, curve) = (PROTOCOL.into(), CURVE.into());
    write(&ProofDocument { pi_a: G1(proof.a), pi_b: G2(proof.b), pi_c: G1(proof.c), protocol, curve })
}

/// The key, whose parts agree with each other: the number of points, and the pairing that the document repeats.
pub fn read_vk(text: &str) -> Result<VerifyingKey<Bn254>, ZkError> {
    let name = "verification_key.json";
    let document: VerificationKey = read(name, text, KEY_BYTES_MAX)?;
    check_names(name, &document.protocol, &document.curve)?;
    if document.inputs.checked_add(1) != Some(document.ic.len()) {
        return Err(malformed(name, format!("nPublic is {}, IC has {} points", document.inputs, document.ic.len())));
    }
    let vk = VerifyingKey {
        alpha_g1: document.vk_alpha_1.0,
        beta_g2: document.vk_beta_2.0,
        gamma_g2: document.vk_gamma_2.0,
        delta_g2: document.vk_delta_2.0,
        gamma_abc_g1: document.ic.into_iter().map(|p| p.0).collect(),
    };
    check_not_degenerate(&vk).map_err(|e| malformed(name, e))?;
    if document.vk_alphabeta_12 != target(vk.alpha_g1, vk.beta_g2) {
        return Err(malformed(name, "vk_alphabeta_12 is not the pairing of vk_alpha_1 and vk_beta_2"));
    }
    Ok(vk)
}

pub fn read_public(text: &str) -> Result<Vec<Fr>, ZkError> {
    let inputs: Vec<Decimal<Fr>> = read("public.json", text, PUBLIC_BYTES_MAX)?;
    Ok(inputs.into_iter().map(|x| x.0).collect())
}

pub fn read_proof(text: &str) -> Result<Proof<Bn254>, ZkError> {
    let document: ProofDocument = read("proof.json", text, PROOF_BYTES_MAX)?;
    check_names("proof.json", &document.protocol, &document.curve)?;
    Ok(Proof { a: document.pi_a.0, b: document.pi_b.0, c: document.pi_c.0 })
}

/// The reduced pairing. snarkjs raises to the same multiple of `(q^12 − 1)/r` as arkworks (Fuentes-Castañeda, Knapp,
/// Rodríguez-Henríquez 2011).
fn target(alpha: G1Affine, beta: G2Affine) -> Target {
    let value = Bn254::pairing(alpha, beta);
    let half = |h: ark_bn254::Fq6| [h.c0, h.c1, h.c2].map(|c| [Decimal(c.c0), Decimal(c.c1)]);
    [half(value.0.c0), half(value.0.c1)]
}

fn check_names(name: &str, protocol: &str, curve: &str) -> Result<(), ZkError> {
    if protocol != PROTOCOL {
        return Err(malformed(name, format!("protocol {protocol:?}; only {PROTOCOL:?} is read")));
    }
    if curve != CURVE {
        return Err(malformed(name, format!("curve {curve:?}; only {CURVE:?} is read")));
    }
    Ok(())
}

fn malformed(name: &str, why: impl std::fmt::Display) -> ZkError {
    ZkError::InvalidDocument(format!("{name}: {why}"))
}

fn read<T: DeserializeOwned>(name: &str, text: &str, bytes_max: usize) -> Result<T, ZkError> {
    if text.len() > bytes_max {
        return Err(malformed(name, format!("{} bytes; at most {bytes_max}", text.len())));
    }
    serde_json::from_str(text).map_err(|e| malformed(name, e))
}

fn write<T: Serialize>(value: &T) -> Result<String, ZkError> {
    let mut out = vec![];
    let mut serializer = Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(b" "));
    let failed = |e: &dyn std::fmt::Display| ZkError::ProverFailed(format!("writing JSON: {e}"));
    value.serialize(&mut serializer).map_err(|e| failed(&e))?;
    String::from_utf8(out).map_err(|e| failed(&e))
}
