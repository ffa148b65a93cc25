//! The transaction circuit's statement, which is its witness too, and its public inputs.

use crate::circuits::family::Family;
use crate::circuits::layout::{AnyField, Codec, Hash, Layout, inputs, record};
use crate::circuits::transaction::{TIER_MAX, Transaction};
use crate::field::Native;

record! {
    /// The sender's account before the transfer.
    Account in <S> {
        balance: u64,
        nonce: u64,
        stake: u64,
        tier: u8,
        last_decay: u64,
        /// Lifted; all zero is REP0.
        rep: Hash,
    }
}

record! {
    /// A transfer. The addresses H[KEY](Lift(key)) are computed inside.
    Statement in <S> {
        /// An Ed25519 key.
        from_public_key: Hash,
        to_public_key: Hash,
        amount: u64,
        fee: u64,
        /// The new one.
        nonce: u64,
        required_tier: u8,
        timestamp: u64,
        /// Blake2s-256 of the payload; all zero: no memo.
        memo: Hash,
        sender: Account,
    }
}

inputs! {
    /// The public inputs, in order.
    Public<F>, PublicWires {
        from: Native<F>,
        to: Native<F>,
        amount: u64,
        fee: u64,
        nonce: u64,
        required_tier: u16 [..= (TIER_MAX)],
        timestamp: u64,
        /// Lifted; zero without one.
        memo: Native<F>,
        /// H[ACCOUNT] of the sender before the transfer.
        leaf_old: Native<F>,
        leaf_new: Native<F>,
        /// H[TX](from, to, amount, fee, nonce, timestamp, memo).
        m: Native<F>,
    }
}

pub const LAYOUT: Layout = Layout {
    circuit: Transaction::ID,
    params: &[],
    statement: <Statement as Codec<Transaction>>::FORM,
    witness: <Statement as Codec<Transaction>>::FORM,
    public: Public::<AnyField>::INPUTS,
};
