//! The uptime circuit's statement, witness and public inputs. All times in seconds.

use crate::circuits::family::Family;
use crate::circuits::layout::{AnyField, Codec, Hash, Layout, inputs, record};
use crate::circuits::uptime::Size;
use crate::field::Native;

record! {
    /// A claim to have been online from `window_start` to `window_end`.
    Statement<F> in Size {
        /// An Ed25519 key.
        public_key: Hash,
        node_clock: u64,
        epoch: u64,
        head_hash: Native<F>,
        window_start: u64,
        window_end: u64,
        identity_root: Native<F>,
        heartbeat_root: Native<F>,
        threshold: u16,
        /// How many heartbeats show it.
        count: u16 [..= heartbeats],
    }
}

record! {
    /// One heartbeat of the node.
    Heartbeat<F> in Size {
        t: u64,
        /// The head of the chain that the node knew.
        head: Native<F>,
        signature_digest: Native<F>,
        /// The leaf's place in the log.
        index: u32,
        /// Siblings in the log, leaf to root.
        path: Vec<Native<F>> [log_depth],
    }
}

record! {
    /// The claim, the node's place in the identity tree, and its heartbeats.
    Witness<F> in Size {
        statement: Statement<F> [base],
        id_commitment: Native<F>,
        /// Siblings of the address's slot in the identity tree, leaf to root.
        id_path: Vec<Native<F>> [depth],
        heartbeats: Vec<Heartbeat<F>> [each statement.count],
    }
}

inputs! {
    /// The public inputs, in order.
    Public<F>, PublicWires {
        /// H[KEY](Lift(public_key)).
        addr: Native<F>,
        node_clock: u64,
        epoch: u64,
        head_hash: Native<F>,
        window_start: u64,
        window_end: u64,
        /// H[UPTIME](addr, window_start, window_end, epoch, count, heartbeat_root).
        commitment: Native<F>,
        identity_root: Native<F>,
        heartbeat_root: Native<F>,
        threshold: u16,
        count: u16 [..= heartbeats],
    }
}

pub const LAYOUT: Layout = Layout {
    circuit: Size::ID,
    params: &["heartbeats", "log_depth", "depth", "min_window", "max_gap"],
    statement: Statement::<AnyField>::FORM,
    witness: Witness::<AnyField>::FORM,
    public: Public::<AnyField>::INPUTS,
};
