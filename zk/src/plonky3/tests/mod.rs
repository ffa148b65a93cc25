//! Round trips, determinism, forgeries by a prover that checks nothing, and hostile bytes.

use std::sync::OnceLock;

use p3_field::PrimeCharacteristicRing;

use super::config::F;
use super::*;
use crate::circuits::builder::Builder;
use crate::tags::Tag;

mod bytes;
mod circuits;
mod determinism;
mod forgery;
mod map;
mod published;
mod recovery;
mod roundtrip;
mod weak;

fn binding() -> Binding {
    crate::attacks::binding(2)
}

fn f(v: u32) -> F {
    F::from_u32(v)
}

/// A circuit with a row of every kind: a chained sponge, swaps, compressions, ranges, public wires.
/// The seed picks the witness, never the structure.
fn small(seed: u32) -> (Structure<F>, Vec<F>) {
    let mut b = Builder::<F>::new();
    let limbs: Vec<_> = (0..20).map(|i| b.public(f((seed + 977 * i) % 65536))).collect();
    limbs.iter().for_each(|w| b.range16(*w));
    let mut digest = b.hash(Tag::Account, &limbs);
    for level in 0..3 {
        let sibling = b.witness_digest(&std::array::from_fn(|i| f(seed + 100 * level + i as u32)));
        let bit = b.bit((seed + level).is_multiple_of(2));
        let (l, r) = b.swap(bit, &digest, &sibling);
        digest = b.compress(&l, &r);
    }
    let total = b.mul_add(limbs[0], limbs[1], limbs[2]);
    let sum = b.lin(&[(f(2), total), (f(3), limbs[3]), (f(5), limbs[4]), (f(7), limbs[5])], f(9));
    let shown = b.public(b.value(sum));
    b.assert_eq(sum, shown);
    let root = b.public_digest(&b.digest_value(&digest));
    b.assert_digest_eq(&digest, &root);
    b.finish()
}

/// A key of [`small`] with one honest witness, its statement and a proof.
struct Fixture {
    key: Plonky3,
    values: Vec<F>,
    public: Vec<F>,
    proof: Vec<u8>,
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let (structure, values) = small(7);
        let key = Plonky3::keygen(&structure, Security::Standard, [0; 32]).unwrap();
        let public = key.filler.public(&values);
        let proof = key.prove(&values, &binding(), [0; 32]).unwrap();
        Fixture { key, values, public, proof }
    })
}
