//! The native module `simnet._zk`: bytes and ints in, bytes and ints out. The contract is `simnet/_zk.pyi`.

mod aggregates;
mod chain;
mod iden3;
mod keys;
mod signatures;
mod trees;
mod votes;

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};

use crate::backend::PROOF_VERSION;
use crate::circuits::layout::Codec;
use crate::circuits::{LAYOUTS, VERSIONS};
use crate::error::{Reject, ZkError};
use crate::field::{CircuitField, Native};
use crate::natives::{DIGEST_BYTES, digest_from_bytes};

pyo3::create_exception!(
    _zk,
    PyZkError,
    PyException,
    "A caller's mistake or a damaged key: `InvalidWitness: …`, `InvalidKeyEncoding: …`. Never a peer's bytes."
);

impl From<ZkError> for PyErr {
    fn from(e: ZkError) -> Self {
        PyZkError::new_err(e.to_string())
    }
}

fn invalid(what: &str) -> ZkError {
    ZkError::InvalidWitness(what.into())
}

/// Runs `$body` with `$F` standing for the field of a proof system.
macro_rules! in_field {
    ($backend:expr, $F:ident => $body:expr) => {
        $crate::catalogue::in_system!($backend, System => {
            type $F = <System as $crate::backend::ProofSystem>::F;
            $body
        })
    };
}
use in_field;

/// No panic crosses the boundary, and none is expected here.
fn contained<T>(f: impl FnOnce() -> Result<T, ZkError>) -> Result<T, ZkError> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|_| Err(ZkError::ProverFailed("internal panic".into())))
}

fn digest<F: CircuitField>(bytes: &[u8], what: &str) -> Result<Native<F>, ZkError> {
    digest_from_bytes(bytes).ok_or_else(|| invalid(&format!("{what}: not a canonical digest")))
}

fn array<const N: usize>(bytes: &[u8], what: &str) -> Result<[u8; N], ZkError> {
    bytes.try_into().map_err(|_| invalid(&format!("{what}: {N} bytes wanted, {} given", bytes.len())))
}

/// Refuses a concatenation of records that is cut short.
fn whole_records(bytes: &[u8], size: usize, what: &str) -> Result<(), ZkError> {
    let whole = bytes.len().is_multiple_of(size);
    whole.then_some(()).ok_or_else(|| invalid(&format!("{what}: {} bytes are no multiple of {size}", bytes.len())))
}

fn digests<F: CircuitField>(bytes: &[u8], what: &str) -> Result<Vec<Native<F>>, ZkError> {
    whole_records(bytes, DIGEST_BYTES, what)?;
    bytes.chunks_exact(DIGEST_BYTES).map(|c| digest(c, what)).collect()
}

/// Bytes of a record without a list.
fn fixed_bytes<T: Codec<()>>() -> usize {
    T::FORM.shortest(&|_| 0)
}

type Digest = [u8; DIGEST_BYTES];

/// Becomes a Python `bytes`; an array would become a list.
type PyBuf = Cow<'static, [u8]>;

fn owned(bytes: impl Into<Vec<u8>>) -> PyBuf {
    Cow::Owned(bytes.into())
}

/// SIMD features the module was compiled for.
#[pyfunction]
fn cpu_features() -> Vec<&'static str> {
    let features = [
        ("sse4.2", cfg!(target_feature = "sse4.2")),
        ("avx2", cfg!(target_feature = "avx2")),
        ("avx512f", cfg!(target_feature = "avx512f")),
        ("bmi2", cfg!(target_feature = "bmi2")),
        ("adx", cfg!(target_feature = "adx")),
        ("neon", cfg!(target_feature = "neon")),
    ];
    features.into_iter().filter(|(_, on)| *on).map(|(name, _)| name).collect()
}

/// Fills the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = m.py();
    let reasons = PyDict::new(py);
    for reject in Reject::ALL {
        reasons.set_item(reject as u8, reject.to_string())?;
    }
    m.add("REJECT_REASONS", reasons)?;
    m.add("PROOF_VERSION", PROOF_VERSION)?;
    m.add("CIRCUIT_VERSIONS", VERSIONS.into_py_dict(py)?)?;
    m.add("LAYOUTS", serde_json::to_string(&LAYOUTS).expect("names and numbers"))?;
    m.add("ZkError", py.get_type::<PyZkError>())?;
    keys::register(m)?;
    votes::register(m)?;
    chain::register(m)?;
    trees::register(m)?;
    iden3::register(m)?;
    aggregates::register(m)?;
    signatures::register(m)?;
    m.add_function(wrap_pyfunction!(cpu_features, m)?)
}
