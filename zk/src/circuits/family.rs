//! What a family of circuits has to say about itself at one size.

use crate::circuits::builder::Builder;
use crate::circuits::layout::{self, Layout};
use crate::circuits::public::Kind;
use crate::error::ZkError;
use crate::field::CircuitField;

/// One circuit family; a value is the family at a size.
pub trait Family: Sized {
    /// The circuit id of the specification.
    const ID: u8;
    /// The version of the statement.
    const VERSION: u16 = 1;
    /// What its bytes are.
    const LAYOUT: Layout;

    /// From the parameters of the native boundary; refuses sizes that the family does not have.
    fn new(params: &[u32]) -> Result<Self, ZkError>;

    /// The inverse of `new`.
    fn params(&self) -> Vec<u32>;

    /// Constants of the statement that are no size, part of `params_hash`.
    fn constants(&self) -> Vec<u64>;

    /// Types of the public inputs, in order.
    fn kinds(&self) -> Vec<Kind> {
        let number = layout::number(self);
        Self::LAYOUT.public.iter().flat_map(|input| input.form.kinds(&|bound| number(bound) as u16)).collect()
    }

    /// The public-input vector of a statement, computed without the circuit.
    fn vector<F: CircuitField>(&self, statement: &[u8]) -> Result<Vec<F>, ZkError>;

    /// Records the circuit on witness bytes. Whether the values satisfy it is `check`'s business.
    fn record<F: CircuitField>(&self, witness: &[u8], b: &mut Builder<F>) -> Result<(), ZkError>;

    /// Records the circuit on some values, true or not: its structure is that of every witness.
    fn record_blank<F: CircuitField>(&self, b: &mut Builder<F>) -> Result<(), ZkError> {
        self.record(&vec![0; Self::LAYOUT.witness.shortest(&layout::number(self))], b)
    }

    /// Statement and witness bytes of an honest proof, for tests and benches.
    fn sample<F: CircuitField>(&self) -> (Vec<u8>, Vec<u8>);
}
