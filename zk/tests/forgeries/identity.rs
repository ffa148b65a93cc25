//! Forgeries of registrations.

use simnet_zk::accounts::identity_leaf;
use simnet_zk::circuits::builder::Builder;
use simnet_zk::circuits::identity::{Registration, Size};
use simnet_zk::circuits::sample;
use simnet_zk::field::{CircuitField, Native};
use simnet_zk::natives::{Elements, empty, lift};
use simnet_zk::tags::Tag;

use super::{Forgery, forgery};

pub const SIZE: Size = Size { depth: 16 };

/// The root above a leaf in the registration's slot.
fn above<F: CircuitField>(r: &Registration<F>, leaf: Native<F>) -> Native<F> {
    r.path.iter().enumerate().fold(leaf, |node, (height, sibling)| match r.slot >> height & 1 {
        0 => F::compress(&node, sibling),
        _ => F::compress(sibling, &node),
    })
}

/// Makes the commitment and the new root again.
fn reseal<F: CircuitField>(r: &mut Registration<F>) {
    r.public.derive();
    r.public.root_after = above(r, identity_leaf(&r.public.addr, &r.public.commitment));
}

fn changed<F: CircuitField>(change: impl FnOnce(&mut Registration<F>)) -> impl FnOnce(&mut Builder<F>) {
    let (_, witness) = sample::identity::<F>(SIZE.depth);
    let mut r = Registration::parse(&witness, &SIZE).expect("an honest witness");
    change(&mut r);
    move |b: &mut Builder<F>| r.record(b)
}

/// The slot holds `leaf` already.
fn occupied<F: CircuitField>(r: &mut Registration<F>, leaf: Native<F>) {
    r.public.root_before = above(r, leaf);
    reseal(r);
}

/// Another place, empty as well, with everything that follows.
fn elsewhere<F: CircuitField>(r: &mut Registration<F>, bit: u32) {
    r.slot ^= 1 << bit;
    r.public.root_before = above(r, empty(Tag::IdLeaf));
    reseal(r);
}

/// A genesis leaf with a reputation.
fn reputable<F: CircuitField>(r: &mut Registration<F>) {
    let leaf = Elements::new().digest(&r.public.addr).digest(&r.public.commitment).u64(1).hash(Tag::IdLeaf);
    r.public.root_after = above(r, leaf);
}

/// The honest registration, and every forgery.
pub fn all<F: CircuitField>() -> Vec<Forgery<F>> {
    let other = lift::<F>(&[77; 32]);
    vec![
        forgery("nothing", [], changed(|_| ())),
        forgery(
            "another commitment",
            ["I4"],
            changed(|r| {
                r.public.commitment = other;
                r.public.root_after = above(r, identity_leaf(&r.public.addr, &other));
            }),
        ),
        forgery("another state root", ["I4"], changed(|r| r.public.state_root = other)),
        forgery("another VRF key", ["I4"], changed(|r| r.public.vrf_pk = other)),
        forgery("another VRF tag", ["I4"], changed(|r| r.public.vrf_tag = other)),
        forgery("the neighbouring slot", ["I5"], changed(|r| elsewhere(r, 0))),
        forgery("the other half of the tree", ["I5"], changed(|r| elsewhere(r, 15))),
        forgery(
            "a second registration",
            ["I6"],
            changed(|r| occupied(r, identity_leaf(&r.public.addr, &lift(&[78; 32])))),
        ),
        forgery("a colliding slot", ["I6"], changed(|r| occupied(r, identity_leaf(&lift(&[79; 32]), &other)))),
        forgery(
            "another old root",
            ["I6"],
            changed(|r| {
                r.public.root_before = other;
                reseal(r);
            }),
        ),
        forgery("a reputation to begin with", ["I7"], changed(reputable)),
        forgery("another new root", ["I7"], changed(|r| r.public.root_after = other)),
        forgery("no new leaf", ["I7"], changed(|r| r.public.root_after = r.public.root_before)),
    ]
}
