//! The native module `simnet._zk`: bytes and ints in, bytes and ints out. The contract is `simnet/_zk.pyi`.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ark_bn254::Fr;
use p3_koala_bear::KoalaBear;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use stwo::core::fields::m31::M31;

use crate::backend::{PROOF_VERSION, Security};
use crate::circuits::Circuit;
use crate::circuits::codec::Reader;
use crate::circuits::consensus::statement::{self, Validator};
use crate::error::{Reject, ZkError};
use crate::field::{CircuitField, Native};
use crate::natives::{self, DIGEST_BYTES, digest_bytes, digest_from_bytes};
use crate::{key, otk, signatures};

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

/// Runs `$body` with `$F` standing for the backend's field.
macro_rules! in_field {
    ($backend:expr, $F:ident => $body:expr) => {
        match $backend {
            1 => {
                type $F = M31;
                $body
            }
            2 => {
                type $F = KoalaBear;
                $body
            }
            3 => {
                type $F = Fr;
                $body
            }
            other => Err(ZkError::Unsupported(format!("backend {other}"))),
        }
    };
}

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

type Digest = [u8; DIGEST_BYTES];

/// Becomes a Python `bytes`; an array would become a list.
type PyBuf = Cow<'static, [u8]>;

fn owned(bytes: impl Into<Vec<u8>>) -> PyBuf {
    Cow::Owned(bytes.into())
}

/// Proving and verifying key of one circuit in one proof system.
#[pyclass(frozen, module = "simnet._zk")]
struct Key(Arc<dyn key::Key>);

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

/// A validator's keys in digest bytes, whatever the field.
struct TreeBytes {
    root: Digest,
    /// Per slot: four keys, four public hashes, five siblings.
    slots: Vec<[Vec<Digest>; 3]>,
}

impl TreeBytes {
    fn new<F: CircuitField>(seed: &[u8; 32], epoch: u64) -> Self {
        let tree = otk::OtkTree::<F>::new(seed, epoch);
        let bytes = |ds: &[Native<F>]| ds.iter().map(digest_bytes).collect();
        let slot = |i: usize| Some([bytes(&tree.keys(i)?), bytes(&tree.public(i)?), bytes(&tree.path(i)?)]);
        let slots = (0..).map_while(slot).collect();
        TreeBytes { root: digest_bytes(&tree.root()), slots }
    }
}

/// One validator's one-time keys of one epoch in one backend's field: 32 slots x 4 keys (3 phases and the VRF).
#[pyclass(frozen, module = "simnet._zk")]
struct OtkTree(TreeBytes);

impl OtkTree {
    fn slot(&self, slot_index: usize) -> Result<&[Vec<Digest>; 3], ZkError> {
        self.0.slots.get(slot_index).ok_or_else(|| invalid(&format!("slot_index {slot_index}")))
    }
}

#[pymethods]
impl OtkTree {
    #[new]
    fn new(py: Python<'_>, backend: u8, seed: &[u8], epoch: u64) -> PyResult<Self> {
        let seed = array(seed, "seed")?;
        Ok(OtkTree(py.detach(|| contained(|| in_field!(backend, F => Ok(TreeBytes::new::<F>(&seed, epoch)))))?))
    }

    #[getter]
    fn root(&self) -> PyBuf {
        owned(self.0.root)
    }

    /// The secret k of slot 0..31, which 0..3, as D.
    fn key(&self, slot_index: usize, which: usize) -> PyResult<PyBuf> {
        let key = self.slot(slot_index)?[0].get(which).copied();
        Ok(owned(key.ok_or_else(|| invalid(&format!("which {which}")))?))
    }

    /// K0..K3, 4 x D.
    fn public(&self, slot_index: usize) -> PyResult<PyBuf> {
        Ok(owned(self.slot(slot_index)?[1].concat()))
    }

    /// The slot's authentication path, 5 x D, leaf to root.
    fn path(&self, slot_index: usize) -> PyResult<PyBuf> {
        Ok(owned(self.slot(slot_index)?[2].concat()))
    }
}

/// H[OTK](k): what a disclosed key is checked against.
#[pyfunction]
fn otk_public(backend: u8, key: &[u8]) -> PyResult<PyBuf> {
    Ok(owned(contained(|| in_field!(backend, F => Ok(digest_bytes(&natives::otk_public::<F>(&digest(key, "key")?)))))?))
}

/// Lift of a 32-byte hash into the field.
#[pyfunction]
fn lift(backend: u8, data: &[u8]) -> PyResult<PyBuf> {
    let data = array(data, "data")?;
    Ok(owned(contained(|| in_field!(backend, F => Ok(digest_bytes(&natives::lift::<F>(&data)))))?))
}

/// H[KEY](Lift(public key)).
#[pyfunction]
fn address(backend: u8, public_key: &[u8]) -> PyResult<PyBuf> {
    let public_key = array(public_key, "public_key")?;
    Ok(owned(contained(|| in_field!(backend, F => Ok(digest_bytes(&natives::address::<F>(&public_key)))))?))
}

/// H[HEADER] of D, u64, D, D, u64, u16.
#[pyfunction]
fn header_digest(
    backend: u8,
    parent: &[u8],
    height: u64,
    state_root: &[u8],
    tx_root: &[u8],
    timestamp: u64,
    tx_count: u16,
) -> PyResult<PyBuf> {
    Ok(owned(contained(|| {
        in_field!(backend, F => Ok(digest_bytes(&natives::header_digest::<F>(&natives::Header {
            parent: digest(parent, "parent")?,
            height,
            state_root: digest(state_root, "state_root")?,
            tx_root: digest(tx_root, "tx_root")?,
            timestamp,
            tx_count,
        }))))
    })?))
}

/// Deepest tree that `merkle_root` builds.
const DEPTH_MAX: u32 = 20;

fn merkle_root_in<F: CircuitField>(leaves: &[u8], depth: u32, empty: &[u8]) -> Result<Digest, ZkError> {
    if depth > DEPTH_MAX || !leaves.len().is_multiple_of(DIGEST_BYTES) || leaves.len() / DIGEST_BYTES > 1 << depth {
        return Err(invalid(&format!("{} bytes of leaves in a tree of depth {depth}", leaves.len())));
    }
    let leaves: Vec<Native<F>> =
        leaves.chunks_exact(DIGEST_BYTES).map(|c| digest(c, "leaf")).collect::<Result<_, _>>()?;
    Ok(digest_bytes(&natives::padded_root::<F>(&leaves, 1 << depth, &digest(empty, "empty")?)))
}

/// ROOT of the D leaves padded with `empty` to 2^depth.
#[pyfunction]
fn merkle_root(backend: u8, leaves: &[u8], depth: u32, empty: &[u8]) -> PyResult<PyBuf> {
    Ok(owned(contained(|| in_field!(backend, F => merkle_root_in::<F>(leaves, depth, empty)))?))
}

/// H[TIERSEED](addr, timetoke hours).
#[pyfunction]
fn tier_seed(backend: u8, addr: &[u8], timetoke_hours: u64) -> PyResult<PyBuf> {
    Ok(owned(contained(
        || in_field!(backend, F => Ok(digest_bytes(&natives::tier_seed::<F>(&digest(addr, "addr")?, timetoke_hours)))),
    )?))
}

fn validator_set_root_in<F: CircuitField>(capacity: usize, validators: &[u8]) -> Result<Digest, ZkError> {
    const RECORD_BYTES: usize = 3 * DIGEST_BYTES + 9;
    let count = validators.len() / RECORD_BYTES;
    if !capacity.is_power_of_two() || capacity > 1 << DEPTH_MAX || count > capacity {
        return Err(invalid(&format!("{count} validators in a set of capacity {capacity}")));
    }
    let mut r = Reader::new(validators);
    let records = (0..count).map(|_| Validator::<F>::read(&mut r)).collect::<Result<Vec<_>, _>>()?;
    r.finish()?;
    Ok(digest_bytes(&statement::validator_set_root(&records, capacity)))
}

/// ROOT over the validator leaves (records as in the consensus statement), padded with EMPTY_VALIDATOR to `capacity`.
#[pyfunction]
fn validator_set_root(backend: u8, capacity: usize, validators: &[u8]) -> PyResult<PyBuf> {
    Ok(owned(contained(|| in_field!(backend, F => validator_set_root_in::<F>(capacity, validators)))?))
}

/// H[VOTEMSG](block_hash, round, epoch, slot, validator_set_root).
#[pyfunction]
fn vote_message(
    backend: u8,
    block_hash: &[u8],
    round: u64,
    epoch: u64,
    slot: u64,
    validator_set_root: &[u8],
) -> PyResult<PyBuf> {
    Ok(owned(contained(|| {
        in_field!(backend, F => Ok(digest_bytes(&natives::vote_message::<F>(
            &digest(block_hash, "block_hash")?,
            round,
            epoch,
            slot,
            &digest(validator_set_root, "validator_set_root")?,
        ))))
    })?))
}

/// H[VOTEx](k, message).
#[pyfunction]
fn vote_tag(backend: u8, phase: usize, key: &[u8], message: &[u8]) -> PyResult<PyBuf> {
    if phase >= 3 {
        return Err(invalid(&format!("phase {phase}")).into());
    }
    Ok(owned(contained(|| {
        in_field!(backend, F => {
            let (key, message) = (digest(key, "key")?, digest(message, "message")?);
            Ok(digest_bytes(&natives::vote_tag::<F>(phase, &key, &message)))
        })
    })?))
}

/// H[VRFOUT](k3, H[VRFIN](block_hash, epoch, tier_seed)): the in-circuit VRF entry of a validator.
#[pyfunction]
fn vrf_output(backend: u8, key: &[u8], block_hash: &[u8], epoch: u64, tier_seed: &[u8]) -> PyResult<PyBuf> {
    Ok(owned(contained(|| {
        in_field!(backend, F => Ok(digest_bytes(&natives::vrf_output::<F>(
            &digest(key, "key")?,
            &digest(block_hash, "block_hash")?,
            epoch,
            &digest(tier_seed, "tier_seed")?,
        ))))
    })?))
}

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
    m.add("ZkError", py.get_type::<PyZkError>())?;
    m.add_class::<Key>()?;
    m.add_class::<OtkTree>()?;
    m.add_function(wrap_pyfunction!(otk_public, m)?)?;
    m.add_function(wrap_pyfunction!(lift, m)?)?;
    m.add_function(wrap_pyfunction!(address, m)?)?;
    m.add_function(wrap_pyfunction!(header_digest, m)?)?;
    m.add_function(wrap_pyfunction!(merkle_root, m)?)?;
    m.add_function(wrap_pyfunction!(tier_seed, m)?)?;
    m.add_function(wrap_pyfunction!(validator_set_root, m)?)?;
    m.add_function(wrap_pyfunction!(vote_message, m)?)?;
    m.add_function(wrap_pyfunction!(vote_tag, m)?)?;
    m.add_function(wrap_pyfunction!(vrf_output, m)?)?;
    m.add_function(wrap_pyfunction!(ed25519_public_key, m)?)?;
    m.add_function(wrap_pyfunction!(ed25519_sign, m)?)?;
    m.add_function(wrap_pyfunction!(ed25519_verify, m)?)?;
    m.add_function(wrap_pyfunction!(vrf_public_key, m)?)?;
    m.add_function(wrap_pyfunction!(vrf_prove, m)?)?;
    m.add_function(wrap_pyfunction!(vrf_verify, m)?)?;
    m.add_function(wrap_pyfunction!(cpu_features, m)?)
}
