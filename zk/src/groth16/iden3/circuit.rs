//! A circuit as `.r1cs`, and its witness as `.wtns`: what a setup and a prover of iden3's world start from.
//!
//! Wire 0 is the constant one, then come the public inputs, then the private ones: arkworks' order too.

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystem, Matrix, OptimizationGoal, R1CS_PREDICATE_LABEL, SynthesisMode,
};

use super::container;
use super::montgomery::ELEMENT_BYTES;
use crate::circuits::Circuit;
use crate::circuits::builder::Structure;
use crate::circuits::check::check;
use crate::error::ZkError;
use crate::groth16::sinks::{Evaluation, R1cs};
use crate::groth16::{Shape, shape};

fn le_bytes(x: impl Into<Fr>) -> Vec<u8> {
    x.into().into_bigint().to_bytes_le()
}

fn field_header() -> Vec<u8> {
    let mut out = (ELEMENT_BYTES as u32).to_le_bytes().to_vec();
    out.extend(Fr::MODULUS.to_bytes_le());
    out
}

/// The matrices A, B and C that the setup makes a key for: rows of (coefficient, wire).
pub fn matrices(structure: &Structure<Fr>) -> Result<[Matrix<Fr>; 3], ZkError> {
    let failed = |why: &str| ZkError::ProverFailed(format!("groth16 matrices: {why}"));
    let cs = ConstraintSystem::new_ref();
    cs.set_optimization_goal(OptimizationGoal::Constraints);
    cs.set_mode(SynthesisMode::Setup);
    let circuit = R1cs { structure, values: None };
    circuit.generate_constraints(cs.clone()).map_err(|e| failed(&e.to_string()))?;
    cs.finalize();
    let mut all = cs.to_matrices().map_err(|e| failed(&e.to_string()))?;
    let r1cs = all.remove(R1CS_PREDICATE_LABEL).ok_or_else(|| failed("none"))?;
    r1cs.try_into().map_err(|_| failed("not three"))
}

/// The file `.r1cs`.
pub fn r1cs(circuit: &Circuit) -> Result<Vec<u8>, ZkError> {
    let structure = circuit.structure::<Fr>()?;
    let Shape { constraints, instance, witness } = shape(&structure);
    let wires = instance + witness;
    let mut header = field_header();
    // Outputs, of which there are none, then public and private inputs.
    for count in [wires, 0, instance - 1, witness] {
        header.extend((count as u32).to_le_bytes());
    }
    header.extend((wires as u64).to_le_bytes());
    header.extend((constraints as u32).to_le_bytes());

    let [a, b, c] = matrices(&structure)?;
    let mut rows = vec![];
    for row in a.iter().zip(&b).zip(&c).flat_map(|((a, b), c)| [a, b, c]) {
        rows.extend((row.len() as u32).to_le_bytes());
        for (coefficient, wire) in row {
            rows.extend((*wire as u32).to_le_bytes());
            rows.extend(le_bytes(*coefficient));
        }
    }
    let labels: Vec<u8> = (0..wires as u64).flat_map(u64::to_le_bytes).collect();
    Ok(container::write(b"r1cs", 1, &[&header, &rows, &labels]))
}

/// The file `.wtns` of a witness that satisfies the circuit.
pub fn wtns(circuit: &Circuit, witness: &[u8]) -> Result<Vec<u8>, ZkError> {
    let (structure, values) = circuit.build::<Fr>(witness)?;
    check(&structure, &values)?;
    let evaluation = Evaluation::new(&structure, &values);
    let assignment = [evaluation.instance, evaluation.witness].concat();
    let mut header = field_header();
    header.extend((assignment.len() as u32).to_le_bytes());
    let values: Vec<u8> = assignment.into_iter().flat_map(le_bytes).collect();
    Ok(container::write(b"wtns", 2, &[&header, &values]))
}
