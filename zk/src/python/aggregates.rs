//! Digests of heartbeats and of aggregates.

use pyo3::prelude::*;

use super::{Digest, PyBuf, array, contained, digest, digests, in_field, invalid, owned};
use crate::circuits::family::Family;
use crate::circuits::recursive::layout::Decision;
use crate::circuits::recursive::statement::{self, CIRCUITS, Previous, ROOTS, Statement};
use crate::circuits::{public, recursive, uptime};
use crate::error::ZkError;
use crate::field::CircuitField;
use crate::natives::{address, digest_bytes, lift};

/// H[HEARTBEAT](Lift(Blake2s-256(signature))).
#[pyfunction]
fn signature_digest(backend: u8, signature: &[u8]) -> PyResult<PyBuf> {
    let signature = array(signature, "signature")?;
    Ok(owned(contained(
        || in_field!(backend, F => Ok(digest_bytes(&uptime::heartbeat::signature_digest::<F>(&signature)))),
    )?))
}

/// H[HBLEAF](addr, t, head D, H[HEARTBEAT](Lift(Blake2s-256(signature)))).
#[pyfunction]
fn heartbeat_leaf(backend: u8, public_key: &[u8], t: u64, head: &[u8], signature: &[u8]) -> PyResult<PyBuf> {
    let (public_key, signature) = (array(public_key, "public_key")?, array(signature, "signature")?);
    Ok(owned(contained(|| {
        in_field!(backend, F => {
            let signed = uptime::heartbeat::signature_digest::<F>(&signature);
            let leaf = uptime::heartbeat::leaf(&address(&public_key), t, &digest(head, "head")?, &signed);
            Ok(digest_bytes(&leaf))
        })
    })?))
}

/// The decision item of a recursive statement: block_hash D, Lift of the members' digest, total_power, quorum_threshold.
#[pyfunction]
fn decision_vector(
    backend: u8,
    block_hash: &[u8],
    members: &[u8],
    total_power: u64,
    quorum_threshold: u64,
) -> PyResult<PyBuf> {
    let members = array(members, "members")?;
    Ok(owned(contained(|| {
        in_field!(backend, F => {
            let block_hash = digest::<F>(block_hash, "block_hash")?;
            let decision = Decision { block_hash, members: lift(&members), total_power, quorum_threshold };
            Ok(public::to_bytes(&decision.vector()))
        })
    })?))
}

/// What the next aggregate opens: state_proof, activity, pruning_fold, aggregated_commitment.
fn opened<F: CircuitField>(aggregate: &Previous<F>) -> Vec<u8> {
    let parts = [aggregate.state_proof, aggregate.activity, aggregate.pruning_fold, aggregate.commitment()];
    parts.map(|d| digest_bytes(&d)).concat()
}

/// What a recursive statement adds up to and the next one opens.
#[pyfunction]
fn aggregate(py: Python<'_>, backend: u8, params: Vec<u32>, statement: &[u8]) -> PyResult<PyBuf> {
    let size = recursive::Size::new(&params)?;
    let add_up = || in_field!(backend, F => Ok(opened(&Statement::<F>::parse(statement, &size)?.aggregate())));
    Ok(owned(py.detach(|| contained(add_up))?))
}

/// The aggregate before the first block (height 0, no proofs) over the six roots.
#[pyfunction]
fn genesis_aggregate(backend: u8, roots: &[u8]) -> PyResult<PyBuf> {
    Ok(owned(contained(|| {
        in_field!(backend, F => {
            let roots: Vec<_> = digests::<F>(roots, "roots")?;
            let count = roots.len();
            let roots = roots.try_into().map_err(|_| invalid(&format!("{count} roots, want {ROOTS}")))?;
            Ok(opened(&Previous::genesis(roots)))
        })
    })?))
}

fn vk_set_root_in<F: CircuitField>(vk_ids: &[u8]) -> Result<Digest, ZkError> {
    let (ids, rest) = vk_ids.as_chunks::<32>();
    let ids: &[[u8; 32]; CIRCUITS] = ids.try_into().map_err(|_| invalid(&format!("{} vk ids", ids.len())))?;
    if !rest.is_empty() {
        return Err(invalid(&format!("vk ids: {} bytes left over", rest.len())));
    }
    Ok(digest_bytes(&statement::vk_set_root::<F>(ids)))
}

/// ROOT over the seven lifted vk ids and a zero digest.
#[pyfunction]
fn vk_set_root(backend: u8, vk_ids: &[u8]) -> PyResult<PyBuf> {
    Ok(owned(contained(|| in_field!(backend, F => vk_set_root_in::<F>(vk_ids)))?))
}

/// Adds this file to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(signature_digest, m)?)?;
    m.add_function(wrap_pyfunction!(heartbeat_leaf, m)?)?;
    m.add_function(wrap_pyfunction!(decision_vector, m)?)?;
    m.add_function(wrap_pyfunction!(aggregate, m)?)?;
    m.add_function(wrap_pyfunction!(genesis_aggregate, m)?)?;
    m.add_function(wrap_pyfunction!(vk_set_root, m)?)
}
