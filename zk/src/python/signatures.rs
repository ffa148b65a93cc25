//! Signatures and the curve VRF.

use pyo3::prelude::*;

use super::{PyBuf, array, owned};
use crate::signatures;

#[pyfunction]
fn ed25519_public_key(seed: &[u8]) -> PyResult<PyBuf> {
    Ok(owned(signatures::ed25519_public_key(&array(seed, "seed")?)))
}

#[pyfunction]
fn ed25519_sign(seed: &[u8], message: &[u8]) -> PyResult<PyBuf> {
    Ok(owned(signatures::ed25519_sign(&array(seed, "seed")?, message)))
}

/// Strict (RFC 8032, canonical s, no small-order keys). False, never an exception, on any malformed input.
#[pyfunction]
fn ed25519_verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    signatures::ed25519_verify(public_key, message, signature)
}

#[pyfunction]
fn vrf_public_key(seed: &[u8]) -> PyResult<PyBuf> {
    Ok(owned(signatures::vrf_public_key(&array(seed, "seed")?)))
}

/// schnorrkel VRF: 32-byte output, then the 64-byte proof. Deterministic.
#[pyfunction]
fn vrf_prove(seed: &[u8], message: &[u8]) -> PyResult<PyBuf> {
    Ok(owned(signatures::vrf_prove(&array(seed, "seed")?, message)))
}

#[pyfunction]
fn vrf_verify(public_key: &[u8], message: &[u8], output_and_proof: &[u8]) -> bool {
    signatures::vrf_verify(public_key, message, output_and_proof)
}

/// Adds this file to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(ed25519_public_key, m)?)?;
    m.add_function(wrap_pyfunction!(ed25519_sign, m)?)?;
    m.add_function(wrap_pyfunction!(ed25519_verify, m)?)?;
    m.add_function(wrap_pyfunction!(vrf_public_key, m)?)?;
    m.add_function(wrap_pyfunction!(vrf_prove, m)?)?;
    m.add_function(wrap_pyfunction!(vrf_verify, m)?)
}
