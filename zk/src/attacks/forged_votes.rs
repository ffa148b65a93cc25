//! A block without a vote: the weights of all three phases are said to be p, which is zero in the field.
//!
//! With the 16-bit carries that SUM64 once had this is an honest witness of the circuit and has a proof. The envelopes on file
//! (`zk/vectors/forged`) are a cheater's, under the pinned key of today's circuit, for `simnet proof verify` to refuse.

use std::path::PathBuf;

use super::forgeries::{self, Forgery, consensus};
use super::{Target, statement};
use crate::backend::Security;
use crate::circuits::builder::Structure;
use crate::circuits::layout::Codec;
use crate::circuits::{Circuit, public};
use crate::envelope::{public_digest, seal};
use crate::error::Reject;
use crate::field::CircuitField;
use crate::key::{CircuitKey, Key};
use crate::plonky3::Plonky3;
use crate::stwo::Stwo;

const CIRCUIT: Circuit = Circuit::Consensus(consensus::SIZE);
const SETUP: [u8; 32] = [1; 32];

fn without_votes<F: CircuitField>() -> Forgery<F> {
    let all = forgeries::of::<F>(&CIRCUIT).expect("forgeries");
    all.into_iter().find(|f| f.what == "no votes that weigh p").expect("on a 31-bit field")
}

/// Without the second range check of each carry.
fn with_16_bit_carries<F: CircuitField>(structure: &Structure<F>) -> Structure<F> {
    let mut s = structure.clone();
    let four = F::from_u64(4);
    let shifted: Vec<u32> = s.gates.iter().filter(|g| g.defines && g.qa == four).map(|g| g.out.0).collect();
    s.ranges.retain(|w| !shifted.contains(&w.0));
    s
}

/// The old circuit proves it; today's refuses the same values, and the same claim by a prover that checks nothing.
fn provable_with_wide_carries_only<S: Target>() {
    let f = without_votes::<S::F>();
    let claimed = statement(&f.structure, &f.values);
    let key = CircuitKey::<S>::generate(CIRCUIT, Security::Standard, SETUP).expect("a circuit");
    let old = S::keygen(&with_16_bit_carries(&f.structure), Security::Standard, SETUP).expect("a circuit");
    let proof = old.prove(&f.values, key.binding(), [2; 32]).expect("an honest witness of the old circuit");
    assert_eq!(old.verify(&claimed, key.binding(), &proof), Ok(()), "the hole");
    let today = S::keygen(&f.structure, Security::Standard, SETUP).expect("a circuit");
    assert!(today.prove(&f.values, key.binding(), [2; 32]).is_err());
    assert!(today.verify(&claimed, key.binding(), &proof).is_err());
}

#[test]
fn votes_of_nobody_were_provable_over_m31() {
    provable_with_wide_carries_only::<Stwo>();
}

#[test]
fn votes_of_nobody_were_provable_over_koala_bear() {
    provable_with_wide_carries_only::<Plonky3>();
}

/// A file of the forgery; `FORGED_WRITE=1` makes it anew.
fn on_file(name: &str, made: &[u8]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/forged").join(name);
    if std::env::var_os("FORGED_WRITE").is_some() {
        std::fs::write(&path, made).expect("a folder");
    }
    let known = std::fs::read(&path).expect("the forgery on file");
    assert!(
        known == made,
        "{}: another forgery; if the circuit was changed, run this with FORGED_WRITE=1",
        path.display()
    );
}

fn envelope_is_on_file<S: Target>(name: &str) {
    let f = without_votes::<S::F>();
    let key = CircuitKey::<S>::generate(CIRCUIT, Security::Standard, SETUP).expect("a circuit");
    let claimed = statement(&f.structure, &f.values);
    let inputs = public::to_bytes(&claimed);
    let bytes = consensus::without_votes::<S::F>().statement.to_bytes();
    assert_eq!(key.public_inputs(&bytes).expect("a statement"), inputs, "the claim is the statement's own vector");
    let system = S::keygen(&f.structure, Security::Standard, SETUP).expect("a circuit");
    let (_, proof) = system.cheat(&f.values, &claimed, key.binding()).swap_remove(0);
    let envelope = seal(key.binding(), &public_digest(key.binding(), &inputs), &proof);
    assert_eq!(key.verify(&inputs, &envelope, 1 << 24), Err(Reject::ConstraintMismatch));
    on_file(&format!("{name}.statement"), &bytes);
    on_file(&format!("{name}.proof"), &envelope);
}

#[test]
fn forged_votes_over_m31_are_on_file() {
    envelope_is_on_file::<Stwo>("stwo");
}

#[test]
fn forged_votes_over_koala_bear_are_on_file() {
    envelope_is_on_file::<Plonky3>("plonky3");
}
