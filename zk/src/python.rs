//! The native module: bytes and ints in, bytes and ints out. The GIL is released around every key generation,
//! proof and verification, and no panic crosses.

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::backend::PROOF_VERSION;
use crate::circuits::family::Family;
use crate::error::{Reject, ZkError as Error};
use crate::key::CircuitKey;
use crate::python_hashes;
use crate::{groth16::Groth16, plonky3::Plonky3, stwo::Stwo};

create_exception!(_zk, ZkError, PyException);

impl From<Error> for PyErr {
    fn from(e: Error) -> PyErr {
        ZkError::new_err(e.to_string())
    }
}

/// Keys in one of the three proof systems.
enum AnyKey {
    Stwo(CircuitKey<Stwo>),
    Plonky3(CircuitKey<Plonky3>),
    Groth16(CircuitKey<Groth16>),
}

/// Runs the same expression on whichever key it is.
macro_rules! each_key {
    ($any:expr, $key:ident => $body:expr) => {
        match $any {
            AnyKey::Stwo($key) => $body,
            AnyKey::Plonky3($key) => $body,
            AnyKey::Groth16($key) => $body,
        }
    };
}

impl AnyKey {
    fn generate(backend: u8, family: Family, seed: [u8; 32]) -> Result<Self, Error> {
        Ok(match backend {
            1 => AnyKey::Stwo(CircuitKey::generate(family, seed)?),
            2 => AnyKey::Plonky3(CircuitKey::generate(family, seed)?),
            3 => AnyKey::Groth16(CircuitKey::generate(family, seed)?),
            _ => return Err(Error::Unsupported(format!("backend {backend}"))),
        })
    }

    fn load(backend: u8, family: Family, data: &[u8]) -> Result<Self, Error> {
        Ok(match backend {
            1 => AnyKey::Stwo(CircuitKey::load(family, data)?),
            2 => AnyKey::Plonky3(CircuitKey::load(family, data)?),
            3 => AnyKey::Groth16(CircuitKey::load(family, data)?),
            _ => return Err(Error::Unsupported(format!("backend {backend}"))),
        })
    }
}

/// Proving and verifying key of one circuit in one proof system.
#[pyclass(frozen, module = "simnet._zk")]
struct Key(Arc<AnyKey>);

#[pymethods]
impl Key {
    #[staticmethod]
    fn generate(py: Python<'_>, backend: u8, circuit: u8, params: Vec<u64>, seed: &[u8]) -> PyResult<Self> {
        let (family, seed) = (Family::new(circuit, &params)?, seed32(seed)?);
        Ok(Key(Arc::new(py.detach(|| contained(|| AnyKey::generate(backend, family, seed)))?)))
    }

    #[staticmethod]
    fn load(py: Python<'_>, backend: u8, circuit: u8, params: Vec<u64>, data: &[u8]) -> PyResult<Self> {
        let family = Family::new(circuit, &params)?;
        Ok(Key(Arc::new(py.detach(|| contained(|| AnyKey::load(backend, family, data)))?)))
    }

    fn dump<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let bytes = py.detach(|| each_key!(&*self.0, key => key.dump()));
        PyBytes::new(py, &bytes)
    }

    fn public_inputs<'py>(&self, py: Python<'py>, statement: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| contained(|| each_key!(&*self.0, key => key.public_inputs(statement))))?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn prove<'py>(&self, py: Python<'py>, witness: &[u8], seed: &[u8], threads: usize) -> PyResult<Bound<'py, PyBytes>> {
        let seed = seed32(seed)?;
        let pool = pool(threads)?;
        let proof = py.detach(|| {
            contained(|| in_pool(pool, || each_key!(&*self.0, key => key.prove(witness, seed))))
        })?;
        Ok(PyBytes::new(py, &proof))
    }

    fn verify(&self, py: Python<'_>, public_inputs: &[u8], envelope: &[u8], max_bytes: usize) -> PyResult<u8> {
        let pool = pool(1)?;
        let verdict = py.detach(|| {
            let check = || in_pool(pool, || each_key!(&*self.0, key => key.verify(public_inputs, envelope, max_bytes)));
            catch_unwind(AssertUnwindSafe(check)).unwrap_or(Err(Reject::VerifierPanicked))
        });
        Ok(verdict.map_or_else(|reject| reject as u8, |()| 0))
    }

    #[getter]
    fn backend(&self) -> u8 {
        each_key!(&*self.0, key => key.binding.backend)
    }

    #[getter]
    fn circuit(&self) -> u8 {
        each_key!(&*self.0, key => key.binding.circuit_id)
    }

    #[getter]
    fn circuit_version(&self) -> u16 {
        each_key!(&*self.0, key => key.binding.circuit_version)
    }

    #[getter]
    fn params<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyTuple>> {
        pyo3::types::PyTuple::new(py, each_key!(&*self.0, key => key.family.params()))
    }

    #[getter]
    fn params_hash<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &each_key!(&*self.0, key => key.binding.params_hash))
    }

    #[getter]
    fn vk_id<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &each_key!(&*self.0, key => key.binding.vk_id))
    }

    #[getter]
    fn public_len(&self) -> usize {
        each_key!(&*self.0, key => key.structure.public.len())
    }

    #[getter]
    fn constraints<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let figures = each_key!(&*self.0, key => key.system.size_figures());
        let out = PyDict::new(py);
        for (name, value) in figures {
            out.set_item(name, value)?;
        }
        Ok(out)
    }

    #[getter]
    fn security_bits(&self) -> (f64, f64) {
        each_key!(&*self.0, key => key.system.security_bits())
    }
}

/// Turns a panic into an error: a defect of ours must not take the interpreter down.
fn contained<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        Err(Error::ProverFailed(format!("panicked: {}", text.unwrap_or("no message"))))
    })
}

fn seed32(seed: &[u8]) -> Result<[u8; 32], Error> {
    seed.try_into().map_err(|_| Error::InvalidWitness(format!("seed: 32 bytes wanted, {} given", seed.len())))
}

/// The calling thread's own pool of that many threads, made once; `None` for 0, the global pool. Pools are not shared
/// between callers: two proofs on one thread each are to run side by side.
fn pool(threads: usize) -> Result<Option<Arc<ThreadPool>>, Error> {
    thread_local! {
        static POOLS: RefCell<HashMap<usize, Arc<ThreadPool>>> = RefCell::default();
    }
    if threads == 0 {
        return Ok(None);
    }
    POOLS.with_borrow_mut(|pools| {
        if let Some(pool) = pools.get(&threads) {
            return Ok(Some(pool.clone()));
        }
        let built = ThreadPoolBuilder::new().num_threads(threads).build();
        let made = Arc::new(built.map_err(|e| Error::ProverFailed(format!("thread pool: {e}")))?);
        pools.insert(threads, made.clone());
        Ok(Some(made))
    })
}

fn in_pool<T: Send>(pool: Option<Arc<ThreadPool>>, work: impl FnOnce() -> T + Send) -> T {
    match pool {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

/// SIMD features that the module was compiled for.
#[pyfunction]
fn cpu_features() -> Vec<&'static str> {
    let all = [
        ("sse4.2", cfg!(target_feature = "sse4.2")),
        ("avx2", cfg!(target_feature = "avx2")),
        ("avx512f", cfg!(target_feature = "avx512f")),
        ("bmi2", cfg!(target_feature = "bmi2")),
        ("adx", cfg!(target_feature = "adx")),
        ("neon", cfg!(target_feature = "neon")),
    ];
    all.iter().filter(|(_, present)| *present).map(|(name, _)| *name).collect()
}

/// Fills `simnet._zk`.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("ZkError", m.py().get_type::<ZkError>())?;
    m.add_class::<Key>()?;
    let reasons = PyDict::new(m.py());
    for reject in Reject::ALL {
        reasons.set_item(reject as u8, reject.to_string())?;
    }
    m.add("REJECT_REASONS", reasons)?;
    m.add("PROOF_VERSION", PROOF_VERSION)?;
    m.add_function(wrap_pyfunction!(cpu_features, m)?)?;
    python_hashes::register(m)
}
