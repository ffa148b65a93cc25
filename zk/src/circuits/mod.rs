//! Circuits, each written once over the builder, and their registry.

pub mod builder;
pub mod check;
pub mod codec;
pub mod consensus;
pub mod gadgets;
pub mod public;
#[doc(hidden)]
pub mod sample;
pub mod transaction;

use builder::{Builder, Structure};
use consensus::circuit::Assignment;
use consensus::statement::{Opening, Statement, Witness};
use consensus::{SLOTS_PER_EPOCH, Size};
use public::Kind;
use transaction::Transfer;

use crate::error::ZkError;
use crate::field::CircuitField;

/// A circuit at a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circuit {
    Transaction,
    Consensus(Size),
}

impl Circuit {
    /// From the numbers of the native boundary.
    pub fn new(id: u8, params: &[u32]) -> Result<Self, ZkError> {
        match (id, params) {
            (1, []) => Ok(Circuit::Transaction),
            (1, _) => Err(ZkError::Unsupported("the transaction circuit takes no parameters".into())),
            (7, params) => Ok(Circuit::Consensus(Size::new(params)?)),
            _ => Err(ZkError::Unsupported(format!("circuit {id}"))),
        }
    }

    pub fn id(&self) -> u8 {
        match self {
            Circuit::Transaction => 1,
            Circuit::Consensus(_) => 7,
        }
    }

    /// The version of the circuit's statement.
    pub fn version(&self) -> u16 {
        1
    }

    pub fn params(&self) -> Vec<u32> {
        match self {
            Circuit::Transaction => vec![],
            Circuit::Consensus(s) => vec![s.validators as u32, s.witnesses as u32, s.reputations as u32],
        }
    }

    /// Constants of the statement that are no size, part of `params_hash`.
    pub fn constants(&self) -> Vec<u64> {
        match self {
            Circuit::Transaction => vec![u64::from(transaction::TIER_MAX)],
            Circuit::Consensus(_) => vec![SLOTS_PER_EPOCH],
        }
    }

    /// Types of the public inputs, in order.
    pub fn kinds(&self) -> Vec<Kind> {
        match self {
            Circuit::Transaction => transaction::KINDS.to_vec(),
            Circuit::Consensus(size) => size.kinds(),
        }
    }

    /// The public-input vector of a statement, computed without the circuit.
    pub fn vector<F: CircuitField>(&self, statement: &[u8]) -> Result<Vec<F>, ZkError> {
        match self {
            Circuit::Transaction => Ok(Transfer::parse(statement)?.vector()),
            Circuit::Consensus(size) => Ok(Statement::parse(statement, size)?.public(size)?.vector()),
        }
    }

    /// Runs the circuit on witness bytes. Whether the values satisfy it is `check`'s business.
    pub fn build<F: CircuitField>(&self, witness: &[u8]) -> Result<(Structure<F>, Vec<F>), ZkError> {
        let mut b = Builder::new();
        match self {
            Circuit::Transaction => Transfer::parse(witness)?.record(&mut b),
            Circuit::Consensus(size) => Assignment::new(&Witness::parse(witness, size)?, size)?.record(&mut b),
        }
        Ok(b.finish())
    }

    /// The structure, which no witness changes.
    pub fn structure<F: CircuitField>(&self) -> Result<Structure<F>, ZkError> {
        let mut b = Builder::new();
        match self {
            Circuit::Transaction => Transfer::parse(&[0; transaction::STATEMENT_BYTES])?.record(&mut b),
            Circuit::Consensus(size) => Assignment::new(&Self::blank(), size)?.record(&mut b),
        }
        Ok(b.finish().0)
    }

    /// A false consensus witness: nobody votes. It has the structure of every other one.
    fn blank<F: CircuitField>() -> Witness<F> {
        let statement = Statement {
            block_hash: crate::natives::zero(),
            round: 0,
            epoch: 0,
            slot: 0,
            validators: vec![],
            ballots: vec![],
            witness_commitments: vec![],
            reputation_roots: vec![],
        };
        Witness { statement, openings: Vec::<Opening<F>>::new() }
    }
}
