//! The boundary to circom and snarkjs: their files in, their files out.

use pyo3::prelude::*;

use super::keys::Key;
use super::{PyBuf, contained, owned};
use crate::circuits::Circuit;
use crate::groth16::iden3 as formats;

/// The circuit as snarkjs' `.r1cs`.
#[pyfunction]
fn groth16_r1cs(py: Python<'_>, circuit: u8, params: Vec<u32>) -> PyResult<PyBuf> {
    let circuit = Circuit::new(circuit, &params)?;
    Ok(owned(py.detach(|| contained(|| formats::circuit::r1cs(&circuit)))?))
}

/// A witness of the circuit as snarkjs' `.wtns`.
#[pyfunction]
fn groth16_wtns(py: Python<'_>, circuit: u8, params: Vec<u32>, witness: &[u8]) -> PyResult<PyBuf> {
    let circuit = Circuit::new(circuit, &params)?;
    Ok(owned(py.detach(|| contained(|| formats::circuit::wtns(&circuit, witness)))?))
}

/// A proof with its key and statement as snarkjs' JSON: verification_key.json, public.json, proof.json.
#[pyfunction]
fn groth16_export(
    py: Python<'_>,
    key: &Key,
    public_inputs: &[u8],
    envelope: &[u8],
) -> PyResult<(String, String, String)> {
    let documents = py.detach(|| contained(|| formats::export(&*key.0, public_inputs, envelope)))?;
    Ok(documents.into())
}

/// Whether a proof of snarkjs' JSON holds.
#[pyfunction]
fn groth16_verify(py: Python<'_>, verification_key: &str, public: &str, proof: &str) -> PyResult<bool> {
    Ok(py.detach(|| contained(|| formats::verify(verification_key, public, proof)))?)
}

/// The verification_key.json of a `.zkey`.
#[pyfunction]
fn zkey_verification_key(py: Python<'_>, data: &[u8]) -> PyResult<String> {
    Ok(py.detach(|| contained(|| formats::zkey::verification_key(data)))?)
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(groth16_r1cs, m)?)?;
    m.add_function(wrap_pyfunction!(groth16_wtns, m)?)?;
    m.add_function(wrap_pyfunction!(groth16_export, m)?)?;
    m.add_function(wrap_pyfunction!(groth16_verify, m)?)?;
    m.add_function(wrap_pyfunction!(zkey_verification_key, m)?)
}
