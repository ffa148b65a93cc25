//! Circuits and the real provers behind simnet's native module. Nothing here knows about networks.

pub mod accounts;
#[cfg(test)]
mod attacks;
pub mod backend;
mod catalogue;
pub mod circuits;
pub mod envelope;
pub mod error;
pub mod field;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod groth16;
pub mod hash;
pub mod key;
pub mod natives;
pub mod otk;
pub mod plonky3;
mod python;
pub mod signatures;
pub mod stark;
pub mod stwo;
pub mod tags;
pub mod tree;

// Forgeries are written for the crate's users and serve its own attacks, too.
#[cfg(test)]
extern crate self as simnet_zk;

use pyo3::prelude::*;

/// `simnet._zk`.
#[pymodule]
fn _zk(m: &Bound<'_, PyModule>) -> PyResult<()> {
    python::register(m)
}
