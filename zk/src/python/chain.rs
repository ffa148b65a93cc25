//! Digests of chain objects: keys, headers, accounts, identities, transfers.

use pyo3::prelude::*;
use rayon::prelude::*;

use super::{PyBuf, array, contained, digest, fixed_bytes, in_field, owned, whole_records};
use crate::accounts::{self, Account, AccountRecord};
use crate::circuits::transaction::{Statement, Transfer};
use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::{self, digest_bytes};

/// Canonical parameters of the hash in a backend's field: width, rounds, digest of constants and matrices.
#[pyfunction]
fn hash_parameters(backend: u8) -> PyResult<PyBuf> {
    Ok(owned(contained(|| in_field!(backend, F => Ok(<F as CircuitField>::hash_parameter_bytes())))?))
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

/// One digest for each record of `size` bytes, worked out in parallel.
fn each<F: CircuitField>(
    bytes: &[u8],
    size: usize,
    digest_of: impl Fn(&[u8]) -> Result<Native<F>, ZkError> + Sync,
) -> Result<Vec<u8>, ZkError> {
    whole_records(bytes, size, "records")?;
    let digests: Vec<_> =
        bytes.par_chunks_exact(size).map(|c| digest_of(c).map(|d| digest_bytes(&d))).collect::<Result<_, _>>()?;
    Ok(digests.concat())
}

/// H[ACCOUNT] of n existing accounts, n x D. A record is public_key[32] and an account.
#[pyfunction]
fn account_leaves(py: Python<'_>, backend: u8, records: &[u8]) -> PyResult<PyBuf> {
    let size = fixed_bytes::<AccountRecord>();
    let leaves = || in_field!(backend, F => each::<F>(records, size, |r| Ok(accounts::account_record(r)?.1)));
    Ok(owned(py.detach(|| contained(leaves))?))
}

/// H[ACCOUNT] of the account that an identity opens.
#[pyfunction]
fn opened_account_leaf(backend: u8, public_key: &[u8], commitment: &[u8], block_time: u64) -> PyResult<PyBuf> {
    let public_key = array(public_key, "public_key")?;
    Ok(owned(contained(|| {
        in_field!(backend, F => {
            let account = Account::<F>::opened(&digest(commitment, "commitment")?, block_time);
            Ok(digest_bytes(&account.own_leaf(&natives::address(&public_key))))
        })
    })?))
}

/// H[IDLEAF](address, commitment, 0): the genesis leaf of an identity.
#[pyfunction]
fn identity_leaf(backend: u8, address: &[u8], commitment: &[u8]) -> PyResult<PyBuf> {
    Ok(owned(contained(|| {
        in_field!(backend, F => {
            let (address, commitment) = (digest(address, "address")?, digest(commitment, "commitment")?);
            Ok(digest_bytes(&accounts::identity_leaf::<F>(&address, &commitment)))
        })
    })?))
}

/// H[IDCOMMIT](addr, vrf_tag, vrf_pk, identity_root_before, state_root).
#[pyfunction]
fn identity_commitment(
    backend: u8,
    public_key: &[u8],
    vrf_public_key: &[u8],
    vrf_output: &[u8],
    identity_root_before: &[u8],
    state_root: &[u8],
) -> PyResult<PyBuf> {
    let public_key = array(public_key, "public_key")?;
    let vrf_public_key = array(vrf_public_key, "vrf_public_key")?;
    let vrf_output = array(vrf_output, "vrf_output")?;
    Ok(owned(contained(|| {
        in_field!(backend, F => Ok(digest_bytes(&accounts::identity_commitment::<F>(
            &natives::address(&public_key),
            &accounts::vrf_tag(&vrf_output),
            &accounts::vrf_key(&vrf_public_key),
            &digest(identity_root_before, "identity_root_before")?,
            &digest(state_root, "state_root")?,
        ))))
    })?))
}

/// H[REP](commitment): the rep digest of the account that an identity opens.
#[pyfunction]
fn reputation_of_identity(backend: u8, commitment: &[u8]) -> PyResult<PyBuf> {
    Ok(owned(contained(|| {
        in_field!(backend, F => {
            Ok(digest_bytes(&accounts::reputation_of_identity::<F>(&digest(commitment, "commitment")?)))
        })
    })?))
}

/// m = H[TX](...) of n transaction statements, n x D.
#[pyfunction]
fn transaction_digests(py: Python<'_>, backend: u8, statements: &[u8]) -> PyResult<PyBuf> {
    let size = fixed_bytes::<Statement>();
    let digests = || in_field!(backend, F => each::<F>(statements, size, Transfer::digest_of));
    Ok(owned(py.detach(|| contained(digests))?))
}

/// Adds this file to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(hash_parameters, m)?)?;
    m.add_function(wrap_pyfunction!(lift, m)?)?;
    m.add_function(wrap_pyfunction!(address, m)?)?;
    m.add_function(wrap_pyfunction!(header_digest, m)?)?;
    m.add_function(wrap_pyfunction!(account_leaves, m)?)?;
    m.add_function(wrap_pyfunction!(opened_account_leaf, m)?)?;
    m.add_function(wrap_pyfunction!(identity_leaf, m)?)?;
    m.add_function(wrap_pyfunction!(identity_commitment, m)?)?;
    m.add_function(wrap_pyfunction!(reputation_of_identity, m)?)?;
    m.add_function(wrap_pyfunction!(transaction_digests, m)?)
}
