//! The pruning circuit's statement, which is its witness too, and its public inputs.

use crate::circuits::family::Family;
use crate::circuits::layout::{AnyField, Codec, Layout, inputs, record};
use crate::circuits::pruning::Size;
use crate::field::Native;

record! {
    /// A transaction of a block by its digest m, and whether its leaf becomes a tombstone.
    Transaction<F> in Size {
        digest: Native<F>,
        removed: bool,
    }
}

record! {
    /// One block of the window.
    Header<F> in Size {
        state_root: Native<F>,
        timestamp: u64,
        transactions: Vec<Transaction<F>> [0 ..= transactions],
    }
}

record! {
    /// A window of consecutive headers.
    Statement<F> in Size {
        /// The hash of the header before the first.
        first_parent: Native<F>,
        start_height: u64,
        schema_version: u16,
        parameter_version: u16,
        headers: Vec<Header<F>> [headers],
    }
}

inputs! {
    /// The public inputs, in order.
    Public<F>, PublicWires {
        previous_tx_root: Native<F>,
        pruned_tx_root: Native<F>,
        removed_count: u32,
        first_parent: Native<F>,
        last_header: Native<F>,
        start_height: u64,
        snapshot_root: Native<F>,
        snapshot_height: u64,
        schema_version: u16,
        parameter_version: u16,
        /// H[ENVELOPE].
        binding_digest: Native<F>,
        pruning_fold: Native<F>,
    }
}

pub const LAYOUT: Layout = Layout {
    circuit: Size::ID,
    params: &["headers", "transactions", "segments"],
    statement: Statement::<AnyField>::FORM,
    witness: Statement::<AnyField>::FORM,
    public: Public::<AnyField>::INPUTS,
};
