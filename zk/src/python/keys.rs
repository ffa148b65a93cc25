//! Proving and verifying keys.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use super::{array, contained, in_field};
use crate::backend::Security;
use crate::circuits::Circuit;
use crate::key;

/// Proving and verifying key of one circuit in one proof system.
#[pyclass(frozen, module = "simnet._zk")]
pub(super) struct Key(pub(super) Arc<dyn key::Key>);

#[pymethods]
impl Key {
    #[getter]
    fn backend(&self) -> u8 {
        self.0.binding().backend
    }

    #[getter]
    fn circuit(&self) -> u8 {
        self.0.binding().circuit_id
    }

    #[getter]
    fn circuit_version(&self) -> u16 {
        self.0.binding().circuit_version
    }

    #[getter]
    fn params<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.circuit().params())
    }

    #[getter]
    fn params_hash<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.binding().params_hash)
    }

    #[getter]
    fn vk_id<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.binding().vk_id)
    }

    /// Number of public-input field elements.
    #[getter]
    fn public_len(&self) -> usize {
        self.0.public_len()
    }

    /// Size figures of the circuit: rows of each table, or R1CS constraints and variables.
    #[getter]
    fn constraints<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (name, count) in self.0.sizes() {
            dict.set_item(name, count)?;
        }
        Ok(dict)
    }

    /// (conjectured, proven) soundness bits of the pinned configuration.
    #[getter]
    fn security_bits(&self) -> (f64, f64) {
        self.0.security_bits()
    }

    /// Makes the keys. `seed` (32 bytes) only matters for Groth16, whose setup it makes reproducible and thereby
    /// unfit for production. `security` is 0 (standard) or 1 (high); Groth16 has one level.
    #[staticmethod]
    #[pyo3(signature = (backend, circuit, params, seed, security = 0))]
    fn generate(
        py: Python<'_>,
        backend: u8,
        circuit: u8,
        params: Vec<u32>,
        seed: &[u8],
        security: u8,
    ) -> PyResult<Self> {
        let (circuit, seed) = (Circuit::new(circuit, &params)?, array(seed, "seed")?);
        let security = Security::new(security)?;
        Ok(Key(py.detach(|| key::generate(backend, circuit, security, seed))?))
    }

    /// The inverse of `dump`.
    #[staticmethod]
    #[pyo3(signature = (backend, circuit, params, data, security = 0))]
    fn load(py: Python<'_>, backend: u8, circuit: u8, params: Vec<u32>, data: &[u8], security: u8) -> PyResult<Self> {
        let (circuit, security) = (Circuit::new(circuit, &params)?, Security::new(security)?);
        Ok(Key(py.detach(|| key::load(backend, circuit, security, data))?))
    }

    /// The key of a Groth16 setup that others held with snarkjs for this circuit.
    #[staticmethod]
    fn from_zkey(py: Python<'_>, circuit: u8, params: Vec<u32>, data: &[u8]) -> PyResult<Self> {
        let circuit = Circuit::new(circuit, &params)?;
        Ok(Key(py.detach(|| key::from_zkey(circuit, data))?))
    }

    /// Whether this is, as far as a verifier is concerned, the key that `generate` makes from this seed.
    fn follows_from(&self, py: Python<'_>, seed: &[u8]) -> PyResult<bool> {
        let seed = array(seed, "seed")?;
        Ok(py.detach(|| self.0.follows_from(seed))?)
    }

    fn dump<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &py.detach(|| self.0.dump()))
    }

    /// The public-input vector of a statement, computed natively from chain data.
    fn public_inputs<'py>(&self, py: Python<'py>, statement: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &py.detach(|| self.0.public_inputs(statement))?))
    }

    /// A proof envelope. Its bytes depend on (key, witness, seed) alone, not on `threads` (0: the global pool).
    fn prove<'py>(
        &self,
        py: Python<'py>,
        witness: &[u8],
        seed: &[u8],
        threads: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let seed = array(seed, "seed")?;
        Ok(PyBytes::new(py, &py.detach(|| self.0.prove(witness, seed, threads))?))
    }

    /// 0 when the envelope proves the statement with these public inputs, else a code of `REJECT_REASONS`.
    fn verify(&self, py: Python<'_>, public_inputs: &[u8], envelope: &[u8], max_bytes: usize) -> u8 {
        match py.detach(|| self.0.verify(public_inputs, envelope, max_bytes)) {
            Ok(()) => 0,
            Err(reject) => reject as u8,
        }
    }
}

/// Statement and witness of an honest proof, for calibration and benchmarks.
#[pyfunction]
fn sample<'py>(
    py: Python<'py>,
    backend: u8,
    circuit: u8,
    params: Vec<u32>,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let circuit = Circuit::new(circuit, &params)?;
    let (statement, witness) = py.detach(|| contained(|| in_field!(backend, F => Ok(circuit.sample::<F>()))))?;
    Ok((PyBytes::new(py, &statement), PyBytes::new(py, &witness)))
}

/// Adds this file to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(sample, m)?)?;
    m.add_class::<Key>()
}
