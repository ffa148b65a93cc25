//! The state circuit's statement, witness and public inputs.

use crate::circuits::family::Family;
use crate::circuits::layout::{AnyField, Codec, Hash, Layout, inputs, record};
use crate::circuits::state::Size;
use crate::circuits::transaction;
use crate::field::Native;

record! {
    /// An identity that opens an account: balance 0, nonce 0, stake 0, tier 1, last_decay block_time, H[REP](commitment).
    Entrant<F> in Size {
        public_key: Hash,
        commitment: Native<F>,
    }
}

record! {
    /// What a block does to the accounts: identities first, then transfers.
    Statement<F> in Size {
        prev_state_root: Native<F>,
        new_state_root: Native<F>,
        block_time: u64,
        identities: Vec<Entrant<F>> [0 ..= identities],
        transfers: Vec<transaction::Statement> [0 ..= transfers],
    }
}

record! {
    /// A receiver's account before the transfer; unlike a sender's, its reputation is a digest already.
    Receiver<F> in Size {
        balance: u64,
        nonce: u64,
        stake: u64,
        tier: u8,
        last_decay: u64,
        /// REP0 for a new one.
        rep: Native<F>,
    }
}

record! {
    /// What a transfer does not tell by itself.
    Receipt<F> in Size {
        r_is_new: bool,
        receiver: Receiver<F>,
        /// Siblings of the sender's slot, leaf to root.
        sender_path: Vec<Native<F>> [depth],
        /// Siblings of the receiver's slot after the sender's update.
        receiver_path: Vec<Native<F>> [depth],
    }
}

record! {
    /// The statement and the ways to what it changes.
    Witness<F> in Size {
        statement: Statement<F> [base],
        /// Siblings of each identity's slot, leaf to root.
        identity_paths: Vec<Vec<Native<F>>> [each statement.identities of depth],
        receipts: Vec<Receipt<F>> [each statement.transfers],
    }
}

inputs! {
    /// The public inputs, in order.
    Public<F>, PublicWires {
        prev_root: Native<F>,
        new_root: Native<F>,
        tx_count: u16 [..= transfers],
        /// H[TXLINK](m, s_leaf_old, s_leaf_new) of each transfer, chained.
        tx_list: Native<F>,
        fee_sum: u64,
        /// H[IDLINK](addr, commitment) of each identity, chained.
        id_list: Native<F>,
        id_count: u16 [..= identities],
        block_time: u64,
    }
}

pub const LAYOUT: Layout = Layout {
    circuit: Size::ID,
    params: &["transfers", "identities", "depth"],
    statement: Statement::<AnyField>::FORM,
    witness: Witness::<AnyField>::FORM,
    public: Public::<AnyField>::INPUTS,
};
