//! The identity circuit: *the slot of `addr` is empty under the old identity root; writing its genesis leaf, which binds its
//! VRF key and tag, gives the new root.* Ownership (I1) and the VRF (I2, I3) are verified natively.
//!
//! * I4 commitment = H[IDCOMMIT](addr, vrf_tag, vrf_pk, identity_root_before, state_root).
//! * I5 the slot is BITS32(addr), its low `depth` bits in a tree less deep.
//! * I6 the empty leaf in that slot leads to identity_root_before.
//! * I7 H[IDLEAF](addr, commitment, 0) in that slot, over the same siblings, leads to identity_root_after.
//!
//! epoch_nonce is in no constraint: the VRF proof, verified natively, is over it, and the proof is bound to it as to
//! every public input.

pub mod layout;

pub use layout::Public;
use layout::{Statement, Witness};

use crate::accounts::{identity_commitment, vrf_key, vrf_tag};
use crate::circuits::builder::{Bit, Builder, Digest};
use crate::circuits::family::Family;
use crate::circuits::gadgets::slots::bits32;
use crate::circuits::gadgets::{merkle, u64_constant};
use crate::circuits::layout::{Codec, Layout};
use crate::circuits::sample;
use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::{self, address, lift, zero};
use crate::tags::Tag;
use crate::tree::DEPTH_MAX;

/// The family at a depth of the identity tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub depth: usize,
}

impl Family for Size {
    const ID: u8 = 2;
    const LAYOUT: Layout = layout::LAYOUT;

    fn new(params: &[u32]) -> Result<Self, ZkError> {
        match params {
            [depth] if (1..=DEPTH_MAX as u32).contains(depth) => Ok(Size { depth: *depth as usize }),
            _ => Err(ZkError::Unsupported(format!("identity parameters {params:?}, want a depth of 1 to {DEPTH_MAX}"))),
        }
    }

    fn params(&self) -> Vec<u32> {
        vec![self.depth as u32]
    }

    fn constants(&self) -> Vec<u64> {
        vec![]
    }

    fn vector<F: CircuitField>(&self, statement: &[u8]) -> Result<Vec<F>, ZkError> {
        Ok(Public::of(&Statement::parse(statement, self)?).vector())
    }

    fn record<F: CircuitField>(&self, witness: &[u8], b: &mut Builder<F>) -> Result<(), ZkError> {
        Registration::parse(witness, self)?.record(b);
        Ok(())
    }

    fn sample<F: CircuitField>(&self) -> (Vec<u8>, Vec<u8>) {
        sample::identity::<F>(self.depth)
    }
}

impl<F: CircuitField> Public<F> {
    fn of(s: &Statement<F>) -> Self {
        let mut public = Public {
            addr: address(&s.public_key),
            vrf_tag: vrf_tag(&s.vrf_output),
            root_before: s.identity_root_before,
            state_root: s.state_root,
            epoch_nonce: lift(&s.epoch_nonce),
            vrf_pk: vrf_key(&s.vrf_public_key),
            commitment: zero(),
            root_after: s.identity_root_after,
        };
        public.derive();
        public
    }

    /// Computes the commitment from the other fields.
    pub fn derive(&mut self) {
        self.commitment =
            identity_commitment(&self.addr, &self.vrf_tag, &self.vrf_pk, &self.root_before, &self.state_root);
    }
}

/// Everything the circuit assigns; tests change single fields of it.
#[derive(Clone, Debug)]
pub struct Registration<F> {
    pub public: Public<F>,
    /// Where in the tree; [`natives::bits32`] of the address.
    pub slot: u32,
    /// Siblings, leaf to root.
    pub path: Vec<Native<F>>,
}

impl<F: CircuitField> Registration<F> {
    pub fn new(public: Public<F>, path: Vec<Native<F>>) -> Self {
        let slot = natives::bits32(&public.addr);
        Registration { public, slot, path }
    }

    /// From the bytes of a witness.
    pub fn parse(witness: &[u8], size: &Size) -> Result<Self, ZkError> {
        let Witness { statement, path } = Witness::parse(witness, size)?;
        Ok(Self::new(Public::of(&statement), path))
    }

    /// Records the circuit on these values.
    pub fn record(&self, b: &mut Builder<F>) {
        b.mark("I4");
        let public = self.public.wires(b);
        let parts = [public.addr, public.vrf_tag, public.vrf_pk, public.root_before, public.state_root];
        let parts: Vec<_> = parts.iter().flat_map(|d| d.wires::<F>().to_vec()).collect();
        let computed = b.hash(Tag::IdCommit, &parts);
        b.assert_digest_eq(&computed, &public.commitment);
        b.mark("I5");
        let bits = bits32(b, &public.addr, self.slot, self.path.len());
        b.mark("I6");
        let path: Vec<Digest> = self.path.iter().map(|d| b.witness_digest(d)).collect();
        let empty = b.constant_digest(&natives::empty(Tag::IdLeaf));
        let root = merkle(b, empty, &bits, &path);
        b.assert_digest_eq(&root, &public.root_before);
        b.mark("I7");
        let root = membership_root(b, &public.addr, &public.commitment, &bits, &path);
        b.assert_digest_eq(&root, &public.root_after);
    }
}

/// The identity root under which `addr` is registered with `commitment`; `bits` are BITS32(addr).
pub fn membership_root<F: CircuitField>(
    b: &mut Builder<F>,
    addr: &Digest,
    commitment: &Digest,
    bits: &[Bit],
    path: &[Digest],
) -> Digest {
    let reputation = u64_constant(b, 0);
    let parts = [addr.wires::<F>(), commitment.wires::<F>(), reputation.wires::<F>()];
    let leaf = b.hash(Tag::IdLeaf, &parts.concat());
    merkle(b, leaf, bits, path)
}
