//! Consistent forgeries: false witnesses in which one numbered constraint is broken and everything else is made honestly.
//!
//! Each is the structure of a circuit with values that violate it, so that it can be shown to `check` as well as proved
//! by a prover that checks nothing. A circuit adds a file with `SIZE` and `all`, and a line to `of`.

use simnet_zk::circuits::Circuit;
use simnet_zk::circuits::builder::{Builder, Structure};
use simnet_zk::field::CircuitField;

pub mod consensus;
pub mod transaction;

/// A false witness.
pub struct Forgery<F> {
    pub what: &'static str,
    /// The constraints that it breaks, in alphabetical order.
    pub broken: Vec<&'static str>,
    pub structure: Structure<F>,
    pub values: Vec<F>,
}

/// Every forgery of a circuit; `None` for a circuit or size that has no table.
pub fn of<F: CircuitField>(circuit: &Circuit) -> Option<Vec<Forgery<F>>> {
    match circuit {
        Circuit::Transaction => Some(transaction::all()),
        Circuit::Consensus(size) if *size == consensus::SIZE => Some(consensus::all()),
        Circuit::Consensus(_) => None,
    }
}

/// A forgery from a recorded false witness.
pub fn forgery<F: CircuitField>(
    what: &'static str,
    broken: impl Into<Vec<&'static str>>,
    record: impl FnOnce(&mut Builder<F>),
) -> Forgery<F> {
    let mut b = Builder::new();
    record(&mut b);
    let (structure, values) = b.finish();
    Forgery { what, broken: broken.into(), structure, values }
}
