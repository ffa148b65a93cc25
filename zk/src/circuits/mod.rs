//! Circuits, each written once over the builder, and their registry.

pub mod builder;
pub mod check;
pub mod codec;
pub mod consensus;
pub mod digest;
pub mod family;
pub mod gadgets;
pub mod identity;
pub mod layout;
pub mod pruning;
pub mod public;
pub mod recursive;
#[doc(hidden)]
pub mod sample;
pub mod state;
pub mod transaction;
pub mod transfer;
pub mod uptime;

use builder::{Builder, Structure};
use family::Family;
use layout::Layout;
use public::Kind;

use crate::error::ZkError;
use crate::field::CircuitField;

/// Runs an expression on the family inside a circuit, whichever it is.
macro_rules! with_family {
    ($circuit:expr, $family:ident => $body:expr) => {
        match $circuit {
            Circuit::Transaction => {
                let $family = &transaction::Transaction;
                $body
            }
            Circuit::Identity($family) => $body,
            Circuit::State($family) => $body,
            Circuit::Pruning($family) => $body,
            Circuit::Recursive($family) => $body,
            Circuit::Uptime($family) => $body,
            Circuit::Consensus($family) => $body,
        }
    };
}

/// A circuit at a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circuit {
    Transaction,
    Identity(identity::Size),
    State(state::Size),
    Pruning(pruning::Size),
    Recursive(recursive::Size),
    Uptime(uptime::Size),
    Consensus(consensus::Size),
}

/// The version of each family's statement, by circuit id.
pub const VERSIONS: [(u8, u16); 7] = [
    (transaction::Transaction::ID, transaction::Transaction::VERSION),
    (identity::Size::ID, identity::Size::VERSION),
    (state::Size::ID, state::Size::VERSION),
    (pruning::Size::ID, pruning::Size::VERSION),
    (recursive::Size::ID, recursive::Size::VERSION),
    (uptime::Size::ID, uptime::Size::VERSION),
    (consensus::Size::ID, consensus::Size::VERSION),
];

/// What the bytes of each circuit are.
pub const LAYOUTS: [Layout; 7] = [
    transaction::Transaction::LAYOUT,
    identity::Size::LAYOUT,
    state::Size::LAYOUT,
    pruning::Size::LAYOUT,
    recursive::Size::LAYOUT,
    uptime::Size::LAYOUT,
    consensus::Size::LAYOUT,
];

/// The id of the family that a value belongs to.
fn id_of<T: Family>(_: &T) -> u8 {
    T::ID
}

fn version_of<T: Family>(_: &T) -> u16 {
    T::VERSION
}

impl Circuit {
    /// From the numbers of the native boundary.
    pub fn new(id: u8, params: &[u32]) -> Result<Self, ZkError> {
        match id {
            transaction::Transaction::ID => transaction::Transaction::new(params).map(|_| Circuit::Transaction),
            identity::Size::ID => Family::new(params).map(Circuit::Identity),
            state::Size::ID => Family::new(params).map(Circuit::State),
            pruning::Size::ID => Family::new(params).map(Circuit::Pruning),
            recursive::Size::ID => Family::new(params).map(Circuit::Recursive),
            uptime::Size::ID => Family::new(params).map(Circuit::Uptime),
            consensus::Size::ID => Family::new(params).map(Circuit::Consensus),
            _ => Err(ZkError::Unsupported(format!("circuit {id}"))),
        }
    }

    pub fn id(&self) -> u8 {
        with_family!(self, f => id_of(f))
    }

    /// The version of the circuit's statement.
    pub fn version(&self) -> u16 {
        with_family!(self, f => version_of(f))
    }

    pub fn params(&self) -> Vec<u32> {
        with_family!(self, f => f.params())
    }

    /// Constants of the statement that are no size, part of `params_hash`.
    pub fn constants(&self) -> Vec<u64> {
        with_family!(self, f => f.constants())
    }

    /// Types of the public inputs, in order.
    pub fn kinds(&self) -> Vec<Kind> {
        with_family!(self, f => f.kinds())
    }

    /// The public-input vector of a statement, computed without the circuit.
    pub fn vector<F: CircuitField>(&self, statement: &[u8]) -> Result<Vec<F>, ZkError> {
        with_family!(self, f => f.vector(statement))
    }

    /// Runs the circuit on witness bytes. Whether the values satisfy it is `check`'s business.
    pub fn build<F: CircuitField>(&self, witness: &[u8]) -> Result<(Structure<F>, Vec<F>), ZkError> {
        let mut b = Builder::new();
        with_family!(self, f => f.record(witness, &mut b))?;
        Ok(b.finish())
    }

    /// The structure, which no witness changes.
    pub fn structure<F: CircuitField>(&self) -> Result<Structure<F>, ZkError> {
        let mut b = Builder::new();
        with_family!(self, f => f.record_blank(&mut b))?;
        Ok(b.finish().0)
    }

    /// Statement and witness bytes of an honest proof, for tests and benches.
    pub fn sample<F: CircuitField>(&self) -> (Vec<u8>, Vec<u8>) {
        with_family!(self, f => f.sample::<F>())
    }
}
