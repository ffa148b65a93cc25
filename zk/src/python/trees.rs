//! Merkle trees.

use std::sync::Arc;

use pyo3::prelude::*;

use super::{Digest, PyBuf, contained, digest, digests, in_field, invalid, owned};
use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::{self, digest_bytes};
use crate::tags::Tag;
use crate::tree;

/// Deepest tree that is built whole.
pub const FULL_DEPTH_MAX: u32 = 20;

/// The leaves of a tree that is built whole.
fn full_leaves<F: CircuitField>(leaves: &[u8], depth: u32) -> Result<Vec<Native<F>>, ZkError> {
    let leaves = digests(leaves, "leaves")?;
    if depth > FULL_DEPTH_MAX || leaves.len() > 1 << depth {
        return Err(invalid(&format!("{} leaves in a tree of depth {depth}", leaves.len())));
    }
    Ok(leaves)
}

fn merkle_root_in<F: CircuitField>(leaves: &[u8], depth: u32, empty: &[u8]) -> Result<Digest, ZkError> {
    let leaves = full_leaves::<F>(leaves, depth)?;
    Ok(digest_bytes(&natives::padded_root::<F>(&leaves, 1 << depth, &digest(empty, "empty")?)))
}

/// ROOT of the D leaves padded with `empty` to 2^depth.
#[pyfunction]
fn merkle_root(backend: u8, leaves: &[u8], depth: u32, empty: &[u8]) -> PyResult<PyBuf> {
    Ok(owned(contained(|| in_field!(backend, F => merkle_root_in::<F>(leaves, depth, empty)))?))
}

/// The siblings of each leaf of `indices`, leaf to root, and the root.
fn full_paths_in<F: CircuitField>(
    leaves: &[u8],
    depth: u32,
    empty: &[u8],
    indices: &[usize],
) -> Result<(Vec<PyBuf>, Digest), ZkError> {
    let leaves = full_leaves::<F>(leaves, depth)?;
    if indices.len() > 1 << depth {
        return Err(invalid(&format!("{} paths in a tree of depth {depth}", indices.len())));
    }
    if let Some(index) = indices.iter().find(|i| **i >> depth != 0) {
        return Err(invalid(&format!("leaf {index} of a tree of depth {depth}")));
    }
    let (paths, root) = tree::full_paths::<F>(&leaves, depth as usize, &digest(empty, "empty")?, indices);
    let packed = |path: &Vec<Native<F>>| owned(path.iter().flat_map(digest_bytes).collect::<Vec<u8>>());
    Ok((paths.iter().map(packed).collect(), digest_bytes(&root)))
}

/// For each of the n leaves of `indices` (any order, at most 2^depth of them) its siblings in the binary tree of the D
/// leaves padded with `empty` to 2^depth: n times depth x D, leaf to root. The tree is hashed once.
#[pyfunction]
fn merkle_paths(
    py: Python<'_>,
    backend: u8,
    leaves: &[u8],
    depth: u32,
    empty: &[u8],
    indices: Vec<usize>,
) -> PyResult<Vec<PyBuf>> {
    let paths = || contained(|| in_field!(backend, F => full_paths_in::<F>(leaves, depth, empty, &indices)));
    Ok(py.detach(paths)?.0)
}

/// The root that `merkle_paths` lead to.
#[pyfunction]
fn binary_root(backend: u8, leaves: &[u8], depth: u32, empty: &[u8]) -> PyResult<PyBuf> {
    Ok(owned(contained(|| in_field!(backend, F => full_paths_in::<F>(leaves, depth, empty, &[])))?.1))
}

/// What fills a tree of accounts, transfers, identities, validators, heartbeats or witness commitments.
const LEAVES: [Tag; 6] = [Tag::Account, Tag::Tx, Tag::IdLeaf, Tag::Validator, Tag::HbLeaf, Tag::Witness];

/// H[EMPTY](tag).
#[pyfunction]
fn empty_leaf(backend: u8, tag: u16) -> PyResult<PyBuf> {
    let known = LEAVES.into_iter().find(|t| *t as u16 == tag);
    let leaf = known.ok_or_else(|| invalid(&format!("tag {tag}: not one of {:?}", LEAVES.map(|t| t as u16))))?;
    Ok(owned(contained(|| in_field!(backend, F => Ok(digest_bytes(&natives::empty::<F>(leaf)))))?))
}

/// A sparse tree in some field, in bytes.
trait SparseTree: Send + Sync {
    fn root(&self) -> Digest;
    fn leaf(&self, address: &[u8]) -> Result<Digest, ZkError>;
    fn path(&self, address: &[u8]) -> Result<Vec<u8>, ZkError>;
    fn update(&self, addresses: &[u8], leaves: &[u8]) -> Result<Arc<dyn SparseTree>, ZkError>;
}

impl<F: CircuitField> SparseTree for tree::Tree<F> {
    fn root(&self) -> Digest {
        digest_bytes(&self.root())
    }

    fn leaf(&self, address: &[u8]) -> Result<Digest, ZkError> {
        Ok(digest_bytes(&self.leaf(&digest(address, "address")?)))
    }

    fn path(&self, address: &[u8]) -> Result<Vec<u8>, ZkError> {
        Ok(self.path(&digest(address, "address")?).iter().flat_map(digest_bytes).collect())
    }

    fn update(&self, addresses: &[u8], leaves: &[u8]) -> Result<Arc<dyn SparseTree>, ZkError> {
        let (addresses, leaves) = (digests(addresses, "addresses")?, digests(leaves, "leaves")?);
        if addresses.len() != leaves.len() {
            return Err(invalid(&format!("{} leaves for {} addresses", leaves.len(), addresses.len())));
        }
        let writes: Vec<_> = addresses.into_iter().zip(leaves).collect();
        Ok(Arc::new(self.update(&writes)))
    }
}

fn sparse<F: CircuitField>(depth: usize, empty: &[u8]) -> Result<Arc<dyn SparseTree>, ZkError> {
    Ok(Arc::new(tree::Tree::<F>::new(depth, &digest(empty, "empty")?)?))
}

/// A sparse Merkle tree of 2^depth digests in one backend's field. Immutable: an update gives a new tree that shares
/// what did not change.
#[pyclass(frozen, module = "simnet._zk")]
struct Tree(Arc<dyn SparseTree>);

#[pymethods]
impl Tree {
    /// The tree of which every leaf is `empty`.
    #[new]
    fn new(backend: u8, depth: usize, empty: &[u8]) -> PyResult<Self> {
        Ok(Tree(contained(|| in_field!(backend, F => sparse::<F>(depth, empty)))?))
    }

    #[getter]
    fn root(&self) -> PyBuf {
        owned(self.0.root())
    }

    /// The leaf in the address's slot; `empty` when nothing was written.
    fn leaf(&self, address: &[u8]) -> PyResult<PyBuf> {
        Ok(owned(contained(|| self.0.leaf(address))?))
    }

    /// The siblings of the address's slot, depth x D, leaf to root.
    fn path(&self, address: &[u8]) -> PyResult<PyBuf> {
        Ok(owned(contained(|| self.0.path(address))?))
    }

    /// The tree with n leaves (n x D) written to the slots of n addresses (n x D), in order.
    fn update(&self, py: Python<'_>, addresses: &[u8], leaves: &[u8]) -> PyResult<Self> {
        Ok(Tree(py.detach(|| contained(|| self.0.update(addresses, leaves)))?))
    }
}

/// Adds this file to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Tree>()?;
    m.add_function(wrap_pyfunction!(merkle_root, m)?)?;
    m.add_function(wrap_pyfunction!(merkle_paths, m)?)?;
    m.add_function(wrap_pyfunction!(binary_root, m)?)?;
    m.add_function(wrap_pyfunction!(empty_leaf, m)?)
}
