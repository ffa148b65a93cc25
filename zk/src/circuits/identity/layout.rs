//! The identity circuit's statement, witness and public inputs.

use crate::circuits::family::Family;
use crate::circuits::identity::Size;
use crate::circuits::layout::{AnyField, Codec, Hash, Layout, inputs, record};
use crate::field::Native;

record! {
    /// The registration of a key in the identity tree.
    Statement<F> in Size {
        /// An Ed25519 key.
        public_key: Hash,
        vrf_public_key: Hash,
        /// The first 32 bytes of a VRF proof.
        vrf_output: Hash,
        identity_root_before: Native<F>,
        state_root: Native<F>,
        epoch_nonce: Hash,
        identity_root_after: Native<F>,
    }
}

record! {
    /// The statement and the way to the address's slot.
    Witness<F> in Size {
        statement: Statement<F> [base],
        /// Siblings of the slot in the identity tree, leaf to root.
        path: Vec<Native<F>> [depth],
    }
}

inputs! {
    /// The public inputs, in order.
    Public<F>, PublicWires {
        /// H[KEY](Lift(public_key)).
        addr: Native<F>,
        /// H[VRFTAG](Lift(vrf_output)).
        vrf_tag: Native<F>,
        root_before: Native<F>,
        state_root: Native<F>,
        /// Lifted.
        epoch_nonce: Native<F>,
        /// H[VRFKEY](Lift(vrf_public_key)).
        vrf_pk: Native<F>,
        /// H[IDCOMMIT](addr, vrf_tag, vrf_pk, root_before, state_root).
        commitment: Native<F>,
        root_after: Native<F>,
    }
}

pub const LAYOUT: Layout = Layout {
    circuit: Size::ID,
    params: &["depth"],
    statement: Statement::<AnyField>::FORM,
    witness: Witness::<AnyField>::FORM,
    public: Public::<AnyField>::INPUTS,
};
