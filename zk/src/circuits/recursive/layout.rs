//! The recursive circuit's statement, which is its witness too, and its public inputs.
//!
//! Inner proofs enter by their public-input vectors, consensus by the block's decision.

use crate::circuits::family::Family;
use crate::circuits::layout::{AnyField, Codec, Hash, Layout, inputs, record};
use crate::circuits::recursive::Size;
use crate::circuits::recursive::statement::{CIRCUITS, ROOT_NAMES, ROOTS, Slots};
use crate::circuits::recursive::vectors::{DECISION, IDENTITY, PRUNING, STATE, TRANSACTION, UPTIME};
use crate::field::Native;

record! {
    /// The previous block's aggregate, taken apart.
    Previous<F> in Size {
        previous_commitment: Native<F>,
        /// The chained commitments of its state proofs.
        state_proof: Native<F>,
        roots: [Native<F>; ROOTS] [named Roots ROOT_NAMES],
        pruning_fold: Native<F>,
        activity: Native<F>,
        height: u64,
    }
}

record! {
    /// What the block's header has beside its roots.
    Header<F> in Size {
        parent: Native<F>,
        height: u64,
        timestamp: u64,
    }
}

record! {
    /// A block as the vectors of its proofs. A block of more than k_t transfers has several state proofs, each over the next
    /// k_t of them; its identities are all in the first.
    Statement<F> in Size {
        /// By circuit id, from 1.
        vk_ids: [Hash; CIRCUITS],
        previous: Previous<F>,
        roots: [Native<F>; ROOTS] [named Roots ROOT_NAMES],
        header: Header<F>,
        identities: Slots<F> [vectors IDENTITY 0 ..= identities],
        transactions: Slots<F> [vectors TRANSACTION 0 ..= transactions],
        uptimes: Slots<F> [vectors UPTIME 0 ..= uptimes],
        decisions: Slots<F> [vectors DECISION 0 ..= 1],
        /// In the order of the transfers.
        states: Slots<F> [vectors STATE 1 ..= transactions / chunk],
        pruning: Slots<F> [vectors PRUNING 0 ..= 1],
    }
}

inputs! {
    /// The public inputs, in order.
    Public<F>, PublicWires {
        previous_commitment: Native<F>,
        aggregated_commitment: Native<F>,
        tx_count: u16 [..= transactions],
        id_count: u16 [..= identities],
        uptime_count: u16 [..= uptimes],
        decision_count: u16 [..= 1],
        block_height: u64,
        roots: [Native<F>; ROOTS],
        pruning_fold: Native<F>,
        vk_set_root: Native<F>,
    }
}

inputs! {
    /// What all consensus proofs of one block have in common, in the encoding of public inputs.
    Decision<F>, DecisionWires {
        block_hash: Native<F>,
        /// Lift of the members' digest.
        members: Native<F>,
        total_power: u64,
        quorum_threshold: u64,
    }
}

pub const LAYOUT: Layout = Layout {
    circuit: Size::ID,
    params: &["transactions", "identities", "uptimes", "chunk"],
    statement: Statement::<AnyField>::FORM,
    witness: Statement::<AnyField>::FORM,
    public: Public::<AnyField>::INPUTS,
};
