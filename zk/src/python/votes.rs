//! What consensus signs and draws: one-time keys, votes, VRF entries, the validator set.

use pyo3::prelude::*;

use super::trees::FULL_DEPTH_MAX;
use super::{Digest, PyBuf, array, contained, digest, fixed_bytes, in_field, invalid, owned, whole_records};
use crate::circuits::consensus::statement::{self, Validator};
use crate::circuits::layout::Codec;
use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::{self, digest_bytes};
use crate::otk;

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

/// H[TIERSEED](addr, timetoke hours).
#[pyfunction]
fn tier_seed(backend: u8, addr: &[u8], timetoke_hours: u64) -> PyResult<PyBuf> {
    Ok(owned(contained(
        || in_field!(backend, F => Ok(digest_bytes(&natives::tier_seed::<F>(&digest(addr, "addr")?, timetoke_hours)))),
    )?))
}

fn validator_set_root_in<F: CircuitField>(capacity: usize, validators: &[u8]) -> Result<Digest, ZkError> {
    let size = fixed_bytes::<Validator<F>>();
    let count = validators.len() / size;
    if !capacity.is_power_of_two() || capacity > 1 << FULL_DEPTH_MAX || count > capacity {
        return Err(invalid(&format!("{count} validators in a set of capacity {capacity}")));
    }
    whole_records(validators, size, "validators")?;
    let records: Vec<Validator<F>> =
        validators.chunks_exact(size).map(|bytes| Codec::parse(bytes, &())).collect::<Result<_, _>>()?;
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

/// Adds this file to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<OtkTree>()?;
    m.add_function(wrap_pyfunction!(otk_public, m)?)?;
    m.add_function(wrap_pyfunction!(tier_seed, m)?)?;
    m.add_function(wrap_pyfunction!(validator_set_root, m)?)?;
    m.add_function(wrap_pyfunction!(vote_message, m)?)?;
    m.add_function(wrap_pyfunction!(vote_tag, m)?)?;
    m.add_function(wrap_pyfunction!(vrf_output, m)?)
}
