//! The circuit families as one type: what a key needs to know about a circuit of any family and size.

use crate::circuits::builder::{Builder, Structure};
use crate::circuits::consensus;
use crate::circuits::public::Kind;
use crate::circuits::transaction;
use crate::error::ZkError;
use crate::field::CircuitField;

/// A circuit family at one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Transaction,
    Consensus(consensus::Params),
}

/// A recorded circuit: structure and the value of every wire.
pub type Recorded<F> = (Structure<F>, Vec<F>);

impl Family {
    /// The family of a circuit id and its size parameters.
    pub fn new(circuit_id: u8, params: &[u64]) -> Result<Self, ZkError> {
        match (circuit_id, params) {
            (1, []) => Ok(Family::Transaction),
            (7, [validators, witnesses, reputations]) => {
                let params = consensus::Params::new(*validators, *witnesses, *reputations)?;
                Ok(Family::Consensus(params))
            }
            _ => Err(ZkError::Unsupported(format!("circuit {circuit_id} with parameters {params:?}"))),
        }
    }

    /// circuit_id.
    pub fn id(&self) -> u8 {
        match self {
            Family::Transaction => 1,
            Family::Consensus(_) => 7,
        }
    }

    /// The size parameters.
    pub fn params(&self) -> Vec<u64> {
        match self {
            Family::Transaction => vec![],
            Family::Consensus(p) => p.to_vec(),
        }
    }

    /// The size parameters and constants as canonical bytes.
    pub fn parameter_bytes(&self) -> Vec<u8> {
        self.params().iter().flat_map(|p| p.to_le_bytes()).collect()
    }

    /// Types of the public inputs, in order.
    pub fn kinds(&self) -> Vec<Kind> {
        match self {
            Family::Transaction => transaction::KINDS.to_vec(),
            Family::Consensus(p) => consensus::kinds(p),
        }
    }

    /// The public-input vector of a statement.
    pub fn vector<F: CircuitField>(&self, statement: &[u8]) -> Result<Vec<F>, ZkError> {
        match self {
            Family::Transaction => Ok(transaction::Transfer::parse(statement)?.vector()),
            Family::Consensus(p) => consensus::Statement::parse(p, statement)?.vector(p),
        }
    }

    /// Records the circuit on a witness.
    pub fn record<F: CircuitField>(&self, witness: &[u8]) -> Result<Recorded<F>, ZkError> {
        let mut b = Builder::new();
        match self {
            Family::Transaction => transaction::Transfer::parse(witness)?.record(&mut b),
            Family::Consensus(p) => consensus::Witness::parse(p, witness)?.record(p, &mut b),
        }
        Ok(b.finish())
    }

    /// The structure, which every witness gives: recorded here on a blank one.
    pub fn structure<F: CircuitField>(&self) -> Result<Structure<F>, ZkError> {
        let mut b = Builder::new();
        match self {
            Family::Transaction => transaction::Transfer::blank().record(&mut b),
            Family::Consensus(p) => consensus::Witness::blank(p).record(p, &mut b),
        }
        Ok(b.finish().0)
    }
}
