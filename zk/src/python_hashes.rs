//! The native module's hashes, one-time keys, signatures and VRF.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::circuits::consensus;
use crate::error::ZkError as Error;
use crate::field::CircuitField;
use crate::natives::{self, DIGEST_BYTES, digest_bytes, digest_from_bytes};
use crate::otk::OtkTree as Tree;
use crate::signatures;

type M31 = stwo::core::fields::m31::M31;
type KoalaBear = p3_koala_bear::KoalaBear;
type Bn254 = ark_bn254::Fr;

/// Runs an expression generic over the backend's field `$F`.
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
                type $F = Bn254;
                $body
            }
            other => Err(Error::Unsupported(format!("backend {other}"))),
        }
    };
}

type Out<'py> = PyResult<Bound<'py, PyBytes>>;

fn bytes<'py>(py: Python<'py>, data: Result<Vec<u8>, Error>) -> Out<'py> {
    Ok(PyBytes::new(py, &data?))
}

fn array32(name: &str, data: &[u8]) -> Result<[u8; 32], Error> {
    data.try_into().map_err(|_| Error::InvalidWitness(format!("{name}: 32 bytes wanted, {} given", data.len())))
}

fn digest<F: CircuitField>(name: &str, data: &[u8]) -> Result<crate::field::Native<F>, Error> {
    digest_from_bytes(data).ok_or_else(|| Error::InvalidWitness(format!("{name}: not a canonical digest")))
}

fn digests<F: CircuitField>(name: &str, data: &[u8]) -> Result<Vec<crate::field::Native<F>>, Error> {
    if !data.len().is_multiple_of(DIGEST_BYTES) {
        return Err(Error::InvalidWitness(format!("{name}: not a whole number of digests")));
    }
    data.chunks_exact(DIGEST_BYTES).map(|c| digest::<F>(name, c)).collect()
}

fn out<F: CircuitField>(d: &crate::field::Native<F>) -> Vec<u8> {
    digest_bytes(d).to_vec()
}

#[pyfunction]
fn lift<'py>(py: Python<'py>, backend: u8, data: &[u8]) -> Out<'py> {
    let data = array32("data", data)?;
    bytes(py, in_field!(backend, F => Ok(out::<F>(&natives::lift(&data)))))
}

#[pyfunction]
fn address<'py>(py: Python<'py>, backend: u8, public_key: &[u8]) -> Out<'py> {
    let key = array32("public_key", public_key)?;
    bytes(py, in_field!(backend, F => Ok(out::<F>(&natives::address(&key)))))
}

#[pyfunction]
fn otk_public<'py>(py: Python<'py>, backend: u8, key: &[u8]) -> Out<'py> {
    bytes(py, in_field!(backend, F => Ok(out::<F>(&natives::otk_public(&digest("key", key)?)))))
}

#[pyfunction]
fn tier_seed<'py>(py: Python<'py>, backend: u8, addr: &[u8], timetoke_hours: u64) -> Out<'py> {
    bytes(py, in_field!(backend, F => Ok(out::<F>(&natives::tier_seed(&digest("addr", addr)?, timetoke_hours)))))
}

#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "the fields of a header")]
fn header_digest<'py>(
    py: Python<'py>,
    backend: u8,
    parent: &[u8],
    height: u64,
    state_root: &[u8],
    tx_root: &[u8],
    timestamp: u64,
    tx_count: u16,
) -> Out<'py> {
    bytes(
        py,
        in_field!(backend, F => {
            let header = natives::Header::<F> {
                parent: digest("parent", parent)?,
                height,
                state_root: digest("state_root", state_root)?,
                tx_root: digest("tx_root", tx_root)?,
                timestamp,
                tx_count,
            };
            Ok(out(&natives::header_digest(&header)))
        }),
    )
}

#[pyfunction]
fn merkle_root<'py>(py: Python<'py>, backend: u8, leaves: &[u8], depth: u32, empty: &[u8]) -> Out<'py> {
    let width = 1usize.checked_shl(depth).filter(|w| *w <= 1 << 20);
    let width = width.ok_or_else(|| Error::InvalidWitness("depth: at most 20".into()))?;
    bytes(
        py,
        in_field!(backend, F => {
            let leaves = digests::<F>("leaves", leaves)?;
            if leaves.len() > width {
                return Err(Error::InvalidWitness(format!("leaves: {} do not fit depth {depth}", leaves.len())).into());
            }
            Ok(out(&natives::padded_root(&leaves, width, &digest("empty", empty)?)))
        }),
    )
}

#[pyfunction]
fn validator_set_root<'py>(py: Python<'py>, backend: u8, capacity: u64, validators: &[u8]) -> Out<'py> {
    bytes(py, in_field!(backend, F => Ok(out(&consensus::validator_set_root::<F>(capacity, validators)?))))
}

#[pyfunction]
fn vote_message<'py>(
    py: Python<'py>,
    backend: u8,
    block_hash: &[u8],
    round: u64,
    epoch: u64,
    slot: u64,
    validator_set_root: &[u8],
) -> Out<'py> {
    bytes(
        py,
        in_field!(backend, F => {
            let (block, root) = (digest::<F>("block_hash", block_hash)?, digest("validator_set_root", validator_set_root)?);
            Ok(out(&natives::vote_message(&block, round, epoch, slot, &root)))
        }),
    )
}

#[pyfunction]
fn vote_tag<'py>(py: Python<'py>, backend: u8, phase: usize, key: &[u8], message: &[u8]) -> Out<'py> {
    if phase > 2 {
        return Err(Error::InvalidWitness(format!("phase: {phase} is not 0, 1 or 2")).into());
    }
    bytes(
        py,
        in_field!(backend, F => Ok(out(&natives::vote_tag::<F>(phase, &digest("key", key)?, &digest("message", message)?)))),
    )
}

#[pyfunction]
fn vrf_output<'py>(
    py: Python<'py>,
    backend: u8,
    key: &[u8],
    block_hash: &[u8],
    epoch: u64,
    tier_seed: &[u8],
) -> Out<'py> {
    bytes(
        py,
        in_field!(backend, F => {
            let (key, block, seed) = (digest::<F>("key", key)?, digest("block_hash", block_hash)?, digest("tier_seed", tier_seed)?);
            Ok(out(&natives::vrf_output(&key, &block, epoch, &seed)))
        }),
    )
}

/// One validator's one-time keys of one epoch.
#[pyclass(frozen, module = "simnet._zk")]
struct OtkTree(AnyTree);

enum AnyTree {
    M31(Tree<M31>),
    KoalaBear(Tree<KoalaBear>),
    Bn254(Tree<Bn254>),
}

macro_rules! each_tree {
    ($any:expr, $tree:ident => $body:expr) => {
        match $any {
            AnyTree::M31($tree) => $body,
            AnyTree::KoalaBear($tree) => $body,
            AnyTree::Bn254($tree) => $body,
        }
    };
}

fn range_error() -> Error {
    Error::InvalidWitness("slot_index: 0..32, which: 0..4".into())
}

#[pymethods]
impl OtkTree {
    #[new]
    fn new(py: Python<'_>, backend: u8, seed: &[u8], epoch: u64) -> PyResult<Self> {
        let seed = array32("seed", seed)?;
        let tree = py.detach(|| match backend {
            1 => Ok(AnyTree::M31(Tree::new(&seed, epoch))),
            2 => Ok(AnyTree::KoalaBear(Tree::new(&seed, epoch))),
            3 => Ok(AnyTree::Bn254(Tree::new(&seed, epoch))),
            other => Err(Error::Unsupported(format!("backend {other}"))),
        })?;
        Ok(OtkTree(tree))
    }

    #[getter]
    fn root<'py>(&self, py: Python<'py>) -> Out<'py> {
        bytes(py, Ok(each_tree!(&self.0, t => out(&t.root()))))
    }

    fn key<'py>(&self, py: Python<'py>, slot_index: usize, which: usize) -> Out<'py> {
        bytes(py, each_tree!(&self.0, t => t.key(slot_index, which).map(|k| out(&k))).ok_or_else(range_error))
    }

    fn public<'py>(&self, py: Python<'py>, slot_index: usize) -> Out<'py> {
        let keys = each_tree!(&self.0, t => t.public(slot_index).map(|k| k.iter().flat_map(out).collect()));
        bytes(py, keys.ok_or_else(range_error))
    }

    fn path<'py>(&self, py: Python<'py>, slot_index: usize) -> Out<'py> {
        let path = each_tree!(&self.0, t => t.path(slot_index).map(|p| p.iter().flat_map(out).collect()));
        bytes(py, path.ok_or_else(range_error))
    }
}

#[pyfunction]
fn ed25519_public_key<'py>(py: Python<'py>, seed: &[u8]) -> Out<'py> {
    bytes(py, Ok(signatures::public_key(&array32("seed", seed)?).to_vec()))
}

#[pyfunction]
fn ed25519_sign<'py>(py: Python<'py>, seed: &[u8], message: &[u8]) -> Out<'py> {
    bytes(py, Ok(signatures::sign(&array32("seed", seed)?, message).to_vec()))
}

#[pyfunction]
fn ed25519_verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    signatures::verify(public_key, message, signature)
}

#[pyfunction]
fn vrf_public_key<'py>(py: Python<'py>, seed: &[u8]) -> Out<'py> {
    bytes(py, Ok(signatures::vrf_public_key(&array32("seed", seed)?).to_vec()))
}

#[pyfunction]
fn vrf_prove<'py>(py: Python<'py>, seed: &[u8], message: &[u8]) -> Out<'py> {
    bytes(py, Ok(signatures::vrf_prove(&array32("seed", seed)?, message).to_vec()))
}

#[pyfunction]
fn vrf_verify(public_key: &[u8], message: &[u8], output_and_proof: &[u8]) -> bool {
    signatures::vrf_verify(public_key, message, output_and_proof)
}

/// Adds everything above to `simnet._zk`.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<OtkTree>()?;
    m.add_function(wrap_pyfunction!(lift, m)?)?;
    m.add_function(wrap_pyfunction!(address, m)?)?;
    m.add_function(wrap_pyfunction!(otk_public, m)?)?;
    m.add_function(wrap_pyfunction!(tier_seed, m)?)?;
    m.add_function(wrap_pyfunction!(header_digest, m)?)?;
    m.add_function(wrap_pyfunction!(merkle_root, m)?)?;
    m.add_function(wrap_pyfunction!(validator_set_root, m)?)?;
    m.add_function(wrap_pyfunction!(vote_message, m)?)?;
    m.add_function(wrap_pyfunction!(vote_tag, m)?)?;
    m.add_function(wrap_pyfunction!(vrf_output, m)?)?;
    m.add_function(wrap_pyfunction!(ed25519_public_key, m)?)?;
    m.add_function(wrap_pyfunction!(ed25519_sign, m)?)?;
    m.add_function(wrap_pyfunction!(ed25519_verify, m)?)?;
    m.add_function(wrap_pyfunction!(vrf_public_key, m)?)?;
    m.add_function(wrap_pyfunction!(vrf_prove, m)?)?;
    m.add_function(wrap_pyfunction!(vrf_verify, m)?)
}
