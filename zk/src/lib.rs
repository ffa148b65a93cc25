//! Circuits and the real provers behind simnet's native module. Nothing here knows about networks.

pub mod backend;
pub mod circuits;
pub mod error;
pub mod field;
pub mod hash;
pub mod natives;
pub mod otk;
pub mod stark;
pub mod stwo;
pub mod tags;
